"""Which faults a history has, how often, and what became of them."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

KINDS = {
    "s3_event_duplicated": 0.25,
    "s3_event_late": 0.2,
    "s3_event_lost": 0.12,
    "message_duplicated": 0.15,
    "message_late": 0.15,
    "visibility_expired": 0.15,
    "crash": 0.012,
    "pause": 0.012,
    "zombie": 0.5,
    "database_lost": 0.01,
    "commit_lost": 0.02,
    "commit_unknown_applied": 0.03,
    "commit_unknown_lost": 0.03,
    "claim_forgotten": 0.05,
    "blobs_unavailable": 0.06,
    "blobs_answer_lost": 0.05,
    "embedder_unavailable": 0.15,
    "embedder_answer_lost": 0.1,
    "embedder_storm": 0.6,
    "vectors_unavailable": 0.12,
    "vectors_answer_lost": 0.05,
    "vectors_lag": 0.9,
    "send_failed": 0.1,
    "send_partial": 0.1,
    "send_answer_lost": 0.08,
    "webhook_lost": 0.5,
    "webhook_refused": 0.3,
    "webhook_answer_lost": 0.3,
    "schedule_missed": 0.15,
    "clock_skew": 0.7,
    "record_left": 0.1,
    "little_time": 0.4,
}
"""Every kind of fault with the chance that it strikes where it can, in a history that has it."""

RATES = (0.4, 1.0, 1.0, 2.5)
"""A history is calmer or wilder than the next."""


@dataclass(slots=True)
class Faults:
    """The faults of one history: `strikes` decides, and counts."""

    chance: random.Random
    rates: dict[str, float]
    until: float
    """No fault is begun after this second."""
    budget: int
    """At most so many faults, so that giving up after five tries stays the exception."""
    fired: Counter[str] = field(default_factory=Counter)
    harm: int = 0
    """Faults that may each cost a document one of its tries."""
    last: float = 0.0
    """When the last fault struck, or ended."""
    trace: list[str] | None = None

    @classmethod
    def drawn(cls, chance: random.Random, emphasis: Sequence[str] = ()) -> "Faults":
        """Some kinds at some rates: a history with few kinds goes deeper into those.

        Args:
            chance: decides.
            emphasis: kinds that strike often, and nearly alone.
        """
        if emphasis:
            return cls(chance, {kind: min(0.9, 3 * KINDS[kind]) for kind in emphasis}, 900.0, 12)
        share = chance.choice((0.0, 0.15, 0.3, 0.5, 0.8))
        factor = chance.choice(RATES)
        rates = {kind: rate * factor for kind, rate in KINDS.items() if chance.random() < share}
        return cls(chance, rates, chance.uniform(120.0, 900.0), chance.choice((2, 4, 8, 12, 20)))

    def strikes(self, kind: str, now: float, *, harm: int = 1, lasts: float = 0.0) -> bool:
        """Whether this kind of fault happens now; `harm` is how many tries it may cost, `lasts` how long it goes on."""
        rate = self.rates.get(kind)
        if rate is None or now > self.until or not self.budget or self.chance.random() >= rate:
            return False
        self.count(kind, now, harm=harm, lasts=lasts)
        return True

    def count(self, kind: str, now: float, *, harm: int = 1, lasts: float = 0.0) -> None:
        """It happened."""
        self.budget = max(0, self.budget - min(harm, 1))
        self.fired[kind] += 1
        if self.trace is not None:
            self.trace.append(f"{now:9.3f}        FAULT {kind}")
        self.harm += harm
        self.last = max(self.last, now + lasts)

    def lasting(self, until: float) -> None:
        """A fault goes on until then."""
        self.last = max(self.last, until)
