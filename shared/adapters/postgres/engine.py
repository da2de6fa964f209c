"""Statements on their way to the database, and what its errors mean."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, cast

import psycopg
from sqlalchemy import Executable, TextClause, text
from sqlalchemy.engine import CursorResult, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from shared.adapters.postgres import binary
from shared.adapters.postgres.failures import meaning, unstorable
from shared.adapters.postgres.lean import AsyncEngine, create_async_engine
from shared.adapters.postgres.line import Leases, Line, Sent, Timeouts
from shared.adapters.postgres.lookup import Lookup, named_rows, only_reads, spelled
from shared.domain.errors import StandingChanged

Parameters = Mapping[str, object]
type Answered = Callable[[Sequence[Any]], None]

REMEMBERED = 500
"""Credentials of which a process knows what they were answered with."""


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


@dataclass(slots=True)
class Question:
    """What is taken for granted of whoever a transaction is for, until it has been asked."""

    asked: str
    """The statement but for the time in it."""
    sql: str
    row: Any
    """What it was answered with last time."""
    confirmed: bool = False
    """That this is still so was found out in another transaction, which is over."""


class Session:
    """One open transaction. Repositories run their statements here and never commit.

    The database hears of it with the first statement, and of writes that nobody waits for with the next one.
    """

    __slots__ = ("_before", "_later", "_line", "_opening", "_question", "wrote")

    def __init__(self, line: Line, opening: Sequence[str]) -> None:
        """Args:
        line: this transaction's for as long as it lasts.
        opening: what begins a transaction.
        """
        self._line = line
        self._opening = opening
        self._later: list[Sent] = []
        self._before: tuple[str, Answered] | None = None
        self._question: Question | None = None
        self.wrote = False
        """Whether a statement may have changed or locked something that whoever asked for it waits for."""

    @property
    def begun(self) -> bool:
        """False while the database has not heard of it."""
        return not self._opening

    @property
    def leases(self) -> Leases:
        """Requests that this process has counted ahead; kept from one transaction to the next."""
        return self._line.leases

    def opened(self) -> Sequence[str]:
        """What begins it, for whoever sends that now."""
        opening, self._opening = self._opening, ()
        return opening

    def taken(self) -> list[Sent]:
        """What was to be sent later, for whoever sends it now."""
        later, self._later = self._later, []
        return later

    def before(self, query: str, answered: "Answered") -> None:
        """Run a query in a transaction of its own before this one begins, in the same round trip.

        Args:
            query: SQL without parameters. It is committed whatever becomes of this transaction.
            answered: is given its rows; what it raises is raised by the first statement.
        """
        self._before = (query, answered)

    async def begin(self, query: str = "") -> Any:
        """Begin, together with a first query: one round trip. Returns the query's first row, or None.

        Args:
            query: SQL without parameters. What it changes, nobody waits for.

        Raises:
            Unavailable: the database cannot be reached.
        """
        before, self._before = self._before, None
        first = [] if before is None else ["BEGIN", before[0], "COMMIT"]
        cursor = await self._line.begin("; ".join([*first, *self.opened(), *([query] if query else [])]))
        if before is not None:
            cursor.row_factory = named_rows
            cursor.nextset()
            before[1](await cursor.fetchall())
        if not query:
            return None
        while cursor.nextset():
            # The query's is the last result.
            pass
        cursor.row_factory = named_rows
        return await cursor.fetchone()

    async def stand[Found](
        self, asked: str, now: datetime, read: Callable[[Any], Found], *, ahead: bool
    ) -> Found | None:
        """Begin with the statement that finds out who this is for and sets their context. Returns who; None: nobody.

        Going ahead, it is what it was answered with last time in this process. The statement then travels with the
        first that follows, and their context holds for that one as it is by then.

        Args:
            asked: the call of a function of the server up to its last two arguments, the time and the settings of the
                transaction, which it makes.
            now: the time.
            read: makes it of the statement's row.
            ahead: whether last time's answer will do for now.

        Raises:
            Unavailable: the database cannot be reached.
        """
        recalled: dict[str, tuple[Any, Found]] = self._line.recalled
        # Of a datetime nothing needs quoting.
        query = f"{asked}'{now.isoformat()}'::timestamptz, {self._line.settings})"
        if ahead and self._before is None and not self.begun and (known := recalled.get(asked)) is not None:
            row, found = known
            self._question = Question(asked, query, row)
            return found
        recalled.pop(asked, None)
        row = await self._entered(query)
        if row is None:
            return None
        found = read(row)
        recalled[asked] = row, found
        while len(recalled) > REMEMBERED:
            del recalled[next(iter(recalled))]
        return found

    async def _entered(self, query: str) -> Any:
        """Begin with a query that makes the settings itself."""
        self._opening = self._opening[:1]
        return await self.begin(query)

    async def confirmed(self) -> None:
        """Ask what was taken for granted, if nothing has asked it yet.

        Raises:
            StandingChanged: it is not so any more.
            Unavailable: the database cannot be reached.
        """
        if self._question is not None and (self._later or not self._question.confirmed):
            await self._stood()

    async def _stood(self) -> None:
        """Begin, with what was taken for granted."""
        question = self._question
        if question is not None:
            self._question = None
            self._compare(question, await self._entered(question.sql))

    def _compare(self, question: Question, row: Any) -> None:
        if row != question.row:
            self._line.recalled.pop(question.asked, None)
            raise StandingChanged
        question.confirmed = True

    def later(self, statement: Lookup | TextClause, parameters: Parameters) -> None:
        """Run a statement that answers nothing, in its turn, but not before something has to be waited for.

        It travels with the next statement or with the commit, in the same round trip, and that is where its errors
        show.
        """
        self.wrote = True
        lookup = _lookup(statement)
        self._later.append(Sent(lookup.sql, lookup.given(parameters)))

    def plainly(self, sql: str) -> None:
        """As `later`, for a statement without parameters: a transaction of nothing else is one message.

        Args:
            sql: nothing in it that anyone has written.
        """
        self.wrote = True
        self._later.append(Sent(sql))

    async def run(
        self, statement: Executable | Lookup, parameters: Parameters | Sequence[Parameters] | None = None
    ) -> CursorResult[Any] | psycopg.AsyncCursor[Any]:
        """Run one statement; with a sequence of parameters, once for each, in few round trips.

        Raises:
            Unavailable: the connection or the server failed, or the transaction had to give way.
            Conflict: a unique or foreign key stands against it.
            Invalid: text that the database cannot store.
            Forbidden: row-level security stands against it.
        """
        if isinstance(statement, Lookup | TextClause) and not isinstance(parameters, Sequence):
            return await self._driven(_lookup(statement), parameters)
        return await self._composed(cast(Executable, statement), parameters)

    async def all(self, statement: Executable | Lookup, parameters: Parameters | None = None) -> Sequence[Any]:
        """Every row of the result."""
        if isinstance(statement, Lookup | TextClause):
            return await (await self._driven(_lookup(statement), parameters)).fetchall()
        return (await self._composed(statement, parameters)).all()

    async def first(self, statement: Executable | Lookup, parameters: Parameters | None = None) -> Any:
        """The first row, or None."""
        if isinstance(statement, Lookup | TextClause):
            return await (await self._driven(_lookup(statement), parameters)).fetchone()
        return (await self._composed(statement, parameters)).first()

    async def scalar(self, statement: Executable | Lookup, parameters: Parameters | None = None) -> Any:
        """The first column of the first row, or None."""
        row = await self.first(statement, parameters)
        return None if row is None else row[0]

    async def oid(self, type_name: str) -> int:
        """The number this database gave to `vector` or `sparsevec`; it names the elements of a binary array."""
        oids = self._line.oids
        if type_name not in oids:
            oids.update({row.typname: row.oid for row in await self.all(TYPE_OIDS)})
        return oids[type_name]

    async def _driven(self, lookup: Lookup, parameters: Parameters | None) -> psycopg.AsyncCursor[Any]:
        """By the driver alone, in one round trip with all that waits to be sent."""
        if not lookup.reads:
            self.wrote = True
        question = self._question
        if question is not None and lookup.reads and not (question.confirmed or self._later):
            return await self._whole(question, lookup, parameters)
        await self._stood()
        if self._before is not None:
            await self.begin()
        opening = self.opened()
        try:
            wanted = Sent(lookup.sql, lookup.given(parameters))
            return await self._line.exchange([*map(Sent, opening), *self.taken(), wanted], anew=bool(opening))
        except psycopg.Error as error:
            raise (meaning(error, lost=self._line.lost) or error) from error
        except UnicodeEncodeError as error:
            raise unstorable() from error

    async def _whole(
        self, question: Question, lookup: Lookup, parameters: Parameters | None
    ) -> psycopg.AsyncCursor[Any]:
        """A statement that only reads, as a transaction of its own with what was taken for granted: one message.

        Each statement sees what is committed by its own moment (READ COMMITTED), so that reading in another transaction
        than what follows changes nothing.
        """
        try:
            wanted = await self._line.spelled_out(lookup.sql, lookup.given(parameters))
        except psycopg.Error as error:
            raise (meaning(error) or error) from error
        except UnicodeEncodeError as error:
            raise unstorable() from error
        cursor = await self._line.whole([self._opening[0], question.sql, wanted])
        cursor.row_factory = named_rows
        cursor.nextset()
        self._compare(question, await cursor.fetchone())
        cursor.nextset()
        return cursor

    async def _composed(
        self, statement: Executable, parameters: Parameters | Sequence[Parameters] | None
    ) -> CursorResult[Any]:
        """By SQLAlchemy, which compiles what is put together for each call."""
        if not only_reads(statement):
            self.wrote = True
        await self._stood()
        if self._opening:
            await self.begin()
        try:
            if later := self.taken():
                await self._line.exchange(later)
            return await self._line.connection.execute(statement, cast(Any, parameters))
        except DBAPIError as error:
            raise (meaning(error.orig, lost=error.connection_invalidated) or error) from error
        except psycopg.Error as error:
            raise (meaning(error, lost=self._line.lost) or error) from error
        except UnicodeEncodeError as error:
            raise unstorable() from error


def _lookup(statement: Lookup | TextClause) -> Lookup:
    return statement if isinstance(statement, Lookup) else spelled(statement.text)
