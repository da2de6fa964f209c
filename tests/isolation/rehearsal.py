"""A database in which everything can be tried and nothing stays.

Ordinarily transactions are what they are in a function. While a rehearsal goes on they are savepoints of one
transaction around them all, which is rolled back at its end: so the owner of a document can delete it as often as
there are probes that should not.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus

from shared.adapters.postgres.engine import open_engine
from shared.adapters.postgres.line import Line, Sent, Timeouts
from shared.adapters.postgres.rows import PgRows
from shared.adapters.postgres.store import PgStore
from shared.domain.tenants import TenantScope
from shared.runtime.invocation import run

ENDS = re.compile(r"\bCOMMIT$")
SAVE, KEEP, UNDO = "SAVEPOINT door", "RELEASE SAVEPOINT door", "ROLLBACK TO SAVEPOINT door"


class RehearsalLine(Line):
    """The connection of a function, whose transactions are savepoints."""

    within = False
    """Whether a savepoint is open."""

    async def take(self, scope: TenantScope | None) -> Sequence[str]:
        """As in a function, but for what begins a transaction."""
        _, settings = await super().take(scope)
        return SAVE, settings

    async def begin(self, sql: str) -> psycopg.AsyncCursor[Any]:
        """As in a function."""
        self.within = True
        return await super().begin(sql)

    async def whole(self, statements: Sequence[str]) -> psycopg.AsyncCursor[Any]:
        """As in a function, but for what ends it."""
        cursor = await self.begin("; ".join([*statements, KEEP]))
        self.within = False
        return cursor

    async def exchange(self, sent: Sequence[Sent], *, anew: bool = False) -> psycopg.AsyncCursor[Any]:
        """As in a function, but for what ends a transaction."""
        self.within = self.within or any(SAVE in one.sql for one in sent)
        last = sent[-1]
        ends = ENDS.search(last.sql) is not None
        cursor = await super().exchange([*sent[:-1], replace(last, sql=ENDS.sub(KEEP, last.sql))], anew=False)
        self.within = self.within and not ends
        return cursor

    async def _commit_sent(self) -> None:
        """What ends a transaction here is no COMMIT, and is waited for."""
        await self.exchange([Sent("COMMIT")])

    async def _tidied(self) -> None:
        if self.within:
            await self.driver.execute(UNDO)
            await self.driver.execute(KEEP)
            self.within = False

    async def curtain(self, *, up: bool) -> None:
        """Begin the transaction around all, or undo it."""
        await self._opened()
        if up:
            await self.driver.execute("BEGIN")
        elif self.driver.info.transaction_status is TransactionStatus.IDLE:
            raise RuntimeError("something was committed amid a rehearsal: RehearsalLine does not know how")
        else:
            await self.driver.rollback()

    async def asked(self, sql: str, values: Sequence[object]) -> Any:
        """The first column of a query's first row, by the application's role, amid the rehearsal."""
        cursor = await self.driver.execute(sql, values)
        row = await cursor.fetchone()
        return None if row is None else row[0]


class RehearsedStore:
    """A `PgStore` that can rehearse."""

    def __init__(self, url: str) -> None:
        """Args:
        url: of the application's role.
        """
        timeouts = Timeouts()
        self._real = PgStore(url, timeouts)
        self._rehearsed = PgStore(url, timeouts)
        self.line = RehearsalLine(open_engine(url, timeouts), timeouts)
        self._rehearsed._line = self.line
        self.rehearsing = False

    def transaction(self, scope: TenantScope | None) -> AbstractAsyncContextManager[PgRows]:
        """One transaction."""
        return self._open(scope)

    @asynccontextmanager
    async def _open(self, scope: TenantScope | None) -> AsyncIterator[PgRows]:
        async with (self._rehearsed if self.rehearsing else self._real).transaction(scope) as rows:
            yield rows

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """What is done in the block is undone at its end."""
        run(self.line.curtain(up=True))
        self.rehearsing = True
        try:
            yield
        finally:
            self.rehearsing = False
            run(self.line.curtain(up=False))

    async def close(self) -> None:
        """Close the connections."""
        await self._real.close()
        await self._rehearsed.close()
