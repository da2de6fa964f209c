"""Retry: failed documents are taken up again, from the furthest step that can be repeated, and never twice."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.domain.documents import Generation, GenerationState, extracted_key
from shared.domain.errors import Rejected, Unavailable
from shared.domain.events import Queue
from shared.domain.ingestion import MAX_ATTEMPTS
from shared.domain.retrying import KEPT
from shared.domain.tenants import KEY_PERMISSIONS
from shared.ports.blobs import Bucket
from shared.runtime.invocation import run
from shared.runtime.transactions import transaction
from shared.usecases.documents.retry import retry
from tests.functions.gateway import records
from tests.functions.texts import GARDEN, LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World


def give_up(world: World, queue: Queue) -> None:
    """Every try of the stage fails, until its message is dead or the generation failed."""
    for _ in range(MAX_ATTEMPTS + 1):
        world.deliver(queue)
        world.clock.advance(2_000)
    if world.queue.dead(queue):
        world.reject_dead(queue)


def failed_embedding(world: World, client: Client, collection: str, text: str = LEAVE, **fields: Any) -> str:
    """A document whose text was cut, and whose embedding was given up."""
    document = client.upload(collection, text, **fields)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    world.deliver(Queue.INGEST_CHUNK)
    world.embedder.failures.extend([Unavailable("the model is down")] * MAX_ATTEMPTS)
    give_up(world, Queue.INGEST_EMBED)
    world.embedder.failures.clear()
    assert client.get(f"/documents/{document}").json["status"] == "failed"
    return document


def latest(client: Client, document: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/documents/{document}").json["latest"]
    return found


def test_retry_after_embedding_failed_goes_on_from_the_kept_text(
    world: World, api_client: Client, collection: str
) -> None:
    document = failed_embedding(world, api_client, collection)
    why = api_client.get(f"/documents/{document}/why").json
    assert why["retryable"] is True
    assert "goes on with chunking" in why["next"]
    reads = world.reader.reads
    answer = api_client.post(f"/documents/{document}/retry")
    assert (answer.status, answer.json["version"], answer.json["state"]) == (202, 2, "chunking")
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert world.reader.reads == reads
    # The text of the version that is served now is the one it was cut from.
    assert api_client.get(f"/documents/{document}/text").json["text"] == LEAVE
    assert api_client.get(f"/documents/{document}/why").json["retryable"] is False


def test_retry_pays_no_embedding_twice(world: World, api_client: Client, collection: str) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    world.deliver(Queue.INGEST_CHUNK)
    world.deliver(Queue.INGEST_EMBED)
    publish = [message.body for message in world.queue.waiting(Queue.INGEST_PUBLISH)]
    embedded = list(world.embedder.documents_embedded)
    assert world.call("ingest_reject", records(publish, "dead")) == {"batchItemFailures": []}
    assert latest(api_client, document)["state"] == "failed"
    api_client.post(f"/documents/{document}/retry")
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert world.embedder.documents_embedded == embedded


def test_retry_of_a_retry_keeps_to_the_first_text(world: World, api_client: Client, collection: str) -> None:
    document = failed_embedding(world, api_client, collection)
    for number in (2, 3):
        assert api_client.post(f"/documents/{document}/retry").json["version"] == number
        world.deliver(Queue.INGEST_CHUNK)
        world.embedder.failures.extend([Unavailable("the model is down")] * MAX_ATTEMPTS)
        give_up(world, Queue.INGEST_EMBED)
        world.embedder.failures.clear()
        assert world.generation(api_client, document, number).text_generation == 1
    api_client.post(f"/documents/{document}/retry")
    world.settle()
    assert api_client.get(f"/documents/{document}").json["version"] == 4


def test_retry_whose_text_is_gone_reads_the_file_again(world: World, api_client: Client, collection: str) -> None:
    document = failed_embedding(world, api_client, collection)
    key = extracted_key(api_client.tenant_id, UUID(document), 1)
    run(world.blobs.delete_prefix(Bucket.WORK, key))
    assert api_client.post(f"/documents/{document}/retry").json["state"] == "extracting"
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_retry_whose_file_and_text_are_gone_needs_an_upload(world: World, api_client: Client, collection: str) -> None:
    document = failed_embedding(world, api_client, collection)
    run(world.blobs.delete_prefix(Bucket.WORK, extracted_key(api_client.tenant_id, UUID(document), 1)))
    run(world.blobs.delete_prefix(Bucket.UPLOADS, f"{api_client.tenant_id}/{document}/"))
    assert api_client.post(f"/documents/{document}/retry").code == "upload_needed"
    assert api_client.get(f"/documents/{document}").json["latest_version"] == 1


def test_retry_whose_file_is_gone_goes_on_from_the_text(world: World, api_client: Client, collection: str) -> None:
    document = failed_embedding(world, api_client, collection)
    run(world.blobs.delete_prefix(Bucket.UPLOADS, f"{api_client.tenant_id}/{document}/"))
    assert api_client.post(f"/documents/{document}/retry").json["state"] == "chunking"
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


@pytest.mark.parametrize("code", ["parser_timeout", "parser_crashed", "parser_memory"])
def test_retry_after_the_reader_gave_up_reads_again(
    code: str, world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.reader.failures.append(Rejected("the reader stopped", code=code))
    world.settle()
    why = api_client.get(f"/documents/{document}/why").json
    assert (why["retryable"], "read again" in why["next"]) == (True, True)
    assert api_client.post(f"/documents/{document}/retry").json["state"] == "extracting"
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


@pytest.mark.parametrize("code", ["encrypted", "corrupt_file", "unsupported_type", "too_many_pages"])
def test_retry_of_a_file_at_fault_is_refused_and_why_says_what_to_do(
    code: str, world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.reader.failures.append(Rejected("it cannot be read", code=code))
    world.settle()
    answer = api_client.post(f"/documents/{document}/retry")
    assert (answer.status, answer.code) == (409, "upload_needed")
    why = api_client.get(f"/documents/{document}/why").json
    assert (why["retryable"], "a retry would end the same" in why["next"]) == (False, True)


def test_retry_of_a_file_at_fault_under_a_newer_reader_reads_it(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.reader.failures.append(Rejected("it cannot be read", code="corrupt_file"))
    world.settle()
    monkeypatch.setattr("shared.usecases.documents.upload.READER_VERSION", "files/next")
    assert api_client.post(f"/documents/{document}/retry").json["state"] == "extracting"
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_retry_after_the_upload_never_arrived_needs_an_upload(
    world: World, api_client: Client, collection: str
) -> None:
    document = str(api_client.slot(collection)["document"]["id"])
    world.clock.advance(3_600)
    world.sweep()
    assert api_client.post(f"/documents/{document}/retry").code == "upload_needed"
    assert "new upload" in api_client.get(f"/documents/{document}/why").json["next"]


def test_retry_twice_starts_one(world: World, api_client: Client, collection: str) -> None:
    document = failed_embedding(world, api_client, collection)
    first = api_client.post(f"/documents/{document}/retry").json
    second = api_client.post(f"/documents/{document}/retry").json
    assert (first["version"], second) == (2, first)
    world.settle()
    # Late, when it is done: nothing to retry, nothing started.
    late = api_client.post(f"/documents/{document}/retry")
    assert (late.status, late.json["state"]) == (202, "committed")
    assert api_client.get(f"/documents/{document}").json["latest_version"] == 2


def test_retry_at_once_from_many_hands_starts_one(world: World, api_client: Client, collection: str) -> None:
    document = failed_embedding(world, api_client, collection)
    owner = replace(world.scope(api_client), permissions=KEY_PERMISSIONS)

    async def click() -> Generation:
        async with transaction(owner) as ports:
            return await retry(owner, ports, UUID(document))

    async def clicks() -> Sequence[Generation]:
        return await asyncio.gather(*(click() for _ in range(8)))

    assert {one.number for one in run(clicks())} == {2}
    assert len(world.queue.waiting(Queue.INGEST_CHUNK)) == 1


def test_retry_of_what_waits_for_its_file_changes_nothing(api_client: Client, collection: str) -> None:
    document = api_client.slot(collection)["document"]["id"]
    answer = api_client.post(f"/documents/{document}/retry").json
    assert (answer["version"], answer["state"]) == (1, "awaiting_upload")


def test_retry_of_a_newer_version_that_failed_keeps_serving_the_old(
    world: World, api_client: Client, sample_document: str
) -> None:
    slot = api_client.post(f"/documents/{sample_document}/versions", {}).json
    world.send(slot, LEAVE_CHANGED)
    world.reader.failures.append(Rejected("the reader stopped", code="parser_timeout"))
    world.settle()
    assert latest(api_client, sample_document)["state"] == "failed"
    assert api_client.post(f"/documents/{sample_document}/retry").json["version"] == 3
    assert api_client.get(f"/documents/{sample_document}").json["version"] == 1
    world.settle()
    assert api_client.get(f"/documents/{sample_document}").json["version"] == 3
    assert api_client.get(f"/documents/{sample_document}/text").json["text"] == LEAVE_CHANGED


def test_retry_is_untouched_by_what_is_left_of_the_failed_one(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    bodies = [message.body for message in world.queue.waiting(Queue.INGEST_EXTRACT)]
    for _ in range(6):
        world.clock.advance(60)
        world.queue.receive(Queue.INGEST_EXTRACT)
    world.reject_dead(Queue.INGEST_EXTRACT)
    api_client.post(f"/documents/{document}/retry")
    # The dead letter comes again, and the failed one's own message at last.
    assert world.call("ingest_reject", records(bodies, "dead")) == {"batchItemFailures": []}
    assert world.call("ingest_extract", records(bodies, "ingest_extract")) == {"batchItemFailures": []}
    world.notify()
    assert world.generation(api_client, document, 2).state is GenerationState.EXTRACTING
    world.settle()
    found = api_client.get(f"/documents/{document}").json
    assert (found["status"], found["version"]) == ("indexed", 2)


def test_retry_of_a_deleted_document_is_not_found(world: World, api_client: Client, collection: str) -> None:
    document = failed_embedding(world, api_client, collection)
    api_client.delete(f"/documents/{document}")
    assert api_client.post(f"/documents/{document}/retry").code == "document_not_found"


# Many at once.


def failures(world: World, client: Client, collection: str, count: int, code: str = "parser_timeout") -> list[str]:
    documents = []
    for index in range(count):
        documents.append(client.upload(collection, f"{LEAVE} {index}", f"{code}-{index}.txt"))
        world.clock.advance(1)
    world.reader.failures.extend([Rejected("it stopped", code=code)] * count)
    world.settle()
    assert [latest(client, one)["failure"]["code"] for one in documents] == [code] * count
    return documents


def test_retry_failed_takes_up_all_page_by_page(world: World, api_client: Client, collection: str) -> None:
    documents = failures(world, api_client, collection, 5)
    hopeless = failures(world, api_client, collection, 2, "encrypted")
    fine = api_client.upload(collection, GARDEN, "fine.txt")
    world.settle()
    started: list[str] = []
    refused: list[str] = []
    cursor = None
    for _ in range(4):
        found = api_client.post("/documents/retry", {"limit": 2, "cursor": cursor}).json
        started += [one["document_id"] for one in found["started"]]
        refused += [one["document_id"] for one in found["refused"]]
        cursor = found["next"]
        if cursor is None:
            break
    assert sorted(started) == sorted(documents)
    assert sorted(refused) == sorted(hopeless)
    world.settle()
    for document in (*documents, fine):
        assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert api_client.get(f"/documents/{fine}").json["latest_version"] == 1
    assert api_client.post("/documents/retry", {}).json["started"] == []


def test_retry_failed_is_narrowed_by_collection_and_reason(world: World, api_client: Client, collection: str) -> None:
    other = api_client.collection("Other")
    failures(world, api_client, collection, 1, "parser_memory")
    wanted = failures(world, api_client, collection, 1)
    failures(world, api_client, other, 1)
    body = {"collection_id": collection, "reason": "parser_timeout"}
    found = api_client.post("/documents/retry", body).json
    assert [one["document_id"] for one in found["started"]] == wanted
    assert api_client.post("/documents/retry", {**body, "cursor": "nonsense"}).code == "invalid_cursor"


def test_retry_failed_sees_a_newer_version_that_failed_and_no_older_one(
    world: World, api_client: Client, sample_document: str
) -> None:
    slot = api_client.post(f"/documents/{sample_document}/versions", {}).json
    world.send(slot, LEAVE_CHANGED)
    world.reader.failures.append(Rejected("the reader stopped", code="parser_timeout"))
    world.settle()
    found = api_client.post("/documents/retry", {}).json
    assert [one["version"] for one in found["started"]] == [3]
    world.settle()
    assert api_client.post("/documents/retry", {}).json == {"started": [], "refused": [], "next": None}


def test_retry_failed_is_of_one_project_only(world: World, api_client: Client, collection: str) -> None:
    failures(world, api_client, collection, 1)
    stranger = world.owner("Other")
    assert stranger.post("/documents/retry", {}).json["started"] == []


def test_why_of_a_failed_version_beside_a_served_one_says_how_long_its_vectors_are_kept(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE, path="a")
    world.settle()
    assert failed_version(world, api_client, collection) == document
    why = api_client.get(f"/documents/{document}/why").json
    assert "not paid for again within 60 min" in why["next"]
    world.clock.advance(KEPT.total_seconds())
    why = api_client.get(f"/documents/{document}/why").json
    assert (why["retryable"], "is paid for again" in why["next"]) == (True, True)


def failed_version(world: World, client: Client, collection: str) -> str:
    """A newer version of the document at `a` whose embedding was given up."""
    document = client.upload(collection, LEAVE_CHANGED, path="a")
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    world.deliver(Queue.INGEST_CHUNK)
    world.embedder.failures.extend([Unavailable("the model is down")] * MAX_ATTEMPTS)
    for _ in range(MAX_ATTEMPTS):
        world.clock.advance(400)
        world.deliver(Queue.INGEST_EMBED)
    world.embedder.failures.clear()
    return document
