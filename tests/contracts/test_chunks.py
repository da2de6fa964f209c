"""Chunks and the read gate, in every store."""

from dataclasses import replace

import pytest

from shared.domain.chunks import ChunkId
from shared.domain.errors import NotFound
from shared.domain.search import VisibleChunk
from tests.contracts.samples import (
    NOW,
    Store,
    add_document,
    chunk,
    generation,
    index,
    new_id,
    new_room,
    publish,
    tombstone,
    write,
)


async def test_replace_comes_back_as_it_went(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    plain = chunk(ChunkId(made.id, 1, 0), "")
    rich = chunk(
        ChunkId(made.id, 1, 1),
        "Ünïcode \U0001f600 \t\r\n ' \" \\ {} %s :x",
        start=7,
        end=2**31 - 1,
        heading_path=("One", "with, comma", 'and "quotes"', ""),
        page_first=3,
        page_last=4,
        kind="table",
        tokens=17,
        language="de",
    )
    async with store.transaction(room.scope) as rows:
        await rows.chunks.replace(room.scope, room.collection.id, made.id, 1, [rich, plain])
    async with store.transaction(room.scope) as rows:
        assert list(await rows.chunks.list(room.scope, made.id, 1)) == [plain, rich]


async def test_replace_twice_changes_nothing_and_other_chunks_take_the_place_of_all(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    chunks = [chunk(ChunkId(made.id, 1, ordinal), f"text {ordinal}") for ordinal in range(3)]
    async with store.transaction(room.scope) as rows:
        for _ in range(2):
            await rows.chunks.replace(room.scope, room.collection.id, made.id, 1, chunks)
            assert list(await rows.chunks.list(room.scope, made.id, 1)) == chunks
        fewer = [chunk(ChunkId(made.id, 1, 0), "other")]
        await rows.chunks.replace(room.scope, room.collection.id, made.id, 1, fewer)
        assert list(await rows.chunks.list(room.scope, made.id, 1)) == fewer
        await rows.chunks.replace(room.scope, room.collection.id, made.id, 1, [])
        assert list(await rows.chunks.list(room.scope, made.id, 1)) == []


async def test_replace_of_many_keeps_all_in_order(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    chunks = [chunk(ChunkId(made.id, 1, ordinal), f"text {ordinal}") for ordinal in range(1203)]
    async with store.transaction(room.scope) as rows:
        await rows.chunks.replace(room.scope, room.collection.id, made.id, 1, chunks)
        assert list(await rows.chunks.list(room.scope, made.id, 1)) == chunks
        assert list(await rows.chunks.list(room.scope, made.id, 1, first=1000, limit=5)) == chunks[1000:1005]
        assert list(await rows.chunks.list(room.scope, made.id, 1, first=1203)) == []
        assert await rows.chunks.count(room.scope, made.id) == 1203


async def test_replace_leaves_other_generations_alone(store: Store) -> None:
    room = await new_room(store)
    made = await index(store, room, ["first text"])
    async with store.transaction(room.scope) as rows:
        await rows.documents.add_generation(room.scope, generation(made, 2))
        await write(rows, room, made, 2, ["second text", "and more"])
        assert [one.text for one in await rows.chunks.list(room.scope, made.id, 1)] == ["first text"]
        assert [one.text for one in await rows.chunks.list(room.scope, made.id, 2)] == ["second text", "and more"]
        assert await rows.chunks.count(room.scope, made.id) == 3


async def test_replace_of_a_document_elsewhere_is_refused(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    for other in (sibling, stranger):
        theirs = await index(store, other, ["theirs"])
        planted = [chunk(ChunkId(theirs.id, 1, 0), "planted")]
        async with store.transaction(one.scope) as rows:
            with pytest.raises(NotFound):
                await rows.chunks.replace(one.scope, one.collection.id, theirs.id, 1, planted)
        async with store.transaction(other.scope) as rows:
            assert [row.text for row in await rows.chunks.list(other.scope, theirs.id, 1)] == ["theirs"]


async def test_visible_shows_the_committed_generation_only(store: Store) -> None:
    room = await new_room(store)
    made = await index(store, room, ["old"], name="n", title="t", media_type="m/t", tags=("x",), metadata={"k": 1})
    old, new = ChunkId(made.id, 1, 0), ChunkId(made.id, 2, 0)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add_generation(room.scope, generation(made, 2))
        await write(rows, room, made, 2, ["new"])
        wanted = [old, new, ChunkId(made.id, 1, 9), ChunkId(new_id(), 1, 0)]
        assert await rows.chunks.visible(room.scope, wanted) == {
            old: VisibleChunk(chunk(old, "old"), room.collection.id, "n", "t", "m/t", ("x",), {"k": 1})
        }
        await publish(rows, room, made, 2, before=1)
        assert set(await rows.chunks.visible(room.scope, wanted)) == {new}
        assert await rows.chunks.visible(room.scope, []) == {}


async def test_visible_hides_what_was_never_committed(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    async with store.transaction(room.scope) as rows:
        ids = await write(rows, room, made, 1, ["half-written"])
        assert await rows.chunks.visible(room.scope, ids) == {}


async def test_visible_hides_deleted_documents_and_collections_at_once(store: Store) -> None:
    room = await new_room(store)
    gone, kept = await index(store, room, ["gone"]), await index(store, room, ["kept"])
    ids = [ChunkId(one.id, 1, 0) for one in (gone, kept)]
    await tombstone(store, room, gone)
    async with store.transaction(room.scope) as rows:
        assert set(await rows.chunks.visible(room.scope, ids)) == {ids[1]}
        await rows.collections.save(room.scope, replace(room.collection, deleted_at=NOW))
        assert await rows.chunks.visible(room.scope, ids) == {}


async def test_everything_from_another_project_or_tenant_finds_nothing(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    for other in (sibling, stranger):
        theirs = await index(store, other, ["secret words"])
        async with store.transaction(one.scope) as rows:
            assert await rows.chunks.visible(one.scope, [ChunkId(theirs.id, 1, 0)]) == {}
            assert list(await rows.chunks.list(one.scope, theirs.id, 1)) == []
            assert await rows.chunks.count(one.scope, theirs.id) == 0
            assert list(await rows.chunks.hashes(one.scope, theirs.id)) == []
            assert await rows.chunks.delete(one.scope, theirs.id) == 0
            assert await rows.chunks.delete_from(one.scope, other.collection.id, theirs.id, keep=None) == 0
            if other is stranger:
                assert await rows.chunks.visible(other.scope, [ChunkId(theirs.id, 1, 0)]) == {}
                assert list(await rows.chunks.list(other.scope, theirs.id, 1)) == []
                assert await rows.chunks.delete(other.scope, theirs.id) == 0
        async with store.transaction(other.scope) as rows:
            assert await rows.chunks.count(other.scope, theirs.id) == 1


async def test_delete_removes_older_generations_or_all(store: Store) -> None:
    room = await new_room(store)
    made, other = await index(store, room, ["a", "b"]), await index(store, room, ["kept"])
    async with store.transaction(room.scope) as rows:
        for number in (2, 3):
            await rows.documents.add_generation(room.scope, generation(made, number))
            await write(rows, room, made, number, ["c"] * number)
        assert await rows.chunks.delete_from(room.scope, room.collection.id, made.id, keep=1) == 0
        assert await rows.chunks.delete_from(room.scope, room.collection.id, made.id, keep=3) == 4
        assert await rows.chunks.count(room.scope, made.id) == 3
        assert await rows.chunks.delete(room.scope, made.id) == 3
        assert await rows.chunks.delete(room.scope, made.id) == 0
        assert await rows.chunks.count(room.scope, other.id) == 1


async def test_hashes_are_distinct_over_all_generations(store: Store) -> None:
    room = await new_room(store)
    made = await index(store, room, ["a", "b", "a"])
    async with store.transaction(room.scope) as rows:
        await rows.documents.add_generation(room.scope, generation(made, 2))
        await write(rows, room, made, 2, ["b", "c"])
        assert sorted(await rows.chunks.hashes(room.scope, made.id)) == ["hash of a", "hash of b", "hash of c"]


async def test_ids_are_of_all_generations_of_the_document(store: Store) -> None:
    room, stranger = await new_room(store), await new_room(store)
    made, _ = await index(store, room, ["a", "b"]), await index(store, room, ["other"])
    async with store.transaction(room.scope) as rows:
        await rows.documents.add_generation(room.scope, generation(made, 2))
        second = await write(rows, room, made, 2, ["c"])
        first = [ChunkId(made.id, 1, ordinal) for ordinal in range(2)]
        assert set(await rows.chunks.ids(room.scope, made.id)) == {*first, *second}
    async with store.transaction(stranger.scope) as rows:
        assert await rows.chunks.ids(stranger.scope, made.id) == []
