"""Publishing into a collection that waits for a cut, in every store."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from tests.contracts.samples import Room, Store, new_id, new_room
from tests.contracts.test_indexes import add, beside

LONG = timedelta(minutes=5)
NONE = timedelta()


async def told(store: Store, room: Room) -> timedelta:
    """For how long whoever publishes would have to wait."""
    async with store.transaction(room.scope) as rows:
        seen = await rows.collections.through(room.scope, room.collection.id, None, hold=True)
        assert seen is not None
        return seen.held


async def hold(store: Store, room: Room, period: timedelta = LONG, rest: timedelta = LONG) -> timedelta:
    """Hold the room's collection."""
    async with store.transaction(room.scope) as rows:
        return await rows.collections.hold(room.scope, room.collection.id, period, rest)


async def test_hold_is_told_to_whoever_publishes_and_ends_when_released(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    assert await told(store, room) == NONE
    assert NONE < await hold(store, room) <= LONG
    assert NONE < await told(store, room) <= LONG
    assert await told(store, other) == NONE
    async with store.transaction(room.scope) as rows:
        await rows.collections.release(room.scope, room.collection.id)
        await rows.collections.release(room.scope, room.collection.id)
    assert await told(store, room) == NONE
    assert await hold(store, room) > NONE


async def test_hold_that_goes_on_is_not_made_longer(store: Store) -> None:
    room = await new_room(store)
    assert await hold(store, room, timedelta(minutes=1)) <= timedelta(minutes=1)
    assert NONE < await hold(store, room, LONG) <= timedelta(minutes=1)


async def test_hold_ends_by_itself_and_the_next_one_only_comes_after_a_rest(store: Store) -> None:
    room = await new_room(store)
    await hold(store, room, -timedelta(minutes=1))
    assert await told(store, room) == NONE
    assert await hold(store, room, LONG, timedelta(minutes=2)) == NONE
    assert await told(store, room) == NONE
    assert await hold(store, room, LONG, timedelta(seconds=30)) > NONE


async def test_hold_of_what_is_not_there_holds_nothing(store: Store) -> None:
    room, stranger = await new_room(store), await new_room(store)
    async with store.transaction(stranger.scope) as rows:
        assert await rows.collections.hold(stranger.scope, room.collection.id, LONG, LONG) == NONE
        assert await rows.collections.hold(stranger.scope, new_id(), LONG, LONG) == NONE
        await rows.collections.release(stranger.scope, room.collection.id)
    assert await told(store, room) == NONE


async def test_cut_ends_a_hold(store: Store) -> None:
    room = await new_room(store)
    made = await add(store, room, beside(room))
    await hold(store, room)
    async with store.transaction(room.scope) as rows:
        assert await rows.collections.cut(room.scope, room.collection, made)
    assert await told(store, room) == NONE


async def test_hold_waits_for_whoever_publishes(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    order = []

    async def holding() -> None:
        await hold(another(), room)
        order.append("held")

    async with store.transaction(room.scope) as rows:
        await rows.collections.through(room.scope, room.collection.id, None, hold=True)
        waiting = asyncio.create_task(holding())
        await asyncio.sleep(0.1)
        order.append("published")
    await waiting
    assert order == ["published", "held"]
    assert await told(store, room) > NONE
