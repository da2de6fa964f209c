"""The operator's view: everything that waits, and why."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared import bootstrap
from shared.domain.errors import Delayed, Rejected, Unavailable
from shared.domain.events import Queue
from shared.domain.ingestion import MAX_ATTEMPTS
from tests.functions.fakes import DeadQueue
from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, World


def test_waiting_of_an_idle_project_is_empty(world: World, api_client: Client, sample_document: str) -> None:
    found = api_client.get("/health/waiting").json
    assert (found["lines"], found["longest"], found["failed"], found["deleting"]) == ([], [], {}, 0)
    assert found["unsent"] == {"count": 0, "oldest": None}
    assert (found["dead_letters"], found["queues_unknown"]) == (0, "")
    assert {queue["name"] for queue in found["queues"]} >= {queue.value for queue in Queue}


def test_waiting_counts_by_step_and_reason_and_names_the_longest(
    world: World, api_client: Client, collection: str
) -> None:
    troubled = api_client.upload(collection, GARDEN, "troubled.txt")
    world.embedder.failures.append(Unavailable("the model is down", code="model_down"))
    world.settle()
    limited = api_client.upload(collection, LEAVE, "limited.txt")
    world.embedder.failures.append(Delayed("the provider asked for 60 s", seconds=60))
    world.settle()
    api_client.slot(collection, "announced.txt")
    found = api_client.get("/health/waiting").json
    told = {(line["state"], line["reason"]): line["count"] for line in found["lines"]}
    assert told == {
        ("embedding", "the provider asked for 60 s"): 1,
        ("embedding", "model_down"): 1,
        ("awaiting_upload", ""): 1,
    }
    first, second, third = found["longest"]
    assert (first["document_id"], first["last_error"], first["attempts"]) == (troubled, "the model is down", 1)
    assert (second["document_id"], second["waiting"], second["attempts"]) == (limited, "the provider asked for 60 s", 0)
    assert (third["name"], third["state"]) == ("announced.txt", "awaiting_upload")
    # Both came through when they were tried again: nothing is left of it but the slot.
    world.pass_time(120)
    assert [line["state"] for line in api_client.get("/health/waiting").json["lines"]] == ["awaiting_upload"]


def test_waiting_tells_who_holds_what_and_until_when(world: World, api_client: Client, collection: str) -> None:
    api_client.upload(collection, LEAVE)
    seen: list[Any] = []

    async def look() -> None:
        async with bootstrap.transaction(world.scope(api_client)) as ports:
            seen.extend(await ports.backlog.lines(world.scope(api_client), world.clock.now(), 9))
            seen.extend(await ports.backlog.longest(world.scope(api_client), 9))

    world.embedder.during_embed = look
    world.settle()
    line, (_, generation) = seen
    assert (line.count, line.leased, line.overdue) == (1, 1, 0)
    assert generation.lease_owner
    assert generation.lease_until > world.clock.now()


def test_waiting_counts_what_is_overdue(world: World, api_client: Client, collection: str) -> None:
    api_client.upload(collection, LEAVE)
    world.notify()
    world.clock.advance(timedelta(minutes=9).total_seconds())
    (line,) = api_client.get("/health/waiting").json["lines"]
    assert (line["state"], line["count"], line["overdue"], line["leased"]) == ("extracting", 1, 1, 0)


def test_waiting_counts_failures_deletions_and_dead_letters(world: World, api_client: Client, collection: str) -> None:
    for code in ("encrypted", "encrypted", "parser_timeout"):
        api_client.upload(collection, LEAVE, f"{code}.txt")
        world.reader.failures.append(Rejected("it cannot be read", code=code))
        world.settle()
    stuck = api_client.upload(collection, LEAVE)
    world.notify()
    for _ in range(MAX_ATTEMPTS + 1):
        world.clock.advance(60)
        world.queue.receive(Queue.INGEST_EXTRACT)
    api_client.delete(f"/documents/{stuck}")
    found = api_client.get("/health/waiting").json
    assert found["failed"] == {"encrypted": 2, "parser_timeout": 1}
    assert (found["deleting"], found["dead_letters"]) == (1, 1)
    # What is deleted waits for its sweep, not for its step.
    assert found["lines"] == []


def test_waiting_counts_messages_whose_door_died(world: World, api_client: Client, collection: str) -> None:
    with bootstrap.override(queue=DeadQueue()):
        api_client.upload(collection, LEAVE)
        world.notify()
        found = api_client.get("/health/waiting").json
        assert found["unsent"]["count"] == 0
        assert (found["queues"], found["queues_unknown"]) == ([], "the queue cannot be reached")
    world.clock.advance(60)
    assert api_client.get("/health/waiting").json["unsent"]["count"] == 1
    world.sweep()
    assert api_client.get("/health/waiting").json["unsent"]["count"] == 0


@pytest.mark.parametrize("other", ["tenant", "project"])
def test_waiting_is_of_one_project(other: str, world: World, api_client: Client, collection: str) -> None:
    api_client.slot(collection)
    if other == "tenant":
        stranger = world.owner("Other")
    else:
        project = api_client.post("/projects", {"name": "Next door"}).json["id"]
        stranger = world.key(api_client, project_id=UUID(project))
    assert stranger.get("/health/waiting").json["lines"] == []
