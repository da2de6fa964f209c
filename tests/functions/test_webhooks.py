"""Webhooks: made, shown, rotated, enabled, deleted; what was sent to them and sent again."""

import json
from typing import Any

import pytest

from shared import bootstrap
from shared.domain.errors import Unavailable
from shared.domain.tenants import KEY_PERMISSIONS, Permission
from shared.ports.egress import Reply
from tests.domain.test_webhooks import accepted
from tests.functions.conftest import Lines
from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World

EXPECTED = {"create": 201, "delete": 204, "redeliver": 202}
URL = "https://hooks.example.com/lambent?a=1"


@pytest.fixture
def webhook(api_client: Client) -> dict[str, Any]:
    """An endpoint that is told of every run, with its secret."""
    made: dict[str, Any] = api_client.post("/webhooks", {"url": URL, "all_runs": True}).json
    return made


def complete(world: World, client: Client, collection: str, **fields: Any) -> str:
    """A run with one document that has completed, whose webhooks were told."""
    ingestion = client.ingestion(collection, expected=1, **fields)
    client.upload(collection, LEAVE, ingestion_id=ingestion)
    world.settle()
    return ingestion


def deliveries(client: Client, webhook: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/webhooks/{webhook}/deliveries").json["items"]
    return found


@pytest.mark.parametrize("case", cases("webhooks"))
def test_webhooks_with_example_answers(case: str, world: World) -> None:
    seed(world)
    answer = Answer.of(world.call("webhooks", example("webhooks", case)))
    assert answer.status == EXPECTED.get(case, 200), answer.body


def test_create_shows_the_secret_once(api_client: Client, webhook: dict[str, Any], log_lines: Lines) -> None:
    secret = webhook["secret"]
    assert secret.startswith("whsec_")
    shown = api_client.get(f"/webhooks/{webhook['id']}")
    assert shown.json == {name: value for name, value in webhook.items() if "secret" not in name}
    assert secret not in api_client.get("/webhooks").body
    assert all(secret not in json.dumps(line) for line in log_lines())


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://hooks.example.com/",
            "https://169.254.169.254/",
            "https://127.0.0.1/",
            "https://[::1]/",
            "https://10.1/",
        ),
        *(
            "https://localhost/",
            "https://user@hooks.example.com/",
            "https://hooks.example.com:22/",
            "file:///etc/passwd",
        ),
    ],
)
def test_create_with_url_that_is_not_called_is_refused(url: str, api_client: Client) -> None:
    answer = api_client.post("/webhooks", {"url": url})
    assert (answer.status, answer.code) == (422, "forbidden_url")
    assert api_client.get("/webhooks").json["items"] == []


def test_create_without_a_key_of_the_deployment_says_so(world: World, api_client: Client) -> None:
    with bootstrap.override(webhook_key=None):
        bootstrap.kit().__dict__.pop("webhook_key")
        answer = api_client.post("/webhooks", {"url": URL})
        assert (answer.status, answer.code) == (503, "not_configured")
        assert api_client.get("/webhooks").json["items"] == []


def test_completed_run_is_told_signed_and_with_its_figures(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    ingestion = complete(world, api_client, collection)
    (post,) = world.egress.posts
    assert post.url == URL
    body = json.loads(post.body)
    assert post.headers["Lambent-Webhook-Id"] == body["id"]
    assert accepted(webhook["secret"], post.headers["Lambent-Signature"], post.body.decode(), world.clock.now())
    run = body["ingestion"]
    assert (body["type"], run["id"], run["status"]) == ("ingestion.completed", ingestion, "completed")
    assert (run["documents"], run["states"], run["errors"]) == (1, {"committed": 1}, {})
    assert run["last_event"] == api_client.get(f"/ingestions/{ingestion}").json["last_event"]
    (delivery,) = deliveries(api_client, webhook["id"])
    assert (delivery["id"], delivery["state"], delivery["tries"]) == (body["id"], "delivered", 1)
    assert delivery["body"] == body
    assert delivery["attempts"][0]["status"] == 200


def test_run_tells_the_webhook_it_names_and_those_for_all_runs(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    named, other = [api_client.post("/webhooks", {"url": URL}).json["id"] for _ in range(2)]
    complete(world, api_client, collection, webhook_id=named)
    assert [len(deliveries(api_client, one)) for one in (webhook["id"], named, other)] == [1, 1, 0]
    assert len({post.headers["Lambent-Webhook-Id"] for post in world.egress.posts}) == 2


def test_run_that_names_an_unknown_webhook_is_refused(world: World, api_client: Client, collection: str) -> None:
    stranger = world.owner("Other")
    theirs = stranger.post("/webhooks", {"url": URL}).json["id"]
    answer = api_client.post("/ingestions", {"name": "x", "collection_id": collection, "webhook_id": theirs})
    assert (answer.status, answer.code) == (404, "webhook_not_found")


def test_run_completed_again_after_a_retry_is_told_again_under_another_id(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    ingestion = api_client.ingestion(collection, expected=1)
    api_client.slot(collection, ingestion_id=ingestion)
    world.clock.advance(1300)
    world.sweep()
    api_client.post(f"/ingestions/{ingestion}/retry")
    world.settle()
    assert len({post.headers["Lambent-Webhook-Id"] for post in world.egress.posts}) == 2


def test_webhooks_of_another_project_hear_nothing(world: World, api_client: Client, collection: str) -> None:
    stranger = world.owner("Other")
    stranger.post("/webhooks", {"url": URL, "all_runs": True})
    complete(world, api_client, collection)
    assert world.egress.posts == []


def test_rotate_signs_with_both_secrets_for_a_day(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    rotated = api_client.post(f"/webhooks/{webhook['id']}/rotate").json
    assert rotated["secret"] != webhook["secret"]
    complete(world, api_client, collection)
    world.clock.advance(24 * 3600)
    complete(world, api_client, collection)
    both, later = world.egress.posts
    at = world.clock.now()

    def good(secret: str, number: int) -> bool:
        post = world.egress.posts[number]
        moment = type(at).fromtimestamp(int(post.headers["Lambent-Signature"][2:].split(",")[0]), at.tzinfo)
        return accepted(secret, post.headers["Lambent-Signature"], post.body.decode(), moment)

    assert both != later
    assert [good(webhook["secret"], 0), good(rotated["secret"], 0)] == [True, True]
    assert [good(webhook["secret"], 1), good(rotated["secret"], 1)] == [False, True]


def test_redeliver_sends_the_same_id_and_body_again(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    complete(world, api_client, collection)
    (delivery,) = deliveries(api_client, webhook["id"])
    answer = api_client.post(f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}/redeliver")
    assert (answer.status, answer.json["state"]) == (202, "pending")
    world.clock.advance(1)
    world.settle()
    first, second = world.egress.posts
    assert (first.body, first.headers["Lambent-Webhook-Id"]) == (second.body, second.headers["Lambent-Webhook-Id"])
    assert first.headers["Lambent-Signature"] != second.headers["Lambent-Signature"]
    assert deliveries(api_client, webhook["id"])[0]["state"] == "delivered"


def test_redeliver_of_another_webhooks_delivery_is_not_found(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    complete(world, api_client, collection)
    (delivery,) = deliveries(api_client, webhook["id"])
    other = api_client.post("/webhooks", {"url": URL}).json["id"]
    answer = api_client.post(f"/webhooks/{other}/deliveries/{delivery['id']}/redeliver")
    assert (answer.status, answer.code) == (404, "delivery_not_found")


def test_deleted_webhook_is_told_nothing_more(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    world.egress.answers.append(Unavailable("gone"))
    complete(world, api_client, collection)
    assert api_client.delete(f"/webhooks/{webhook['id']}").status == 204
    assert api_client.get(f"/webhooks/{webhook['id']}").status == 404
    world.clock.advance(600)
    world.sweep()
    complete(world, api_client, collection)
    assert len(world.egress.posts) == 1
    assert api_client.delete(f"/webhooks/{webhook['id']}").status == 404


def test_disabled_webhook_says_why_and_can_be_enabled(
    world: World, api_client: Client, collection: str, webhook: dict[str, Any]
) -> None:
    world.egress.answers.append(Reply(410, b""))
    complete(world, api_client, collection)
    shown = api_client.get(f"/webhooks/{webhook['id']}").json
    assert shown["disabled_at"]
    assert "410" in shown["disabled_reason"]
    assert deliveries(api_client, webhook["id"])[0]["state"] == "failed"
    complete(world, api_client, collection)
    assert len(world.egress.posts) == 1
    enabled = api_client.post(f"/webhooks/{webhook['id']}/enable").json
    assert (enabled["disabled_at"], enabled["disabled_reason"], enabled["failing_since"]) == (None, "", None)
    complete(world, api_client, collection)
    assert len(world.egress.posts) == 2


def test_who_may_not_write_webhooks_cannot_send_events_elsewhere(world: World, api_client: Client) -> None:
    lesser = world.key(api_client, KEY_PERMISSIONS - {Permission.WEBHOOKS_WRITE})
    assert lesser.post("/webhooks", {"url": URL, "all_runs": True}).status == 403
