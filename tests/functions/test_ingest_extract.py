"""Reading an upload: the text, or the reason why there is none, goes to the work bucket."""

import json
from typing import Any

import pytest

from shared import bootstrap
from shared.domain.documents import GenerationState, Reason, extracted_key
from shared.domain.errors import Rejected, Unavailable
from shared.domain.events import Queue
from shared.domain.extracted import Extracted
from shared.domain.extraction import read_extraction
from shared.ports.blobs import Bucket
from shared.runtime.invocation import run
from tests.functions.examples import DOCUMENT, TENANT, outcome, seed
from tests.functions.gateway import example, records
from tests.functions.texts import LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World


def extraction(world: World, document: str, client: Client, number: int = 1) -> Extracted | Reason:
    key = extracted_key(client.tenant_id, world.document(client, document).id, number)
    return read_extraction(run(world.blobs.get(Bucket.WORK, key)))


def received(world: World, client: Client, collection: str, text: str | bytes = LEAVE) -> str:
    document = client.upload(collection, text)
    world.notify()
    return document


def test_extract_with_example_reads_the_version_it_names(world: World) -> None:
    client = seed(world, GenerationState.EXTRACTING)
    event = example("ingest_extract", "file")
    # No such version: the reason is written where the text would be.
    assert outcome(world.call("ingest_extract", event)) == 0
    found = extraction(world, str(DOCUMENT), client)
    assert isinstance(found, Reason)
    assert found.code == "upload_missing"
    body: dict[str, Any] = json.loads(event["Records"][0]["body"])
    body["version_id"] = run(
        world.blobs.put(Bucket.UPLOADS, f"{TENANT}/{DOCUMENT}/1", LEAVE.encode(), content_type="text/plain")
    )
    event["Records"][0]["body"] = json.dumps(body)
    assert outcome(world.call("ingest_extract", event)) == 0
    read = extraction(world, str(DOCUMENT), client)
    assert isinstance(read, Extracted)
    assert read.text == LEAVE


def test_extract_needs_neither_database_nor_model_nor_queue(world: World, api_client: Client, collection: str) -> None:
    document = received(world, api_client, collection)
    with bootstrap.override(store=None, embedder=None, llm=None, queue=world.queue):
        assert world.deliver(Queue.INGEST_EXTRACT) == []
    assert isinstance(extraction(world, document, api_client), Extracted)


def test_extract_reads_the_version_that_was_announced_not_the_newest(
    world: World, api_client: Client, collection: str
) -> None:
    slot = api_client.slot(collection)
    world.send(slot, LEAVE)
    world.notify()
    world.send(slot, LEAVE_CHANGED)
    world.blobs.notifications.clear()
    world.deliver(Queue.INGEST_EXTRACT)
    read = extraction(world, slot["document"]["id"], api_client)
    assert isinstance(read, Extracted)
    assert read.text == LEAVE


def test_extract_unreadable_file_writes_the_reason_and_fails_nothing(
    world: World, api_client: Client, collection: str
) -> None:
    document = received(world, api_client, collection)
    world.reader.failures.append(Rejected("the file needs a password", code="encrypted"))
    assert world.deliver(Queue.INGEST_EXTRACT) == []
    assert extraction(world, document, api_client) == Reason("encrypted", "the file needs a password")
    world.settle()
    latest = api_client.get(f"/documents/{document}").json["latest"]
    assert (latest["state"], latest["failure"]["code"]) == ("failed", "encrypted")


def test_extract_empty_file_fails_with_its_reason(world: World, api_client: Client, collection: str) -> None:
    slot = api_client.slot(collection)
    world.send(slot, b"")
    world.settle()
    assert api_client.get(f"/documents/{slot['document']['id']}").json["latest"]["failure"]["code"] == "empty_file"


@pytest.mark.parametrize("error", [Unavailable("the cage broke"), RuntimeError("bug")])
def test_extract_failed_for_another_reason_is_delivered_again(
    error: Exception, world: World, api_client: Client, collection: str
) -> None:
    document = received(world, api_client, collection)
    world.reader.failures.append(error)
    (failed,) = world.deliver(Queue.INGEST_EXTRACT)
    assert json.loads(failed.body)["document_id"] == document
    assert world.blobs.keys(Bucket.WORK) == []
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_extract_reads_no_file_for_another_document(world: World, api_client: Client, collection: str) -> None:
    documents = [api_client.upload(collection, LEAVE, name) for name in ("one.txt", "two.txt")]
    world.notify()
    (first, second) = world.waiting(Queue.INGEST_EXTRACT)
    assert {first["document_id"], second["document_id"]} == set(documents)
    for key in (second["key"], "", "../" + first["key"], first["key"] + "/1", first["key"].upper()):
        forged = json.dumps({**first, "key": key, "version_id": second["version_id"]})
        assert outcome(world.call("ingest_extract", records([forged], "ingest_extract"))) == 0
    assert world.blobs.contents(Bucket.WORK) == {}


def test_extract_twice_writes_the_same(world: World, api_client: Client, collection: str) -> None:
    document = received(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_EXTRACT)]
    for _ in range(2):
        assert outcome(world.call("ingest_extract", records([message], "ingest_extract"))) == 0
    assert isinstance(extraction(world, document, api_client), Extracted)
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_extract_out_of_time_gives_the_record_back(world: World, api_client: Client, collection: str) -> None:
    received(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_EXTRACT)]
    event = records([message], "ingest_extract")
    assert outcome(world.call("ingest_extract", event, milliseconds=1_000)) == 1
    assert world.reader.reads == 0


def test_extract_counts_its_time_and_age(world: World, api_client: Client, collection: str) -> None:
    received(world, api_client, collection)
    world.clock.advance(3)
    world.deliver(Queue.INGEST_EXTRACT)
    mine = {"stage": "ingest_extract"}
    counted = [(one.name, one.value) for one in world.meter.written if one.dimensions == mine]
    assert sorted(counted) == [("stage_age_ms", 3_000.0), ("stage_ms", 0.0)]
