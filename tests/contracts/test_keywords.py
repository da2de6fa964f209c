"""The keyword leg, in every store: BM25 as the formula has it, over what is committed."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from shared.domain import bm25
from shared.domain.chunks import ChunkId, ChunkTerms
from shared.domain.documents import Document
from shared.domain.errors import NotFound
from shared.domain.filters import Condition, Op
from tests.contracts.samples import (
    NOW,
    Room,
    Store,
    add_document,
    collection,
    generation,
    index,
    new_room,
    publish,
    terms,
    tombstone,
    write,
)


async def found_by(store: Store, room: Room, words: str, *, limit: int = 20) -> dict[ChunkId, float]:
    async with store.transaction(room.scope) as rows:
        hits = await rows.keywords.query(room.scope, [room.collection.id], words.split(), limit)
    return {hit.id: hit.score for hit in hits}


def expected(texts: dict[ChunkId, str], words: str, average: float) -> dict[ChunkId, float]:
    """BM25 worked out from nothing but the texts."""
    containing = Counter(word for text in texts.values() for word in set(text.split()))
    question = {
        bm25.term_index(word): bm25.idf(len(texts), containing[word]) for word in set(words.split()) if containing[word]
    }
    scores = {}
    for id, text in texts.items():
        counts = bm25.indexed(Counter(text.split()))
        scores[id] = bm25.score(question, bm25.encode(counts, len(text.split()), average))
    return {id: score for id, score in scores.items() if score > 0}


def texts_of(of: Document, texts: Sequence[str], number: int = 1) -> dict[ChunkId, str]:
    return {ChunkId(of.id, number, ordinal): text for ordinal, text in enumerate(texts)}


TEXTS = ("the cat sat", "the dog sat on the mat", "cat cat cat", "something else entirely", "a dog")


async def test_query_scores_are_bm25(store: Store) -> None:
    room = await new_room(store)
    made = await index(store, room, TEXTS)
    average = sum(len(text.split()) for text in TEXTS) / len(TEXTS)
    for words in ("cat", "dog mat", "the the the", "cat dog unknown", "entirely"):
        found = await found_by(store, room, words)
        wanted = expected(texts_of(made, TEXTS), words, average)
        assert found == pytest.approx(wanted, rel=1e-4)
        assert list(found.values()) == sorted(found.values(), reverse=True)
    best = await found_by(store, room, "the dog", limit=2)
    assert [id.ordinal for id in best] == [1, 4]


async def test_query_without_a_shared_term_finds_nothing(store: Store) -> None:
    room = await new_room(store)
    await index(store, room, TEXTS)
    assert await found_by(store, room, "unknown words only") == {}
    assert await found_by(store, room, "") == {}
    async with store.transaction(room.scope) as rows:
        assert list(await rows.keywords.query(room.scope, [], ["cat"], 9)) == []
        assert list(await rows.keywords.query(room.scope, [room.collection.id], ["cat"], 9, document_ids=[])) == []


async def test_query_of_an_empty_collection_finds_nothing(store: Store) -> None:
    room = await new_room(store)
    assert await found_by(store, room, "cat") == {}


async def test_query_orders_equal_scores_by_place(store: Store) -> None:
    room = await new_room(store)
    made = await index(store, room, ["same words"] * 5)
    assert [id.ordinal for id in await found_by(store, room, "words", limit=3)] == [0, 1, 2]
    assert {id.document_id for id in await found_by(store, room, "words")} == {made.id}


async def test_query_sees_nothing_that_is_not_committed(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    async with store.transaction(room.scope) as rows:
        await write(rows, room, made, 1, TEXTS)
    assert await found_by(store, room, "cat") == {}
    other = await index(store, room, ["cat"])
    # The statistics do not count it either.
    assert await found_by(store, room, "cat") == pytest.approx(expected(texts_of(other, ["cat"]), "cat", 3.2), rel=0.5)
    async with store.transaction(room.scope) as rows:
        summary = await rows.collections.summary(room.scope, room.collection.id)
    assert summary is not None
    assert summary.chunks == 1


async def test_publish_of_a_further_generation_replaces_the_one_before(store: Store) -> None:
    room = await new_room(store)
    made = await index(store, room, TEXTS)
    new = ("entirely new", "cat and entirely other words here now")
    async with store.transaction(room.scope) as rows:
        await rows.documents.add_generation(room.scope, generation(made, 2))
        await write(rows, room, made, 2, new)
        await publish(rows, room, made, 2, before=1)
    average = sum(len(text.split()) for text in TEXTS) / len(TEXTS)
    for words in ("entirely", "cat", "dog", "new words"):
        found = await found_by(store, room, words)
        assert found == pytest.approx(expected(texts_of(made, new, 2), words, average), rel=1e-4)
    async with store.transaction(room.scope) as rows:
        assert await rows.chunks.delete_from(room.scope, room.collection.id, made.id, keep=2) == len(TEXTS)
    assert set(await found_by(store, room, "cat")) == {ChunkId(made.id, 2, 1)}


async def test_publish_twice_counts_once(store: Store) -> None:
    room = await new_room(store)
    made = await index(store, room, TEXTS)
    before = await found_by(store, room, "cat dog the")
    for _ in range(2):
        async with store.transaction(room.scope) as rows:
            await rows.keywords.publish(room.scope, room.collection.id, made.id, add=1, remove=None)
            await rows.keywords.publish(room.scope, room.collection.id, made.id, add=1, remove=1)
            await rows.keywords.publish(room.scope, room.collection.id, made.id, add=None, remove=7)
            await rows.keywords.publish(room.scope, room.collection.id, made.id, add=None, remove=None)
    assert await found_by(store, room, "cat dog the") == before


async def test_publish_of_a_removal_counts_out_once(store: Store) -> None:
    room = await new_room(store)
    kept, gone = await index(store, room, TEXTS), await index(store, room, ["cat cat", "dog"])
    await tombstone(store, room, gone)
    async with store.transaction(room.scope) as rows:
        await rows.keywords.publish(room.scope, room.collection.id, gone.id, add=None, remove=1)
    average = sum(len(text.split()) for text in TEXTS) / len(TEXTS)
    found = await found_by(store, room, "cat dog")
    assert found == pytest.approx(expected(texts_of(kept, TEXTS), "cat dog", average), rel=1e-4)


async def test_publish_of_the_last_removal_leaves_an_empty_index(store: Store) -> None:
    room = await new_room(store)
    made = await index(store, room, TEXTS)
    await tombstone(store, room, made)
    assert await found_by(store, room, "cat") == {}
    again = await index(store, room, ["cat"])
    assert set(await found_by(store, room, "cat")) == {ChunkId(again.id, 1, 0)}


async def test_publish_in_another_project_changes_nothing(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    for other in (sibling, stranger):
        theirs = await index(store, other, TEXTS)
        before = await found_by(store, other, "cat the")
        async with store.transaction(one.scope) as rows:
            await rows.keywords.publish(one.scope, other.collection.id, theirs.id, add=None, remove=1)
        assert await found_by(store, other, "cat the") == before


async def test_publish_in_parallel_counts_each_and_deadlocks_never(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    words = [f"word{number}" for number in range(60)]
    documents = [await add_document(store, room) for _ in range(8)]
    texts = [" ".join(words[number:] + words[:number]) for number in range(0, 56, 7)]

    async def worker(through: Store, made: Document, text: str) -> None:
        async with through.transaction(room.scope) as rows:
            await rows.documents.lock(room.scope, made.id)
            await write(rows, room, made, 1, [text, f"{text} extra"])
            await publish(rows, room, made, 1)

    pairs = zip(documents, texts, strict=True)
    await asyncio.gather(*(worker(another(), made, text) for made, text in pairs))
    known: dict[ChunkId, str] = {}
    for made, text in zip(documents, texts, strict=True):
        known |= texts_of(made, [text, f"{text} extra"])
    for asked in ("word3", "extra word59"):
        assert await found_by(store, room, asked) == pytest.approx(expected(known, asked, 60.5), rel=1e-3)


async def test_put_again_replaces(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    async with store.transaction(room.scope) as rows:
        ids = await write(rows, room, made, 1, TEXTS)
        await rows.keywords.put(room.scope, room.collection.id, [terms(ids[0], "other words")])
        await rows.keywords.put(room.scope, room.collection.id, [terms(ids[0], "other words")])
        await publish(rows, room, made, 1)
    assert set(await found_by(store, room, "other")) == {ids[0]}
    assert set(await found_by(store, room, "cat")) == {ids[2]}


async def test_put_of_a_document_elsewhere_is_refused(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    for other in (sibling, stranger):
        theirs = await index(store, other, ["theirs"])
        async with store.transaction(one.scope) as rows:
            with pytest.raises(NotFound):
                await rows.keywords.put(one.scope, one.collection.id, [terms(ChunkId(theirs.id, 1, 0), "planted")])


async def test_put_keeps_odd_chunks(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    odd = [
        ChunkTerms(ChunkId(made.id, 1, 0), {}, 0),
        ChunkTerms(ChunkId(made.id, 1, 1), {"many": 3000}, 3000),
        ChunkTerms(ChunkId(made.id, 1, 2), {f"t{number}": 1 for number in range(3000)}, 3000),
        ChunkTerms(ChunkId(made.id, 1, 3), {"😀": 1, "'": 1, "{1:2}/3": 1}, 3),
    ]
    async with store.transaction(room.scope) as rows:
        await write(rows, room, made, 1, ["", "", "", ""])
        await rows.keywords.put(room.scope, room.collection.id, odd)
        await publish(rows, room, made, 1)
    for words, ordinal in (("many", 1), ("t2999", 2), ("😀", 3), ("'", 3), ("{1:2}/3", 3)):
        assert [id.ordinal for id in await found_by(store, room, words)] == [ordinal]


async def test_query_never_crosses_tenants_or_projects(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    mine = await index(store, one, ["cat"])
    before = await found_by(store, one, "cat")
    for other in (sibling, stranger):
        await index(store, other, ["cat"] * 30)
        assert await found_by(store, one, "cat") == before
        async with store.transaction(one.scope) as rows:
            assert list(await rows.keywords.query(one.scope, [other.collection.id], ["cat"], 9)) == []
            both = [one.collection.id, other.collection.id]
            assert [hit.id for hit in await rows.keywords.query(one.scope, both, ["cat"], 9)] == [
                ChunkId(mine.id, 1, 0)
            ]


async def test_query_over_collections_uses_the_statistics_of_each(store: Store) -> None:
    room = await new_room(store)
    second = Room(room.scope, collection(room.scope, name="second"))
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, second.collection)
    one = await index(store, room, TEXTS)
    other_texts = ("cat", "cat dog", "cat the", "rare bird")
    two = await index(store, second, other_texts)
    wanted = {
        **expected(texts_of(one, TEXTS), "cat bird", sum(len(text.split()) for text in TEXTS) / len(TEXTS)),
        **expected(texts_of(two, other_texts), "cat bird", 7 / 4),
    }
    async with store.transaction(room.scope) as rows:
        both = [room.collection.id, second.collection.id]
        hits = await rows.keywords.query(room.scope, both, ["cat", "bird"], 20)
    assert {hit.id: hit.score for hit in hits} == pytest.approx(wanted, rel=1e-4)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_query_of_many_collections_finds_the_best_of_all(store: Store) -> None:
    room = await new_room(store)
    rooms = [room, *(Room(room.scope, collection(room.scope, name=f"number {number}")) for number in range(11))]
    async with store.transaction(room.scope) as rows:
        for one in rooms[1:]:
            await rows.collections.add(room.scope, one.collection)
    made = [await index(store, one, ["cat", "dog", "x " * number]) for number, one in enumerate(rooms, start=1)]
    for count in (1, 2, 8, 9, 12):
        ids = [one.collection.id for one in rooms[:count]]
        async with store.transaction(room.scope) as rows:
            hits = await rows.keywords.query(room.scope, [*ids, *ids], ["cat"], 99)
        assert {hit.id for hit in hits} == {ChunkId(one.id, 1, 0) for one in made[:count]}
        assert len(hits) == count
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


async def test_query_behind_many_deleted_chunks_still_fills_the_page(store: Store) -> None:
    room = await new_room(store)
    gone = [await index(store, room, ["cat"] * 20) for _ in range(3)]
    kept = await index(store, room, ["cat and many other words that make it worse"] * 12)
    for one in gone:
        await tombstone(store, room, one)
    found = await found_by(store, room, "cat", limit=10)
    assert len(found) == 10
    assert {id.document_id for id in found} == {kept.id}


async def test_query_narrows_by_filter_and_documents(store: Store) -> None:
    room = await new_room(store)
    red, blue = await index(store, room, ["cat"], tags=("red",)), await index(store, room, ["cat"] * 9, tags=("blue",))
    async with store.transaction(room.scope) as rows:
        asked = (room.scope, [room.collection.id], ["cat"], 20)
        filtered = await rows.keywords.query(*asked, filter=Condition("tags", Op.CONTAINS, "red"))
        named = await rows.keywords.query(*asked, document_ids=[blue.id])
    assert [hit.id.document_id for hit in filtered] == [red.id]
    assert {hit.id.document_id for hit in named} == {blue.id}


async def test_query_hides_deleted_documents_and_collections_at_once(store: Store) -> None:
    room = await new_room(store)
    gone, kept = await index(store, room, ["cat"]), await index(store, room, ["cat"])
    await tombstone(store, room, gone)
    assert set(await found_by(store, room, "cat")) == {ChunkId(kept.id, 1, 0)}
    async with store.transaction(room.scope) as rows:
        await rows.collections.save(room.scope, replace(room.collection, deleted_at=NOW))
    assert await found_by(store, room, "cat") == {}


async def test_rebalance_encodes_anew_after_a_drift_by_two(store: Store) -> None:
    room = await new_room(store)
    short = ("cat", "dog")
    long = ("cat " + "filler " * 9, "dog cat " + "filler " * 12, "filler " * 10)
    one = await index(store, room, short)
    async with store.transaction(room.scope) as rows:
        assert await rows.keywords.rebalance(room.scope, room.collection.id) == 0
    two = await index(store, room, long)
    known = {**texts_of(one, short), **texts_of(two, long)}
    mean = sum(len(text.split()) for text in known.values()) / len(known)
    assert await found_by(store, room, "cat filler") == pytest.approx(expected(known, "cat filler", 1.0), rel=1e-4)
    async with store.transaction(room.scope) as rows:
        assert await rows.keywords.rebalance(room.scope, room.collection.id) == 5
    assert await found_by(store, room, "cat filler") == pytest.approx(expected(known, "cat filler", mean), rel=1e-4)
    async with store.transaction(room.scope) as rows:
        assert await rows.keywords.rebalance(room.scope, room.collection.id) == 0


async def test_rebalance_between_put_and_publish_is_caught_up_with(store: Store) -> None:
    room = await new_room(store)
    late = await add_document(store, room)
    await index(store, room, ["cat"])
    async with store.transaction(room.scope) as rows:
        await write(rows, room, late, 1, ["cat and more words"])
    await index(store, room, ["filler " * 40, "filler " * 40])
    async with store.transaction(room.scope) as rows:
        assert await rows.keywords.rebalance(room.scope, room.collection.id) > 0
    async with store.transaction(room.scope) as rows:
        await publish(rows, room, late, 1)
    found = await found_by(store, room, "more")
    idf = bm25.idf(4, 1)
    assert found == pytest.approx({ChunkId(late.id, 1, 0): idf * bm25.encode({1: 1}, 4, 27.0)[1]}, rel=1e-4)


async def test_rebalance_of_an_unknown_collection_does_nothing(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    async with store.transaction(one.scope) as rows:
        assert await rows.keywords.rebalance(one.scope, other.collection.id) == 0


async def test_recount_makes_totals_what_is_counted(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    first, second = await index(store, room, TEXTS), await index(store, room, ("a mouse",))
    await index(store, other, TEXTS)
    async with store.transaction(room.scope) as rows:
        assert await rows.keywords.counted(room.scope, room.collection.id, first.id) == [1]
        assert await rows.keywords.recount(room.scope) == 0
        # Its words go, and the totals stay: as if a delete had counted nothing out.
        await rows.keywords.discard(room.scope, room.collection.id, second.id)
        assert await rows.keywords.counted(room.scope, room.collection.id, second.id) == []
    async with store.transaction(other.scope) as rows:
        assert await rows.keywords.recount(other.scope) == 0
    async with store.transaction(room.scope) as rows:
        assert await rows.keywords.recount(room.scope) == 1
    async with store.transaction(room.scope) as rows:
        assert await rows.keywords.recount(room.scope) == 0
    await index(store, room, ("the third",))
    async with store.transaction(room.scope) as rows:
        assert await rows.keywords.recount(room.scope) == 0
