"""Webhooks at the terminal: made, listed, looked into, sent again and removed."""

import uuid

from tests.cli.conftest import Run
from tests.cli.fake_world import NOW, World

URL = "https://example.org/told"


def made(run: Run) -> str:
    return str(run("webhooks", "add", URL, "--all-runs", "--json").json["id"])


def test_webhooks_add_shows_the_secret_once(run: Run, world: World) -> None:
    empty = run("webhooks")
    assert "no webhooks yet" in empty.out + empty.err
    told = run("webhooks", "add", URL, "--description", "ours")
    assert "whsec_once" in told.out
    assert next(iter(world.webhooks.values()))["description"] == "ours"
    listed = run("webhooks")
    assert (URL in listed.out, "named" in listed.out, "whsec" in listed.out) == (True, True, False)
    assert "secret" not in run("webhooks", "--json").json[0]


def test_webhooks_tells_why_one_is_disabled(run: Run, world: World) -> None:
    id = made(run)
    world.webhooks[id] |= {"disabled_at": NOW, "disabled_reason": "it is gone (410)"}
    assert "it is gone (410)" in run("webhooks").out
    assert "every run" in run("webhooks").out


def test_webhooks_deliveries_and_redeliver_by_address_or_id(run: Run, world: World) -> None:
    id, delivery = made(run), str(uuid.uuid4())
    empty = run("webhooks", "deliveries", id)
    assert "Nothing was sent" in empty.out + empty.err
    attempt = {"at": NOW, "status": 503, "error": "", "milliseconds": 12}
    world.deliveries.append(
        {
            "id": delivery,
            "webhook_id": id,
            "ingestion_id": str(uuid.uuid4()),
            "kind": "ingestion.completed",
            "state": "failed",
            "tries": 9,
            "created_at": NOW,
            "due_at": None,
            "finished_at": NOW,
            "attempts": [attempt],
            "body": "{}",
        }
    )
    told = run("webhooks", "deliveries", URL)
    assert all(words in told.out for words in ("ingestion.completed", "failed", "503", delivery))
    assert run("webhooks", "redeliver", URL, delivery, "--json").json["state"] == "pending"
    assert "on its way again" in run("webhooks", "redeliver", id, delivery).out
    assert "no such delivery" in run("webhooks", "redeliver", id, str(uuid.uuid4())).err


def test_webhooks_remove_asks_and_names_one(run: Run, world: World) -> None:
    made(run)
    assert "not_confirmed" in run("webhooks", "remove", URL, "--json").err
    assert "there is no webhook" in run("webhooks", "remove", "elsewhere", "--yes").err
    second = made(run)
    assert "several webhooks" in run("webhooks", "remove", URL, "--yes").err
    assert run("webhooks", "remove", second, "--yes", "--json").json == {"id": second, "deleted": True}
    assert "told of nothing" in run("webhooks", "remove", URL, "--yes").out
    assert world.webhooks == {}
