"""The sweep: every state is rescued by the schedule alone, every trace goes, every message leaves."""

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from shared import bootstrap
from shared.domain.documents import GenerationState
from shared.domain.errors import Unavailable
from shared.domain.events import Queue
from shared.domain.ingestion import MAX_ATTEMPTS
from shared.domain.tenants import Scope
from shared.ports.blobs import Bucket
from shared.ports.documents import DueGeneration
from shared.ports.ports import Ports
from shared.runtime import sweeping
from shared.runtime.invocation import run
from shared.usecases.ingest.rescue import rescue
from tests.functions.conftest import Lines
from tests.functions.examples import outcome, seed
from tests.functions.fakes import DeadQueue
from tests.functions.gateway import cases, example, records
from tests.functions.texts import LEAVE
from tests.functions.world import STAGES, Client, World

OVERDUE = timedelta(minutes=21)


@pytest.mark.parametrize("case", cases("sweep"))
def test_sweep_with_example_does_nothing_to_what_is_in_order(case: str, world: World) -> None:
    seed(world)
    answer = world.call("sweep", example("sweep", case))
    assert answer in (None, {"batchItemFailures": []})


def lose_messages(world: World) -> None:
    """Every message in every queue is gone."""
    for queue in STAGES:
        while handed := world.queue.receive(queue):
            for queued in handed:
                world.queue.done(queued)


def brought_to(world: World, client: Client, collection: str, state: GenerationState) -> str:
    """A document whose only generation is in the state, and whose message is lost."""
    document = client.upload(collection, LEAVE)
    steps: list[Callable[[], object]] = [
        world.notify,
        lambda: world.deliver(Queue.INGEST_EXTRACT) or world.notify(),
        lambda: world.deliver(Queue.INGEST_CHUNK),
        lambda: world.deliver(Queue.INGEST_EMBED),
    ]
    for step in steps:
        if world.generation(client, document).state is state:
            break
        step()
    assert world.generation(client, document).state is state
    world.blobs.notifications.clear()
    lose_messages(world)
    return document


@pytest.mark.parametrize(
    "state",
    [
        GenerationState.AWAITING_UPLOAD,
        GenerationState.EXTRACTING,
        GenerationState.CHUNKING,
        GenerationState.EMBEDDING,
        GenerationState.PUBLISHING,
    ],
)
def test_sweep_rescues_document_whose_message_was_lost(
    state: GenerationState, world: World, api_client: Client, collection: str
) -> None:
    document = brought_to(world, api_client, collection, state)
    world.sweep()
    assert world.generation(api_client, document).state is state
    world.clock.advance(OVERDUE)
    world.sweep()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_sweep_rescues_text_whose_event_was_lost_without_reading_again(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.blobs.notifications.clear()
    assert world.reader.reads == 1
    world.clock.advance(OVERDUE)
    world.sweep()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert world.reader.reads == 1


def test_sweep_closes_slot_whose_upload_never_arrived(world: World, api_client: Client, collection: str) -> None:
    document = api_client.slot(collection)["document"]["id"]
    world.clock.advance(timedelta(minutes=20) - timedelta(seconds=1))
    world.sweep()
    assert api_client.get(f"/documents/{document}").json["status"] == "awaiting_upload"
    world.clock.advance(1)
    world.sweep()
    found = api_client.get(f"/documents/{document}").json
    assert (found["status"], found["latest"]["failure"]["code"]) == ("failed", "upload_never_arrived")


def test_sweep_closes_unused_slot_of_served_document_and_serves_on(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.post(f"/documents/{sample_document}/versions", {})
    world.clock.advance(OVERDUE)
    world.sweep()
    found = api_client.get(f"/documents/{sample_document}").json
    assert (found["status"], found["version"], found["latest"]["state"]) == ("indexed", 1, "failed")
    assert api_client.search(collection, "paid leave")


@pytest.mark.parametrize("state", [GenerationState.EXTRACTING, GenerationState.CHUNKING, GenerationState.EMBEDDING])
def test_sweep_gives_up_in_the_end_though_nobody_ever_answers(
    state: GenerationState, world: World, api_client: Client, collection: str
) -> None:
    document = brought_to(world, api_client, collection, state)
    # What a reader makes of a file cannot be told from its not being there; others are known not to have been there.
    tries, minutes = (MAX_ATTEMPTS, 10) if state is GenerationState.EXTRACTING else (24, 1)
    for _ in range(tries):
        assert api_client.get(f"/documents/{document}").json["status"] == "processing"
        world.clock.advance(0 if state is GenerationState.EXTRACTING else timedelta(hours=1))
        for _ in range(minutes):
            world.minutes(1, settling=False)
            lose_messages(world)
    failure = api_client.get(f"/documents/{document}").json["latest"]["failure"]
    told = "after 5 tries" if state is GenerationState.EXTRACTING else "after 24 hours"
    assert (failure["code"], told in failure["detail"]) == ("gave_up", True)


def test_sweep_of_upload_that_vanished_says_so_where_the_reader_may_not_know(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    run(world.blobs.delete_prefix(Bucket.UPLOADS, f"{api_client.tenant_id}/{document}/"))
    # Without the right to list, S3 answers 403 for what is not there.
    world.blobs.failures.append(Unavailable("reading an object failed: AccessDenied (403)"))
    assert len(world.deliver(Queue.INGEST_EXTRACT)) == 1
    world.clock.advance(OVERDUE.total_seconds())
    world.sweep()
    failure = api_client.get(f"/documents/{document}").json["latest"]["failure"]
    assert failure["code"] == "upload_missing"
    assert api_client.get(f"/documents/{document}/why").json["retryable"] is False


def test_sweep_of_worker_that_died_lets_another_take_over(world: World, api_client: Client, collection: str) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()

    class Died(BaseException):
        """The process is gone."""

    async def die() -> None:
        raise Died

    world.blobs.during_get = die
    with pytest.raises(Died):
        world.deliver(Queue.INGEST_CHUNK)
    held = world.generation(api_client, document)
    assert held.leased(world.clock.now())
    lose_messages(world)
    world.clock.advance(OVERDUE)
    world.sweep()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_sweep_ends_generation_of_deleted_document(world: World, api_client: Client, collection: str) -> None:
    document = brought_to(world, api_client, collection, GenerationState.EMBEDDING)
    api_client.delete(f"/documents/{document}")
    lose_messages(world)
    world.sweep()
    assert world.generation(api_client, document).state is GenerationState.SUPERSEDED
    assert api_client.get(f"/documents/{document}/receipt").json["complete"]


def test_sweep_sends_messages_whose_door_died_after_its_commit(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    with bootstrap.override(queue=DeadQueue()):
        world.notify()
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == []
    world.clock.advance(14)
    world.sweep()
    assert api_client.get(f"/documents/{document}").json["status"] == "processing"
    world.clock.advance(2)
    world.sweep()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    world.clock.advance(60)
    world.sweep()
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == []


def test_sweep_removes_traces_of_delete_whose_message_was_lost(
    world: World, api_client: Client, sample_document: str
) -> None:
    api_client.delete(f"/documents/{sample_document}")
    lose_messages(world)
    world.sweep()
    assert api_client.get(f"/documents/{sample_document}/receipt").json["complete"]
    assert world.blobs.keys(Bucket.UPLOADS) == []


def test_sweep_with_store_that_forgets_slowly_leaves_the_receipt_open_and_comes_back(
    world: World, api_client: Client, sample_document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing_removed(bucket: Bucket, prefix: str) -> int:
        return 0

    with monkeypatch.context() as patched:
        patched.setattr(world.blobs, "delete_prefix", nothing_removed)
        api_client.delete(f"/documents/{sample_document}")
        world.settle()
    receipt = api_client.get(f"/documents/{sample_document}/receipt").json
    assert (receipt["complete"], receipt["remaining"]["uploads"]) == (False, 1)
    assert "left at the last count" in api_client.get(f"/documents/{sample_document}/why").json["summary"]
    world.sweep()
    receipt = api_client.get(f"/documents/{sample_document}/receipt").json
    assert (receipt["complete"], receipt["removed"]["uploads"]) == (True, 1)
    assert api_client.get(f"/documents/{sample_document}/why").json["status"] == "deleted"


def test_sweep_of_one_document_that_fails_does_the_others(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    documents = [api_client.slot(collection, f"{number}.txt")["document"]["id"] for number in range(3)]

    async def failing(scope: Scope, ports: Ports, due: DueGeneration) -> None:
        if str(due.document_id) == documents[0]:
            raise Unavailable("busy")
        await rescue(scope, ports, due)

    monkeypatch.setattr(sweeping, "rescue", failing)
    world.clock.advance(OVERDUE)
    world.sweep()
    states = [api_client.get(f"/documents/{document}").json["status"] for document in documents]
    assert states == ["awaiting_upload", "failed", "failed"]
    assert [line["document_id"] for line in log_lines() if line["event"] == "sweep.failed"] == documents[:1]


def test_sweep_out_of_time_says_so_and_goes_on_next_time(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    document = api_client.slot(collection)["document"]["id"]
    world.clock.advance(OVERDUE)
    with monkeypatch.context() as patched:
        patched.setattr(sweeping, "BUDGET_SECONDS", -1.0)
        world.sweep()
    assert "sweep.out_of_time" in [line["event"] for line in log_lines()]
    world.sweep()
    assert api_client.get(f"/documents/{document}").json["status"] == "failed"


def test_sweep_message_delivered_twice_changes_nothing(world: World, api_client: Client, sample_document: str) -> None:
    api_client.delete(f"/documents/{sample_document}")
    (message,) = [one.body for one in world.queue.waiting(Queue.SWEEP)]
    assert outcome(world.call("sweep", records([message], "sweep"))) == 0
    first = api_client.get(f"/documents/{sample_document}/receipt").json
    world.clock.advance(60)
    assert outcome(world.call("sweep", records([message, message], "sweep"))) == 0
    assert api_client.get(f"/documents/{sample_document}/receipt").json == first


def test_sweep_message_of_living_document_keeps_what_is_served(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    body = json.dumps(
        {
            "tenant_id": str(api_client.tenant_id),
            "project_id": str(api_client.project_id),
            "document_id": sample_document,
            "sent_at": world.clock.now().isoformat(),
        }
    )
    assert outcome(world.call("sweep", records([body], "sweep"))) == 0
    assert api_client.search(collection, "paid leave")
    assert world.document(api_client, sample_document).committed_generation == 1


def test_sweep_forgets_embeddings_nobody_uses_any_more(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    before = len(world.embedder.documents_embedded)
    api_client.delete(f"/documents/{sample_document}")
    world.settle()
    assert api_client.get(f"/documents/{sample_document}/receipt").json["removed"]["cache"] > 0
    api_client.upload(collection, LEAVE)
    world.settle()
    assert len(world.embedder.documents_embedded) == 2 * before


def test_sweep_keeps_embeddings_that_another_document_uses(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    copy = api_client.upload(collection, LEAVE, "leave.txt")
    world.settle()
    before = len(world.embedder.documents_embedded)
    api_client.delete(f"/documents/{sample_document}")
    world.settle()
    assert api_client.get(f"/documents/{sample_document}/receipt").json["removed"]["cache"] == 0
    assert {hit["document_id"] for hit in api_client.search(collection, "paid leave")} == {copy}
    api_client.upload(collection, LEAVE, "leave.txt")
    world.settle()
    assert len(world.embedder.documents_embedded) == before


def test_sweep_of_tenants_stays_within_each(world: World, api_client: Client) -> None:
    clients = [api_client, world.owner("Other")]
    slots = [client.slot(client.collection())["document"]["id"] for client in clients]
    world.clock.advance(OVERDUE)
    world.sweep()
    for client, document in zip(clients, slots, strict=True):
        assert client.get(f"/documents/{document}").json["status"] == "failed"


def test_due_generations_name_their_tenant(world: World, api_client: Client, collection: str) -> None:
    document = api_client.slot(collection)["document"]["id"]
    world.clock.advance(OVERDUE)

    async def due() -> list[UUID]:
        async with bootstrap.transaction(None) as ports:
            return [one.tenant_id for one in await ports.documents.due(world.clock.now(), 10)]

    assert run(due()) == [api_client.tenant_id]
    assert world.document(api_client, document).tenant_id == api_client.tenant_id
