"""Token buckets."""

from dataclasses import dataclass
from datetime import datetime

from shared.adapters.memory.rows_transaction import Transaction


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was in it, and when; a moment in the future lets nothing flow in until it comes."""

    level: float
    at: datetime


class MemoryLimits:
    """Token buckets by key, nobody's in particular."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def take(self, key: str, cost: float, *, capacity: float, per_second: float, now: datetime) -> float:
        """Take `cost` (at most `capacity`) from the bucket.

        Returns 0 when it was there, else the seconds until it will be (and takes nothing).
        """
        await self._transaction.lock("buckets", None, (key,))
        known: Bucket = self._transaction.get("buckets", None, (key,)) or Bucket(capacity, now)
        cost = min(cost, capacity)
        since = (now - known.at).total_seconds()
        available = min(capacity, known.level + max(0.0, since) * per_second)
        enough = available >= cost
        left = Bucket(available - cost if enough else available, max(known.at, now))
        await self._transaction.put("buckets", None, (key,), left)
        return 0.0 if enough else max(0.0, -since) + (cost - available) / per_second

    async def drain(self, key: str, until: datetime) -> None:
        """Nothing more until then: the provider said so."""
        await self._transaction.lock("buckets", None, (key,))
        known: Bucket | None = self._transaction.get("buckets", None, (key,))
        at = until if known is None else max(known.at, until)
        await self._transaction.put("buckets", None, (key,), Bucket(0.0, at))
