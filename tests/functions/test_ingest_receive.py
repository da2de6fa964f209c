"""S3 events of uploads that arrived; twice, late, out of order, for things long gone."""

import json
from itertools import permutations
from typing import Any

import pytest

from shared import bootstrap
from shared.adapters.memory.documents import MemoryDocuments
from shared.domain.documents import GenerationState
from shared.domain.errors import Unavailable
from shared.domain.events import Queue
from shared.domain.tenants import TenantScope
from shared.ports.blobs import Bucket
from tests.functions.conftest import Lines
from tests.functions.examples import DOCUMENT, TENANT, VERSION, outcome, seed
from tests.functions.fakes import notification
from tests.functions.gateway import cases, example, records
from tests.functions.texts import LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World

STATES = {
    "uploaded": (GenerationState.AWAITING_UPLOAD, GenerationState.EXTRACTING),
    "uploaded_twice": (GenerationState.AWAITING_UPLOAD, GenerationState.EXTRACTING),
    "test_event": (GenerationState.AWAITING_UPLOAD, GenerationState.AWAITING_UPLOAD),
    "unknown_key": (GenerationState.AWAITING_UPLOAD, GenerationState.AWAITING_UPLOAD),
}


@pytest.mark.parametrize("case", cases("ingest_receive"))
def test_receive_with_example_moves_the_document(case: str, world: World) -> None:
    before, after = STATES[case]
    client = seed(world, before)
    assert outcome(world.call("ingest_receive", example("ingest_receive", case))) == 0
    generation = world.generation(client, str(DOCUMENT))
    assert generation.state is after
    assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == (1 if after is GenerationState.EXTRACTING else 0)


def test_receive_upload_hands_everything_needed_to_extract(world: World) -> None:
    seed(world)
    world.call("ingest_receive", example("ingest_receive", "uploaded"))
    (message,) = world.waiting(Queue.INGEST_EXTRACT)
    assert (message["key"], message["version_id"]) == (f"{TENANT}/{DOCUMENT}/1", VERSION)
    assert (message["name"], message["stage"]) == ("Urlaub & Reisen 2026.pdf", "ingest_extract")


def test_receive_same_event_many_times_starts_one_reading(world: World, api_client: Client, collection: str) -> None:
    document = api_client.upload(collection, LEAVE)
    (body,) = world.blobs.notifications
    for _ in range(3):
        assert world.notify([body, body]) == []
    assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == 1
    assert world.document(api_client, document).latest_generation == 1


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_receive_uploads_through_one_form_in_any_order_ends_with_the_last(
    order: tuple[int, ...], world: World, api_client: Client, collection: str
) -> None:
    slot = api_client.slot(collection)
    for text in ("# First\n\nfirst words", "# Second\n\nsecond words", LEAVE):
        world.send(slot, text)
    bodies, world.blobs.notifications = world.blobs.notifications, []
    for number in order:
        world.notify([bodies[number], bodies[number]])
    world.settle()
    document = slot["document"]["id"]
    assert api_client.get(f"/documents/{document}/text").json["text"] == LEAVE
    assert world.queue.dead(Queue.INGEST_EXTRACT) == []


def test_receive_older_upload_after_a_newer_is_passed_over(world: World, api_client: Client, collection: str) -> None:
    slot = api_client.slot(collection)
    world.send(slot, "old words")
    world.send(slot, LEAVE)
    old, new = world.blobs.notifications
    world.blobs.notifications = []
    world.notify([new])
    world.notify([old])
    assert world.document(api_client, slot["document"]["id"]).latest_generation == 1
    assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == 1


def test_receive_later_upload_through_the_same_form_is_a_version_of_its_own(
    world: World, api_client: Client, collection: str
) -> None:
    slot = api_client.slot(collection)
    world.send(slot, LEAVE)
    world.settle()
    world.send(slot, LEAVE_CHANGED)
    world.settle()
    found = api_client.get(f"/documents/{slot['document']['id']}").json
    assert (found["version"], found["latest_version"]) == (2, 2)
    assert "thirty-one" in api_client.get(f"/documents/{found['id']}/text").json["text"]


def test_receive_upload_after_the_delete_has_it_swept_again(world: World, api_client: Client, collection: str) -> None:
    slot = api_client.slot(collection)
    document = slot["document"]["id"]
    api_client.delete(f"/documents/{document}")
    world.settle()
    assert api_client.get(f"/documents/{document}/receipt").json["complete"]
    world.send(slot, LEAVE)
    assert world.blobs.keys(Bucket.UPLOADS)
    world.settle()
    assert world.blobs.keys(Bucket.UPLOADS) == []
    assert api_client.get(f"/documents/{document}/receipt").json["removed"]["uploads"] == 1
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == []


@pytest.mark.parametrize(
    "key",
    [
        "{tenant}/00000000-0000-7000-8000-000000000001/1",
        "00000000-0000-7000-8000-000000000002/{document}/1",
        "{tenant}/{document}/9",
        "extracted/{tenant}/{document}/9.json",
        "{tenant}/{document}/1/more",
        "../{tenant}/{document}/1",
        "readme.txt",
    ],
)
def test_receive_object_that_is_nobodys_is_passed_over(
    key: str, world: World, api_client: Client, collection: str, log_lines: Lines
) -> None:
    slot = api_client.slot(collection)
    world.send(slot, LEAVE)
    event: dict[str, Any] = json.loads(world.blobs.notifications.pop())
    named = key.format(tenant=api_client.tenant_id, document=slot["document"]["id"])
    event["Records"][0]["s3"]["object"]["key"] = named
    assert world.notify([json.dumps(event)]) == []
    assert world.generation(api_client, slot["document"]["id"]).state is GenerationState.AWAITING_UPLOAD
    assert all(world.queue.waiting(queue) == [] for queue in Queue)


def test_receive_one_malformed_notification_reports_it_alone(world: World, api_client: Client, collection: str) -> None:
    api_client.upload(collection, LEAVE)
    (good,) = world.blobs.notifications
    answer = world.call("ingest_receive", records(["{", good], "IngestReceiveQueue"))
    assert outcome(answer) == 1
    assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == 1


def test_receive_uploads_of_many_tenants_takes_one_transaction_each(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = []
    for name in ("Acme", "Globex"):
        client = world.owner(name)
        collection = client.collection()
        documents += [(client, client.upload(collection, f"{LEAVE} {number}")) for number in range(3)]
    world.blobs.notifications.sort(key=lambda body: body[-20:])
    opened: list[object] = []
    before = bootstrap.transaction

    def counted(scope: TenantScope | None) -> Any:
        opened.extend([] if scope is None else [scope.tenant_id])
        return before(scope)

    monkeypatch.setattr(bootstrap, "transaction", counted)
    assert world.notify() == []
    assert len(opened) == 2
    assert {world.generation(client, id).state for client, id in documents} == {GenerationState.EXTRACTING}
    assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == 6


def test_receive_one_upload_that_cannot_be_taken_note_of_holds_up_no_other(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [api_client.upload(collection, f"{LEAVE} {number}") for number in range(3)]
    bodies = list(world.blobs.notifications)
    lock_all = MemoryDocuments.lock_all

    async def locked_by_another(self: MemoryDocuments, scope: Any, named: Any) -> Any:
        if any(str(id) == documents[1] for id, _ in named):
            raise Unavailable("a row or table stayed locked for too long", code="database_busy")
        return await lock_all(self, scope, named)

    monkeypatch.setattr(MemoryDocuments, "lock_all", locked_by_another)
    assert world.notify() == [bodies[1]]
    assert [world.generation(api_client, id).state for id in documents] == [
        GenerationState.EXTRACTING,
        GenerationState.AWAITING_UPLOAD,
        GenerationState.EXTRACTING,
    ]


def test_receive_all_uploads_of_one_form_at_once_ends_with_the_last(
    world: World, api_client: Client, collection: str
) -> None:
    slot = api_client.slot(collection)
    for text in ("# First\n\nfirst words", "# Second\n\nsecond words", LEAVE):
        world.send(slot, text)
    first, second, third = world.blobs.notifications
    world.blobs.notifications = []
    assert world.notify([third, first, third, second, first]) == []
    # In the order in which they came, whatever the order in which they were told of: none is passed over as older.
    assert world.document(api_client, slot["document"]["id"]).latest_generation == 3
    world.settle()
    assert api_client.get(f"/documents/{slot['document']['id']}/text").json["text"] == LEAVE


def test_receive_two_records_in_one_notification_moves_both(world: World, api_client: Client, collection: str) -> None:
    first = api_client.upload(collection, LEAVE, "a.txt")
    second = api_client.upload(collection, LEAVE_CHANGED, "b.txt")
    bodies = [json.loads(body) for body in world.blobs.notifications]
    world.notify([json.dumps({"Records": [record for body in bodies for record in body["Records"]]})])
    assert {one["document_id"] for one in world.waiting(Queue.INGEST_EXTRACT)} == {first, second}


def test_notification_of_a_key_reads_back_as_it_was(world: World, api_client: Client, collection: str) -> None:
    api_client.upload(collection, LEAVE)
    created = world.blobs.created(world.blobs.keys(Bucket.UPLOADS)[0])
    assert notification(created) == notification(created)
    assert json.loads(notification(created))["Records"][0]["s3"]["object"]["key"] == created.key
