"""Random transactions of random tenants by the application's role, each held against the model.

Statements name no tenant: what keeps rows apart here is the database alone. Searches go through the adapters.
"""

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from sqlalchemy import TextClause, text

from shared.adapters.postgres.catalogue import metadata
from shared.adapters.postgres.rows import PgRows
from shared.adapters.postgres.store import PgStore
from shared.domain.access import AccessList, ListKind, Reader
from shared.domain.errors import Conflict, Forbidden
from shared.domain.tenants import Permission, Principal, PrincipalKind, Scope
from tests.adapters.postgres.test_isolation import APPEND_ONLY, KEPT_FOR_GOOD, furnished
from tests.contracts.samples import DIMENSIONS, NOW, Room, index, new_id, new_room, tombstone
from tests.fixtures.postgres import PostgresUrls
from tests.isolation.model import KEYS, TABLES, Key, Model, Paper, rows_of, templates_of
from tests.isolation.statements import COPIED, KEY_LIST, UNIQUE, WRITTEN, given, inserting, key_of, written

TENANTS, PROJECTS = 4, 2
NAMES = ("user:ada", "user:bo", "unit:north", "role:editor")
WORDS = ("leave", "train", "laptop", "garden", "tomato", "portal", "director", "desk", "voucher", "stake")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does a transaction: a tenant's project, and the names by which lists admit them (None: the system)."""

    room: Room
    names: Set[str] | None

    @property
    def scope(self) -> Scope:
        """As the application opens it."""
        known = self.room.scope
        kind = PrincipalKind.SYSTEM if self.names is None else PrincipalKind.API_KEY
        readers = frozenset(self.names or ())
        principal = Principal(kind, "oracle")
        return Scope(known.tenant_id, principal, frozenset(Permission), known.project_id, readers=readers)


@dataclass
class Tally:
    """What came of it."""

    transactions: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    tables: set[str] = field(default_factory=set)
    hits: int = 0
    """What searches found, each time what brute force finds."""
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


def report(tally: Tally, seed: int) -> str:
    """In lines."""
    kinds = ", ".join(f"{name}: {count}" for name, count in sorted(tally.by_kind.items()))
    lines = [
        f"{tally.transactions} transactions with seed {seed}: {len(tally.wrong)} not as the model has it",
        f"{tally.seconds:.1f} s ({tally.transactions / max(tally.seconds, 1e-9):.0f}/s)",
        f"{len(tally.tables)} of {len(TABLES)} tables; {tally.hits} hits of searches; {tally.refused} writes refused",
    ]
    return "\n".join([*lines, kinds, *tally.wrong[:20]])


type Step = Callable[["Oracle", Actor, PgRows], Coroutine[Any, Any, None]]


class Oracle:
    """The database, the model, and chance."""

    def __init__(self, urls: PostgresUrls, seed: int, tables: Sequence[str] = ()) -> None:
        """Args:
        urls: of a migrated, empty database.
        seed: of chance.
        tables: those that statements are about; none: all.
        """
        self.chance = random.Random(seed)
        self.app, self.owner = PgStore(urls.app), PgStore(urls.owner)
        self.outside: psycopg.Connection[TupleRow] = psycopg.connect(urls.superuser, autocommit=True)
        self.model, self.tally = Model(), Tally()
        self.tables = list(tables) or TABLES
        self.rooms: list[Room] = []
        self.templates: dict[str, dict[UUID, dict[str, Any]]] = {}
        self.added: set[tuple[str, Key]] = set()
        self.undo: list[Callable[[], None]] = []
        self.about = ""
        """The table that was spoken of last."""

    async def close(self) -> None:
        """Close the connections."""
        await self.app.close()
        await self.owner.close()
        self.outside.close()

    async def settle(self) -> None:
        """Make the tenants, with rows in every table, and documents to be found."""
        for _ in range(TENANTS):
            first = await furnished(self.app)
            rooms = [first, *[await new_room(self.app, tenant_id=first.scope.tenant_id) for _ in range(PROJECTS - 1)]]
            self.rooms += rooms
            for room in rooms:
                for _ in range(4):
                    await self._paper(room)
        self.model.read(self.outside)
        self.templates = templates_of(self.outside)
        for row in self.outside.execute("SELECT tenant_id, project_id, collection_id, id FROM documents").fetchall():
            # What `furnished` put there.
            tenant, project, collection, id = row
            if collection not in {room.collection.id for room in self.rooms}:
                continue
            paper = Paper(tenant, project, collection, id, [(1.0, 0.0, 0.0, 0.0)], [frozenset({"some", "words"})])
            self.model.papers.setdefault(paper.id, paper)

    async def run(self, count: int, seconds: float = math.inf) -> Tally:
        """So many transactions, or as many as are begun in so many seconds."""
        began = time.perf_counter()
        while self.tally.transactions < count and time.perf_counter() - began < seconds:
            await self.one()
        if rows_of(self.outside) != self.model.rows:
            self.tally.wrong.append("at the end the rows are not the model's")
        self.tally.seconds = time.perf_counter() - began
        return self.tally

    async def one(self) -> None:
        """One transaction of one to three steps, kept or undone; or a change of what is searched."""
        self.tally.transactions += 1
        drawn = self.chance.random()
        actor = Actor(self.chance.choice(self.rooms), self._names())
        if drawn < 0.005:
            await self._changed()
        elif drawn < 0.03:
            await self._nobody()
        elif drawn < 0.06:
            await self._by_owner(actor)
        elif not await self._kept(actor):
            for undone in reversed(self.undo):
                undone()

    async def _kept(self, actor: Actor) -> bool:
        """A transaction by the application's role; False: it was rolled back."""
        steps = self.chance.choices(STEPS, WEIGHTS, k=self.chance.randint(1, 3))
        self.undo = []
        try:
            async with self.app.transaction(actor.scope) as rows:
                for step in steps:
                    self.tally.by_kind[step.__name__] += 1
                    await step(self, actor, rows)
                if self.chance.random() < 0.3:
                    raise _Undone
        except _Undone:
            return False
        except (Forbidden, Conflict) as error:
            self.wrong(f"{self.about}: {error.detail}")
            return False
        return True

    def wrong(self, words: str) -> None:
        """Note what the model did not expect."""
        self.tally.wrong.append(f"transaction {self.tally.transactions}: {words}")

    # Steps.

    async def look(self, actor: Actor, rows: PgRows) -> None:
        """Every row of a table, unasked which."""
        table = self._table()
        found = await rows._session.all(text(f"SELECT {key_of(table)} AS key FROM {table}"))
        expected = set(map(written, self.model.seen(table, actor.scope.tenant_id, actor.names)))
        if (got := {row.key for row in found}) != expected:
            self.wrong(f"{table}: saw {len(got - expected)} rows too many, {len(expected - got)} too few")

    async def look_up(self, actor: Actor, rows: PgRows) -> None:
        """Rows by their keys, anybody's among them."""
        table = self._table()
        wanted = self._some(table)
        query = text(f"SELECT count(*) FROM {table} WHERE {key_of(table)} = ANY ({KEY_LIST})")
        found = await rows._session.scalar(cast(Any, query), given(wanted))
        expected = len(self.model.seen(table, actor.scope.tenant_id, actor.names) & set(wanted))
        if found != expected:
            self.wrong(f"{table}: {found} rows by their keys where the model has {expected}")

    async def write(self, actor: Actor, rows: PgRows) -> None:
        """Update rows by their keys, anybody's among them."""
        table = self._table(APPEND_ONLY)
        wanted, column = self._some(table), WRITTEN.get(table, "tenant_id")
        value = ":mark" if table in WRITTEN else "tenant_id"
        query = text(f"UPDATE {table} SET {column} = {value} WHERE {key_of(table)} = ANY ({KEY_LIST})")
        values = {**given(wanted), **({"mark": f"mark {self.tally.transactions}"} if table in WRITTEN else {})}
        changed = (await rows._session.run(query, values)).rowcount
        expected = len(self.model.seen(table, actor.scope.tenant_id, actor.names) & set(wanted))
        if changed != expected:
            self.wrong(f"{table}: {changed} rows updated where the model has {expected}")

    async def give_away(self, actor: Actor, rows: PgRows) -> None:
        """Write another tenant into one's own rows, or one's own into another's."""
        table = self._table(APPEND_ONLY)
        wanted = self._some(table)
        own = self.model.seen(table, actor.scope.tenant_id, actor.names) & set(wanted)
        other = self.chance.choice([room.scope.tenant_id for room in self.rooms])
        if other == actor.scope.tenant_id and own:
            return
        query = text(f"UPDATE {table} SET tenant_id = :other WHERE {key_of(table)} = ANY ({KEY_LIST})")
        await self._refused(table, rows, query, {**given(wanted), "other": other}, rows_expected=0 if not own else None)

    async def plant(self, actor: Actor, rows: PgRows) -> None:
        """Insert a row of another tenant's."""
        table = self._table()
        others = [id for id in self.templates[table] if id != actor.scope.tenant_id]
        row = dict(self.templates[table][self.chance.choice(others)])
        for column in {COPIED.get(table), UNIQUE.get(table)} - {None}:
            row[cast(str, column)] = self._fresh(table, cast(str, column))
        await self._refused(table, rows, inserting(table), {"row": Jsonb(row)}, rows_expected=None)

    async def add(self, actor: Actor, rows: PgRows) -> None:
        """Insert another row of one's own."""
        table = self._table(within=COPIED)
        row = dict(self.templates[table][actor.scope.tenant_id])
        for column in {COPIED[table], UNIQUE.get(table)} - {None}:
            row[cast(str, column)] = self._fresh(table, cast(str, column))
        await rows._session.run(inserting(table), {"row": Jsonb(row)})
        key = tuple(str(row[column]) for column in KEYS[table])
        self.model.rows[table][key] = actor.scope.tenant_id
        self.added.add((table, key))
        self.undo.append(lambda: self._forget(table, key))

    async def remove(self, actor: Actor, rows: PgRows) -> None:
        """Delete rows that were added, and try to delete others'."""
        table = self._table(KEPT_FOR_GOOD, within=COPIED)
        keys = self.model.rows[table]
        own = sorted(key for name, key in self.added if name == table and keys[key] == actor.scope.tenant_id)
        others = sorted(key for key, owner in keys.items() if owner != actor.scope.tenant_id)
        wanted = [*self.chance.sample(own, min(len(own), 4)), *self.chance.sample(others, min(len(others), 4))]
        query = text(f"DELETE FROM {table} WHERE {key_of(table)} = ANY ({KEY_LIST})")
        gone = (await rows._session.run(query, given(wanted))).rowcount
        expected = [key for key in wanted if keys[key] == actor.scope.tenant_id]
        if gone != len(expected):
            self.wrong(f"{table}: {gone} rows deleted where the model has {len(expected)}")
        for key in expected:
            self._forget(table, key)

    async def nearest(self, actor: Actor, rows: PgRows) -> None:
        """The vector leg, over one's own collections and others'."""
        rooms = self._asked(actor)
        vector, limit = self._vector(), self.chance.choice((1, 3, 10, 50))
        found = await rows.vectors.query(actor.scope, [room.collection for room in rooms], vector, limit)
        expected = self.model.nearest(self._searched(actor, rooms), vector, limit)
        if [hit.id for hit in found] != expected:
            self.wrong(f"vectors: found {[str(hit.id) for hit in found]}, brute force {[str(id) for id in expected]}")
        self.tally.hits += len(found)

    async def sharing(self, actor: Actor, rows: PgRows) -> None:
        """The keyword leg, over one's own collections and others'."""
        rooms = self._asked(actor)
        terms = set(self.chance.sample(WORDS, self.chance.randint(1, 3)))
        found = await rows.keywords.query(actor.scope, [room.collection.id for room in rooms], sorted(terms), 1000)
        expected = self.model.sharing(self._searched(actor, rooms), terms)
        if {hit.id for hit in found} != expected:
            self.wrong(f"keywords: found {len(found)}, brute force {len(expected)}")
        self.tally.hits += len(found)

    async def lists(self, actor: Actor, rows: PgRows) -> None:
        """The access list of anybody's document: whoever manages lists sees those of their project, and no others."""
        paper = self._paper_of_chance()
        mine = (paper.tenant_id, paper.project_id) == (actor.scope.tenant_id, actor.scope.project_id)
        found = await rows.access.get(actor.scope, ListKind.DOCUMENT, paper.id)
        if (found is not None) is not (mine and not paper.deleted):
            self.wrong(f"documents: the list of a document is {'not ' if found is None else ''}seen")
        if not mine and await rows.access.put(actor.scope, ListKind.DOCUMENT, paper.id, _list(["everyone"])):
            self.wrong("documents: the list of somebody else's document was set")

    # Transactions of other kinds.

    async def _nobody(self) -> None:
        self.tally.by_kind["nobody"] += 1
        table = self._table()
        async with self.app.transaction(None) as rows:
            if found := await rows._session.scalar(text(f"SELECT count(*) FROM {table}")):
                self.wrong(f"{table}: {found} rows seen without a tenant")

    async def _by_owner(self, actor: Actor) -> None:
        """The role that owns the tables is held back as well, but by no list."""
        self.tally.by_kind["owner"] += 1
        table = self._table()
        async with self.owner.transaction(actor.scope) as rows:
            found = await rows._session.scalar(text(f"SELECT count(*) FROM {table}"))
        if found != (expected := len(self.model.seen(table, actor.scope.tenant_id, None))):
            self.wrong(f"{table}: the owner of the tables saw {found} rows where the model has {expected}")

    async def _changed(self) -> None:
        """A document more, a document less, or another list: nobody else's rows change with it."""
        self.tally.by_kind["changed"] += 1
        before = self.model.rows
        drawn, paper = self.chance.random(), self._paper_of_chance()
        room = self.room_of(paper)
        if drawn < 0.3 and len(self.model.papers) < 200:
            paper = await self._paper(room)
        elif drawn < 0.4 and not paper.deleted:
            await self._delete(room, paper)
        elif not paper.deleted:
            await self.restrict(room, paper)
        self.model.read(self.outside)
        for table in TABLES:
            theirs = [
                {key for key, owner in rows[table].items() if owner != paper.tenant_id}
                for rows in (before, self.model.rows)
            ]
            if theirs[0] != theirs[1]:
                self.wrong(f"{table}: rows of others changed with a document")

    async def _paper(self, room: Room) -> Paper:
        words = [self.chance.choices(WORDS, k=self.chance.randint(2, 6)) for _ in range(self.chance.randint(1, 4))]
        vectors = [self._vector() for _ in words]
        made = await index(self.app, room, [" ".join(one) for one in words], vectors)
        scope = room.scope
        paper = Paper(
            scope.tenant_id, scope.project_id, room.collection.id, made.id, vectors, [frozenset(one) for one in words]
        )
        self.model.papers[made.id] = paper
        return paper

    async def restrict(self, room: Room, paper: Paper) -> None:
        """Give a document another access list, or none."""
        names = (
            None
            if self.chance.random() < 0.3
            else set(self.chance.sample((*NAMES, "everyone"), self.chance.randint(0, 2)))
        )
        stale = names is not None and self.chance.random() < 0.2
        async with self.app.transaction(room.scope) as rows:
            wanted = None if names is None else _list(sorted(names), stale=stale)
            assert await rows.access.put(room.scope, ListKind.DOCUMENT, paper.id, wanted)
        paper.readers, paper.stale = names, stale

    async def _delete(self, room: Room, paper: Paper) -> None:
        system = Actor(room, None)
        async with self.app.transaction(system.scope) as rows:
            found = await rows.documents.get(system.scope, paper.id)
        assert found is not None
        await tombstone(self.app, Room(system.scope, room.collection), found)
        paper.deleted = True

    # Chance.

    def _names(self) -> Set[str] | None:
        if self.chance.random() < 0.1:
            return None
        return frozenset(self.chance.sample(NAMES, self.chance.randint(0, 2)))

    def _table(self, but: Set[str] = frozenset(), within: Any = ()) -> str:
        fit = [name for name in self.tables if name not in but and (not within or name in within)]
        table: str = self.chance.choice(fit or sorted(set(within or TABLES) - but))
        self.tally.tables.add(table)
        self.about = table
        return table

    def _some(self, table: str) -> list[Key]:
        keys = sorted(self.model.rows[table])
        return self.chance.sample(keys, min(len(keys), self.chance.randint(1, 12)))

    def _vector(self) -> Sequence[float]:
        return [self.chance.gauss(0, 1) for _ in range(DIMENSIONS)]

    def _paper_of_chance(self) -> Paper:
        return self.chance.choice(list(self.model.papers.values()))

    def room_of(self, paper: Paper) -> Room:
        """Where it is."""
        return next(room for room in self.rooms if room.collection.id == paper.collection_id)

    def _asked(self, actor: Actor) -> list[Room]:
        """The actor's own room and some others: what is asked for is not what one may ask for."""
        others = self.chance.sample(self.rooms, self.chance.randint(0, 3))
        return list({room.collection.id: room for room in (actor.room, *others)}.values())

    def _searched(self, actor: Actor, rooms: Sequence[Room]) -> list[Paper]:
        within = [room.collection.id for room in rooms]
        return self.model.searched(actor.scope.tenant_id, actor.scope.project_id, within, actor.names)

    def _fresh(self, table: str, column: str) -> Any:
        kind = str(metadata.tables[table].c[column].type)
        if kind == "INTEGER":
            return 1000 + self.chance.randrange(1_000_000_000)
        id = new_id()
        return str(id) if kind == "CHAR(32)" else f"fresh {id}"

    def _forget(self, table: str, key: Key) -> None:
        owner = self.model.rows[table].pop(key)
        self.added.discard((table, key))

        def back() -> None:
            self.model.rows[table][key] = owner
            self.added.add((table, key))

        self.undo.append(back)

    async def _refused(
        self, table: str, rows: PgRows, query: TextClause, values: dict[str, object], *, rows_expected: int | None
    ) -> None:
        """Run what has to be refused or, where there is nothing that it could be refused for, to do nothing."""
        try:
            done = (await rows._session.run(query, values)).rowcount
        except Forbidden:
            self.tally.refused += 1
            raise _Undone from None
        except (Conflict, psycopg.errors.IntegrityError):
            # It met another row: it was through the wall.
            self.wrong(f"{table}: a row of another tenant's was let through, and met one that is there")
            raise _Undone from None
        if done != rows_expected:
            self.wrong(f"{table}: {done} rows of another tenant's were written")
            raise _Undone


class _Undone(Exception):
    """The transaction is rolled back."""


STEPS: Sequence[Step] = (
    Oracle.look,
    Oracle.look_up,
    Oracle.write,
    Oracle.give_away,
    Oracle.plant,
    Oracle.add,
    Oracle.remove,
    Oracle.nearest,
    Oracle.sharing,
    Oracle.lists,
)
WEIGHTS = (4, 4, 3, 2, 2, 2, 2, 4, 4, 1)


def _list(names: Sequence[str], *, stale: bool = False) -> AccessList:
    until = NOW.replace(year=2020) if stale else None
    return AccessList(frozenset(map(Reader.of, names)), NOW, "oracle", until)
