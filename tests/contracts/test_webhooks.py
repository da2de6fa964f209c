"""Webhook endpoints and deliveries, in every store."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.domain.errors import Conflict, Forbidden
from shared.domain.ingestions import Ingestion
from shared.domain.pages import After
from shared.domain.webhooks import Attempt, Delivery, DeliveryState, Webhook
from shared.ports.webhooks import DueDelivery
from tests.contracts.samples import NOW, Room, Store, at, new_id, new_room


async def endpoint(store: Store, room: Room, **changes: Any) -> Webhook:
    made = Webhook(
        id=new_id(),
        tenant_id=room.scope.tenant_id,
        project_id=room.scope.project_id,
        url="https://hooks.example.com/?a=“b”",
        description="ours",
        all_runs=False,
        created_by="api_key:one",
        created_at=NOW,
    )
    made = replace(made, **changes)
    async with store.transaction(room.scope) as rows:
        await rows.webhooks.add(room.scope, made)
    return made


async def delivery(store: Store, room: Room, to: Webhook, **changes: Any) -> Delivery:
    run = Ingestion(
        new_id(), room.scope.tenant_id, room.scope.project_id, room.collection.id, "run", "key", NOW, webhook_id=to.id
    )
    made = Delivery(
        id=new_id(),
        tenant_id=room.scope.tenant_id,
        project_id=room.scope.project_id,
        webhook_id=to.id,
        ingestion_id=run.id,
        kind="ingestion.completed",
        body='{"id": "‘x’"}',
        created_at=NOW,
        due_at=at(1),
    )
    made = replace(made, **changes)
    async with store.transaction(room.scope) as rows:
        await rows.ingestions.add(room.scope, run)
        assert await rows.ingestions.get(room.scope, run.id) == run
        await rows.webhooks.add_delivery(room.scope, made)
    return made


FULL: dict[str, Any] = {
    "secret_version": 3,
    "rotated_at": at(1),
    "failing_since": at(2),
    "disabled_at": at(3),
    "disabled_reason": "it “broke”",
    "all_runs": True,
}


async def test_endpoint_comes_back_as_it_was_added_and_saved(store: Store) -> None:
    room = await new_room(store)
    plain, full = await endpoint(store, room), await endpoint(store, room, **FULL)
    changed = replace(plain, **FULL, url="https://other.example/", description="", deleted_at=at(4))
    async with store.transaction(room.scope) as rows:
        assert await rows.webhooks.get(room.scope, full.id) == full
        assert await rows.webhooks.lock(room.scope, plain.id) == plain
        await rows.webhooks.save(room.scope, changed)
    async with store.transaction(room.scope) as rows:
        assert await rows.webhooks.get(room.scope, plain.id) == changed


async def test_list_leaves_out_deleted_ones_and_is_newest_first(store: Store) -> None:
    room = await new_room(store)
    made = [await endpoint(store, room, created_at=at(minute)) for minute in (1, 3, 2)]
    await endpoint(store, room, deleted_at=NOW, created_at=at(9))
    async with store.transaction(room.scope) as rows:
        listed = list(await rows.webhooks.list(room.scope, None, 9))
        assert listed == [made[1], made[2], made[0]]
        after = After(listed[0].created_at, listed[0].id)
        assert list(await rows.webhooks.list(room.scope, after, 1)) == [made[2]]


async def test_listening_are_those_for_all_runs_and_the_one_that_is_named(store: Store) -> None:
    room = await new_room(store)
    named, every = await endpoint(store, room), await endpoint(store, room, all_runs=True)
    await endpoint(store, room)
    await endpoint(store, room, all_runs=True, disabled_at=NOW)
    off = await endpoint(store, room, deleted_at=NOW)
    async with store.transaction(room.scope) as rows:
        assert list(await rows.webhooks.listening(room.scope, named.id)) == [named, every]
        assert list(await rows.webhooks.listening(room.scope, None)) == [every]
        assert list(await rows.webhooks.listening(room.scope, off.id)) == [every]


async def test_delivery_comes_back_as_it_was_added_and_saved(store: Store) -> None:
    room = await new_room(store)
    to = await endpoint(store, room)
    made = await delivery(store, room, to)
    changed = replace(
        made,
        state=DeliveryState.FAILED,
        due_at=None,
        lease=new_id(),
        lease_until=at(2),
        tries=4,
        since=at(1),
        attempts=(Attempt(at(1), None, "‘no’", 3), Attempt(at(2), 503, "it answered 503", 4)),
        finished_at=at(3),
    )
    async with store.transaction(room.scope) as rows:
        assert await rows.webhooks.lock_delivery(room.scope, made.id) == made
        await rows.webhooks.save_delivery(room.scope, changed)
    async with store.transaction(room.scope) as rows:
        assert await rows.webhooks.lock_delivery(room.scope, made.id) == changed


async def test_deliveries_of_an_endpoint_are_newest_first(store: Store) -> None:
    room = await new_room(store)
    to, other = await endpoint(store, room), await endpoint(store, room)
    made = [await delivery(store, room, to, created_at=at(minute)) for minute in (1, 3, 2)]
    await delivery(store, room, other)
    async with store.transaction(room.scope) as rows:
        listed = list(await rows.webhooks.deliveries(room.scope, to.id, None, 9))
        assert listed == [made[1], made[2], made[0]]
        after = After(listed[1].created_at, listed[1].id)
        assert list(await rows.webhooks.deliveries(room.scope, to.id, after, 9)) == [made[0]]


async def test_due_names_overdue_deliveries_of_every_tenant(store: Store) -> None:
    rooms = [await new_room(store) for _ in range(2)]
    tos = [await endpoint(store, room) for room in rooms]
    second = await delivery(store, rooms[0], tos[0], due_at=at(2))
    first = await delivery(store, rooms[1], tos[1], due_at=at(1))
    await delivery(store, rooms[0], tos[0], due_at=at(3))
    await delivery(store, rooms[0], tos[0], due_at=None)
    named = [DueDelivery(one.tenant_id, one.project_id, one.id) for one in (first, second)]
    async with store.transaction(None) as rows:
        assert list(await rows.webhooks.due(at(2), 9)) == named
        assert list(await rows.webhooks.due(at(2), 1)) == named[:1]


async def test_rows_of_another_project_or_tenant_are_not_there(store: Store) -> None:
    room = await new_room(store)
    to = await endpoint(store, room, all_runs=True)
    sent = await delivery(store, room, to)
    for other in (await new_room(store), await new_room(store, tenant_id=room.scope.tenant_id)):
        scope = other.scope
        async with store.transaction(scope) as rows:
            assert await rows.webhooks.get(scope, to.id) is None
            assert await rows.webhooks.lock(scope, to.id) is None
            assert list(await rows.webhooks.list(scope, None, 9)) == []
            assert list(await rows.webhooks.listening(scope, to.id)) == []
            assert await rows.webhooks.lock_delivery(scope, sent.id) is None
            assert list(await rows.webhooks.deliveries(scope, to.id, None, 9)) == []
            await rows.webhooks.save(scope, replace(to, url="https://evil.example/"))
            await rows.webhooks.save_delivery(scope, replace(sent, due_at=None))
    async with store.transaction(room.scope) as rows:
        assert await rows.webhooks.get(room.scope, to.id) == to
        assert await rows.webhooks.lock_delivery(room.scope, sent.id) == sent


async def test_add_for_another_tenant_is_forbidden(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    made = await endpoint(store, room)
    with pytest.raises((Forbidden, Conflict)):
        async with store.transaction(other.scope) as rows:
            await rows.webhooks.add(room.scope, replace(made, id=new_id()))


@pytest.mark.parametrize("missing", ["webhook_id", "ingestion_id"])
async def test_delivery_of_what_is_not_there_is_refused(store: Store, missing: str) -> None:
    room = await new_room(store)
    sent = await delivery(store, room, await endpoint(store, room))
    changes: dict[str, UUID] = {"id": new_id(), missing: new_id()}
    with pytest.raises(Conflict):
        async with store.transaction(room.scope) as rows:
            await rows.webhooks.add_delivery(room.scope, replace(sent, **changes))  # type: ignore[arg-type]
