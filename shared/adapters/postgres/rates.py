"""How often callers ask, counted by one function of the server that locks, decides and counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.sql import SQL

from shared.adapters.postgres.engine import Session
from shared.domain.rates import Counted, Lease, Limit, Part, Standing
from shared.ports.rates import Asker, Told

SPEND = SQL(
    "SELECT * FROM lambent_spend({}, {}, {}, {}::uuid, {}::uuid, {}::text[], {}::integer[], {}::integer[], {}, {})"
)
PURGE = "DELETE FROM rates WHERE until < :now"
REMEMBERED = 500
"""Callers of whom a process knows what it has counted ahead."""


class PgRates:
    """Requests by who made them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._leases = session.leases

    async def along(self, asker: Asker, limits: Sequence[tuple[Part, Limit]], now: datetime, told: Told) -> None:
        """Count a request in a transaction of its own that travels with this one's first statement, or from a lease."""
        name = (asker, tuple(limits))
        lease = self._leases.get(name)
        if lease is not None and (standings := lease.use(now)):
            told(standings)
            return
        wanted = 1 if lease is None else lease.following(now)
        parts = [part.value for part, _ in limits]
        most, lasts = [limit.requests for _, limit in limits], [limit.seconds for _, limit in limits]
        who = (asker.kind, asker.address, asker.key_hash, asker.user_id, asker.tenant_id)

        def answered(rows: Sequence[Any]) -> None:
            standings = [_standing(row, *limits[row.place - 1]) for row in sorted(rows, key=lambda row: int(row.place))]
            fresh = Lease(standings, rows[0].taken if rows else 0, now)
            self._leases.pop(name, None)
            if fresh.taken:
                self._leases[name] = fresh
                while len(self._leases) > REMEMBERED:
                    del self._leases[next(iter(self._leases))]
            told(fresh.standing())

        self._session.before(SPEND.format(*who, parts, most, lasts, now, wanted).as_string(), answered)

    async def purge(self, now: datetime) -> int:
        """Forget counters of which nothing is within a window any more; returns how many."""
        from sqlalchemy import text

        return (await self._session.run(text(PURGE), {"now": now})).rowcount


def _standing(row: Any, part: Part, limit: Limit) -> Standing:
    return Standing(part, limit, Counted(row.opened, row.count, row.previous), row.granted)
