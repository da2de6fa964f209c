"""How often callers ask."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.rates import Counted, Limit, Part, Standing
from shared.ports.rates import Asker, Told


@dataclass(frozen=True, slots=True)
class Row:
    """A counter, and until when something of it is within a window."""

    counted: Counted
    until: datetime


class MemoryRates:
    """Requests by who made them, nobody's in particular. They are counted at once, outside the transaction."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def along(self, asker: Asker, limits: Sequence[tuple[Part, Limit]], now: datetime, told: Told) -> None:
        """Count a request, whatever becomes of this transaction; told at once."""
        whose = {Part.ADDRESS: asker.address, **dict(self._known(asker))}
        rows = self._transaction.outside("rates")
        found: list[tuple[tuple[str, str, str], Part, Limit, Counted]] = []
        for part, limit in limits:
            if part in whose:
                name = (asker.kind, part.value, whose[part])
                kept = rows.get(name)
                counted = Counted(limit.opened(now)) if kept is None else kept.counted.rolled(limit, now)
                found.append((name, part, limit, counted))
        granted = all(counted.weight(limit, now) + 1 <= limit.requests for _, _, limit, counted in found)
        standings = []
        for name, part, limit, before in found:
            counted = replace(before, count=before.count + granted)
            rows[name] = Row(counted, counted.opened + timedelta(seconds=2 * limit.seconds))
            standings.append(Standing(part, limit, counted, granted))
        told(standings)

    async def purge(self, now: datetime) -> int:
        """Forget counters of which nothing is within a window any more; returns how many."""
        rows = self._transaction.outside("rates")
        gone = [name for name, row in rows.items() if row.until < now]
        for name in gone:
            del rows[name]
        return len(gone)

    def _known(self, asker: Asker) -> Iterator[tuple[Part, str]]:
        for tenant_id, key, row in self._transaction.everyones("keys"):
            if asker.key_hash and key == (asker.key_hash,):
                yield Part.PRINCIPAL, str(row.id)
                yield Part.TENANT, str(tenant_id)
        if asker.user_id is not None:
            yield Part.PRINCIPAL, str(asker.user_id)
            theirs = {
                tenant for tenant, key, _ in self._transaction.everyones("memberships") if key == (asker.user_id,)
            }
            named = theirs & {asker.tenant_id} if asker.tenant_id else theirs
            if len(named) == 1:
                yield Part.TENANT, str(*named)
