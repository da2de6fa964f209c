"""Versions of one document that overtake each other, and texts that two documents have: what histories have shown."""

import hashlib
from datetime import timedelta

from shared import bootstrap
from shared.domain.documents import GenerationState
from shared.domain.errors import CommitUnknown, Unavailable
from shared.domain.events import Queue
from shared.domain.ingestion import UPLOAD_LOOK
from shared.runtime.invocation import run
from shared.runtime.stage import run_stage
from shared.usecases.ingest.embed import EmbedStage
from tests.functions.fakes import FragileStore, RemoteVectors
from tests.functions.messages import generation_message
from tests.functions.texts import LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World

HIDDEN = 40
"""Seconds after which a message that was handed out and not worked off comes again."""


def upload_version(world: World, client: Client, document: str, text: str) -> None:
    world.send(client.post(f"/documents/{document}/versions", {}).json, text)
    world.notify()


def test_version_like_the_served_one_is_published_while_another_is_on_its_way(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    upload_version(world, api_client, sample_document, LEAVE_CHANGED)
    assert len(world.queue.receive(Queue.INGEST_EXTRACT)) == 1  # and its worker dies
    upload_version(world, api_client, sample_document, LEAVE)
    world.settle()
    world.pass_time(HIDDEN)
    assert api_client.get(f"/documents/{sample_document}").json["version"] == 3
    assert "thirty days" in api_client.get(f"/documents/{sample_document}/text").json["text"]
    assert world.generation(api_client, sample_document, 2).state is GenerationState.SUPERSEDED


def test_known_content_is_sent_all_the_same_while_another_is_on_its_way(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    known = {"content_hash": hashlib.sha256(LEAVE.encode()).hexdigest()}
    assert api_client.post(f"/documents/{sample_document}/versions", known).json["upload"] is None
    upload_version(world, api_client, sample_document, LEAVE_CHANGED)
    assert api_client.post(f"/documents/{sample_document}/versions", known).json["upload"] is not None


def test_first_version_that_is_overtaken_on_its_way_leaves_nothing(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    for queue in (Queue.INGEST_EXTRACT, Queue.INGEST_CHUNK):
        world.notify()
        world.deliver(queue)
    assert len(world.queue.receive(Queue.INGEST_EMBED)) == 1  # and its worker dies
    upload_version(world, api_client, document, LEAVE_CHANGED)
    world.settle()
    chunks = world.store._tables.rows["chunks"][api_client.tenant_id]
    assert {generation for _, generation in chunks} == {2}


def test_upload_whose_event_was_lost_is_found_in_minutes(world: World, api_client: Client, collection: str) -> None:
    document = api_client.upload(collection, LEAVE)
    world.blobs.notifications.clear()
    world.clock.advance(UPLOAD_LOOK)
    world.sweep()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_upload_that_is_older_than_one_found_without_its_event_is_passed_over(
    world: World, api_client: Client, collection: str
) -> None:
    slot = api_client.slot(collection)
    world.send(slot, LEAVE)
    world.send(slot, LEAVE_CHANGED)
    late, world.blobs.notifications = world.blobs.notifications, []
    world.clock.advance(UPLOAD_LOOK)
    world.sweep()
    world.notify(late)
    world.settle()
    found = api_client.get(f"/documents/{slot['document']['id']}").json
    assert (found["version"], found["latest_version"]) == (1, 1)
    assert "thirty-one" in api_client.get(f"/documents/{found['id']}/text").json["text"]


def test_upload_that_is_newer_than_one_found_without_its_event_is_taken(
    world: World, api_client: Client, collection: str
) -> None:
    slot = api_client.slot(collection)
    world.send(slot, LEAVE)
    world.blobs.notifications.clear()
    world.clock.advance(UPLOAD_LOOK)
    world.sweep()
    world.send(slot, LEAVE_CHANGED)
    world.settle()
    found = api_client.get(f"/documents/{slot['document']['id']}").json
    assert (found["version"], found["latest_version"]) == (2, 2)


def chunked(world: World, client: Client, collection: str) -> str:
    document = client.upload(collection, LEAVE)
    for queue in (Queue.INGEST_EXTRACT, Queue.INGEST_CHUNK):
        world.notify()
        world.deliver(queue)
    return document


def test_text_that_two_documents_have_is_paid_for_once_though_both_are_embedded_at_once(
    world: World, api_client: Client, collection: str
) -> None:
    one, other = chunked(world, api_client, collection), chunked(world, api_client, collection)
    first, second = (generation_message(sent.body) for sent in world.queue.waiting(Queue.INGEST_EMBED))

    async def at_once() -> None:
        await run_stage(EmbedStage(), second)

    world.embedder.during_embed = at_once
    run(run_stage(EmbedStage(), first))
    waiting = world.generation(api_client, other)
    assert (waiting.state, waiting.attempts) == (GenerationState.EMBEDDING, 0)
    assert "another document" in waiting.waiting
    world.pass_time(10)
    assert {api_client.get(f"/documents/{each}").json["status"] for each in (one, other)} == {"indexed"}
    paid = world.embedder.documents_embedded
    assert len(paid) == len(set(paid))
    counts = [world.generation(api_client, each).counts for each in (one, other)]
    assert [count.embedded for count in counts] == [len(paid), 0]


def test_error_of_the_provider_keeps_what_was_paid_for_before(
    world: World, api_client: Client, collection: str
) -> None:
    world.embedder.batch_size = 1
    document = chunked(world, api_client, collection)

    async def fail_the_second() -> None:
        world.embedder.during_embed = fail

    async def fail() -> None:
        world.embedder.failures.append(Unavailable("the provider answered 500"))

    world.embedder.during_embed = fail_the_second
    world.deliver(Queue.INGEST_EMBED)
    generation = world.generation(api_client, document)
    assert (generation.counts.embedded, generation.attempts) == (1, 1)
    world.pass_time(timedelta(minutes=5).total_seconds())
    paid = world.embedder.documents_embedded
    assert len(paid) == len(set(paid)) == world.generation(api_client, document).counts.embedded


def test_vector_store_that_is_down_costs_no_embedding(world: World, api_client: Client, collection: str) -> None:
    class Down(RemoteVectors):
        failures = 2

        async def put(self, *args: object) -> None:
            if self.failures:
                self.failures -= 1
                raise Unavailable("the vector store is down")
            await super().put(*args)  # type: ignore[arg-type]

    with bootstrap.override(remote_vectors=Down()):
        document = chunked(world, api_client, collection)
        world.deliver(Queue.INGEST_EMBED)
        generation = world.generation(api_client, document)
        assert (generation.attempts, generation.counts.embedded) == (1, generation.counts.chunks)
        for _ in range(3):
            world.pass_time(timedelta(minutes=5).total_seconds())
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    paid = world.embedder.documents_embedded
    assert len(paid) == len(set(paid))


def test_commit_that_is_lost_is_tried_again_before_anything_is_paid_twice(
    world: World, api_client: Client, collection: str
) -> None:
    document = chunked(world, api_client, collection)
    lost = CommitUnknown("the connection broke while committing")
    with bootstrap.override(store=FragileStore(world.store, 2, lost, committed=False)):
        world.deliver(Queue.INGEST_EMBED)
    generation = world.generation(api_client, document)
    assert (generation.state, generation.attempts) == (GenerationState.PUBLISHING, 0)
    assert len(world.embedder.documents_embedded) == generation.counts.chunks
