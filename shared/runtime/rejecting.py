"""What becomes of dead letters: see shared/usecases/ingest/reject.py and shared/usecases/ingestions/steer.py.

Sweeps, erasures and deliveries need nothing here: their rows are overdue, and the schedule takes them up again.
"""

from shared.domain.events import ExtractMessage, GenerationMessage, IngestionMessage
from shared.domain.tenants import Scope, system_scope
from shared.runtime.receiving import receive_objects
from shared.runtime.steering import PERMISSIONS, PRINCIPAL
from shared.runtime.transactions import transaction
from shared.runtime.worker import DeadLetter
from shared.usecases.ingest.receive import tenant_of
from shared.usecases.ingest.reject import reject
from shared.usecases.ingestions.steer import resume


async def settle_letter(letter: DeadLetter) -> None:
    """End the generation that nobody could take further; take notice of objects after all; have a run steered on.

    A letter that fails here stays in its queue and comes again, until the outage that made it one is over.
    """
    content = letter.content
    if isinstance(content, GenerationMessage | ExtractMessage):
        scope = system_scope(content.tenant_id, content.project_id, "ingest_reject")
        async with transaction(scope) as ports:
            await reject(scope, ports, content)
    elif isinstance(content, IngestionMessage):
        scope = Scope(content.tenant_id, PRINCIPAL, PERMISSIONS, content.project_id)
        async with transaction(scope) as ports:
            await resume(scope, ports, content)
    elif isinstance(content, tuple):
        for created in content:
            tenant = tenant_of(created)
            if tenant is not None:
                await receive_objects(tenant, [created])
