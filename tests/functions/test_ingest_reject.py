"""Dead letters: the document ends as failed, with the reason; nothing that is done is undone."""

import json
from collections.abc import Sequence
from itertools import batched
from uuid import UUID

import pytest

from shared import bootstrap
from shared.domain.documents import GenerationState, extracted_key
from shared.domain.errors import Outage, Unavailable
from shared.domain.events import Outgoing, Queue
from shared.domain.ingestion import MAX_ATTEMPTS
from shared.runtime.invocation import run
from shared.runtime.rejecting import settle_letter
from shared.runtime.worker import DeadLetter
from tests.functions.conftest import Lines
from tests.functions.examples import DOCUMENT, outcome, seed
from tests.functions.fakes import LostStore
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
        await settle_letter(DeadLetter("dead", message, generation_message(message)))

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


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("no json", "poison"),
        ("{}", "poison"),
        ('{"Records": 5}', "poison"),
        ('{"Records": [{"eventName": "ObjectCreated:Put"}]}', "poison"),
        ("[1]", "poison"),
        ("null", "poison"),
    ],
)
def test_reject_poison_is_counted_and_changes_nothing(body: str, kind: str, world: World) -> None:
    client = seed(world, GenerationState.EMBEDDING)
    assert outcome(world.call("ingest_reject", records([body], "IngestEmbedDeadQueue"))) == 0
    (counted,) = [one for one in world.meter.written if one.name == "dead_letters"]
    assert counted.dimensions == {"queue": "IngestEmbedDeadQueue", "kind": kind}
    assert world.generation(client, str(DOCUMENT)).state is GenerationState.EMBEDDING


def test_reject_tells_poison_from_what_the_sweep_finds_again(world: World, api_client: Client, collection: str) -> None:
    gone = api_client.upload(collection, LEAVE)
    world.blobs.notifications.clear()
    api_client.delete(f"/documents/{gone}")
    api_client("DELETE", f"/collections/{api_client.collection('Other')}", {"name": "Other"})
    lost = [message.body for message in world.queue.waiting(Queue.SWEEP)]
    assert outcome(world.call("ingest_reject", records(lost, "dead"))) == 0
    assert {one.dimensions["kind"] for one in world.meter.written if one.name == "dead_letters"} == {"sweep"}
    world.clock.advance(1_300)
    world.sweep()
    assert api_client.get(f"/documents/{gone}/receipt").json["complete"]


def test_reject_of_an_event_of_s3_takes_notice_of_the_object_at_once(
    world: World, api_client: Client, collection: str
) -> None:
    documents = [api_client.upload(collection, f"{LEAVE} {number}", f"{number}.txt") for number in range(2)]
    events, world.blobs.notifications = world.blobs.notifications, []
    both = json.dumps({"Records": [record for event in events for record in json.loads(event)["Records"]]})
    for _ in range(2):
        assert outcome(world.call("ingest_reject", records([both], "IngestReceiveDeadQueue"))) == 0
    world.settle()
    assert [api_client.get(f"/documents/{one}").json["status"] for one in documents] == ["indexed", "indexed"]
    assert [one.dimensions["kind"] for one in world.meter.written if one.name == "dead_letters"] == ["object"] * 2
    assert world.reader.reads == 2


def test_reject_of_an_event_of_s3_during_the_outage_leaves_it_for_later(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    events, world.blobs.notifications = world.blobs.notifications, []
    with bootstrap.override(store=LostStore(Outage("no database"))):
        assert outcome(world.call("ingest_reject", records(events, "IngestReceiveDeadQueue"))) == 1
    assert outcome(world.call("ingest_reject", records(events, "IngestReceiveDeadQueue"))) == 0
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_redrive_of_a_thousand_dead_letters_changes_nothing_that_is_done(
    world: World, api_client: Client, collection: str
) -> None:
    sent: list[Outgoing] = []
    deliver = world.queue.send

    async def remembered(messages: Sequence[Outgoing]) -> list[Outgoing]:
        sent.extend(messages)
        return await deliver(messages)

    world.queue.send = remembered  # type: ignore[method-assign]
    documents = [api_client.upload(collection, f"{LEAVE} {index}", f"{index}.txt") for index in range(40)]
    world.settle()
    # One is deleted, one has a newer version, one failed and one was taken up again.
    gone, renewed, failed, retried = documents[:4]
    api_client.delete(f"/documents/{gone}")
    for document, content in (
        (renewed, f"{LEAVE} again".encode()),
        (failed, b"\xff\xfe\xfd"),
        (retried, LEAVE.encode()),
    ):
        world.send(api_client.post(f"/documents/{document}/versions", {}).json, content)
        if document == retried:
            world.reader.failures.extend([Unavailable("the cage broke")] * 100)
        for _ in range(1 + MAX_ATTEMPTS):
            world.minutes(10)
    world.reader.failures.clear()
    assert api_client.get(f"/documents/{retried}").json["latest"]["state"] == "failed"
    assert api_client.post(f"/documents/{retried}/retry").json["version"] == 3
    world.settle()
    steps = [message for message in sent if message.queue is not Queue.SWEEP]
    letters = steps * (1_000 // len(steps) + 1)
    before = world.everything(api_client)
    embedded = len(world.embedder.documents_embedded)
    indexed = world.measured("documents_indexed")

    # Each comes again where it was dead, and on its own queue; the texts that are read again tell of themselves.
    for dead in batched(letters, 10):
        assert outcome(world.call("ingest_reject", records([one.body for one in dead], "dead"))) == 0
    run(deliver(letters))
    world.settle()

    assert len(letters) >= 1_000
    after = world.everything(api_client)
    # The reader works again, so the version that failed has its text after all. It stays failed.
    late = extracted_key(api_client.tenant_id, UUID(retried), 2)
    assert {**after, "work": {key: body for key, body in after["work"].items() if key != late}} == before
    assert len(world.embedder.documents_embedded) == embedded
    assert world.measured("documents_indexed") == indexed
