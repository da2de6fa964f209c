"""The one connection of an execution environment, the statements that travel over it, and what its errors mean."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Executable, text
from sqlalchemy.engine import CursorResult, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import AsyncAdaptedQueuePool

from shared.adapters.postgres import binary
from shared.adapters.postgres.lean import AsyncConnection, AsyncEngine, create_async_engine
from shared.domain.errors import CommitUnknown, Conflict, Forbidden, Invalid, LambentError, Unavailable

Parameters = Mapping[str, object]

TRANSIENT: Mapping[str, tuple[str, str]] = {
    "55P03": ("database_busy", "a row or table stayed locked for too long"),
    "57014": ("database_timeout", "the database took too long to answer"),
    "40001": ("database_conflict", "the transaction met another one and was undone"),
    "40P01": ("database_conflict", "the transaction met another one and was undone"),
    "25P02": ("database_aborted", "the transaction was undone by an earlier error"),
    "25006": ("database_read_only", "the database only reads at the moment"),
    "42P01": ("not_migrated", "the database lacks a table: its migrations have not run"),
    "42703": ("not_migrated", "the database lacks a column: its migrations have not run"),
    "42883": ("not_migrated", "the database lacks a function: its migrations have not run"),
}
"""SQLSTATEs that a retry may cure, with our code and words for each."""

UNSTORABLE = frozenset({"22021", "22P05"})
"""SQLSTATEs of characters that no text column takes."""


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
    """An engine of exactly one connection, opened when first needed.

    Autocommit on the driver's side: `transaction` sends BEGIN itself, together with the tenant context, in one round
    trip. No statement is prepared and nothing is set for the session, so that a transaction pooler (RDS Proxy,
    pgbouncer) can share the connection.
    """
    binary.register()
    return create_async_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=timeouts.turn / 1000,
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
    """One open transaction. Repositories run their statements here and never commit."""

    __slots__ = ("_connection", "_oids")

    def __init__(self, connection: AsyncConnection, oids: dict[str, int]) -> None:
        """Args:
        connection: inside a transaction.
        oids: of the vector types, kept by whoever keeps the database; filled when first needed.
        """
        self._connection = connection
        self._oids = oids

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
        try:
            return await self._connection.execute(statement, cast(Any, parameters))
        except DBAPIError as error:
            raise meaning(error) from error
        except UnicodeEncodeError as error:
            raise _unstorable() from error

    async def all(self, statement: Executable, parameters: Parameters | None = None) -> Sequence[Any]:
        """Every row of the result."""
        return (await self.run(statement, parameters)).all()

    async def first(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first row, or None."""
        return (await self.run(statement, parameters)).first()

    async def scalar(self, statement: Executable, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""
        return (await self.run(statement, parameters)).scalar()

    async def oid(self, type_name: str) -> int:
        """The number this database gave to `vector` or `sparsevec`; it names the elements of a binary array."""
        if type_name not in self._oids:
            self._oids.update({row.typname: row.oid for row in await self.all(TYPE_OIDS)})
        return self._oids[type_name]


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, oids: dict[str, int], tenant_id: UUID | None, timeouts: Timeouts
) -> AsyncIterator[Session]:
    """One transaction in the tenant's context: committed at the end of the block, rolled back when it raises.

    Raises:
        Unavailable: the database cannot be reached, or an error inside the block had undone the transaction already.
        CommitUnknown: the connection broke while committing.
    """
    connection, driver = await _begin(engine, opening(tenant_id, timeouts))
    try:
        yield Session(connection, oids)
        await _commit(driver)
    finally:
        # Whatever is still open is rolled back as the connection returns to the pool; a broken one is dropped.
        if driver.broken or driver.closed:
            await connection.invalidate()
        await connection.close()


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


async def _begin(engine: AsyncEngine, opening: str) -> tuple[AsyncConnection, psycopg.AsyncConnection[Any]]:
    """A connection inside a fresh transaction.

    A kept connection may have died since: nothing has run yet, so another is tried at once.
    """
    for last in (False, True):
        connection = await _connect(engine)
        driver = cast(psycopg.AsyncConnection[Any], (await connection.get_raw_connection()).driver_connection)
        try:
            await driver.execute(opening)
        except psycopg.OperationalError as error:
            await connection.invalidate()
            await connection.close()
            if last:
                raise Unavailable("the database connection was lost", code="database_lost") from error
        except BaseException:
            # Cancelled between BEGIN and its answer: the connection's state is not known.
            await asyncio.shield(connection.invalidate())
            await asyncio.shield(connection.close())
            raise
        else:
            return connection, driver
    raise AssertionError("unreachable")


async def _connect(engine: AsyncEngine) -> AsyncConnection:
    try:
        return await engine.connect()
    except PoolTimeout as error:
        raise Unavailable("the one database connection of this process stayed in use", code="database_busy") from error
    except (SQLAlchemyError, psycopg.Error, OSError) as error:
        raise Unavailable("the database cannot be reached", code="database_unreachable") from error


async def _commit(driver: psycopg.AsyncConnection[Any]) -> None:
    if driver.info.transaction_status is TransactionStatus.INERROR:
        # COMMIT would answer ROLLBACK, politely: an error was swallowed inside the block.
        raise Unavailable("the transaction was undone by an earlier error", code="database_aborted")
    try:
        await driver.commit()
    except psycopg.OperationalError as error:
        if driver.broken or driver.closed:
            raise CommitUnknown("the database connection broke during commit") from error
        raise Unavailable("the database refused to commit", code="database_conflict") from error


def meaning(error: DBAPIError) -> LambentError | DBAPIError:
    """What a database error means to the rest of the system; those that are faults of ours stay as they are."""
    cause = error.orig
    state = getattr(cause, "sqlstate", None) or ""
    if state in TRANSIENT:
        code, words = TRANSIENT[state]
        return Unavailable(words, code=code)
    if (
        error.connection_invalidated
        or state[:2] in ("08", "53", "57")
        or (isinstance(cause, psycopg.OperationalError) and not state)
    ):
        return Unavailable("the database connection was lost", code="database_lost")
    if state == "23505":
        return Conflict("something with the same key exists already", code="already_exists")
    if state == "23503":
        return Conflict("it refers to something that is not there", code="missing_reference")
    if state == "42501":
        return Forbidden("the rows are outside this transaction's tenant", code="outside_tenant")
    if state in UNSTORABLE or (isinstance(cause, psycopg.DataError) and not state):
        return _unstorable()
    return error


def _unstorable() -> Invalid:
    return Invalid(
        "the text contains characters that cannot be stored (NUL, or halves of a surrogate pair)", code="invalid_text"
    )
