"""Lines before ingestion, in every store."""

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from shared.domain.documents import IN_PROGRESS, TERMINAL, GenerationState
from tests.contracts.samples import Room, Store, at, document, generation, new_room

QUEUED = GenerationState.QUEUED


async def add(store: Store, room: Room, state: GenerationState, minute: float = 0) -> UUID:
    made = document(room)
    due = None if state in TERMINAL else at(60)
    async with store.transaction(room.scope) as rows:
        first = generation(made, state=state, entered_at=at(minute), due_at=due)
        await rows.documents.add(room.scope, made, first)
    return made.id


async def turns(store: Store, room: Room, most: int) -> list[UUID]:
    async with store.transaction(room.scope) as rows:
        found = await rows.admissions.next(room.scope, most)
    assert all(one.id == of.document_id and of.state is QUEUED for one, of in found)
    return [one.id for one, _ in found]


@pytest.mark.parametrize("state", GenerationState)
async def test_in_progress_counts_what_a_stage_works_on(store: Store, state: GenerationState) -> None:
    room = await new_room(store)
    for _ in range(3):
        await add(store, room, state)
    async with store.transaction(room.scope) as rows:
        expected = 3 if state in IN_PROGRESS else 0
        assert await rows.admissions.in_progress(room.scope, 9) == expected
        assert await rows.admissions.in_progress(room.scope, 2) == min(2, expected)


async def test_next_gives_the_longest_waiting_as_far_as_there_is_room(store: Store) -> None:
    room = await new_room(store)
    waiting = {minute: await add(store, room, QUEUED, minute) for minute in (3, 1, 4, 2)}
    await add(store, room, GenerationState.EMBEDDING)
    assert await turns(store, room, 1) == []
    assert await turns(store, room, 0) == []
    assert await turns(store, room, 3) == [waiting[1], waiting[2]]
    assert await turns(store, room, 99) == [waiting[minute] for minute in (1, 2, 3, 4)]


async def test_next_counts_every_project_of_the_tenant_and_no_other_tenant(store: Store) -> None:
    room = await new_room(store)
    sibling = await new_room(store, tenant_id=room.scope.tenant_id)
    stranger = await new_room(store)
    for _ in range(5):
        await add(store, stranger, GenerationState.CHUNKING)
        await add(store, stranger, QUEUED)
    first, second = await add(store, room, QUEUED, 1), await add(store, sibling, QUEUED, 2)
    assert await turns(store, room, 9) == [first, second]
    await add(store, sibling, GenerationState.CHUNKING)
    assert await turns(store, room, 2) == [first]


async def test_next_passes_over_what_others_hold(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    waiting = [await add(store, room, QUEUED, minute) for minute in range(3)]
    second = another()
    async with store.transaction(room.scope) as rows:
        await rows.documents.lock(room.scope, waiting[0])
        async with second.transaction(room.scope) as elsewhere:
            found = await elsewhere.admissions.next(room.scope, 1)
            assert [one.id for one, _ in found] == [waiting[1]]


async def test_next_in_parallel_gives_each_to_one(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    waiting = [await add(store, room, QUEUED, minute) for minute in range(4)]
    second = another()
    async with store.transaction(room.scope) as rows:
        mine = [one.id for one, _ in await rows.admissions.next(room.scope, 2)]
        async with second.transaction(room.scope) as elsewhere:
            theirs = [one.id for one, _ in await elsewhere.admissions.next(room.scope, 2)]
    assert mine + theirs == waiting


async def test_next_sees_who_left_in_the_same_transaction(store: Store) -> None:
    room = await new_room(store)
    busy, waiting = await add(store, room, GenerationState.PUBLISHING), await add(store, room, QUEUED)
    assert await turns(store, room, 1) == []
    async with store.transaction(room.scope) as rows:
        done = await rows.documents.generation(room.scope, busy, 1)
        assert done is not None
        await rows.documents.save_generation(room.scope, replace(done, state=GenerationState.COMMITTED, due_at=None))
        assert [one.id for one, _ in await rows.admissions.next(room.scope, 1)] == [waiting]


async def test_waiting_names_each_tenant_with_a_line_once(store: Store) -> None:
    rooms = [await new_room(store) for _ in range(4)]
    for room in rooms[:3]:
        await add(store, room, GenerationState.EMBEDDING)
        for _ in range(3):
            await add(store, room, QUEUED)
    await add(store, rooms[3], GenerationState.EMBEDDING)
    expected = sorted(room.scope.tenant_id for room in rooms[:3])
    async with store.transaction(None) as rows:
        assert list(await rows.admissions.waiting(9)) == expected
        assert list(await rows.admissions.waiting(2)) == expected[:2]
