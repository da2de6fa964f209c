"""The one connection of an execution environment."""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import psycopg
import structlog
from psycopg.generators import fetch_many
from psycopg.pq import TransactionStatus
from sqlalchemy.exc import SQLAlchemyError

from shared.adapters.postgres.beginning import opening, unknown
from shared.adapters.postgres.failures import meaning, unstorable
from shared.adapters.postgres.lean import AsyncConnection, AsyncEngine
from shared.adapters.postgres.lookup import named_rows
from shared.domain.errors import CommitUnknown, Outage, Unavailable
from shared.domain.tenants import TenantScope

if TYPE_CHECKING:
    from shared.adapters.postgres.engine import Session
    from shared.domain.rates import Lease, Limit, Part
    from shared.ports.rates import Asker

log = structlog.get_logger()

type Leases = dict[tuple[Asker, tuple[tuple[Part, Limit], ...]], Lease]
"""By who asks, and what they are granted."""


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


@dataclass(frozen=True, slots=True)
class Sent:
    """A statement on its way."""

    sql: str
    values: Mapping[str, object] | None = None


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
        self._committing = False
        self.leases: Leases = {}
        """Requests counted ahead of those that are made."""
        self.recalled: dict[str, Any] = {}
        """Rows of credentials and what was made of them, by the statement that found them."""

    @property
    def lost(self) -> bool:
        """Whether the connection is of no use any more."""
        return self.driver.broken or self.driver.closed

    async def take(self, scope: TenantScope | None) -> Sequence[str]:
        """Wait for this connection's turn; what is taken must be left. Returns what begins a transaction.

        Raises:
            Unavailable: whoever has it kept it for too long.
        """
        if self._turn.locked():
            try:
                async with asyncio.timeout(self._timeouts.turn / 1000):
                    await self._turn.acquire()
            except TimeoutError as error:
                detail = "the one database connection of this process stayed in use"
                raise Outage(detail, code="database_busy") from error
        else:
            await self._turn.acquire()
        try:
            await self._committed()
        except BaseException:
            self._turn.release()
            raise
        if scope is None:
            return opening(None, frozenset(), self._timeouts)
        return opening(scope.tenant_id, scope.admitted, self._timeouts)

    @property
    def settings(self) -> str:
        """What is set for a transaction of which it is not known yet whose it is: an array of the server's."""
        return unknown(self._timeouts)

    async def commit(self, session: "Session") -> None:
        """Commit what was begun.

        Raises:
            Unavailable: an error inside the transaction had undone it before.
            CommitUnknown: the connection broke while committing.
        """
        later = session.taken()
        if not session.begun:
            if not later:
                return
            # Nothing was asked before: all of it is one round trip, and is not repeated when the connection has died.
            await self._opened()
            later = [*map(Sent, session.opened()), *later]
        if self.driver.info.transaction_status is TransactionStatus.INERROR:
            # COMMIT would answer ROLLBACK, politely: an error was swallowed inside the block.
            raise Unavailable("the transaction was undone by an earlier error", code="database_aborted")
        if not session.wrote:
            await self._commit_sent()
            return
        statements = [*later, Sent("COMMIT")]
        if all(one.values is None for one in statements):
            statements = [Sent("; ".join(one.sql for one in statements))]
        try:
            await self.exchange(statements)
        except psycopg.Error as error:
            if self.lost:
                raise CommitUnknown("the database connection broke during commit") from error
            if (known := meaning(error)) is None and isinstance(error, psycopg.OperationalError):
                raise Outage("the database refused to commit", code="database_conflict") from error
            raise (known or error) from error
        except UnicodeEncodeError as error:
            raise unstorable() from error

    async def _commit_sent(self) -> None:
        """Send COMMIT without waiting for its answer: nothing was written that could fail to be.

        The next transaction reads the answer. It is with the server when this returns, so that a process that is frozen
        now keeps no transaction open; a connection that takes not even that is dropped, and nothing is lost with it.
        """
        raw = self.driver.pgconn
        try:
            raw.send_query(b"COMMIT")
            self._committing = raw.flush() == 0
        except psycopg.Error as error:
            log.info("database.dropped", error=str(error))
        if not self._committing:
            await self.drop()

    async def _committed(self) -> None:
        """Read the answer to the COMMIT that nobody waited for. A connection that has died since is replaced."""
        if not self._committing:
            return
        raw = self.driver.pgconn
        try:
            raw.consume_input()
            if raw.is_busy():
                await self.driver.wait(fetch_many(raw))
            while raw.get_result() is not None:
                pass
        except (psycopg.Error, OSError) as error:
            log.info("database.dropped", error=str(error))
            await self.drop()
        self._committing = False

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
                if last or not self.lost:
                    raise (meaning(error, lost=self.lost) or error) from error
                await self.drop()
            except psycopg.Error as error:
                raise (meaning(error, lost=self.lost) or error) from error
        raise AssertionError("unreachable")

    async def whole(self, statements: Sequence[str]) -> psycopg.AsyncCursor[Any]:
        """Send a transaction in one message, its end included. It changes nothing that may not be done twice.

        Raises:
            Unavailable: the database cannot be reached, or did not finish in time.
        """
        return await self.begin("; ".join([*statements, "COMMIT"]))

    async def spelled_out(self, sql: str, values: Mapping[str, object]) -> str:
        """A statement with its values in it, quoted by the driver for this connection.

        Raises:
            Unavailable: the database cannot be reached.
            psycopg.Error, UnicodeEncodeError: a value that cannot be written.
        """
        await self._opened()
        if all(type(value) is UUID for value in values.values()):
            # Nothing in an id needs quoting, and most look-ups are by ids alone.
            return sql % {name: f"'{value}'::uuid" for name, value in values.items()}
        return psycopg.AsyncClientCursor(self.driver).mogrify(sql, values)

    async def exchange(self, sent: Sequence[Sent], *, anew: bool = False) -> psycopg.AsyncCursor[Any]:
        """Send statements and wait for all of them once; what comes behind one that failed is not done.

        Args:
            sent: in their order; the answer is the last one's.
            anew: they begin a transaction and do not end it, so that another connection is tried when the kept one has
                died.

        Raises:
            psycopg.Error: the first that failed.
        """
        while True:
            await self._opened()
            try:
                return await self._exchanged(sent)
            except psycopg.OperationalError:
                if not anew or not self.lost:
                    raise
                anew = False
                await self.drop()

    async def _exchanged(self, sent: Sequence[Sent]) -> psycopg.AsyncCursor[Any]:
        *before, last = sent
        cursor = self.driver.cursor(row_factory=named_rows)
        if not before:
            return await cursor.execute(last.sql, last.values)
        async with self.driver.pipeline() as pipeline:
            pipeline._exit_gen = partial(_ended, pipeline)  # type: ignore[method-assign]  # noqa: SLF001
            for one in before:
                await self.driver.execute(one.sql, one.values)
            await cursor.execute(last.sql, last.values)
        return cursor

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
            raise Outage("the database cannot be reached", code="database_unreachable") from error
        self.driver = cast(psycopg.AsyncConnection[Any], raw.driver_connection)
        self._open = True

    async def _tidied(self) -> None:
        """Roll back what is still open; a connection whose state is not known is not used again."""
        if not self._open or self._committing:
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


def _ended(pipeline: psycopg.AsyncPipeline) -> Generator[Any, Any, None]:
    """What the driver does at the end of a pipeline, but for the flush that it asks for behind the sync.

    A sync flushes by itself: to the server that is a client that has gone on, and its watch over idle transactions
    would end. What is still on its way has to be read also when what came first is an error.
    """
    try:
        pipeline._enqueue_sync()  # noqa: SLF001
        yield from pipeline._communicate_gen()  # noqa: SLF001
    finally:
        yield from pipeline._fetch_gen(flush=False)  # noqa: SLF001
