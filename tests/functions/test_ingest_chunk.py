"""Cutting a text: chunks with spans and words; unchanged content ends here."""

from datetime import timedelta

import pytest

from shared.domain.documents import GenerationState, extracted_key
from shared.domain.errors import Unavailable
from shared.domain.events import Queue
from shared.domain.extracted import Extracted
from shared.domain.extraction import write_extraction
from shared.domain.ingestion import LEASE, MAX_ATTEMPTS, PATIENCE
from shared.ports.blobs import Bucket
from shared.runtime.invocation import run
from shared.runtime.stage import run_stage
from shared.usecases.ingest.chunk import ChunkStage
from tests.functions.examples import DOCUMENT, outcome, seed
from tests.functions.gateway import example, records
from tests.functions.messages import generation_message
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World


def extracted(world: World, client: Client, collection: str, text: str | bytes = LEAVE) -> str:
    document = client.upload(collection, text)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    return document


@pytest.mark.parametrize(("case", "failed"), [("generation", 0), ("one_malformed", 1)])
def test_chunk_with_example_moves_the_document_or_says_why_not(case: str, failed: int, world: World) -> None:
    client = seed(world, GenerationState.CHUNKING)
    key = extracted_key(client.tenant_id, DOCUMENT, 1)
    text = Extracted(LEAVE, "text/plain", "0" * 64, len(LEAVE), language="en")
    run(world.blobs.put(Bucket.WORK, key, write_extraction(text), content_type="application/json"))
    assert outcome(world.call("ingest_chunk", example("ingest_chunk", case))) == failed
    assert world.generation(client, str(DOCUMENT)).state is GenerationState.EMBEDDING
    assert len(world.queue.waiting(Queue.INGEST_EMBED)) == 1


def test_chunk_writes_chunks_and_counts(world: World, api_client: Client, collection: str) -> None:
    document = extracted(world, api_client, collection)
    assert world.deliver(Queue.INGEST_CHUNK) == []
    generation = world.generation(api_client, document)
    assert generation.state is GenerationState.EMBEDDING
    assert generation.counts.characters == len(LEAVE)
    assert generation.counts.chunks > 1
    assert (generation.title, generation.language, generation.media_type) == ("leave.txt", "en", "text/plain")
    assert generation.lease_owner is None


def test_chunk_without_text_in_it_fails_with_the_reason(world: World, api_client: Client, collection: str) -> None:
    document = extracted(world, api_client, collection, " \n\n \n")
    world.settle()
    latest = api_client.get(f"/documents/{document}").json["latest"]
    assert (latest["state"], latest["failure"]["code"]) == ("failed", "no_text")
    assert api_client.get(f"/documents/{document}").json["status"] == "failed"


@pytest.mark.parametrize("body", [b"", b"{}", b'{"failed":1}', b"\xff"])
def test_chunk_with_malformed_text_fails_with_the_reason(
    body: bytes, world: World, api_client: Client, collection: str
) -> None:
    document = extracted(world, api_client, collection)
    (key,) = world.blobs.keys(Bucket.WORK)
    run(world.blobs.put(Bucket.WORK, key, body, content_type="application/json"))
    world.blobs.notifications.clear()
    world.settle()
    assert api_client.get(f"/documents/{document}").json["latest"]["failure"]["code"] == "malformed_extraction"


def test_chunk_unchanged_content_embeds_nothing_again(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    embedded = len(world.embedder.documents_embedded)
    world.send(api_client.post(f"/documents/{sample_document}/versions", {}).json, LEAVE)
    world.settle()
    found = api_client.get(f"/documents/{sample_document}").json
    assert (found["status"], found["version"], found["latest"]["state"]) == ("indexed", 1, "unchanged")
    assert len(world.embedder.documents_embedded) == embedded
    assert world.measured("documents_unchanged") == [1.0]
    assert api_client.search(collection, "paid leave")
    assert "byte for byte" in api_client.get(f"/documents/{sample_document}/why").json["history"][0]["words"]


def test_chunk_unchanged_content_under_changed_settings_is_cut_anew(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    world.send(api_client.post(f"/documents/{sample_document}/versions", {}).json, LEAVE)
    world.settle()
    assert api_client.get(f"/documents/{sample_document}").json["version"] == 2


def test_chunk_after_transient_error_tries_again_after_a_pause(
    world: World, api_client: Client, collection: str
) -> None:
    document = extracted(world, api_client, collection)
    world.blobs.failures.append(Unavailable("the bucket is slow", code="storage_slow"))
    assert world.deliver(Queue.INGEST_CHUNK) == []
    waiting = world.generation(api_client, document)
    assert (waiting.state, waiting.attempts, waiting.lease_owner) == (GenerationState.CHUNKING, 1, None)
    assert waiting.last_error is not None
    assert waiting.last_error.code == "storage_slow"
    assert "1 of 5 tries failed" in api_client.get(f"/documents/{document}/why").json["summary"]
    (again,) = world.queue.waiting(Queue.INGEST_CHUNK)
    assert 1 <= again.delay_seconds <= 10
    world.pass_time(again.delay_seconds)
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


@pytest.mark.parametrize(
    ("error", "code"),
    [(Unavailable("the bucket is gone", code="storage_down"), "storage_down"), (None, "internal_error")],
)
def test_chunk_after_five_failed_tries_fails_with_the_last_error(
    error: Unavailable | None, code: str, world: World, api_client: Client, collection: str
) -> None:
    document = extracted(world, api_client, collection)
    failure = error or RuntimeError("secret detail")
    world.blobs.failures.extend([failure] * MAX_ATTEMPTS)
    for _ in range(MAX_ATTEMPTS):
        assert api_client.get(f"/documents/{document}").json["status"] == "processing"
        world.clock.advance(301)
        assert world.deliver(Queue.INGEST_CHUNK) == []
    latest = api_client.get(f"/documents/{document}").json["latest"]
    assert (latest["state"], latest["failure"]["code"]) == ("failed", code)
    assert "gave up after 5 tries while chunking" in latest["failure"]["detail"]
    assert "secret detail" not in latest["failure"]["detail"]
    assert world.queue.waiting(Queue.INGEST_CHUNK) == []
    assert world.measured("documents_failed") == [1.0]


def test_chunk_message_delivered_twice_does_the_work_once(world: World, api_client: Client, collection: str) -> None:
    document = extracted(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_CHUNK)]
    assert outcome(world.call("ingest_chunk", records([message, message], "ingest_chunk"))) == 0
    assert len(world.queue.waiting(Queue.INGEST_EMBED)) == 1
    assert world.generation(api_client, document).state is GenerationState.EMBEDDING


def test_chunk_while_another_worker_holds_the_lease_does_nothing(
    world: World, api_client: Client, collection: str
) -> None:
    document = extracted(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_CHUNK)]

    async def second_worker() -> None:
        before = await world.generation_now(api_client, document)
        await run_stage(ChunkStage(), generation_message(message))
        assert await world.generation_now(api_client, document) == before

    world.blobs.during_get = second_worker
    assert world.deliver(Queue.INGEST_CHUNK) == []
    assert len(world.queue.waiting(Queue.INGEST_EMBED)) == 1


def test_chunk_patience_outlasts_the_lease() -> None:
    assert all(PATIENCE[state] > LEASE[state] for state in LEASE)
    assert min(LEASE.values()) > timedelta(seconds=60)


def test_chunk_of_deleted_document_ends_as_superseded(world: World, api_client: Client, collection: str) -> None:
    document = extracted(world, api_client, collection)
    api_client.delete(f"/documents/{document}")
    assert world.deliver(Queue.INGEST_CHUNK) == []
    assert world.generation(api_client, document).state is GenerationState.SUPERSEDED
    assert world.queue.waiting(Queue.INGEST_EMBED) == []
