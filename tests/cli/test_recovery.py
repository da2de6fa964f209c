"""Commands about what went wrong."""

from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.fake_world import NOW, World, version


def failed(world: World, collection: dict[str, Any], path: str, code: str = "gave_up") -> dict[str, Any]:
    document = world.add_document(collection, path)
    document["status"] = "failed"
    document["latest"] = {**version(1, "failed"), "failure": {"code": code, "detail": f"it was {code}"}}
    return document


@pytest.fixture
def hr(world: World) -> dict[str, Any]:
    return world.add_collection("hr")


def test_retry_named_takes_up_what_failed_and_twice_starts_one(run: Run, world: World, hr: dict[str, Any]) -> None:
    document = failed(world, hr, "a.md")
    told = run("retry", "a.md")
    assert (told.code, document["latest_generation"]) == (0, 2)
    assert "1 document on their way again (1 from chunking)" in told.out
    assert run("retry", "a.md").code == 0
    assert document["latest_generation"] == 2


def test_retry_named_that_did_not_fail_says_so(run: Run, world: World, hr: dict[str, Any]) -> None:
    world.add_document(hr, "fine.md")
    told = run("retry", "fine.md")
    assert told.code == 1
    assert "version 1 did not fail: it is committed" in told.out


def test_retry_named_beyond_help_says_why_and_takes_up_the_others(run: Run, world: World, hr: dict[str, Any]) -> None:
    failed(world, hr, "broken.md", "unreadable_file")
    good = failed(world, hr, "good.md")
    told = run("retry", "broken.md", "good.md", "--json")
    assert told.code == 1
    assert [one["document_id"] for one in told.json["started"]] == [good["id"]]
    assert [one["reason"]["code"] for one in told.json["refused"]] == ["upload_needed"]


def test_retry_failed_goes_through_every_page(run: Run, world: World, hr: dict[str, Any]) -> None:
    world.page = 2
    for index in range(5):
        failed(world, hr, f"{index}.md", "unreadable_file" if index == 2 else "gave_up")
    told = run("retry", "--failed", "--json")
    assert told.code == 0
    assert (len(told.json["started"]), len(told.json["refused"])) == (4, 1)
    assert run("retry", "--failed", "--json").json["started"] == []


def test_retry_failed_is_narrowed_by_reason_and_collection(run: Run, world: World, hr: dict[str, Any]) -> None:
    one = failed(world, hr, "a.md", "gave_up")
    failed(world, hr, "b.md", "parser_timeout")
    failed(world, world.add_collection("other"), "c.md", "gave_up")
    told = run("retry", "--failed", "--reason", "gave_up", "--collection", "hr", "--json")
    assert [started["document_id"] for started in told.json["started"]] == [one["id"]]


def test_retry_failed_with_nothing_failed_says_so(run: Run, world: World, hr: dict[str, Any]) -> None:
    world.add_document(hr, "fine.md")
    told = run("retry", "--failed")
    assert (told.code, told.out) == (0, "")
    assert "Nothing has failed" in told.err


@pytest.mark.parametrize("given", [(), ("a.md", "--failed"), ("a.md", "--reason", "gave_up")])
def test_retry_of_nothing_or_of_both_is_told_how(run: Run, given: tuple[str, ...]) -> None:
    told = run("retry", *given)
    assert told.code != 0
    assert "--failed" in told.err


NOTHING: dict[str, Any] = {
    "lines": [],
    "longest": [],
    "failed": {},
    "deleting": 0,
    "unsent": {"count": 0, "oldest": None},
    "runs": [],
    "queues": [{"name": "ingest_embed_dead", "waiting": 0, "in_flight": 0, "delayed": 0, "dead": True}],
    "dead_letters": 0,
    "queues_unknown": "",
}


def test_waiting_tells_steps_reasons_the_longest_queues_and_the_dead(run: Run, world: World) -> None:
    line = {"state": "embedding", "count": 7, "oldest": NOW, "overdue": 2, "leased": 1}
    one = {
        "document_id": "00000000-0000-0000-0000-000000000001",
        "collection_id": "00000000-0000-0000-0000-000000000002",
        "name": "hr/leave.md",
        "version": 2,
        "state": "embedding",
        "since": NOW,
        "due_at": NOW,
        "attempts": 3,
        "leased_by": "w",
        "leased_until": NOW,
        "waiting": "",
        "last_error": "the model is down",
    }
    queue = {"name": "ingest_embed", "waiting": 4, "in_flight": 1, "delayed": 2, "dead": False}
    world.waiting = {
        **NOTHING,
        "lines": [{**line, "reason": "the provider asked for 60 s"}, {**line, "reason": ""}],
        "longest": [one],
        "failed": {"encrypted": 3},
        "deleting": 1,
        "unsent": {"count": 2, "oldest": NOW},
        "runs": [{"id": one["document_id"], "name": "July", "status": "cancelling", "trouble": "gave up to cancel"}],
        "queues": [queue, {**queue, "name": "ingest_embed_dead", "dead": True}],
        "dead_letters": 4,
    }
    told = run("waiting")
    assert told.code == 0
    for words in ("the provider asked for 60 s", "its turn", "hr/leave.md", "the model is down", "encrypted"):
        assert words in told.out
    assert "gave up to cancel" in told.out
    assert "ingest_embed_dead" in told.out
    assert "1 document being removed" in told.out
    assert "2 messages left unsent" in told.err
    assert run("waiting", "--json").json["failed"] == {"encrypted": 3}


def test_waiting_for_nothing_says_so(run: Run, world: World) -> None:
    world.waiting = {**NOTHING, "queues_unknown": "the queue cannot be reached"}
    told = run("waiting")
    assert "Nothing waits" in told.err
    assert "No dead letters" in told.out
    assert "cannot be reached" in told.err
