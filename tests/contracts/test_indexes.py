"""Indexes of a collection, in every store."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.access import AccessList, ListKind
from shared.domain.chunks import ChunkId
from shared.domain.collections import EmbeddingModel
from shared.domain.documents import Document, DocumentStatus, GenerationState, Reason, advance, fail
from shared.domain.errors import Conflict
from shared.domain.indexes import Budget, Index, IndexState, Score, Scores, Spent, seen_through
from shared.domain.questions import Expected, Question
from tests.contracts.samples import (
    NOW,
    Room,
    RowsWithVectors,
    Store,
    add_document,
    at,
    chunk,
    generation,
    index,
    new_id,
    new_room,
    terms,
    tombstone,
)

LARGE = EmbeddingModel("memory/large", 3, 100)


def beside(room: Room, **changes: Any) -> Index:
    """An index beside a collection's first."""
    made = Index(
        id=new_id(),
        tenant_id=room.scope.tenant_id,
        project_id=room.scope.project_id,
        collection_id=room.collection.id,
        slot=1,
        state=IndexState.BUILDING,
        model=LARGE,
        chunking=room.collection.chunking,
        created_at=at(1),
        changed_at=at(1),
    )
    return replace(made, **changes)


async def first_of(rows: RowsWithVectors, room: Room) -> Index:
    """The index that came with the collection."""
    found = await rows.indexes.get(room.scope, room.collection.id)
    assert found is not None
    return found


async def mirror(
    store: Store, room: Room, of: Document, into: Index, number: int, text: str, origin: int = 1
) -> ChunkId:
    """A generation committed in another index, with one chunk."""
    seen = seen_through(room.collection, into)
    made = generation(of, number, index=into.id, slot=into.slot, origin=origin)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add_generation(room.scope, advance(made, GenerationState.COMMITTED, NOW, due=None))
        id = ChunkId(of.id, number, 0)
        await rows.chunks.replace(room.scope, into.id, of.id, number, [chunk(id, text)])
        await rows.keywords.put(room.scope, into.id, [terms(id, text)])
        await rows.vectors.put(room.scope, seen, [_vector(id)])
        assert await rows.documents.commit(room.scope, of.id, number, into.slot)
        await rows.keywords.publish(room.scope, into.id, of.id, add=number, remove=None)
    return id


def _vector(id: ChunkId) -> Any:
    from shared.domain.chunks import ChunkVector

    return ChunkVector(id, (0.0, 0.0, 1.0))


async def add(store: Store, room: Room, made: Index) -> Index:
    """Store an index."""
    async with store.transaction(room.scope) as rows:
        await rows.indexes.add(room.scope, made)
    return made


async def test_first_index_comes_with_the_collection_and_is_live(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        (first,) = await rows.indexes.of(room.scope, room.collection.id)
        assert (first.id, first.slot, first.state) == (room.collection.id, 0, IndexState.LIVE)
        assert (first.model, first.chunking) == (room.collection.model, room.collection.chunking)
        assert await rows.collections.through(room.scope, room.collection.id, None) == room.collection


async def test_index_comes_back_as_it_went_and_changes(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    made = await add(
        store,
        room,
        beside(
            room, recipe="r", reasons=("model",), requested_by="me", budget=Budget(1, 2, 3, 4.5, 6.0), automatic=True
        ),
    )
    changed = replace(
        made,
        state=IndexState.READY,
        changed_at=at(2),
        spent=Spent("2026-01-01", 3, 4),
        scores=Scores(Score(0.5, 0.25), Score(1.0, 1.0), 4, True, at(3)),
        expires_at=at(4),
        problem="words",
    )
    async with store.transaction(room.scope) as rows:
        assert await rows.indexes.get(room.scope, made.id) == made
        await rows.indexes.save(room.scope, replace(changed, slot=0))
        assert await rows.indexes.get(room.scope, made.id, lock=True) == changed
        listed = await rows.indexes.of(room.scope, room.collection.id)
        assert [one.id for one in listed] == [made.id, room.collection.id]
        alone = Scores(None, Score(1.0, 1.0), 4, False, at(3))
        await rows.indexes.save(room.scope, replace(changed, automatic=True, scores=alone))
        found = await rows.indexes.get(room.scope, made.id)
        assert found == replace(changed, automatic=True, scores=alone)
    async with store.transaction(other.scope) as rows:
        assert await rows.indexes.get(other.scope, made.id) is None
        assert list(await rows.indexes.of(other.scope, room.collection.id)) == []


async def test_add_to_a_taken_slot_conflicts_until_it_is_given_up(store: Store) -> None:
    room = await new_room(store)
    made = await add(store, room, beside(room))
    async with store.transaction(room.scope) as rows:
        for slot in (0, 1):
            with pytest.raises(Conflict):
                await rows.indexes.add(room.scope, beside(room, slot=slot))
        await rows.indexes.save(room.scope, replace(made, state=IndexState.DROPPING))
        await rows.indexes.add(room.scope, beside(room))


async def test_through_sees_open_indexes_only(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    made = await add(store, room, beside(room))
    async with store.transaction(room.scope) as rows:
        seen = await rows.collections.through(room.scope, room.collection.id, made.id, hold=True)
        assert seen == seen_through(room.collection, made)
        assert seen is not None
        assert (seen.index_id, seen.slot, seen.live, seen.model) == (made.id, 1, False, LARGE)
        assert await rows.collections.through(room.scope, other.collection.id, None) is None
        assert await rows.collections.through(room.scope, room.collection.id, new_id()) is None
        await rows.indexes.save(room.scope, replace(made, state=IndexState.DROPPING))
        assert await rows.collections.through(room.scope, room.collection.id, made.id) is None


async def test_cut_is_a_compare_and_set_and_shows_the_other_generation(store: Store) -> None:
    room = await new_room(store)
    document = await index(store, room, ["old words"], [(1.0, 0.0, 0.0, 0.0)])
    made = await add(store, room, beside(room))
    await mirror(store, room, document, made, 2, "new words")
    async with store.transaction(room.scope) as rows:
        known = await rows.documents.get(room.scope, document.id)
        assert known is not None
        assert (known.committed_generation, known.standby_generation, known.slot) == (1, 2, 0)
        assert await rows.collections.cut(room.scope, room.collection, made)
        assert not await rows.collections.cut(room.scope, room.collection, made)
    async with store.transaction(room.scope) as rows:
        known = await rows.documents.get(room.scope, document.id)
        assert known is not None
        assert (known.committed_generation, known.standby_generation, known.slot) == (2, 1, 1)
        assert (known.committed_in(0), known.committed_in(1)) == (1, 2)
        cut = await rows.collections.get(room.scope, room.collection.id)
        assert cut is not None
        assert (cut.index, cut.slot, cut.model, cut.live) == (made.id, 1, LARGE, True)
        await rows.documents.save(room.scope, replace(known, name="renamed"))
        await rows.collections.save(room.scope, replace(room.collection, name="renamed"))
        known = await rows.documents.get(room.scope, document.id)
        cut = await rows.collections.get(room.scope, room.collection.id)
        assert known is not None
        assert (known.committed_generation, known.standby_generation) == (2, 1)
        assert cut is not None
        assert (cut.name, cut.index, cut.model) == ("renamed", made.id, LARGE)


async def test_queries_name_the_index_and_find_its_generations_only(store: Store) -> None:
    room = await new_room(store)
    document = await index(store, room, ["shared old"], [(1.0, 0.0, 0.0, 0.0)])
    made = await add(store, room, beside(room))
    new, old = await mirror(store, room, document, made, 2, "shared new"), ChunkId(document.id, 1, 0)
    seen = seen_through(room.collection, made)
    for _ in range(2):
        async with store.transaction(room.scope) as rows:
            by_old = await rows.vectors.query(room.scope, [room.collection], (1.0, 0.0, 0.0, 0.0), 5)
            by_new = await rows.vectors.query(room.scope, [seen], (0.0, 0.0, 1.0), 5)
            assert ([hit.id for hit in by_old], [hit.id for hit in by_new]) == ([old], [new])
            found = [
                await rows.keywords.query(room.scope, [one], ["shared"], 5) for one in (room.collection.id, made.id)
            ]
            assert [[hit.id for hit in hits] for hits in found] == [[old], [new]]
            assert set(await rows.chunks.visible(room.scope, [old, new])) == {old, new}
            assert await rows.vectors.ids(room.scope, seen, document.id) == [new]
            await rows.collections.cut(room.scope, room.collection, made)
    await tombstone(store, room, document)
    async with store.transaction(room.scope) as rows:
        assert await rows.chunks.visible(room.scope, [old, new]) == {}
        assert list(await rows.vectors.query(room.scope, [seen], (0.0, 0.0, 1.0), 5)) == []


async def test_publish_in_one_index_counts_nothing_out_of_another(store: Store) -> None:
    room = await new_room(store)
    document = await index(store, room, ["shared old"], [(1.0, 0.0, 0.0, 0.0)])
    made = await add(store, room, beside(room))
    new, old = await mirror(store, room, document, made, 2, "shared new"), ChunkId(document.id, 1, 0)
    both = (room.collection.id, made.id)
    async with store.transaction(room.scope) as rows:
        # As when an index takes the place of one that is being removed: that one's generation is still there.
        await rows.keywords.publish(room.scope, made.id, document.id, add=2, remove=1)
        found = [await rows.keywords.query(room.scope, [one], ["shared"], 5) for one in both]
        assert [[hit.id for hit in hits] for hits in found] == [[old], [new]]
        assert [await rows.keywords.count(room.scope, one, document.id) for one in both] == [2, 2]
        assert await rows.keywords.discard(room.scope, made.id, document.id) == 2
        assert [await rows.keywords.count(room.scope, one, document.id) for one in both] == [2, 0]


async def test_delete_of_one_index_leaves_the_other(store: Store) -> None:
    room = await new_room(store)
    document = await index(store, room, ["shared old"], [(1.0, 0.0, 0.0, 0.0)])
    made = await add(store, room, beside(room))
    new = await mirror(store, room, document, made, 2, "shared new")
    seen = seen_through(room.collection, made)
    async with store.transaction(room.scope) as rows:
        assert await rows.vectors.delete(room.scope, room.collection, document.id, keep=1) == 0
        assert await rows.vectors.delete(room.scope, seen, document.id, keep=2) == 0
        assert await rows.chunks.delete_from(room.scope, room.collection.id, document.id, keep=2) == 1
        assert await rows.vectors.delete(room.scope, room.collection, document.id, keep=2) == 1
        assert await rows.vectors.ids(room.scope, seen, document.id) == [new]
        assert list(await rows.indexes.remains(room.scope, made, 5)) == [document.id]
        assert await rows.vectors.delete(room.scope, seen, document.id, keep=None) == 1
        await rows.indexes.forget(room.scope, made, document.id)
        assert await rows.chunks.delete_from(room.scope, made.id, document.id, keep=None) == 1
        assert list(await rows.indexes.remains(room.scope, made, 5)) == []
        assert await rows.keywords.forget(room.scope, made.id, 100) > 0
        known = await rows.documents.get(room.scope, document.id)
        assert known is not None
        assert (known.committed_generation, known.standby_generation) == (1, None)


async def test_behind_and_progress_compare_uploads_not_numbers(store: Store) -> None:
    room = await new_room(store)
    made = await add(store, room, beside(room))
    whole, late, failed, under_way = [await index(store, room, [f"words {n}"], created_at=at(n)) for n in range(4)]
    await tombstone(store, room, await index(store, room, ["gone"]))
    await mirror(store, room, whole, made, 2, "new")
    await mirror(store, room, late, made, 2, "new")
    async with store.transaction(room.scope) as rows:
        # Uploaded again since.
        newer = generation(late, 3)
        await rows.documents.add_generation(room.scope, advance(newer, GenerationState.COMMITTED, NOW, due=None))
        assert await rows.documents.commit(room.scope, late.id, 3)
        bad = generation(failed, 2, index=made.id, slot=1, origin=1)
        await rows.documents.add_generation(room.scope, fail(bad, Reason("x", "y"), NOW))
        await rows.documents.add_generation(room.scope, generation(under_way, 2, index=made.id, slot=1, origin=1))
    async with store.transaction(room.scope) as rows:
        first = await first_of(rows, room)
        progress = await rows.indexes.progress(room.scope, made, first)
        assert (progress.documents, progress.in_step, progress.in_flight, progress.failed) == (4, 1, 1, 1)
        assert not progress.whole
        behind = await rows.indexes.behind(room.scope, made, first, 10)
        assert [(one.document_id, one.number) for one in behind] == [(late.id, 3)]
        assert list(await rows.indexes.behind(room.scope, first, made, 10)) == []
        assert await rows.indexes.under_way(room.scope, made) == 1
        assert [one.document_id for one in await rows.indexes.generations(room.scope, made, 5)] == [under_way.id]
        assert await rows.indexes.busy(room.scope, made) == 0
        unchanged = generation(late, 4, index=made.id, slot=1, origin=3)
        await rows.documents.add_generation(room.scope, advance(unchanged, GenerationState.UNCHANGED, NOW, due=None))
        assert list(await rows.indexes.behind(room.scope, made, first, 10)) == []
        assert (await rows.indexes.progress(room.scope, made, first)).in_step == 2


async def test_unfinished_crosses_tenants(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    made = [await add(store, one, beside(one, changed_at=at(2))), await add(store, other, beside(other))]
    async with store.transaction(None) as rows:
        found = await rows.indexes.unfinished(10)
    assert [(row.tenant_id, row.id) for row in found] == [
        (other.scope.tenant_id, made[1].id),
        (one.scope.tenant_id, made[0].id),
    ]


async def test_questions_are_replaced_whole_and_kept_in_order(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    asked = [Question("first?", (Expected(new_id(), 3, 9), Expected(new_id()))), Question("ö", (Expected(new_id()),))]
    async with store.transaction(room.scope) as rows:
        for questions in (asked, asked[::-1]):
            await rows.indexes.ask(room.scope, room.collection.id, questions)
            assert list(await rows.indexes.questions(room.scope, room.collection.id)) == questions
    async with store.transaction(other.scope) as rows:
        assert list(await rows.indexes.questions(other.scope, room.collection.id)) == []
    async with store.transaction(room.scope) as rows:
        await rows.indexes.ask(room.scope, room.collection.id, [])
        assert list(await rows.indexes.questions(room.scope, room.collection.id)) == []


async def test_restate_makes_of_documents_what_they_are_in_an_index(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    statuses = (DocumentStatus.INDEXED, DocumentStatus.FAILED, DocumentStatus.PROCESSING)
    documents = [await add_document(store, room, status=status) for status in statuses]
    gone = await add_document(store, room, status=DocumentStatus.INDEXED, tombstoned_at=NOW)
    elsewhere = await add_document(store, other, status=DocumentStatus.INDEXED)
    async with store.transaction(room.scope) as rows:
        (first,) = await rows.indexes.of(room.scope, room.collection.id)
        for document in documents[:2]:
            assert await rows.documents.commit(room.scope, document.id, 1, 0)
        assert await rows.indexes.restate(room.scope, first) == 1
        assert await rows.indexes.restate(room.scope, first) == 0
        assert await rows.indexes.restate(room.scope, replace(first, slot=1)) == 2
    for where, document, status in (
        *((room, one, DocumentStatus.FAILED) for one in documents[:2]),
        (room, documents[2], DocumentStatus.PROCESSING),
        (room, gone, DocumentStatus.INDEXED),
        (other, elsewhere, DocumentStatus.INDEXED),
    ):
        async with store.transaction(where.scope) as rows:
            found = await rows.documents.get(where.scope, document.id)
            assert found is not None
            assert found.status is status


async def test_indexes_compared_by_whom_a_document_does_not_admit_leave_it_out(store: Store) -> None:
    room = await new_room(store)
    made = await add(store, room, beside(room))
    hidden, shown = await index(store, room, ["secret"]), await index(store, room, ["open"])
    nobody = AccessList(frozenset(), NOW, "user:someone")
    async with store.transaction(room.scope) as rows:
        first = await first_of(rows, room)
        await rows.documents.add_generation(room.scope, generation(hidden, 2, index=made.id, slot=1, origin=1))
        assert await rows.access.put(room.scope, ListKind.DOCUMENT, hidden.id, nobody)
    async with store.transaction(room.scope) as rows:
        behind = await rows.indexes.behind(room.scope, made, first, 10)
        assert [one.document_id for one in behind] == [shown.id]
        await rows.access.everything()
        progress = await rows.indexes.progress(room.scope, made, first)
        assert (progress.documents, progress.in_flight) == (2, 1)
    async with store.transaction(room.scope) as rows:
        assert await rows.documents.get(room.scope, hidden.id) is None
