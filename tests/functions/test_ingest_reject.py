"""Dead letters: the document ends as failed, with the reason; nothing that is done is undone."""

import json

import pytest

from functions.ingest_reject.app import handle
from shared.domain.documents import GenerationState
from shared.domain.events import Queue
from shared.runtime.worker import DeadLetter
from tests.functions.conftest import Lines
from tests.functions.examples import DOCUMENT, outcome, seed
from tests.functions.gateway import example, records
from tests.functions.messages import generation_message
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World


@pytest.mark.parametrize(
    ("case", "state", "ended"),
    [
        ("embed", GenerationState.EMBEDDING, True),
        ("extract", GenerationState.EXTRACTING, True),
        ("embed", GenerationState.PUBLISHING, False),
        ("embed", GenerationState.COMMITTED, False),
        ("unreadable", GenerationState.EMBEDDING, False),
    ],
)
def test_reject_with_example_ends_what_still_waits(
    case: str, state: GenerationState, ended: bool, world: World
) -> None:
    client = seed(world, state)
    assert outcome(world.call("ingest_reject", example("ingest_reject", case))) == 0
    generation = world.generation(client, str(DOCUMENT))
    assert generation.state is (GenerationState.FAILED if ended else state)
    if ended:
        assert generation.failure is not None
        assert generation.failure.code == "gave_up"
        assert f"gave up while {state.value}" in generation.failure.detail


def test_reject_after_a_function_died_each_time_tells_so(world: World, api_client: Client, collection: str) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    for _ in range(6):
        world.clock.advance(60)
        world.queue.receive(Queue.INGEST_EXTRACT)
    assert len(world.queue.dead(Queue.INGEST_EXTRACT)) == 1
    world.reject_dead(Queue.INGEST_EXTRACT)
    failure = api_client.get(f"/documents/{document}").json["latest"]["failure"]
    assert "out of time or memory" in failure["detail"]
    assert api_client.get(f"/documents/{document}").json["status"] == "failed"


def test_reject_while_a_worker_holds_the_lease_leaves_it_alone(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    world.deliver(Queue.INGEST_CHUNK)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_EMBED)]

    async def dead_letter() -> None:
        await handle(DeadLetter("dead", message, generation_message(message)))

    world.embedder.during_embed = dead_letter
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_reject_twice_changes_nothing(world: World) -> None:
    client = seed(world, GenerationState.EMBEDDING)
    event = example("ingest_reject", "embed")
    world.call("ingest_reject", event)
    first = world.generation(client, str(DOCUMENT))
    world.clock.advance(60)
    world.call("ingest_reject", event)
    assert world.generation(client, str(DOCUMENT)) == first
    assert world.measured("documents_failed") == [1.0]


def test_reject_of_document_of_another_tenant_touches_nobody(world: World, log_lines: Lines) -> None:
    client = seed(world, GenerationState.EMBEDDING)
    event = example("ingest_reject", "embed")
    body = json.loads(event["Records"][0]["body"])
    body["tenant_id"] = "00000000-0000-7000-8000-000000000001"
    assert outcome(world.call("ingest_reject", records([json.dumps(body)], "dead"))) == 0
    assert world.generation(client, str(DOCUMENT)).state is GenerationState.EMBEDDING


def test_reject_logs_what_died(world: World, log_lines: Lines) -> None:
    world.call("ingest_reject", records(["no json"], "IngestEmbedDeadQueue"))
    (dead,) = [line for line in log_lines() if line["event"] == "message.dead"]
    assert (dead["queue"], dead["body"], dead["level"]) == ("IngestEmbedDeadQueue", "no json", "error")


def test_rejected_document_can_be_processed_again(world: World, api_client: Client, collection: str) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    for _ in range(6):
        world.clock.advance(60)
        world.queue.receive(Queue.INGEST_EXTRACT)
    world.reject_dead(Queue.INGEST_EXTRACT)
    assert api_client.post(f"/documents/{document}/process").status == 202
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
