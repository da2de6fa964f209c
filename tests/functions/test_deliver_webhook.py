"""Delivery to webhooks: tried again, given up, fenced, never forgotten."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared import bootstrap
from shared.domain.errors import CommitUnknown, Rejected, Unavailable
from shared.domain.events import DeliveryMessage, Queue
from shared.domain.webhooks import DISABLE_AFTER, GIVE_UP_AFTER
from shared.ports.egress import Reply
from shared.runtime import delivering
from tests.functions.examples import outcome, seed
from tests.functions.fakes import DeadQueue, FragileStore
from tests.functions.gateway import cases, example
from tests.functions.test_webhooks import complete, deliveries, webhook
from tests.functions.world import Client, World

__all__ = ["webhook"]


@pytest.fixture(autouse=True)
def full_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait is the longest it may be."""
    monkeypatch.setattr(random, "random", lambda: 1.0)


@pytest.mark.parametrize("case", cases("deliver_webhook"))
def test_deliver_webhook_with_example_delivers(case: str, world: World) -> None:
    client = seed(world)
    assert outcome(world.call("deliver_webhook", example("deliver_webhook", case))) == 0
    assert len(world.egress.posts) == 1
    assert client.get("/webhooks").status == 200


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (Reply(500, b"oops"), "it answered 500"),
        (Reply(302, b""), "it answered 302"),
        (Unavailable("no whole answer within 10 seconds"), "no whole answer within 10 seconds"),
        (Rejected("the name leads to an address that is not a public one"), "not a public one"),
    ],
)
def test_failed_attempt_is_tried_again_when_its_time_has_come(
    answer: Reply | Exception,
    told: str,
    world: World,
    api_client: Client,
    collection: str,
    webhook: dict[str, Any],
) -> None:
    world.egress.answers.append(answer)
    complete(world, api_client, collection)
    (delivery,) = deliveries(api_client, webhook["id"])
    assert (delivery["state"], delivery["tries"]) == ("pending", 1)
    assert told in delivery["attempts"][0]["error"]
    assert api_client.get(f"/webhooks/{webhook['id']}").json["failing_since"]
    world.clock.advance(59)
    world.sweep()
    assert len(world.egress.posts) == 1
    world.clock.advance(1)
    world.sweep()
    (delivery,) = deliveries(api_client, webhook["id"])
    assert (delivery["state"], delivery["tries"], len(delivery["attempts"])) == ("delivered", 2, 2)
    assert api_client.get(f"/webhooks/{webhook['id']}").json["failing_since"] is None
    assert len({post.headers["Lambent-Webhook-Id"] for post in world.egress.posts}) == 1


def test_endpoint_that_never_answers_is_given_up_after_a_day(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    world.egress.answers.extend([Unavailable("down")] * 100)
    complete(world, api_client, collection)
    started = world.clock.now()
    while deliveries(api_client, webhook["id"])[0]["state"] == "pending":
        world.clock.advance(600)
        world.sweep()
    assert GIVE_UP_AFTER <= world.clock.now() - started <= GIVE_UP_AFTER * 1.3
    (delivery,) = deliveries(api_client, webhook["id"])
    assert 8 <= delivery["tries"] <= 20
    assert api_client.get(f"/webhooks/{webhook['id']}").json["disabled_at"] is None


def test_endpoint_that_takes_nothing_for_two_days_is_disabled_with_the_reason(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    world.egress.answers.extend([Reply(503, b"")] * 100)
    complete(world, api_client, collection)
    world.clock.advance(DISABLE_AFTER)
    complete(world, api_client, collection)
    shown = api_client.get(f"/webhooks/{webhook['id']}").json
    assert "48 hours" in shown["disabled_reason"]
    world.sweep()
    assert {one["state"] for one in deliveries(api_client, webhook["id"])} == {"failed"}


def again(world: World, change: Callable[[dict[str, Any]], None] = lambda body: None) -> None:
    """Deliver what waits in the queue once more, changed."""
    for message in world.queue.waiting(Queue.DELIVER_WEBHOOK):
        body = json.loads(message.body)
        change(body)
        event = {"Records": [{"messageId": "again", "body": json.dumps(body), "attributes": {}}]}
        assert outcome(world.call("deliver_webhook", event)) == 0


def stopped(world: World, client: Client, collection: str) -> None:
    """A run has completed; its delivery waits in the queue."""
    ingestion = client.ingestion(collection)
    client.post(f"/ingestions/{ingestion}/close")
    assert len(world.queue.waiting(Queue.DELIVER_WEBHOOK)) == 1


def test_message_delivered_twice_calls_once(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    stopped(world, api_client, collection)
    again(world)
    again(world)
    assert len(world.egress.posts) == 1


def test_message_of_an_earlier_attempt_is_passed_over(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    world.egress.answers.append(Reply(500, b""))
    stopped(world, api_client, collection)
    again(world)
    again(world)
    assert len(world.egress.posts) == 1
    assert deliveries(api_client, webhook["id"])[0]["tries"] == 1


def test_message_that_was_lost_is_sent_by_the_sweep(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    stopped(world, api_client, collection)
    for queued in world.queue.receive(Queue.DELIVER_WEBHOOK):
        world.queue.done(queued)
    world.clock.advance(299)
    world.sweep()
    assert world.egress.posts == []
    world.clock.advance(2)
    world.sweep()
    assert len(world.egress.posts) == 1


def test_message_that_could_not_be_sent_is_sent_by_the_sweep(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    with bootstrap.override(queue=DeadQueue()):
        api_client.post(f"/ingestions/{api_client.ingestion(collection)}/close")
    world.clock.advance(20)
    world.sweep()
    assert len(world.egress.posts) == 1


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("number", [1, 2])
def test_worker_that_dies_anywhere_is_taken_over_under_the_same_id(
    number: int, committed: bool, world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    stopped(world, api_client, collection)
    error = CommitUnknown("lost") if committed else Unavailable("lost")
    with bootstrap.override(store=FragileStore(world.store, number, error, committed=committed)):
        assert len(world.deliver(Queue.DELIVER_WEBHOOK)) == 1
    for _ in range(6):
        world.clock.advance(60)
        world.sweep()
    (delivery,) = deliveries(api_client, webhook["id"])
    assert delivery["state"] == "delivered"
    assert 1 <= len(world.egress.posts) <= 2
    assert {post.headers["Lambent-Webhook-Id"] for post in world.egress.posts} == {delivery["id"]}


def test_worker_that_comes_back_too_late_writes_nothing(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the first waits for an answer its lease runs out, and another delivers."""
    stopped(world, api_client, collection)
    post = type(world.egress).post
    calls = 0

    async def slow(egress: Any, *args: Any) -> Reply:
        nonlocal calls
        calls += 1
        reply = await post(egress, *args)
        if calls > 1:
            return reply
        world.clock.advance(100)
        scope = world.scope(api_client)
        async with bootstrap.transaction(scope) as ports:
            (listed,) = await ports.webhooks.deliveries(scope, UUID(webhook["id"]), None, 9)
        message = DeliveryMessage(scope.tenant_id, scope.project_id, listed.id, listed.tries, world.clock.now())
        await delivering.deliver(message)
        return replace(reply, status=500)

    monkeypatch.setattr(type(world.egress), "post", slow)
    again(world)
    (delivery,) = deliveries(api_client, webhook["id"])
    assert (delivery["state"], delivery["tries"], len(delivery["attempts"])) == ("delivered", 2, 1)
    assert api_client.get(f"/webhooks/{webhook['id']}").json["failing_since"] is None


def test_unknown_delivery_is_passed_over(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    stopped(world, api_client, collection)
    again(world, lambda body: body.update(delivery_id="00000000-0000-7000-8000-000000000001"))
    assert world.egress.posts == []
