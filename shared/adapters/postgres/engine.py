"""The one connection of an execution environment, the statements that travel over it, and what its errors mean."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, cast
from uuid import UUID

import psycopg
import structlog
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import Executable, text
from sqlalchemy.engine import CursorResult, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from shared.adapters.postgres import binary
from shared.adapters.postgres.failures import meaning, unstorable
from shared.adapters.postgres.lean import AsyncConnection, AsyncEngine, create_async_engine
from shared.adapters.postgres.lookup import Lookup
from shared.domain.errors import CommitUnknown, Unavailable

log = structlog.get_logger()

Parameters = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Milliseconds after which the server gives up; 0 never."""

    statement: int = 30_000
    lock: int = 10_000
    idle_in_transaction: int = 60_000
    connect: int = 5_000
    """Rounded up to seconds."""
    turn: int = 30_000
    """How long a transaction waits for the one before it in the same process, since they share a connection."""


def open_engine(url: str, timeouts: Timeouts) -> AsyncEngine:
    """An engine whose connections are kept by who opens them.

    Autocommit on the driver's side: `Session` sends BEGIN itself, together with the tenant context, in one round
    trip. No statement is prepared and nothing is set for the session, so that a transaction pooler (RDS Proxy,
    pgbouncer) can share the connection.
    """
    binary.register()
    return create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        use_native_hstore=False,
        json_serializer=partial(json.dumps, ensure_ascii=False),
        connect_args={
            "prepare_threshold": None,
            "connect_timeout": -(-timeouts.connect // 1000),
            "application_name": "lambent",
        },
    )


TYPE_OIDS = text(
    "SELECT typname, oid FROM pg_type WHERE oid IN (CAST('vector' AS regtype), CAST('sparsevec' AS regtype))"
)


class Session:
    """One open transaction. Repositories run their statements here and never commit.

    The database hears of it with the first statement.
    """

    __slots__ = ("_line", "_opening")

    def __init__(self, line: "Line", opening: str) -> None:
        """Args:
        line: this transaction's for as long as it lasts.
        opening: what begins a transaction.
        """
        self._line = line
        self._opening = opening

    @property
    def begun(self) -> bool:
        """False while the database has not heard of it."""
        return not self._opening

    async def begin(self, query: str = "") -> Any:
        """Begin, together with a first query: one round trip. Returns the query's first row, or None.

        Args:
            query: SQL without parameters.

        Raises:
            Unavailable: the database cannot be reached.
        """
        opening, self._opening = self._opening, ""
        sql = f"{opening}; {query}" if opening and query else opening or query
        cursor = await self._line.begin(sql)
        if not query:
            return None
        while cursor.nextset():
            # The query's is the last result.
            pass
        cursor.row_factory = namedtuple_row
        return await cursor.fetchone()

    async def run(
        self, statement: Executable, parameters: Parameters | Sequence[Parameters] | None = None
    ) -> CursorResult[Any]:
        """Run one statement; with a sequence of parameters, once for each, in few round trips.

        Raises:
            Unavailable: the connection or the server failed, or the transaction had to give way.
            Conflict: a unique or foreign key stands against it.
            Invalid: text that the database cannot store.
            Forbidden: row-level security stands against it.
        """
        if self._opening:
            await self.begin()
        try:
            return await self._line.connection.execute(statement, cast(Any, parameters))
        except DBAPIError as error:
            raise (meaning(error.orig, lost=error.connection_invalidated) or error) from error
        except UnicodeEncodeError as error:
            raise unstorable() from error

    async def all(self, statement: Executable | Lookup, parameters: Parameters | None = None) -> Sequence[Any]:
        """Every row of the result."""
        if isinstance(statement, Lookup):
            return await (await self._look_up(statement, parameters)).fetchall()
        return (await self.run(statement, parameters)).all()

    async def first(self, statement: Executable | Lookup, parameters: Parameters | None = None) -> Any:
        """The first row, or None."""
        if isinstance(statement, Lookup):
            return await (await self._look_up(statement, parameters)).fetchone()
        return (await self.run(statement, parameters)).first()

    async def scalar(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""
        return (await self.run(statement, parameters)).scalar()

    async def oid(self, type_name: str) -> int:
        """The number this database gave to `vector` or `sparsevec`; it names the elements of a binary array."""
        oids = self._line.oids
        if type_name not in oids:
            oids.update({row.typname: row.oid for row in await self.all(TYPE_OIDS)})
        return oids[type_name]

    async def _look_up(self, lookup: Lookup, parameters: Parameters | None) -> psycopg.AsyncCursor[Any]:
        if self._opening:
            await self.begin()
        cursor = self._line.driver.cursor(row_factory=namedtuple_row)
        try:
            return await cursor.execute(lookup.sql, {**lookup.constants, **(parameters or {})})
        except psycopg.Error as error:
            raise (meaning(error) or error) from error
        except UnicodeEncodeError as error:
            raise unstorable() from error


class Line:
    """The one connection of a process.

    Opened when first needed, used by one transaction at a time, replaced when it breaks.
    """

    connection: AsyncConnection
    driver: psycopg.AsyncConnection[Any]

    def __init__(self, engine: AsyncEngine, timeouts: Timeouts) -> None:
        """Opens nothing.

        Args:
            engine: makes the connection.
            timeouts: how long anything may take.
        """
        self._engine = engine
        self._timeouts = timeouts
        self._turn = asyncio.Lock()
        self._open = False
        self.oids: dict[str, int] = {}
        """Of the vector types; filled when first needed."""

    async def take(self, tenant_id: UUID | None) -> Session:
        """Wait for this connection's turn; what is taken must be left.

        Raises:
            Unavailable: whoever has it kept it for too long.
        """
        if self._turn.locked():
            try:
                async with asyncio.timeout(self._timeouts.turn / 1000):
                    await self._turn.acquire()
            except TimeoutError as error:
                detail = "the one database connection of this process stayed in use"
                raise Unavailable(detail, code="database_busy") from error
        else:
            await self._turn.acquire()
        return Session(self, opening(tenant_id, self._timeouts))

    async def commit(self, session: Session) -> None:
        """Commit what was begun.

        Raises:
            Unavailable: an error inside the transaction had undone it before.
            CommitUnknown: the connection broke while committing.
        """
        if not session.begun:
            return
        if self.driver.info.transaction_status is TransactionStatus.INERROR:
            # COMMIT would answer ROLLBACK, politely: an error was swallowed inside the block.
            raise Unavailable("the transaction was undone by an earlier error", code="database_aborted")
        try:
            await self.driver.commit()
        except psycopg.OperationalError as error:
            if self.driver.broken or self.driver.closed:
                raise CommitUnknown("the database connection broke during commit") from error
            raise Unavailable("the database refused to commit", code="database_conflict") from error

    async def leave(self) -> None:
        """Roll back what is still open, and let the next have its turn."""
        try:
            await self._tidied()
        finally:
            self._turn.release()

    async def begin(self, sql: str) -> psycopg.AsyncCursor[Any]:
        """Send what begins a transaction.

        A kept connection may have died since: nothing has run yet, so another is tried at once.
        """
        for last in (False, True):
            await self._opened()
            try:
                return await self.driver.execute(sql)
            except psycopg.OperationalError as error:
                if last or not (self.driver.broken or self.driver.closed):
                    raise (meaning(error) or error) from error
                await self.drop()
            except psycopg.Error as error:
                raise (meaning(error) or error) from error
        raise AssertionError("unreachable")

    async def drop(self) -> None:
        """Close the connection, if there is one; the next transaction opens another."""
        if self._open:
            self._open = False
            await asyncio.shield(self.connection.invalidate())
            await asyncio.shield(self.connection.close())

    async def _opened(self) -> None:
        if self._open:
            return
        try:
            self.connection = await self._engine.connect()
            raw = await self.connection.get_raw_connection()
        except (SQLAlchemyError, psycopg.Error, OSError) as error:
            raise Unavailable("the database cannot be reached", code="database_unreachable") from error
        self.driver = cast(psycopg.AsyncConnection[Any], raw.driver_connection)
        self._open = True

    async def _tidied(self) -> None:
        """Roll back what is still open; a connection whose state is not known is not used again."""
        if not self._open:
            return
        status = self.driver.info.transaction_status
        if status is TransactionStatus.IDLE and not self.driver.broken:
            return
        if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            try:
                await asyncio.shield(self.driver.rollback())
            except (psycopg.Error, OSError) as error:
                log.info("database.dropped", error=str(error))
            else:
                return
        await self.drop()


@lru_cache(64)
def opening(tenant_id: UUID | None, timeouts: Timeouts) -> str:
    """What begins a transaction.

    All settings are local to it; the tenant is set even when there is none, so that nothing older shows through.
    """
    settings = {
        "lambent.tenant": "" if tenant_id is None else str(UUID(int=tenant_id.int)),
        "TimeZone": "UTC",
        "statement_timeout": int(timeouts.statement),
        "lock_timeout": int(timeouts.lock),
        "idle_in_transaction_session_timeout": int(timeouts.idle_in_transaction),
        # Compiling a statement takes longer than any of ours runs.
        "jit": "off",
        # pgvector: keep scanning the graph until enough rows passed the filters.
        "hnsw.ef_search": 100,
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.max_scan_tuples": 100_000,
    }
    return "BEGIN; SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in settings.items())
