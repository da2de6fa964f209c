"""Vectors, in every vector store. A store may be slow to show what was written: `settle` waits for it."""

import math
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.domain.chunks import ChunkId, ChunkVector
from shared.domain.collections import Collection, EmbeddingModel
from shared.domain.documents import Document
from shared.domain.errors import Invalid
from shared.domain.filters import Condition, Op
from tests.contracts.conftest import VectorsUnderTest
from tests.contracts.samples import (
    NOW,
    Room,
    collection,
    document,
    generation,
    index,
    new_room,
    publish,
    tombstone,
    write,
)

EAST, NORTH, WEST, UP = (1.0, 0.0, 0.0, 0.0), (0.0, 1.0, 0.0, 0.0), (-1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0, 0.0)
NORTH_EAST = (0.6, 0.8, 0.0, 0.0)


async def indexed(
    under_test: VectorsUnderTest, room: Room, vectors: Sequence[Sequence[float]], **changes: Any
) -> Document:
    """A searchable document with these vectors."""
    made = await index(under_test.rows, room, [f"text {ordinal}" for ordinal in range(len(vectors))], **changes)
    await put(under_test, room, made, 1, vectors)
    return made


async def put(
    under_test: VectorsUnderTest, room: Room, of: Document, number: int, vectors: Sequence[Sequence[float]]
) -> None:
    found = [ChunkVector(ChunkId(of.id, number, ordinal), values) for ordinal, values in enumerate(vectors)]
    async with under_test.rows.transaction(room.scope) as rows:
        await under_test.of(rows).put(room.scope, room.collection, found)
    await under_test.settle()


async def found_by(
    under_test: VectorsUnderTest,
    room: Room,
    vector: Sequence[float],
    *,
    limit: int = 10,
    collections: Sequence[Collection] | None = None,
    document_ids: Sequence[UUID] | None = None,
) -> dict[ChunkId, float]:
    """What a query finds and the gate lets through, best first, with its score."""
    async with under_test.rows.transaction(room.scope) as rows:
        asked = [room.collection] if collections is None else collections
        hits = await under_test.of(rows).query(room.scope, asked, vector, limit, document_ids=document_ids)
        visible = await rows.chunks.visible(room.scope, [hit.id for hit in hits])
    if under_test.gated:
        assert len(visible) == len(hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    return {hit.id: hit.score for hit in hits if hit.id in visible}


async def test_query_orders_by_cosine(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    made = await indexed(under_test, room, [WEST, NORTH, EAST, NORTH_EAST])
    found = await found_by(under_test, room, EAST)
    assert [id.ordinal for id in found] == [2, 3, 1, 0]
    assert list(found.values()) == pytest.approx([1.0, 0.6, 0.0, -1.0], abs=1e-3)
    assert [id.ordinal for id in await found_by(under_test, room, EAST, limit=2)] == [2, 3]
    assert {id.document_id for id in found} == {made.id}


async def test_query_scores_do_not_depend_on_length(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    await indexed(under_test, room, [(30.0, 40.0, 0.0, 0.0)])
    found = await found_by(under_test, room, (0.001, 0.0, 0.0, 0.0))
    assert list(found.values()) == pytest.approx([0.6], abs=1e-3)


async def test_query_agrees_with_brute_force(under_test: VectorsUnderTest) -> None:
    chance = random.Random(7)
    room = await new_room(under_test.rows)
    known: dict[ChunkId, list[float]] = {}
    for _ in range(4):
        vectors = [[chance.gauss(0, 1) for _ in range(4)] for _ in range(15)]
        made = await indexed(under_test, room, vectors)
        known.update({ChunkId(made.id, 1, ordinal): values for ordinal, values in enumerate(vectors)})
    asked = [chance.gauss(0, 1) for _ in range(4)]
    cosines = {
        id: math.sumprod(asked, values) / math.dist(asked, [0] * 4) / math.dist(values, [0] * 4)
        for id, values in known.items()
    }
    found = await found_by(under_test, room, asked, limit=20)
    assert list(found) == sorted(cosines, key=lambda id: -cosines[id])[:20]
    assert found == pytest.approx({id: cosines[id] for id in found}, abs=1e-3)


async def test_put_again_replaces(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    made = await indexed(under_test, room, [EAST, NORTH])
    await put(under_test, room, made, 1, [WEST, NORTH])
    await put(under_test, room, made, 1, [WEST, NORTH])
    found = await found_by(under_test, room, EAST)
    assert found == pytest.approx({ChunkId(made.id, 1, 0): -1.0, ChunkId(made.id, 1, 1): 0.0}, abs=1e-3)
    async with under_test.rows.transaction(room.scope) as rows:
        ids = await under_test.of(rows).ids(room.scope, room.collection, made.id)
    assert sorted(ids, key=str) == [ChunkId(made.id, 1, 0), ChunkId(made.id, 1, 1)]


async def test_put_of_wrong_dimensions_is_invalid_and_stores_nothing(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    made = await index(under_test.rows, room, ["a", "b"])
    for bad in ((1.0, 0.0), (1.0, 0.0, 0.0, 0.0, 0.0), ()):
        vectors = [ChunkVector(ChunkId(made.id, 1, 0), EAST), ChunkVector(ChunkId(made.id, 1, 1), bad)]
        async with under_test.rows.transaction(room.scope) as rows:
            with pytest.raises(Invalid):
                await under_test.of(rows).put(room.scope, room.collection, vectors)
    await under_test.settle()
    assert await found_by(under_test, room, EAST) == {}


async def test_put_of_nothing_does_nothing(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    async with under_test.rows.transaction(room.scope) as rows:
        await under_test.of(rows).put(room.scope, room.collection, [])


async def test_put_of_many_finds_each(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    chance = random.Random(11)
    vectors = [[chance.gauss(0, 1) for _ in range(4)] for _ in range(700)]
    made = await indexed(under_test, room, vectors)
    async with under_test.rows.transaction(room.scope) as rows:
        ids = await under_test.of(rows).ids(room.scope, room.collection, made.id)
    assert {id.ordinal for id in ids} == set(range(700))
    for ordinal in (0, 333, 699):
        assert next(iter(await found_by(under_test, room, vectors[ordinal], limit=1))).ordinal == ordinal


async def test_query_of_no_collection_or_no_document_finds_nothing(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    await indexed(under_test, room, [EAST])
    assert await found_by(under_test, room, EAST, collections=[]) == {}
    assert await found_by(under_test, room, EAST, document_ids=[]) == {}


async def test_query_of_an_empty_collection_finds_nothing(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    assert await found_by(under_test, room, EAST) == {}


async def test_query_keeps_to_the_documents_named(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    made = [await indexed(under_test, room, [EAST, NORTH]) for _ in range(3)]
    found = await found_by(under_test, room, EAST, document_ids=[made[0].id, made[2].id])
    assert {id.document_id for id in found} == {made[0].id, made[2].id}
    assert len(found) == 4


async def test_query_keeps_to_the_collections_named(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    second = Room(room.scope, collection(room.scope, name="second"))
    async with under_test.rows.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, second.collection)
    one, two = await indexed(under_test, room, [EAST]), await indexed(under_test, second, [NORTH_EAST])
    both = [room.collection, second.collection]
    assert list(await found_by(under_test, room, EAST)) == [ChunkId(one.id, 1, 0)]
    assert list(await found_by(under_test, second, EAST)) == [ChunkId(two.id, 1, 0)]
    found = await found_by(under_test, room, EAST, collections=both)
    assert list(found) == [ChunkId(one.id, 1, 0), ChunkId(two.id, 1, 0)]
    assert list(await found_by(under_test, room, EAST, collections=both, limit=1)) == [ChunkId(one.id, 1, 0)]


async def test_query_of_many_collections_finds_the_best_of_all(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    rooms = [room, *(Room(room.scope, collection(room.scope, name=f"number {number}")) for number in range(11))]
    async with under_test.rows.transaction(room.scope) as rows:
        for one in rooms[1:]:
            await rows.collections.add(room.scope, one.collection)
    made = [await indexed(under_test, one, [(1.0, number / 10, 0.0, 0.0)]) for number, one in enumerate(rooms)]
    for count in (1, 2, 8, 9, 12):
        named = [one.collection for one in rooms[:count]]
        found = await found_by(under_test, room, EAST, collections=[*named, *named], limit=count)
        assert list(found) == [ChunkId(one.id, 1, 0) for one in made[:count]]


async def test_query_never_crosses_tenants_or_projects(under_test: VectorsUnderTest) -> None:
    one = await new_room(under_test.rows)
    sibling, stranger = await new_room(under_test.rows, tenant_id=one.scope.tenant_id), await new_room(under_test.rows)
    mine = await indexed(under_test, one, [WEST])
    for other in (sibling, stranger):
        theirs = await indexed(under_test, other, [EAST] * 30)
        assert list(await found_by(under_test, one, EAST)) == [ChunkId(mine.id, 1, 0)]
        assert await found_by(under_test, one, EAST, collections=[other.collection]) == {}
        both = await found_by(under_test, one, EAST, collections=[one.collection, other.collection])
        assert set(both) <= {ChunkId(mine.id, 1, 0)}
        assert await found_by(under_test, one, EAST, document_ids=[theirs.id]) == {}


async def test_delete_never_crosses_tenants(under_test: VectorsUnderTest) -> None:
    one, other = await new_room(under_test.rows), await new_room(under_test.rows)
    theirs = await indexed(under_test, other, [EAST])
    async with under_test.rows.transaction(one.scope) as rows:
        vectors = under_test.of(rows)
        assert await vectors.delete(one.scope, one.collection, theirs.id, keep=None) == 0
        assert list(await vectors.ids(one.scope, one.collection, theirs.id)) == []
    await under_test.settle()
    assert len(await found_by(under_test, other, EAST)) == 1


async def test_query_shows_a_generation_from_its_commit_on(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    made = document(room)
    async with under_test.rows.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, generation(made))
        await write(rows, room, made, 1, ["first"])
    await put(under_test, room, made, 1, [EAST])
    assert await found_by(under_test, room, EAST) == {}
    async with under_test.rows.transaction(room.scope) as rows:
        await publish(rows, room, made, 1)
        await rows.documents.add_generation(room.scope, generation(made, 2))
        await write(rows, room, made, 2, ["second"])
    await put(under_test, room, made, 2, [NORTH])
    assert list(await found_by(under_test, room, NORTH)) == [ChunkId(made.id, 1, 0)]
    async with under_test.rows.transaction(room.scope) as rows:
        await publish(rows, room, made, 2, before=1)
    assert list(await found_by(under_test, room, NORTH)) == [ChunkId(made.id, 2, 0)]


async def test_query_hides_deleted_documents_and_collections_at_once(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    gone, kept = await indexed(under_test, room, [EAST]), await indexed(under_test, room, [NORTH])
    await tombstone(under_test.rows, room, gone)
    assert list(await found_by(under_test, room, EAST)) == [ChunkId(kept.id, 1, 0)]
    async with under_test.rows.transaction(room.scope) as rows:
        await rows.collections.save(room.scope, replace(room.collection, deleted_at=NOW))
    assert await found_by(under_test, room, EAST) == {}


async def test_delete_removes_older_generations_or_all(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    made, other = await indexed(under_test, room, [EAST, NORTH]), await indexed(under_test, room, [UP])
    async with under_test.rows.transaction(room.scope) as rows:
        for number in (2, 3):
            await rows.documents.add_generation(room.scope, generation(made, number))
            await write(rows, room, made, number, ["text"])
    for number in (2, 3):
        await put(under_test, room, made, number, [WEST])

    async def delete(keep: int | None) -> int:
        async with under_test.rows.transaction(room.scope) as rows:
            removed = await under_test.of(rows).delete(room.scope, room.collection, made.id, keep=keep)
        await under_test.settle()
        return removed

    async def left(of: Document) -> list[str]:
        async with under_test.rows.transaction(room.scope) as rows:
            return sorted(str(id) for id in await under_test.of(rows).ids(room.scope, room.collection, of.id))

    assert await delete(keep=1) == 0
    assert await delete(keep=3) == 3
    assert await left(made) == [f"{made.id}:3:0"]
    assert await delete(keep=None) == 1
    assert await delete(keep=None) == 0
    assert await left(made) == []
    assert await left(other) == [f"{other.id}:1:0"]


async def test_collections_of_other_dimensions_live_side_by_side(under_test: VectorsUnderTest) -> None:
    if not under_test.gated:
        pytest.skip("a remote index has one dimension")
    room = await new_room(under_test.rows)
    made = collection(room.scope, name="wide", model=EmbeddingModel("memory/wide", 2500))
    wide = Room(room.scope, made)
    async with under_test.rows.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, made)
    await indexed(under_test, room, [EAST])
    long = [1.0] + [0.0] * 2499
    stored = await indexed(under_test, wide, [long, [0.0, *long[:-1]]])
    found = await found_by(under_test, wide, long)
    assert found == pytest.approx({ChunkId(stored.id, 1, 0): 1.0, ChunkId(stored.id, 1, 1): 0.0}, abs=1e-3)
    assert len(await found_by(under_test, room, EAST)) == 1
    with pytest.raises(Invalid):
        await found_by(under_test, room, EAST, collections=[room.collection, made])
    with pytest.raises(Invalid):
        await found_by(under_test, room, long)


async def test_query_applies_a_filter_itself_when_it_says_so(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    async with under_test.rows.transaction(room.scope) as rows:
        if not under_test.of(rows).filters:
            pytest.skip("the store does not filter; its callers name the documents")
    red = await indexed(under_test, room, [EAST, WEST], tags=("red",))
    await indexed(under_test, room, [EAST] * 20, tags=("blue",))
    async with under_test.rows.transaction(room.scope) as rows:
        hits = await under_test.of(rows).query(
            room.scope, [room.collection], EAST, 10, filter=Condition("tags", Op.CONTAINS, "red")
        )
    assert [hit.id for hit in hits] == [ChunkId(red.id, 1, 0), ChunkId(red.id, 1, 1)]


async def test_tend_of_a_small_collection_changes_nothing(under_test: VectorsUnderTest) -> None:
    room = await new_room(under_test.rows)
    await indexed(under_test, room, [EAST])
    async with under_test.rows.transaction(room.scope) as rows:
        assert not await under_test.of(rows).tend(room.scope, room.collection, NOW)
    assert len(await found_by(under_test, room, EAST)) == 1


async def test_ping_answers(under_test: VectorsUnderTest) -> None:
    async with under_test.rows.transaction(None) as rows:
        await under_test.of(rows).ping()


async def test_wipe_removes_the_tenants_own_and_nobody_elses(under_test: VectorsUnderTest) -> None:
    room, other = await new_room(under_test.rows), await new_room(under_test.rows)
    sibling = await new_room(under_test.rows, tenant_id=room.scope.tenant_id)
    gone = [await indexed(under_test, one, [EAST, NORTH, WEST]) for one in (room, sibling)]
    kept = await indexed(under_test, other, [EAST, NORTH])
    left = 1
    for _ in range(10):
        async with under_test.rows.transaction(room.scope) as rows:
            left = await under_test.of(rows).wipe(room.scope, 2)
        await under_test.settle()
        if not left:
            break
    assert left == 0
    for one, of in ((room, gone[0]), (sibling, gone[1])):
        async with under_test.rows.transaction(one.scope) as rows:
            assert list(await under_test.of(rows).ids(one.scope, one.collection, of.id)) == []
    async with under_test.rows.transaction(other.scope) as rows:
        assert len(await under_test.of(rows).ids(other.scope, other.collection, kept.id)) == 2
        assert await under_test.of(rows).wipe(room.scope, 10) == 0
    assert len(await found_by(under_test, other, EAST)) == 2


async def test_listed_goes_through_the_tenants_own_and_drop_removes_by_id(under_test: VectorsUnderTest) -> None:
    room, other = await new_room(under_test.rows), await new_room(under_test.rows)
    made = await indexed(under_test, room, [EAST, NORTH, WEST])
    theirs = await indexed(under_test, other, [EAST])
    async with under_test.rows.transaction(room.scope) as rows:
        vectors = under_test.of(rows)
        known = set(await vectors.ids(room.scope, room.collection, made.id))
        seen: list[ChunkId] = []
        place = ""
        while True:
            page, place = await vectors.listed(room.scope, place, 2)
            assert len(page) <= 2
            seen += page
            if not place:
                break
        # A store whose vectors refer to rows has nothing to list.
        assert len(seen) == len(set(seen))
        assert set(seen) in (set(), known)
        await vectors.drop(room.scope, [ChunkId(made.id, 1, 0), ChunkId(made.id, 1, 2), ChunkId(theirs.id, 1, 0)])
        await vectors.drop(room.scope, [])
    await under_test.settle()
    async with under_test.rows.transaction(room.scope) as rows:
        assert list(await under_test.of(rows).ids(room.scope, room.collection, made.id)) == [ChunkId(made.id, 1, 1)]
    async with under_test.rows.transaction(other.scope) as rows:
        assert len(await under_test.of(rows).ids(other.scope, other.collection, theirs.id)) == 1
