"""Token buckets."""

from dataclasses import dataclass, replace
from datetime import datetime

from shared.adapters.memory.rows_transaction import Transaction


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was in it (owed, when negative), and when."""

    level: float
    at: datetime
    """In the future nothing flows in until it comes."""
    quiet_until: datetime | None = None

    def flowed(self, now: datetime, capacity: float, per_second: float) -> float:
        """What is in it by now."""
        return min(capacity, self.level + max(0.0, (now - self.at).total_seconds()) * per_second)


class MemoryLimits:
    """Token buckets by key, nobody's in particular."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def reserve(
        self, key: str, cost: float, *, capacity: float, per_second: float, now: datetime, within: float
    ) -> float:
        """Set `cost` aside; returns the seconds until it may be spent, 0 for at once.

        More than `within` means that nothing was set aside: ask again later.
        """
        await self._transaction.lock("buckets", None, (key,))
        known = self._known(key) or Bucket(capacity, now)
        available = known.flowed(now, capacity, per_second)
        closed = max(0.0, (known.at - now).total_seconds())
        wait = closed + max(0.0, cost - available) / per_second
        left = available if wait > within else available - cost
        await self._transaction.put("buckets", None, (key,), replace(known, level=left, at=max(known.at, now)))
        return wait

    async def drain(self, key: str, until: datetime, *, per_second: float) -> None:
        """Nothing more until then: the provider said so.

        What was promised for a moment before then is void; what was promised for later still holds.
        """
        await self._transaction.lock("buckets", None, (key,))
        known = self._known(key) or Bucket(0.0, until)
        drained = Bucket(
            known.flowed(until, 0.0, per_second), max(known.at, until), max(known.quiet_until or until, until)
        )
        await self._transaction.put("buckets", None, (key,), drained)

    async def silence(self, key: str, now: datetime) -> float:
        """Seconds until the silence that `drain` began is over, 0 when there is none."""
        known = self._known(key)
        if known is None or known.quiet_until is None:
            return 0.0
        return max(0.0, (known.quiet_until - now).total_seconds())

    def _known(self, key: str) -> Bucket | None:
        found: Bucket | None = self._transaction.get("buckets", None, (key,))
        return found
