"""Ingestion runs and their events, in every store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.domain.documents import Counts, Document, Generation, GenerationState, Reason, advance, fail
from shared.domain.errors import Conflict, Forbidden
from shared.domain.ingestions import CANCELLED, Example, Happening, Ingestion, IngestionEvent, IngestionStatus, News
from shared.domain.pages import After
from shared.ports.documents import DueGeneration
from tests.contracts.samples import (
    NOW,
    Room,
    Store,
    add_document,
    at,
    collection,
    document,
    generation,
    new_id,
    new_room,
    tombstone,
)


def ingestion(room: Room, **changes: Any) -> Ingestion:
    made = Ingestion(
        id=new_id(),
        tenant_id=room.scope.tenant_id,
        project_id=room.scope.project_id,
        collection_id=room.collection.id,
        name="“July”",
        created_by="api_key:one",
        created_at=NOW,
    )
    return replace(made, **changes)


async def opened(store: Store, room: Room, **changes: Any) -> Ingestion:
    made = ingestion(room, **changes)
    async with store.transaction(room.scope) as rows:
        await rows.ingestions.add(room.scope, made)
    return made


async def member(
    store: Store, room: Room, run: Ingestion, state: GenerationState = GenerationState.EXTRACTING, **changes: Any
) -> Document:
    """A document whose first generation is in the run, in some state."""
    made = document(room)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, in_state(made, 1, state, ingestion_id=run.id, **changes))
    return made


def in_state(of: Document, number: int, state: GenerationState, **changes: Any) -> Generation:
    made = replace(generation(of, number), **changes)
    if state is GenerationState.FAILED:
        return fail(made, changes.get("failure") or Reason("broken", "it is broken"), at(5))
    waits = state in {GenerationState.AWAITING_UPLOAD, GenerationState.EXTRACTING, GenerationState.EMBEDDING}
    return advance(made, state, at(5), due=at(9) - at(5) if waits else None)


async def finish(store: Store, room: Room, run: Ingestion, of: Document, number: int = 1) -> bool:
    """End a generation and tell the run, as a stage does; whether the run completed by it."""
    async with store.transaction(room.scope) as rows:
        found = await rows.documents.lock_with(room.scope, of.id, number)
        assert found is not None
        ended = advance(found[1], GenerationState.UNCHANGED, at(6), due=None)
        await rows.documents.save_generation(room.scope, ended)
        news = [News(Happening.DOCUMENT_UNCHANGED, of.id, number, {"name": of.name})]
        return await rows.ingestions.happened(room.scope, run.id, news, at(6))


async def close(store: Store, room: Room, run: Ingestion) -> bool:
    async with store.transaction(room.scope) as rows:
        known = await rows.ingestions.lock(room.scope, run.id)
        assert known is not None
        await rows.ingestions.save(room.scope, replace(known, closed_at=at(2)))
        return await rows.ingestions.happened(room.scope, run.id, [News(Happening.CLOSED)], at(2))


async def now_of(store: Store, room: Room, run: Ingestion) -> Ingestion:
    async with store.transaction(room.scope) as rows:
        found = await rows.ingestions.get(room.scope, run.id)
    assert found is not None
    return found


async def told(store: Store, room: Room, run: Ingestion, after: int = 0, limit: int = 100) -> list[IngestionEvent]:
    async with store.transaction(room.scope) as rows:
        return list(await rows.ingestions.events(room.scope, run.id, after, limit))


async def test_get_gives_back_what_was_added(store: Store) -> None:
    room = await new_room(store)
    plain = await opened(store, room)
    full = await opened(
        store,
        room,
        expected=3,
        announced=2,
        closed_at=at(1),
        cancelled_at=at(2),
        completed_at=at(3),
        sequence=9,
        created_at=at(-1),
    )
    assert await now_of(store, room, plain) == plain
    assert await now_of(store, room, full) == full
    assert full.status is IngestionStatus.CANCELLED


async def test_add_in_a_collection_of_another_project_is_refused(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    with pytest.raises(Conflict):
        await opened(store, room, collection_id=other.collection.id)


async def test_runs_of_another_project_or_tenant_are_not_there(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    await member(store, room, run)
    for other in (await new_room(store), await new_room(store, tenant_id=room.scope.tenant_id)):
        async with store.transaction(other.scope) as rows:
            scope = other.scope
            assert await rows.ingestions.get(scope, run.id) is None
            assert await rows.ingestions.lock(scope, run.id) is None
            assert await rows.ingestions.join(scope, run.id, NOW) is None
            assert await rows.ingestions.happened(scope, run.id, [News(Happening.CLOSED)], NOW) is False
            assert list(await rows.ingestions.list(scope, None, None, 9)) == []
            assert list(await rows.ingestions.tallies(scope, run.id)) == []
            assert list(await rows.ingestions.members(scope, run.id, None, None, 9)) == []
            assert list(await rows.ingestions.unfinished(scope, run.id, 9)) == []
            assert list(await rows.ingestions.failed(scope, run.id, at(99), None, 9)) == []
            assert list(await rows.ingestions.events(scope, run.id, 0, 9)) == []
            await rows.ingestions.save(scope, replace(run, closed_at=NOW))
    assert await now_of(store, room, run) == run
    assert await told(store, room, run) == []


async def test_add_for_another_tenant_is_forbidden(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    with pytest.raises((Forbidden, Conflict)):
        async with store.transaction(other.scope) as rows:
            await rows.ingestions.add(room.scope, ingestion(room))


async def test_list_is_newest_first_and_goes_on_after_a_place(store: Store) -> None:
    room = await new_room(store)
    runs = [await opened(store, room, created_at=at(minute)) for minute in (1, 3, 2, 3)]
    elsewhere = collection(room.scope, name="elsewhere")
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, elsewhere)
    other = await opened(store, room, collection_id=elsewhere.id, created_at=at(9))
    expected = [runs[3], runs[1], runs[2], runs[0]]
    async with store.transaction(room.scope) as rows:
        assert list(await rows.ingestions.list(room.scope, None, None, 9)) == [other, *expected]
        assert list(await rows.ingestions.list(room.scope, room.collection.id, None, 2)) == expected[:2]
        after = After(expected[1].created_at, expected[1].id)
        assert list(await rows.ingestions.list(room.scope, room.collection.id, after, 9)) == expected[2:]


async def test_join_closes_the_run_with_the_last_expected_and_then_takes_no_more(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room, expected=2)
    async with store.transaction(room.scope) as rows:
        assert await rows.ingestions.join(room.scope, run.id, at(1)) == replace(run, announced=1)
        joined = await rows.ingestions.join(room.scope, run.id, at(2))
        assert joined == replace(run, announced=2, closed_at=at(2))
        assert await rows.ingestions.join(room.scope, run.id, at(3)) is None
    assert await now_of(store, room, run) == joined


async def test_join_at_once_counts_every_one(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    run = await opened(store, room, expected=5)
    stores = [another() for _ in range(3)]

    async def join(way: Store) -> bool:
        async with way.transaction(room.scope) as rows:
            joined = await rows.ingestions.join(room.scope, run.id, at(1))
            await asyncio.sleep(0)
            return joined is not None

    took = await asyncio.gather(*(join(stores[number % 3]) for number in range(9)))
    assert sum(took) == 5
    known = await now_of(store, room, run)
    assert (known.announced, known.closed_at) == (5, at(1))


async def test_join_undone_with_its_transaction_was_never_there(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room, expected=1)

    async def undone() -> None:
        async with store.transaction(room.scope) as rows:
            await rows.ingestions.join(room.scope, run.id, at(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await undone()
    assert await now_of(store, room, run) == run


async def test_events_are_numbered_in_order_and_come_back_whole(store: Store) -> None:
    room = await new_room(store)
    run, made = await opened(store, room), await add_document(store, room)
    async with store.transaction(room.scope) as rows:
        await rows.ingestions.happened(room.scope, run.id, [News(Happening.STARTED, data={"name": "‘a’"})], at(1))
        news = [News(Happening.DOCUMENT_FAILED, made.id, 2, {"code": "x", "n": [1, None]}), News(Happening.RETRIED)]
        await rows.ingestions.happened(room.scope, run.id, news, at(2))
    expected = [
        IngestionEvent(1, at(1), Happening.STARTED, None, None, {"name": "‘a’"}),
        IngestionEvent(2, at(2), Happening.DOCUMENT_FAILED, made.id, 2, {"code": "x", "n": [1, None]}),
        IngestionEvent(3, at(2), Happening.RETRIED, None, None, {}),
    ]
    assert await told(store, room, run) == expected
    assert await told(store, room, run, after=1, limit=1) == expected[1:2]
    assert await told(store, room, run, after=3) == []
    assert (await now_of(store, room, run)).sequence == 3


async def test_run_completes_once_when_closed_and_all_have_ended(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    first, second = [await member(store, room, run) for _ in range(2)]
    assert await finish(store, room, run, first) is False
    assert await close(store, room, run) is False
    assert await finish(store, room, run, second) is True
    known = await now_of(store, room, run)
    assert (known.completed_at, known.status) == (at(6), IngestionStatus.COMPLETED)
    kinds = [one.kind for one in await told(store, room, run)]
    assert kinds == [
        Happening.DOCUMENT_UNCHANGED,
        Happening.CLOSED,
        Happening.DOCUMENT_UNCHANGED,
        Happening.COMPLETED,
    ]
    async with store.transaction(room.scope) as rows:
        assert await rows.ingestions.happened(room.scope, run.id, [], at(7)) is False
    assert await now_of(store, room, run) == known


async def test_run_that_is_open_never_completes(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    assert await finish(store, room, run, await member(store, room, run)) is False
    assert (await now_of(store, room, run)).status is IngestionStatus.OPEN


async def test_run_without_documents_completes_when_closed(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    assert await close(store, room, run) is True


async def test_last_two_documents_ending_at_once_complete_the_run(store: Store, another: Callable[[], Store]) -> None:
    """Neither sees the other's end when it begins: the one that comes second to the run has to look again."""
    room = await new_room(store)
    run = await opened(store, room)
    both = [await member(store, room, run) for _ in range(2)]
    await close(store, room, run)
    ways = [another(), another()]
    saved = asyncio.Barrier(2)

    async def end(way: Store, of: Document) -> bool:
        async with way.transaction(room.scope) as rows:
            found = await rows.documents.lock_with(room.scope, of.id, 1)
            assert found is not None
            ended = advance(found[1], GenerationState.COMMITTED, at(6), due=None)
            await rows.documents.save_generation(room.scope, ended)
            await saved.wait()
            news = [News(Happening.DOCUMENT_INDEXED, of.id, 1)]
            return await rows.ingestions.happened(room.scope, run.id, news, at(6))

    async with asyncio.timeout(20):
        outcomes = await asyncio.gather(*(end(way, of) for way, of in zip(ways, both, strict=True)))
    assert sorted(outcomes) == [False, True]
    assert (await now_of(store, room, run)).status is IngestionStatus.COMPLETED
    assert [one.sequence for one in await told(store, room, run)] == [1, 2, 3, 4]


async def test_run_with_an_unfinished_one_again_is_complete_no_longer(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    made = await member(store, room, run)
    await close(store, room, run)
    assert await finish(store, room, run, made) is True
    async with store.transaction(room.scope) as rows:
        again = in_state(made, 2, GenerationState.EXTRACTING, ingestion_id=run.id)
        await rows.documents.add_generation(room.scope, again)
        assert await rows.ingestions.happened(room.scope, run.id, [News(Happening.RETRIED)], at(7)) is False
    assert (await now_of(store, room, run)).status is IngestionStatus.RUNNING
    assert await finish(store, room, run, made, 2) is True
    assert [one.kind for one in await told(store, room, run)].count(Happening.COMPLETED) == 2


async def test_generation_keeps_its_run(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    made = await member(store, room, run)
    async with store.transaction(room.scope) as rows:
        found = await rows.documents.generation(room.scope, made.id, 1)
    assert found is not None
    assert found.ingestion_id == run.id


async def test_tallies_count_documents_once_and_work_always(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    counts = Counts(pages=1, characters=20, chunks=4, embedded=3, reused=1, tokens=50)
    indexed = [await member(store, room, run, GenerationState.COMMITTED, counts=counts) for _ in range(2)]
    broken = [await member(store, room, run, GenerationState.FAILED, counts=counts) for _ in range(4)]
    await member(store, room, run, GenerationState.FAILED, failure=Reason("empty_file", "the file is empty"))
    await member(store, room, await opened(store, room), GenerationState.COMMITTED)
    # One that failed is on its way again: it is counted where it is now, what it took in both.
    async with store.transaction(room.scope) as rows:
        again = in_state(broken[0], 2, GenerationState.EMBEDDING, ingestion_id=run.id, counts=Counts(tokens=7))
        await rows.documents.add_generation(room.scope, again)
        found = {(one.state.value, one.code): one for one in await rows.ingestions.tallies(room.scope, run.id)}
    assert {key: one.documents for key, one in found.items()} == {
        ("committed", ""): len(indexed),
        ("embedding", ""): 1,
        ("failed", "broken"): 3,
        ("failed", "empty_file"): 1,
    }
    assert sum(one.tokens for one in found.values()) == 50 * 6 + 7
    assert found["failed", "broken"].tokens == 200
    one = found["committed", ""]
    assert (one.pages, one.characters, one.chunks, one.embedded, one.reused) == (2, 40, 8, 6, 2)
    assert found["failed", "broken"].examples == tuple(
        Example(of.id, "report.pdf", 1, "it is broken") for of in broken[1:]
    )
    assert one.examples == ()


async def test_tallies_show_three_examples_at_the_most(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    broken = [await member(store, room, run, GenerationState.FAILED) for _ in range(5)]
    async with store.transaction(room.scope) as rows:
        (tally,) = await rows.ingestions.tallies(room.scope, run.id)
    assert [one.document_id for one in tally.examples] == [of.id for of in broken[:3]]


async def test_members_are_the_latest_of_each_in_the_run_by_document(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    states = (GenerationState.FAILED, GenerationState.EXTRACTING, GenerationState.FAILED)
    made = [await member(store, room, run, state) for state in states]
    async with store.transaction(room.scope) as rows:
        again = in_state(made[0], 2, GenerationState.EXTRACTING, ingestion_id=run.id)
        await rows.documents.add_generation(room.scope, again)
        # A later version outside the run is none of its business.
        await rows.documents.add_generation(room.scope, generation(made[2], 2))

        async def listed(state: GenerationState | None, after: UUID | None, limit: int = 9) -> list[tuple[UUID, int]]:
            found = await rows.ingestions.members(room.scope, run.id, state, after, limit)
            assert all(one.document.id == one.generation.document_id for one in found)
            return [(one.document.id, one.generation.number) for one in found]

        assert await listed(None, None) == [(made[0].id, 2), (made[1].id, 1), (made[2].id, 1)]
        assert await listed(None, None, 2) == [(made[0].id, 2), (made[1].id, 1)]
        assert await listed(None, made[1].id) == [(made[2].id, 1)]
        assert await listed(GenerationState.FAILED, None) == [(made[2].id, 1)]
        assert await listed(GenerationState.EXTRACTING, made[0].id) == [(made[1].id, 1)]


async def test_unfinished_names_what_has_not_ended(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    waiting = [await member(store, room, run) for _ in range(3)]
    await member(store, room, run, GenerationState.COMMITTED)
    named = [DueGeneration(of.tenant_id, of.project_id, of.id, 1) for of in waiting]
    async with store.transaction(room.scope) as rows:
        assert list(await rows.ingestions.unfinished(room.scope, run.id, 9)) == named
        assert list(await rows.ingestions.unfinished(room.scope, run.id, 2)) == named[:2]


async def test_failed_names_what_a_retry_concerns(store: Store) -> None:
    room = await new_room(store)
    run = await opened(store, room)
    broken = [await member(store, room, run, GenerationState.FAILED) for _ in range(3)]
    await member(store, room, run, GenerationState.FAILED, failure=Reason(CANCELLED, "cancelled"))
    await member(store, room, run, GenerationState.COMMITTED)
    gone = await member(store, room, run, GenerationState.FAILED)
    await tombstone(store, room, gone)
    newer = await member(store, room, run, GenerationState.FAILED)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add_generation(room.scope, generation(newer, 2))
        await rows.documents.save(room.scope, replace(newer, latest_generation=2))
    named = [DueGeneration(of.tenant_id, of.project_id, of.id, 1) for of in broken]
    async with store.transaction(room.scope) as rows:
        assert list(await rows.ingestions.failed(room.scope, run.id, at(5), None, 9)) == named
        assert list(await rows.ingestions.failed(room.scope, run.id, at(5), broken[0].id, 1)) == named[1:2]
        assert list(await rows.ingestions.failed(room.scope, run.id, at(4), None, 9)) == []


async def test_failed_names_a_document_whatever_came_behind_unless_it_is_taken_up(store: Store) -> None:
    """Of each document the second upload failed in the run; what is told of is what came behind it."""
    room = await new_room(store)
    run = await opened(store, room)

    async def followed(state: GenerationState, finished: int = 5, **changes: Any) -> tuple[UUID, int]:
        of = await member(store, room, run, GenerationState.COMMITTED)
        failed = in_state(of, 2, GenerationState.FAILED, ingestion_id=run.id)
        behind = in_state(of, 3, state, **changes)
        if behind.terminal:
            behind = replace(behind, finished_at=at(finished))
        async with store.transaction(room.scope) as rows:
            await rows.documents.add_generation(room.scope, failed)
            await rows.documents.add_generation(room.scope, behind)
            await rows.documents.save(room.scope, replace(of, latest_generation=3))
        return of.id, 3 if behind.ingestion_id else 2

    mirrored = await followed(GenerationState.COMMITTED, origin=1)
    in_vain = await followed(GenerationState.FAILED, origin=2)
    in_the_run = await followed(GenerationState.FAILED, origin=2, ingestion_id=run.id)
    await followed(GenerationState.COMMITTED, origin=2)
    await followed(GenerationState.EMBEDDING, origin=2)
    await followed(GenerationState.AWAITING_UPLOAD)
    await followed(GenerationState.FAILED)
    await followed(GenerationState.FAILED, origin=2, failure=Reason(CANCELLED, "cancelled"))
    await followed(GenerationState.FAILED, origin=2, finished=9)
    async with store.transaction(room.scope) as rows:
        found = await rows.ingestions.failed(room.scope, run.id, at(5), None, 99)
    assert [(one.document_id, one.number) for one in found] == sorted([mirrored, in_vain, in_the_run])


async def test_troubled_names_runs_in_whose_way_something_is(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    await opened(store, room)
    old, new = [await opened(store, room, created_at=at(minute)) for minute in (1, 2)]
    elsewhere = await opened(store, other)
    for where, run in ((room, old), (room, new), (other, elsewhere)):
        async with store.transaction(where.scope) as rows:
            await rows.ingestions.save(where.scope, replace(run, trouble="it is stuck"))
    async with store.transaction(room.scope) as rows:
        assert await rows.ingestions.get(room.scope, old.id) == replace(old, trouble="it is stuck")
        assert [run.id for run in await rows.ingestions.troubled(room.scope, 9)] == [new.id, old.id]
        assert [run.id for run in await rows.ingestions.troubled(room.scope, 1)] == [new.id]
        await rows.ingestions.save(room.scope, new)
        assert [run.id for run in await rows.ingestions.troubled(room.scope, 9)] == [old.id]
