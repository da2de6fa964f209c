"""The outbox, in every store."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.errors import Conflict, Forbidden
from shared.domain.events import Outgoing, Queue
from tests.contracts.samples import NOW, Room, Store, at, new_id, new_room


def outgoing(room: Room, **changes: Any) -> Outgoing:
    fields: dict[str, Any] = {
        "id": new_id(),
        "queue": Queue.INGEST_CHUNK,
        "group": str(room.scope.tenant_id),
        "body": '{"k": "é"}',
        **changes,
    }
    return Outgoing(**fields)


async def add(store: Store, room: Room, minute: float = 0, **changes: Any) -> Outgoing:
    made = outgoing(room, **changes)
    async with store.transaction(room.scope) as rows:
        await rows.outbox.add(room.scope, made, at(minute))
    return made


async def left(store: Store, limit: int = 99) -> list[Outgoing]:
    async with store.transaction(None) as rows:
        return list(await rows.outbox.left_behind(at(99), limit))


async def test_added_is_what_this_transaction_added_in_order(store: Store) -> None:
    room = await new_room(store)
    await add(store, room)
    async with store.transaction(room.scope) as rows:
        assert list(rows.outbox.added()) == []
        made = [outgoing(room) for _ in range(3)]
        for one in made:
            await rows.outbox.add(room.scope, one, NOW)
        assert list(rows.outbox.added()) == made


async def test_add_leaves_with_the_transaction_or_not_at_all(store: Store) -> None:
    room = await new_room(store)

    async def attempt() -> None:
        async with store.transaction(room.scope) as rows:
            await rows.outbox.add(room.scope, outgoing(room), NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await attempt()
    assert await left(store) == []


async def test_add_of_a_known_id_conflicts(store: Store) -> None:
    room = await new_room(store)
    made = await add(store, room)
    with pytest.raises(Conflict):
        await add(store, room, id=made.id)


async def test_add_for_another_tenant_is_refused(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    with pytest.raises(Forbidden):
        async with store.transaction(one.scope) as rows:
            await rows.outbox.add(other.scope, outgoing(other), NOW)
    assert await left(store) == []


async def test_left_behind_crosses_tenants_oldest_first(store: Store) -> None:
    rooms = [await new_room(store) for _ in range(3)]
    made = [
        await add(store, room, minute, delay_seconds=minute, queue=queue, body=f"{{{minute}}}")
        for room, minute, queue in zip(rooms, (3, 1, 2), Queue, strict=False)
    ]
    ordered = [made[1], made[2], made[0]]
    assert await left(store) == ordered
    assert await left(store, limit=2) == ordered[:2]
    async with store.transaction(None) as rows:
        assert list(await rows.outbox.left_behind(at(2), 9)) == ordered[:1]


async def test_left_behind_comes_in_turns_of_the_tenants(store: Store) -> None:
    busy, quiet = await new_room(store), await new_room(store)
    many = [await add(store, busy, minute) for minute in range(5)]
    few = [await add(store, quiet, minute) for minute in (6, 7)]
    assert await left(store, limit=4) == [many[0], few[0], many[1], few[1]]


async def test_left_behind_passes_over_what_others_hold(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    made = [await add(store, room, minute) for minute in range(4)]
    second = another()
    async with store.transaction(None) as rows:
        assert list(await rows.outbox.left_behind(at(99), 2)) == made[:2]
        async with second.transaction(None) as elsewhere:
            assert list(await elsewhere.outbox.left_behind(at(99), 9)) == made[2:]
    assert await left(second) == made


async def test_left_behind_in_parallel_gives_each_message_to_one(store: Store, another: Callable[[], Store]) -> None:
    rooms = [await new_room(store) for _ in range(2)]
    made = {(await add(store, room)).id for room in rooms for _ in range(10)}
    everyone = asyncio.Barrier(4)

    async def relay(through: Store) -> list[Outgoing]:
        async with through.transaction(None) as rows:
            mine = list(await rows.outbox.left_behind(at(99), 5))
            # All hold their share before any lets go.
            await everyone.wait()
            await rows.outbox.sent([one.id for one in mine])
        return mine

    shares = await asyncio.gather(*(relay(another()) for _ in range(4)))
    given = [one.id for share in shares for one in share]
    assert sorted(given) == sorted(made)
    assert await left(store) == []


async def test_sent_forgets_whichever_tenants(store: Store) -> None:
    rooms = [await new_room(store) for _ in range(2)]
    gone, kept = [await add(store, room) for room in rooms], [await add(store, room, 1) for room in rooms]
    async with store.transaction(None) as rows:
        await rows.outbox.sent([*(one.id for one in gone), new_id()])
        await rows.outbox.sent([])
    assert await left(store) == kept
    async with store.transaction(rooms[0].scope) as rows:
        await rows.outbox.sent([one.id for one in kept])
    assert await left(store) == []
