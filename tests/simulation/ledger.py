"""Who paid for which embedding, and whether paying again could be helped."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from shared.domain.documents import GenerationState
from tests.simulation.processes import Process
from tests.simulation.sight import Sight, written

type Text = tuple[UUID, str]
"""A tenant and the hash of a text."""


@dataclass(slots=True)
class Payment:
    """One text, embedded once."""

    process: Process
    at: float
    ended: bool = False
    stored: bool = False


class Ledger:
    """The rule: a text of a tenant is embedded again only if what was paid for before could not be kept.

    That is so when its process died, lost its commit or its answer, or stood still for long; or when what was kept has
    been removed since with the last document that had it; or when its document was deleted or overtaken before.
    """

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self.payments: dict[Text, list[Payment]] = {}
        self.again: Counter[str] = Counter()
        """Texts that were paid for again, by what excuses it."""
        self.texts = 0

    def paid(self, process: Process, tenant: UUID, hashes: Sequence[str], now: float) -> str | None:
        """A batch was embedded. Returns what is wrong about it, if anything."""
        wrong = None
        for content_hash in hashes:
            text = (tenant, content_hash)
            self.texts += 1
            for earlier in self.payments.get(text, ()):
                wrong = wrong or self._judged(text, earlier, process, now)
            self.payments.setdefault(text, []).append(Payment(process, now))
        return wrong

    def _judged(self, text: Text, earlier: Payment, process: Process, now: float) -> str | None:
        first = earlier.process
        if first.dead or first.paused or process.paused:
            self.again["died or stood still"] += 1
        elif first.undone > 1 and not earlier.stored:
            self.again["lost its commit, and the next"] += 1
        elif earlier.stored:
            if any(key[0] == text[1] for tenant, key, _ in self._sight.table("cache") if tenant == text[0]):
                return f"a text that is known was embedded again by {process.function}#{process.number}"
            self.again["removed with its document"] += 1
        elif earlier.ended and self._overtaken(first):
            self.again["deleted or overtaken meanwhile"] += 1
        elif earlier.ended:
            return f"what {first.function}#{first.number} had paid for was thrown away"
        else:
            return f"{process.function}#{process.number} paid for what {first.function}#{first.number} was paying for"
        return None

    def _overtaken(self, process: Process) -> bool:
        """Whether the generation it held has ended without being published."""
        if process.holds is None:
            return False
        generation = self._sight.generation(*process.holds)
        document = self._sight.document(*process.holds[:2])
        return (
            document is None
            or document.deleted
            or (generation is not None and generation.state is GenerationState.SUPERSEDED)
        )

    def stored(self, process: Process, changes: Any) -> None:
        """A commit kept vectors."""
        for tenant, key, row in written(changes, "cache"):
            if row is not None:
                for payment in self.payments.get((tenant, key[0]), ()):
                    if payment.process is process:
                        payment.stored = True

    def ended(self, process: Process) -> None:
        """A process is over."""
        for payments in self.payments.values():
            for payment in payments:
                if payment.process is process:
                    payment.ended = True
