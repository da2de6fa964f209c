"""The index that a large collection gets: it must find what a scan finds, and hide what a scan hides."""

import random
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy import text

from shared.adapters.postgres import vectors as adapter
from shared.adapters.postgres.store import PgStore
from shared.domain.chunks import ChunkId
from shared.domain.collections import EmbeddingModel
from shared.domain.documents import Document
from shared.domain.errors import Unavailable
from shared.domain.filters import Condition, Op
from shared.domain.search import LegHit
from tests.contracts.samples import (
    NOW,
    Room,
    collection,
    generation,
    index,
    new_room,
    publish,
    tombstone,
    write,
)
from tests.fixtures.postgres import OpenStore

PER_DOCUMENT = 20
DOCUMENTS = 30


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "INDEX_FROM", PER_DOCUMENT * DOCUMENTS)


@pytest.fixture(autouse=True)
def _index_is_preferred(as_superuser: psycopg.Connection[TupleRow]) -> Iterator[None]:
    """So few rows would rather be scanned; what is tested here is what comes of using the index."""
    switches = ("enable_seqscan", "enable_bitmapscan", "enable_sort")
    for switch in switches:
        as_superuser.execute(sql.SQL("ALTER ROLE lambent_app SET {} = off").format(sql.Identifier(switch)))
    yield
    as_superuser.execute("ALTER ROLE lambent_app RESET ALL")


def drawn(chance: random.Random, count: int) -> list[list[float]]:
    return [[chance.gauss(0, 1) for _ in range(4)] for _ in range(count)]


async def filled(store: PgStore, room: Room, seed: int = 1) -> list[Document]:
    chance = random.Random(seed)
    texts = [f"text {number}" for number in range(PER_DOCUMENT)]
    return [
        await index(store, room, texts, drawn(chance, PER_DOCUMENT), tags=(f"tag {number % 10}",))
        for number in range(DOCUMENTS)
    ]


async def tended(store: PgStore, room: Room) -> bool:
    async with store.transaction(room.scope) as rows:
        return await rows.vectors.tend(room.scope, room.collection, NOW)


async def asked(store: PgStore, room: Room, vector: Sequence[float], limit: int = 10) -> list[LegHit]:
    async with store.transaction(room.scope) as rows:
        return list(await rows.vectors.query(room.scope, [room.collection], vector, limit))


async def test_tend_indexes_a_large_collection_once(store: PgStore, open_store: OpenStore) -> None:
    room, small = await new_room(store), await new_room(store)
    await filled(store, room)
    await index(store, small, ["text"], [(1.0, 0.0, 0.0, 0.0)])
    assert await tended(store, room)
    assert not await tended(store, room)
    assert not await tended(open_store(), room)
    assert not await tended(store, small)


async def test_tend_of_more_dimensions_than_an_index_takes_leaves_it(store: PgStore) -> None:
    room = await new_room(store)
    wide = Room(room.scope, collection(room.scope, name="wide", model=EmbeddingModel("memory/wide", 2001)))
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, wide.collection)
    values = [1.0] + [0.0] * 2000
    await index(store, wide, ["text"] * PER_DOCUMENT * DOCUMENTS, [values] * PER_DOCUMENT * DOCUMENTS)
    assert not await tended(store, wide)
    assert len(await asked(store, wide, values)) == 10


async def test_query_by_the_index_finds_what_a_scan_finds(store: PgStore) -> None:
    room, other = await new_room(store), await new_room(store)
    await filled(store, room)
    # A neighbour with the very same vectors, and as many.
    await filled(store, other)
    questions = drawn(random.Random(2), 20)
    scanned = [await asked(store, room, question) for question in questions]
    assert await tended(store, room)
    indexed = [await asked(store, room, question) for question in questions]
    found = sum(
        len({hit.id for hit in one} & {hit.id for hit in two}) for one, two in zip(scanned, indexed, strict=True)
    )
    assert found >= 0.99 * 10 * len(questions)
    for hits in indexed:
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_query_by_the_index_uses_it(store: PgStore, as_superuser: psycopg.Connection[TupleRow]) -> None:
    room = await new_room(store)
    await filled(store, room)
    await tended(store, room)
    used = "SELECT sum(idx_scan) FROM pg_stat_user_indexes WHERE indexrelname LIKE 'vectors_of_%'"
    as_superuser.execute("SELECT pg_stat_reset()")
    await asked(store, room, (1.0, 0.0, 0.0, 0.0))
    await store.close()
    for _ in range(3000):
        as_superuser.execute("SELECT pg_stat_clear_snapshot()")
        row = as_superuser.execute(used).fetchone()
        if row is not None and row[0]:
            return
        as_superuser.execute("SELECT pg_sleep(0.02)")
    pytest.fail("the index was not used")


async def test_query_by_the_index_hides_what_is_deleted_and_still_fills_the_page(store: PgStore) -> None:
    room = await new_room(store)
    made = await filled(store, room)
    await tended(store, room)
    for gone in made[:-1]:
        await tombstone(store, room, gone)
    hits = await asked(store, room, (1.0, 0.0, 0.0, 0.0), limit=15)
    assert len(hits) == 15
    assert {hit.id.document_id for hit in hits} == {made[-1].id}


async def test_query_by_the_index_shows_the_committed_generation_only(store: PgStore) -> None:
    room = await new_room(store)
    made = await filled(store, room)
    await tended(store, room)
    first = (await asked(store, room, (1.0, 0.0, 0.0, 0.0), limit=1))[0]
    changed = next(one for one in made if one.id == first.id.document_id)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add_generation(room.scope, generation(changed, 2))
        await write(rows, room, changed, 2, ["new"], [(-1.0, 0.0, 0.0, 0.0)])
    assert (await asked(store, room, (1.0, 0.0, 0.0, 0.0), limit=1))[0].id == first.id
    async with store.transaction(room.scope) as rows:
        await publish(rows, room, changed, 2, before=1)
    assert (await asked(store, room, (1.0, 0.0, 0.0, 0.0), limit=1))[0].id != first.id
    assert (await asked(store, room, (-1.0, 0.0, 0.0, 0.0), limit=1))[0].id == ChunkId(changed.id, 2, 0)


async def test_query_with_a_filter_misses_nothing(store: PgStore) -> None:
    room = await new_room(store)
    made = await filled(store, room)
    await tended(store, room)
    wanted = {one.id for one in made if one.tags == ("tag 3",)}
    narrow = Condition("tags", Op.CONTAINS, "tag 3")
    async with store.transaction(room.scope) as rows:
        hits = await rows.vectors.query(
            room.scope, [room.collection], (1.0, 0.0, 0.0, 0.0), len(wanted) * PER_DOCUMENT, filter=narrow
        )
        named = await rows.vectors.query(
            room.scope, [room.collection], (1.0, 0.0, 0.0, 0.0), 1000, document_ids=list(wanted)
        )
    assert len(hits) == len(wanted) * PER_DOCUMENT
    assert {hit.id.document_id for hit in hits} == wanted
    assert hits == named


async def test_query_over_an_indexed_and_a_scanned_collection_merges_both(store: PgStore) -> None:
    room = await new_room(store)
    second = Room(room.scope, collection(room.scope, name="second"))
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, second.collection)
    await filled(store, room)
    best = await index(store, second, ["a", "b"], [(1.0, 0.0, 0.0, 0.0), (-1.0, 0.0, 0.0, 0.0)])
    await tended(store, room)
    async with store.transaction(room.scope) as rows:
        both = [room.collection, second.collection]
        hits = await rows.vectors.query(room.scope, both, (1.0, 0.0, 0.0, 0.0), 10)
    assert len(hits) == 10
    assert hits[0].id == ChunkId(best.id, 1, 0)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_write_to_an_indexed_collection_is_found(store: PgStore) -> None:
    room = await new_room(store)
    await filled(store, room)
    await tended(store, room)
    late = await index(store, room, ["late"], [(0.0, 0.0, 0.0, 5.0)])
    assert (await asked(store, room, (0.0, 0.0, 0.0, 1.0), limit=1))[0].id == ChunkId(late.id, 1, 0)


async def test_index_can_be_dropped_and_made_again(store: PgStore) -> None:
    room = await new_room(store)
    await filled(store, room)
    await tended(store, room)
    drop = text("SELECT lambent_drop_vector_index(:collection)")
    async with store.transaction(room.scope) as rows:
        assert await rows._session.scalar(drop, {"collection": room.collection.id})
        assert not await rows._session.scalar(drop, {"collection": room.collection.id})
    assert len(await asked(store, room, (1.0, 0.0, 0.0, 0.0))) == 10
    assert await tended(store, room)


async def test_tend_that_cannot_get_at_the_table_is_unavailable(store: PgStore, open_store: OpenStore) -> None:
    room = await new_room(store)
    await filled(store, room)
    impatient = open_store()

    async def tend() -> None:
        async with impatient.transaction(room.scope) as rows:
            await rows._session.run(text("SELECT set_config('lock_timeout', '20', true)"))
            await rows._session.run(adapter.INDEX, {"index": room.collection.id, "now": NOW})

    async with store.transaction(room.scope) as rows:
        await rows.vectors.delete(room.scope, room.collection, room.collection.id, keep=None)
        with pytest.raises(Unavailable):
            await tend()
