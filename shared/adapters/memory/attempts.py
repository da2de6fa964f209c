"""Counters of failed guesses."""

from dataclasses import dataclass
from datetime import datetime

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.attempts import Lockout


@dataclass(frozen=True, slots=True)
class _Counter:
    failures: int
    at: datetime
    blocked_until: datetime | None


class MemoryAttempts:
    """Counters of failed guesses."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def begin(self, key: str, lockout: Lockout, now: datetime) -> float:
        """Count a guess as failed before it is looked at, so that many at once are all counted.

        Returns:
            0 when it may be looked at; else the seconds to wait, and nothing was counted.
        """
        await self._transaction.lock("attempts", None, (key,))
        known: _Counter | None = self._transaction.get("attempts", None, (key,))
        if known is not None and known.blocked_until is not None and now < known.blocked_until:
            return (known.blocked_until - now).total_seconds()
        before = 0 if known is None or known.at < now - lockout.forget else known.failures
        over = before - lockout.free
        until = None if over < 0 else now + min(lockout.most, lockout.first * 2 ** min(over, 30))
        await self._transaction.put("attempts", None, (key,), _Counter(before + 1, now, until))
        return 0.0

    async def wait(self, key: str, now: datetime) -> float:
        """Seconds that the next guess has to wait; 0 when it has not."""
        known: _Counter | None = self._transaction.get("attempts", None, (key,))
        until = None if known is None else known.blocked_until
        return 0.0 if until is None else max(0.0, (until - now).total_seconds())

    async def succeeded(self, key: str, *, clear: bool) -> None:
        """The guess was right: take it back, or forget all failures."""
        await self._transaction.lock("attempts", None, (key,))
        known: _Counter | None = self._transaction.get("attempts", None, (key,))
        if known is None:
            return
        if clear:
            await self._transaction.remove("attempts", None, (key,))
        else:
            eased = _Counter(max(0, known.failures - 1), known.at, known.blocked_until)
            await self._transaction.put("attempts", None, (key,), eased)
