"""One line a tenant before ingestion: so many of its documents are in progress at once, the others wait for their turn.

Queues are first come, first served, or notice a flood only after a while; a document of another tenant must not stand
behind ten thousand. Whoever leaves lets the next one in; the sweep does so for lines that nobody moves.
"""

from dataclasses import dataclass

from shared.domain.documents import Document, Generation, GenerationState, advance
from shared.domain.tenants import TenantScope, system_scope
from shared.ports.ports import Ports
from shared.usecases.outbox.send import send_step


@dataclass(slots=True)
class Places:
    """How many more of a tenant's generations one transaction may let in: the database is asked once."""

    left: int | None = None

    async def first_state(self, scope: TenantScope, ports: Ports, wanted: GenerationState) -> GenerationState:
        """The state a generation begins in: `wanted`, or `QUEUED` when the tenant has as many in progress as it may.

        Two that ask at the same moment may both be let in: the line keeps floods out, it does not count to the last
        one.
        """
        if self.left is None:
            most = ports.pace.in_progress
            self.left = most - await ports.admissions.in_progress(scope, most)
        self.left -= 1
        return wanted if self.left >= 0 else GenerationState.QUEUED


async def send_first(scope: TenantScope, ports: Ports, document: Document, generation: Generation) -> None:
    """Queue the first step, unless it is not its turn yet."""
    if generation.state is not GenerationState.QUEUED:
        await send_step(scope, ports, document, generation)


async def admit(scope: TenantScope, ports: Ports) -> int:
    """Let in those whose turn has come; returns how many.

    Args:
        scope: of the tenant.
        ports: in a transaction of the tenant, in which whoever left has left.
    """
    admitted = await ports.admissions.next(scope, ports.pace.in_progress)
    for document, generation in admitted:
        cut = generation.text_generation is not None
        state = GenerationState.CHUNKING if cut else GenerationState.EXTRACTING
        started = advance(generation, state, ports.clock.now(), due=ports.pace.patience(state))
        own = system_scope(scope.tenant_id, generation.project_id, "admission")
        await ports.documents.save_generation(own, started)
        await send_step(own, ports, document, started)
    return len(admitted)
