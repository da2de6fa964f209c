"""Who paid for which embedding, and whether paying again could be helped."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.domain.documents import GenerationState
from shared.domain.ingestions import CANCELLED
from tests.simulation.processes import Process
from tests.simulation.sight import Sight, written

type Text = tuple[UUID, str]
"""A tenant and the hash of a text."""


@dataclass(slots=True, eq=False)
class Payment:
    """One text, embedded once."""

    process: Process
    undone: int
    """Transactions of the process that had come to nothing before."""
    unanswered: bool = False
    """The provider did the work, and its answer was lost."""
    ended: bool = False
    """The process is over."""
    stored: int | None = None
    """After how many commits of anyone its vector was kept."""


class Ledger:
    """The rule: a text of a tenant is embedded again only if what was paid for before could not be kept, or is gone.

    What excuses it, and why nothing better can be done:

    - its answer was lost, or its process died: nobody else has ever seen the vector;
    - its process stood still until its lease was another's, or stood still itself between looking and paying: a worker
      that seems dead cannot be told from one that is, and waiting for it would stop its documents;
    - the database refused its commit and the next one too: the vectors are in that process alone, and its time ends;
    - the database forgot its claim, whose commit nobody waits for: nobody else could see that it was at work;
    - its document was deleted, overtaken or cancelled meanwhile: what nobody wants is not kept, as a delete promises;
    - it was kept, and removed with the last document that had it.
    """

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self.payments: dict[Text, list[Payment]] = {}
        self.again: Counter[str] = Counter()
        """Texts that were paid for again, by what excuses it."""
        self.texts = 0

    def paid(self, process: Process, tenant: UUID, hashes: Sequence[str]) -> tuple[list[Payment], str | None]:
        """A batch was embedded. Returns the payments, and what is wrong about them, if anything."""
        wrong, made = None, []
        for content_hash in hashes:
            text = (tenant, content_hash)
            self.texts += 1
            for earlier in self.payments.get(text, ()):
                wrong = wrong or self._judged(text, earlier, process)
            made.append(Payment(process, process.undone))
            self.payments.setdefault(text, []).append(made[-1])
        return made, wrong

    def _judged(self, text: Text, earlier: Payment, process: Process) -> str | None:
        excuse = self._gone(text, earlier, process) if earlier.stored is not None else self._lost(earlier, process)
        if excuse:
            self.again[excuse] += 1
            return None
        first = f"{earlier.process.function}#{earlier.process.number}"
        second = f"{process.function}#{process.number}"
        if earlier.stored is not None:
            return f"a text that is known was embedded again by {second}"
        if earlier.ended:
            return f"what {first} had paid for was thrown away"
        return f"{second} paid for what {first} was paying for"

    def _gone(self, text: Text, earlier: Payment, process: Process) -> str:
        """What excuses paying for what had been kept."""
        if not any(key[0] == text[1] for tenant, key, _ in self._sight.table("cache") if tenant == text[0]):
            return "removed with its last document"
        if process.took_at > (earlier.stored or 0):
            return ""
        if process.forgotten:
            # Whoever came since saw nobody at work, and was the first to be done.
            return "its claim was forgotten"
        return "stood still" if earlier.process.paused or process.paused else ""

    def _lost(self, earlier: Payment, process: Process) -> str:
        """What excuses paying for what has not been kept."""
        first = earlier.process
        if earlier.unanswered:
            return "its answer was lost"
        if first.dead:
            return "died"
        if first.paused or (process.paused and not earlier.ended):
            return "stood still"
        if first.forgotten:
            return "its claim was forgotten"
        if first.undone - earlier.undone > 1:
            return "lost its commit, and the next"
        return "deleted, overtaken or cancelled meanwhile" if earlier.ended and self._unwanted(first) else ""

    def _unwanted(self, process: Process) -> bool:
        """Whether the generation it held has ended without being published."""
        if process.holds is None:
            return False
        generation = self._sight.generation(*process.holds)
        document = self._sight.document(*process.holds[:2])
        if document is None or document.deleted or self._sight.deleted(document.id):
            return True
        cancelled = generation is not None and generation.failure is not None and generation.failure.code == CANCELLED
        return cancelled or (generation is not None and generation.state is GenerationState.SUPERSEDED)

    def stored(self, process: Process, changes: Any, commits: int) -> None:
        """A commit kept vectors."""
        for tenant, key, row in written(changes, "cache"):
            if row is not None:
                for payment in self.payments.get((tenant, key[0]), ()):
                    if payment.process is process:
                        payment.stored = payment.stored or commits

    def ended(self, process: Process) -> None:
        """A process is over."""
        for payments in self.payments.values():
            for payment in payments:
                if payment.process is process:
                    payment.ended = True

    def kept(self) -> Counter[UUID]:
        """Payments whose vector was kept, by tenant."""
        kept: Counter[UUID] = Counter()
        for (tenant, _), made in self.payments.items():
            kept[tenant] += sum(one.stored is not None for one in made)
        return kept
