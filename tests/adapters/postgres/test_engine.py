"""Transactions over one connection: what they promise when things break."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow
from sqlalchemy import text

from shared.adapters.postgres.line import Sent, Timeouts
from shared.adapters.postgres.store import PgStore
from shared.domain.chunks import ChunkId
from shared.domain.errors import CommitUnknown, Conflict, Invalid, Unavailable
from tests.contracts.samples import Room, add_document, chunk, document, generation, index, new_id, new_room, scope_of
from tests.fixtures.postgres import OpenStore, PostgresUrls, TestServer

type Superuser = psycopg.Connection[TupleRow]

PATIENCE = 60.0
KILL = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'lambent_app'"


def kill(as_superuser: Superuser) -> int:
    """End every connection of the application, as a failover does; returns how many there were."""
    row = as_superuser.execute(KILL).fetchone()
    assert row is not None
    return int(row[0])


def until(seen: Callable[[], bool]) -> None:
    """Waits for what the server does in its own time, and nothing here has to be done for."""
    deadline = time.monotonic() + PATIENCE
    while not seen():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


async def test_transaction_after_the_kept_connection_died_works_at_once(
    store: PgStore, as_superuser: Superuser
) -> None:
    room = await new_room(store)
    assert kill(as_superuser) == 1
    async with store.transaction(room.scope) as rows:
        assert await rows.collections.get(room.scope, room.collection.id) == room.collection


async def test_transaction_whose_connection_dies_is_unavailable_and_the_next_works(
    store: PgStore, as_superuser: Superuser
) -> None:
    room = await new_room(store)

    async def interrupted() -> None:
        async with store.transaction(room.scope) as rows:
            await rows.collections.save(room.scope, replace(room.collection, name="lost"))
            kill(as_superuser)
            await rows.collections.get(room.scope, room.collection.id)

    with pytest.raises(Unavailable) as raised:
        await interrupted()
    assert raised.value.code == "database_lost"
    async with store.transaction(room.scope) as rows:
        assert await rows.collections.get(room.scope, room.collection.id) == room.collection


async def test_commit_whose_connection_dies_is_of_unknown_outcome(store: PgStore, as_superuser: Superuser) -> None:
    room = await new_room(store)

    async def interrupted() -> None:
        async with store.transaction(room.scope) as rows:
            await rows.collections.save(room.scope, replace(room.collection, name="lost?"))
            kill(as_superuser)

    with pytest.raises(CommitUnknown):
        await interrupted()
    async with store.transaction(room.scope) as rows:
        assert await rows.collections.get(room.scope, room.collection.id) is not None


IDLE = "SELECT state FROM pg_stat_activity WHERE usename = 'lambent_app'"


async def reads(store: PgStore, room: Room) -> None:
    async with store.transaction(room.scope) as rows:
        assert await rows.collections.get(room.scope, room.collection.id) == room.collection


async def test_transaction_that_only_read_ends_though_nobody_waits_for_it(
    store: PgStore, as_superuser: Superuser
) -> None:
    room = await new_room(store)
    await reads(store, room)
    assert store._line.driver.info.transaction_status is TransactionStatus.ACTIVE
    until(lambda: as_superuser.execute(IDLE).fetchall() == [("idle",)])
    await reads(store, room)


async def test_transaction_that_only_read_and_lost_its_connection_harms_nothing(
    store: PgStore, as_superuser: Superuser
) -> None:
    room = await new_room(store)
    for _ in range(3):
        await reads(store, room)
        assert kill(as_superuser) == 1
    await reads(store, room)


async def test_transaction_that_wrote_or_locked_is_waited_for(store: PgStore) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    async with store.transaction(room.scope) as rows:
        await rows.collections.save(room.scope, replace(room.collection, name="other"))
    assert store._line.driver.info.transaction_status is TransactionStatus.IDLE
    async with store.transaction(room.scope) as rows:
        await rows.documents.lock(room.scope, made.id)
    assert store._line.driver.info.transaction_status is TransactionStatus.IDLE


async def test_transaction_cancelled_while_the_one_before_ends_leaves_the_turn(store: PgStore) -> None:
    room = await new_room(store)
    for _ in range(30):
        await reads(store, room)
        waiting = asyncio.ensure_future(reads(store, room))
        await asyncio.sleep(0)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
    await reads(store, room)


async def test_commit_after_an_error_was_swallowed_is_refused(store: PgStore) -> None:
    room = await new_room(store)

    async def careless() -> None:
        async with store.transaction(room.scope) as rows:
            await rows.collections.save(room.scope, replace(room.collection, name="never kept"))
            made = document(room)
            await rows.documents.add(room.scope, made, generation(made))
            with pytest.raises(Conflict):
                await rows.documents.add_generation(room.scope, generation(made))

    with pytest.raises(Unavailable) as raised:
        await careless()
    assert raised.value.code == "database_aborted"
    async with store.transaction(room.scope) as rows:
        assert await rows.collections.get(room.scope, room.collection.id) == room.collection


async def test_statement_after_an_error_was_swallowed_is_unavailable(store: PgStore) -> None:
    room = await new_room(store)
    made = await add_document(store, room)

    async def careless() -> None:
        async with store.transaction(room.scope) as rows:
            with pytest.raises(Conflict):
                await rows.documents.add_generation(room.scope, generation(made))
            await rows.documents.get(room.scope, made.id)

    with pytest.raises(Unavailable):
        await careless()


async def test_first_statement_that_is_refused_is_told_however_late_the_rest_comes(
    store: PgStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await new_room(store)
    known = store._line.driver
    execute = psycopg.AsyncCursor.execute

    async def slow(cursor: Any, *args: Any, **options: Any) -> Any:
        answer = await execute(cursor, *args, **options)
        await asyncio.sleep(0.05)  # the error is there by now, and nothing has been asked to end
        return answer

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", slow)
    for _ in range(2):
        with pytest.raises(Conflict):
            async with store.transaction(room.scope) as rows:
                await rows._session.run(text("INSERT INTO tenants SELECT * FROM tenants"))
    monkeypatch.undo()
    async with store.transaction(room.scope) as rows:
        assert await rows.collections.get(room.scope, room.collection.id) == room.collection
    assert store._line.driver is known


async def test_statement_that_takes_too_long_is_unavailable(open_store: OpenStore) -> None:
    store = open_store(Timeouts(statement=20))

    async def slow() -> None:
        async with store.transaction(None) as rows:
            await rows._session.run(text("SELECT pg_sleep(5)"))

    with pytest.raises(Unavailable) as raised:
        await slow()
    assert raised.value.code == "database_timeout"


async def test_lock_that_is_held_too_long_is_unavailable(open_store: OpenStore) -> None:
    holder, waiter = open_store(), open_store(Timeouts(lock=20))
    room = await new_room(holder)
    made = await add_document(holder, room)

    async def wait() -> None:
        async with waiter.transaction(room.scope) as rows:
            await rows.documents.lock(room.scope, made.id)

    async with holder.transaction(room.scope) as rows:
        await rows.documents.lock(room.scope, made.id)
        with pytest.raises(Unavailable) as raised:
            await wait()
    assert raised.value.code == "database_busy"


async def test_locks_in_a_circle_end_with_one_transaction_undone(open_store: OpenStore) -> None:
    first, second = open_store(), open_store()
    room = await new_room(first)
    one, two = await add_document(first, room), await add_document(first, room)
    both_hold = asyncio.Barrier(2)

    async def worker(store: PgStore, order: tuple[UUID, UUID]) -> str:
        try:
            async with store.transaction(room.scope) as rows:
                await rows.documents.lock(room.scope, order[0])
                await both_hold.wait()
                await rows.documents.lock(room.scope, order[1])
        except Unavailable as error:
            return error.code
        return "done"

    outcomes = await asyncio.gather(worker(first, (one.id, two.id)), worker(second, (two.id, one.id)))
    assert sorted(outcomes) == ["database_conflict", "done"]


async def test_transaction_left_idle_too_long_is_unavailable(open_store: OpenStore) -> None:
    room = await new_room(open_store(Timeouts()))
    store = open_store(Timeouts(idle_in_transaction=20))

    async def idle() -> None:
        async with store.transaction(room.scope) as rows:
            # Several statements in one trip: what ends it must not pass for a sign of life.
            await rows.collections.get(room.scope, room.collection.id)
            await asyncio.sleep(0.3)
            await rows.collections.get(room.scope, room.collection.id)

    with pytest.raises(Unavailable, match="idle"):
        await idle()


async def test_transactions_of_one_store_take_turns(store: PgStore) -> None:
    room = await new_room(store)

    async def read() -> bool:
        async with store.transaction(room.scope) as rows:
            return await rows.collections.get(room.scope, room.collection.id) == room.collection

    assert all(await asyncio.gather(*(read() for _ in range(20))))


async def test_transaction_inside_a_transaction_gives_up_waiting(open_store: OpenStore) -> None:
    store = open_store(Timeouts(turn=50))

    async def nested() -> None:
        async with store.transaction(None):
            pass

    async with store.transaction(None):
        with pytest.raises(Unavailable) as raised:
            await nested()
    assert raised.value.code == "database_busy"


async def test_store_holds_one_connection_and_close_gives_it_back(store: PgStore, as_superuser: Superuser) -> None:
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'lambent_app'"
    assert as_superuser.execute(count).fetchone() == (0,)
    for _ in range(3):
        await new_room(store)
    assert as_superuser.execute(count).fetchone() == (1,)
    await store.close()
    until(lambda: as_superuser.execute(count).fetchone() == (0,))
    async with store.transaction(None) as rows:
        assert len(await rows.tenants.ids()) == 3


async def test_transaction_that_asks_nothing_opens_no_connection(store: PgStore, as_superuser: Superuser) -> None:
    async with store.transaction(None):
        pass
    count = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'lambent_app'"
    assert as_superuser.execute(count).fetchone() == (0,)


async def test_cancelled_transaction_leaves_nothing_and_the_next_works(store: PgStore) -> None:
    room = await new_room(store)
    begun = asyncio.Event()

    async def slow() -> None:
        async with store.transaction(room.scope) as rows:
            await rows.collections.save(room.scope, replace(room.collection, name="lost"))
            begun.set()
            await rows._session.run(text("SELECT pg_sleep(30)"))

    task = asyncio.create_task(slow())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with store.transaction(room.scope) as rows:
        assert await rows.collections.get(room.scope, room.collection.id) == room.collection


async def test_text_that_no_column_takes_is_invalid(store: PgStore) -> None:
    room = await new_room(store)
    made = await add_document(store, room)

    async def save(**changes: Any) -> None:
        async with store.transaction(room.scope) as rows:
            await rows.documents.save(room.scope, replace(made, **changes))

    async def put(words: str) -> None:
        async with store.transaction(room.scope) as rows:
            chunks = [chunk(ChunkId(made.id, 1, 0), words)]
            await rows.chunks.replace(room.scope, room.collection.id, made.id, 1, chunks)

    for bad in ("nul \x00", "half \ud800 of a pair"):
        for attempt in (save(name=bad), save(metadata={"k": bad}), save(tags=(bad,)), put(bad)):
            with pytest.raises(Invalid) as raised:
                await attempt
            assert raised.value.code == "invalid_text"


async def test_database_that_is_not_there_is_unavailable(postgres_server: TestServer, open_store: OpenStore) -> None:
    for url in (
        "postgresql://lambent_app@/lambent?host=/nowhere",
        postgres_server.url("lambent_app", "no_such_database"),
    ):

        async def ask(url: str = url) -> None:
            async with open_store(url=url).transaction(None) as rows:
                await rows.tenants.ids()

        with pytest.raises(Unavailable) as raised:
            await ask()
        assert raised.value.code == "database_unreachable"


async def test_database_that_was_never_migrated_says_so(
    postgres_server: TestServer, database: PostgresUrls, open_store: OpenStore
) -> None:
    store = open_store(url=postgres_server.create_database("bare").app)
    async with store.transaction(None) as rows:
        assert await rows.tenants.revision() == ""

    async def ask() -> None:
        async with store.transaction(None) as rows:
            await rows.collections.get(scope_of(new_id(), new_id()), new_id())

    with pytest.raises(Unavailable) as raised:
        await ask()
    assert raised.value.code == "not_migrated"


def test_store_outlives_an_event_loop(database: PostgresUrls) -> None:
    store = PgStore(database.app)

    async def invocation() -> int:
        async with store.transaction(None) as rows:
            return len(await rows.tenants.ids())

    async def last_invocation() -> int:
        try:
            return await invocation()
        finally:
            await store.close()

    first = asyncio.new_event_loop()
    assert [first.run_until_complete(invocation()) for _ in range(3)] == [0, 0, 0]
    first.close()
    assert asyncio.run(last_invocation()) == 0


async def test_acknowledged_commits_survive_killed_connections(open_store: OpenStore, as_superuser: Superuser) -> None:
    stores = [open_store() for _ in range(3)]
    room = await new_room(stores[0])
    acknowledged: set[UUID] = set()
    cycles = 15

    async def worker(store: PgStore) -> None:
        nonlocal cycles
        while cycles:
            try:
                made = await add_document(store, room)
            except Unavailable:
                continue
            acknowledged.add(made.id)
            if cycles and len(acknowledged) % 4 == 0:
                cycles -= 1
                # The others are somewhere within their transactions.
                kill(as_superuser)

    await asyncio.gather(*(worker(store) for store in stores))
    found = as_superuser.execute("SELECT id FROM documents").fetchall()
    assert len(acknowledged) >= 15
    assert acknowledged <= {row[0] for row in found}


async def test_default_search_is_one_statement_a_leg(store: PgStore, monkeypatch: pytest.MonkeyPatch) -> None:
    room = await new_room(store)
    await index(store, room, ["some words"], [(1.0, 0.0, 0.0, 0.0)])
    trips = watched(store, monkeypatch)
    async with store.transaction(room.scope) as rows:
        assert len(await rows.vectors.query(room.scope, [room.collection], (1.0, 0.0, 0.0, 0.0), 10)) == 1
        assert len(trips) == 1
        assert len(await rows.keywords.query(room.scope, [room.collection.id], ["words"], 10)) == 1
        assert [len(sent) for sent in trips[1:]] == [1]


async def test_writes_that_answer_nothing_travel_with_the_commit(
    store: PgStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await new_room(store)
    made = document(room)
    first = generation(made)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, first)
    trips = watched(store, monkeypatch)
    async with store.transaction(room.scope) as rows:
        both = await rows.documents.lock_with(room.scope, made.id, 1)
        assert both is not None
        await rows.documents.save_generation(room.scope, replace(both[1], waiting="first"))
        await rows.documents.save_generation(room.scope, replace(both[1], waiting="then"))
        await rows.documents.save(room.scope, replace(made, title="told"))
    # BEGIN, its settings and the lock; two saves, the third and COMMIT.
    assert [len(sent) for sent in trips] == [3, 4]
    async with store.transaction(room.scope) as rows:
        found = await rows.documents.latest(room.scope, made.id)
    assert found is not None
    assert (found[0].title, found[1].waiting) == ("told", "then")


async def test_claim_alone_commits_without_waiting_for_the_disk(
    store: PgStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    sent = watched(store, monkeypatch)
    for write in ("save_generation", "claim"):
        async with store.transaction(room.scope) as rows:
            await getattr(rows.documents, write)(room.scope, generation(made))
    unawaited = [any("synchronous_commit" in one.sql for one in together) for together in sent]
    assert unawaited == [False, True]
    # Local to the transaction: one that is begun with it ends with it.
    assert "SET LOCAL" in next(one.sql for one in sent[1] if "synchronous_commit" in one.sql)


async def test_write_that_waits_is_seen_by_the_next_statement(store: PgStore) -> None:
    room = await new_room(store)
    made = document(room)
    first = generation(made)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, first)
        await rows.documents.save(room.scope, replace(made, title="told"))
        found = await rows.documents.get(room.scope, made.id)
    assert found is not None
    assert found.title == "told"


async def test_write_that_waits_and_fails_undoes_the_transaction(store: PgStore) -> None:
    room = await new_room(store)
    made = document(room)
    first = generation(made)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, first)

    async def hopeful() -> None:
        async with store.transaction(room.scope) as rows:
            await rows.documents.save(room.scope, replace(made, title="told"))
            await rows.documents.save_generation(room.scope, replace(first, ingestion_id=new_id()))
            await rows.documents.save(room.scope, replace(made, title="later"))

    with pytest.raises(Conflict):
        await hopeful()
    async with store.transaction(room.scope) as rows:
        found = await rows.documents.get(room.scope, made.id)
    assert found is not None
    assert found.title == ""


def watched(store: PgStore, monkeypatch: pytest.MonkeyPatch) -> list[Sequence[Sent]]:
    """What travels to the database from now on, trip by trip."""
    trips: list[Sequence[Sent]] = []
    exchange = store._line.exchange

    async def told(sent: Sequence[Sent], *, anew: bool = False) -> Any:
        trips.append(sent)
        return await exchange(sent, anew=anew)

    monkeypatch.setattr(store._line, "exchange", told)
    return trips
