"""Vectors: each text once a tenant, limits that delay, leases that fence."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from functions.ingest_embed import app
from shared import bootstrap
from shared.adapters.memory.clock import START
from shared.domain.collections import EmbeddingModel
from shared.domain.documents import Generation, GenerationState
from shared.domain.errors import Delayed, Rejected, Unavailable
from shared.domain.events import Queue
from shared.domain.ingestion import LEASE, MAX_ATTEMPTS
from shared.domain.ingestions import cancelled_reason
from shared.runtime.invocation import run
from shared.runtime.stage import run_stage, stage_function
from shared.runtime.sweeping import sweep_everything
from shared.usecases.ingest import embed as embedding
from shared.usecases.ingest.embed import EmbedStage
from shared.usecases.ingest.stage import stop
from tests.functions.examples import DOCUMENT, outcome, seed
from tests.functions.fakes import LostStore
from tests.functions.gateway import example, records
from tests.functions.messages import generation_message
from tests.functions.texts import LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World

LEASED = LEASE[GenerationState.EMBEDDING]


def chunked(world: World, client: Client, collection: str, text: str = LEAVE, **fields: Any) -> str:
    document = client.upload(collection, text, **fields)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    world.deliver(Queue.INGEST_CHUNK)
    return document


def test_embed_with_example_moves_the_document(world: World) -> None:
    client = seed(world, GenerationState.EMBEDDING)
    assert outcome(world.call("ingest_embed", example("ingest_embed", "generation"))) == 0
    assert world.generation(client, str(DOCUMENT)).state is GenerationState.PUBLISHING


def test_embed_computes_every_chunk_and_hands_on(world: World, api_client: Client, collection: str) -> None:
    document = chunked(world, api_client, collection)
    assert world.deliver(Queue.INGEST_EMBED) == []
    generation = world.generation(api_client, document)
    assert generation.state is GenerationState.PUBLISHING
    assert generation.counts.embedded == generation.counts.chunks == len(world.embedder.documents_embedded)
    assert len(world.queue.waiting(Queue.INGEST_PUBLISH)) == 1
    assert sum(world.measured("model_tokens")) > 0


def test_embed_changed_document_computes_changed_chunks_only(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    before = len(world.embedder.documents_embedded)
    world.send(api_client.post(f"/documents/{sample_document}/versions", {}).json, LEAVE_CHANGED)
    world.settle()
    fresh = world.embedder.documents_embedded[before:]
    assert len(fresh) == 1
    assert "thirty-one days" in fresh[0]
    counts = api_client.get(f"/documents/{sample_document}").json["latest"]["counts"]
    assert (counts["embedded"], counts["reused"]) == (1, counts["chunks"] - 1)


def test_embed_same_text_in_another_document_of_the_tenant_computes_nothing(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    before = len(world.embedder.documents_embedded)
    copy = api_client.upload(collection, LEAVE, "leave.txt")
    world.settle()
    assert len(world.embedder.documents_embedded) == before
    counts = api_client.get(f"/documents/{copy}").json["latest"]["counts"]
    assert (counts["embedded"], counts["reused"]) == (0, counts["chunks"])


def test_embed_same_text_in_another_tenant_is_computed_anew(
    world: World, api_client: Client, sample_document: str
) -> None:
    before = len(world.embedder.documents_embedded)
    other = world.owner("Other")
    other.upload(other.collection(chunking={"method": "structure", "size": 40}), LEAVE)
    world.settle()
    assert len(world.embedder.documents_embedded) == 2 * before


def test_embed_told_to_wait_is_queued_again_and_never_counted_as_failed(
    world: World, api_client: Client, collection: str
) -> None:
    document = chunked(world, api_client, collection)
    for number in range(20):
        world.embedder.failures.append(Delayed("the provider asked for 30 s", seconds=30))
        assert world.deliver(Queue.INGEST_EMBED) == [], number
        generation = world.generation(api_client, document)
        assert (generation.state, generation.attempts) == (GenerationState.EMBEDDING, 0)
        assert generation.waiting == "the provider asked for 30 s"
        (again,) = world.queue.waiting(Queue.INGEST_EMBED)
        assert again.delay_seconds == 30
        world.clock.advance(30)
    assert "waiting: the provider asked for 30 s" in api_client.get(f"/documents/{document}/why").json["summary"]
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert len(world.measured("documents_delayed")) == 20
    assert world.measured("documents_failed") == []


def test_embed_told_to_wait_for_longer_than_a_queue_can_waits_as_long_as_it_can(
    world: World, api_client: Client, collection: str
) -> None:
    document = chunked(world, api_client, collection)
    world.embedder.failures.append(Delayed("come back in an hour", seconds=3600))
    world.deliver(Queue.INGEST_EMBED)
    (again,) = world.queue.waiting(Queue.INGEST_EMBED)
    assert again.delay_seconds == 900
    due = world.generation(api_client, document).due_at
    assert due is not None
    assert due > START + timedelta(hours=1)


def test_embed_told_to_wait_keeps_what_was_computed_before(world: World, api_client: Client, collection: str) -> None:
    world.embedder.batch_size = 1
    document = chunked(world, api_client, collection)
    chunks = world.generation(api_client, document).counts.chunks

    async def then_refuse() -> None:
        world.embedder.during_embed = refuse

    async def refuse() -> None:
        world.embedder.failures.append(Delayed("enough for now", seconds=5))

    world.embedder.during_embed = then_refuse
    world.deliver(Queue.INGEST_EMBED)
    assert world.generation(api_client, document).counts.embedded == 1
    world.pass_time(5)
    assert len(world.embedder.documents_embedded) == chunks
    assert api_client.get(f"/documents/{document}").json["latest"]["counts"]["embedded"] == chunks


def test_embed_of_text_the_provider_refuses_fails_and_keeps_what_was_paid(
    world: World, api_client: Client, collection: str
) -> None:
    world.embedder.batch_size = 1
    document = chunked(world, api_client, collection)

    async def refuse_next() -> None:
        world.embedder.during_embed = refuse

    async def refuse() -> None:
        world.embedder.failures.append(Rejected("the provider refuses this text", code="refused_by_provider"))

    world.embedder.during_embed = refuse_next
    assert world.deliver(Queue.INGEST_EMBED) == []
    latest = api_client.get(f"/documents/{document}").json["latest"]
    assert (latest["state"], latest["failure"]["code"]) == ("failed", "refused_by_provider")
    assert latest["counts"]["embedded"] == 1
    api_client.post(f"/documents/{document}/process")
    world.settle()
    found = api_client.get(f"/documents/{document}").json
    assert found["status"] == "indexed"
    assert found["latest"]["counts"]["reused"] == 1


def test_embed_after_transient_errors_succeeds(world: World, api_client: Client, collection: str) -> None:
    document = chunked(world, api_client, collection)
    world.embedder.failures.extend([Unavailable("down")] * (MAX_ATTEMPTS - 1))
    for _ in range(MAX_ATTEMPTS):
        world.pass_time(300)
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_embed_after_too_many_errors_fails_with_the_last(world: World, api_client: Client, collection: str) -> None:
    document = chunked(world, api_client, collection)
    world.embedder.failures.extend([Unavailable("the model is down", code="model_down")] * MAX_ATTEMPTS)
    for _ in range(MAX_ATTEMPTS):
        world.pass_time(300)
    latest = api_client.get(f"/documents/{document}").json["latest"]
    assert latest["failure"]["code"] == "model_down"
    assert "after 5 tries while embedding; the last error was: the model is down" in latest["failure"]["detail"]


def test_embed_of_collection_of_another_model_fails_and_says_so(
    world: World, api_client: Client, collection: str
) -> None:
    document = chunked(world, api_client, collection)
    world.embedder.model = EmbeddingModel("memory/new", 384)
    for _ in range(MAX_ATTEMPTS):
        world.pass_time(300)
    latest = api_client.get(f"/documents/{document}").json["latest"]
    assert (latest["state"], latest["failure"]["code"]) == ("failed", "model_unavailable")


def test_embed_of_long_document_goes_on_in_another_invocation(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.embedder.batch_size = 1
    monkeypatch.setattr(embedding, "BUDGET_SECONDS", 0.5)
    document = chunked(world, api_client, collection)
    chunks = world.generation(api_client, document).counts.chunks

    async def slow() -> None:
        world.clock.advance(1)

    world.embedder.during_embed = slow
    world.deliver(Queue.INGEST_EMBED)
    half = world.generation(api_client, document)
    assert (half.state, half.attempts, half.counts.embedded) == (GenerationState.EMBEDDING, 0, 1)
    assert f"1 of {chunks} chunks are embedded" in half.waiting
    world.settle()
    assert api_client.get(f"/documents/{document}").json["latest"]["counts"]["embedded"] == chunks
    assert len(world.embedder.documents_embedded) == chunks


def test_embed_over_the_shared_limit_waits_before_calling_anyone(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "handler", stage_function(EmbedStage(requests_per_minute=6)))
    first = chunked(world, api_client, collection, name="a.txt")
    second = chunked(world, api_client, collection, LEAVE_CHANGED.replace("two weeks", "a month"), name="b.txt")
    world.deliver(Queue.INGEST_EMBED)
    states = {document: world.generation(api_client, document).state for document in (first, second)}
    assert sorted(states.values()) == [GenerationState.EMBEDDING, GenerationState.PUBLISHING]
    (waiting,) = world.queue.waiting(Queue.INGEST_EMBED)
    assert 10 < waiting.delay_seconds <= 12
    calls = len(world.embedder.calls)
    world.settle()
    assert len(world.embedder.calls) == calls
    world.pass_time(20)
    assert {api_client.get(f"/documents/{one}").json["status"] for one in (first, second)} == {"indexed"}


def test_embed_two_deliveries_at_once_work_once(world: World, api_client: Client, collection: str) -> None:
    document = chunked(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_EMBED)]

    async def again() -> None:
        before = await world.generation_now(api_client, document)
        await run_stage(EmbedStage(), generation_message(message))
        assert await world.generation_now(api_client, document) == before

    world.embedder.during_embed = again
    assert outcome(world.call("ingest_embed", records([message], "ingest_embed"))) == 0
    assert len(world.queue.waiting(Queue.INGEST_PUBLISH)) == 1


def test_embed_worker_that_lost_its_lease_writes_nothing(world: World, api_client: Client, collection: str) -> None:
    document = chunked(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_EMBED)]
    seen: list[Any] = []

    async def overslept() -> None:
        # The first worker hangs past its lease; the sweep queues the step again, and a second worker finishes it.
        world.clock.advance(LEASED + timedelta(seconds=1))
        await sweep_everything()
        await run_stage(EmbedStage(), generation_message(message))
        seen.append(await world.generation_now(api_client, document))

    world.embedder.during_embed = overslept
    assert outcome(world.call("ingest_embed", records([message], "ingest_embed"))) == 0
    assert seen[0].state is GenerationState.PUBLISHING
    assert world.generation(api_client, document) == seen[0]
    assert len(world.queue.waiting(Queue.INGEST_PUBLISH)) == 1
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def forgets(world: World, client: Client, document: str, before: Generation) -> Callable[[], Awaitable[None]]:
    """The database crashes, and has forgotten the claim when it is back: nobody waited for its commit."""

    async def crash() -> None:
        scope = world.scope(client)
        async with bootstrap.transaction(scope) as ports:
            assert await ports.documents.lock(scope, UUID(document))
            await ports.documents.save_generation(scope, before)

    return crash


def test_embed_worker_whose_claim_a_crash_undid_stores_what_it_has(
    world: World, api_client: Client, collection: str
) -> None:
    document = chunked(world, api_client, collection)
    world.embedder.during_embed = forgets(world, api_client, document, world.generation(api_client, document))
    assert world.deliver(Queue.INGEST_EMBED) == []
    assert world.generation(api_client, document).state is GenerationState.PUBLISHING
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert len(world.embedder.calls) == 1


def test_embed_worker_whose_claim_a_crash_undid_gives_way_to_who_came_since(
    world: World, api_client: Client, collection: str
) -> None:
    document = chunked(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_EMBED)]
    crash = forgets(world, api_client, document, world.generation(api_client, document))
    seen: list[Any] = []

    async def crashed_and_taken() -> None:
        await crash()
        await run_stage(EmbedStage(), generation_message(message))
        seen.append(await world.generation_now(api_client, document))

    world.embedder.during_embed = crashed_and_taken
    world.call("ingest_embed", records([message], "ingest_embed"))
    assert seen[0].state is GenerationState.PUBLISHING
    assert world.generation(api_client, document) == seen[0]
    assert len(world.queue.waiting(Queue.INGEST_PUBLISH)) == 1


def test_embed_worker_that_fails_after_losing_its_lease_spoils_nothing(
    world: World, api_client: Client, collection: str
) -> None:
    document = chunked(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_EMBED)]

    async def overslept() -> None:
        world.clock.advance(LEASED + timedelta(seconds=1))
        await sweep_everything()
        await run_stage(EmbedStage(), generation_message(message))
        world.embedder.failures.append(Unavailable("too late"))

    world.embedder.during_embed = overslept
    world.call("ingest_embed", records([message], "ingest_embed"))
    world.settle()
    found = api_client.get(f"/documents/{document}").json
    assert (found["status"], found["latest"]["attempts"]) == ("indexed", 0)


def test_embed_while_the_document_is_deleted_writes_nothing(world: World, api_client: Client, collection: str) -> None:
    document = chunked(world, api_client, collection)

    async def deleted() -> None:
        await world.delete_now(api_client, document)

    world.embedder.during_embed = deleted
    assert world.deliver(Queue.INGEST_EMBED) == []
    assert world.generation(api_client, document).state is GenerationState.SUPERSEDED
    assert world.queue.waiting(Queue.INGEST_PUBLISH) == []
    world.settle()
    assert api_client.get(f"/documents/{document}/receipt").json["complete"]


def test_embed_while_the_document_is_cancelled_keeps_and_counts_what_was_paid(
    world: World, api_client: Client, collection: str
) -> None:
    document = chunked(world, api_client, collection)

    async def cancelled() -> None:
        scope = world.scope(api_client)
        async with bootstrap.transaction(scope) as ports:
            found = await ports.documents.lock_with(scope, UUID(document), 1)
            assert found is not None
            await stop(scope, ports, *found, cancelled_reason())

    world.embedder.during_embed = cancelled
    assert world.deliver(Queue.INGEST_EMBED) == []
    ended = world.generation(api_client, document)
    assert (ended.state, ended.counts.embedded) == (GenerationState.FAILED, ended.counts.chunks)
    assert ended.counts.tokens > 0
    assert sum(one.value for one in world.meter.written if one.name == "model_tokens") == ended.counts.tokens
    world.embedder.during_embed = None
    paid = len(world.embedder.calls)
    assert api_client.post(f"/documents/{document}/retry").status == 202
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert len(world.embedder.calls) == paid


def test_embed_while_the_collection_is_deleted_ends_superseded(
    world: World, api_client: Client, collection: str
) -> None:
    document = chunked(world, api_client, collection)
    api_client.delete(f"/collections/{collection}")
    assert world.deliver(Queue.INGEST_EMBED) == []
    assert world.generation(api_client, document).state is GenerationState.SUPERSEDED


def test_embed_with_lost_database_gives_the_record_back(world: World, api_client: Client, collection: str) -> None:
    document = chunked(world, api_client, collection)
    with bootstrap.override(store=LostStore(Unavailable("no database"))):
        (failed,) = world.deliver(Queue.INGEST_EMBED)
    assert failed.queue is Queue.INGEST_EMBED
    assert world.generation(api_client, document).attempts == 0
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_embed_vectors_are_of_the_generation_alone(world: World, api_client: Client, sample_document: str) -> None:
    async def ids() -> list[int]:
        scope = world.scope(api_client)
        async with bootstrap.transaction(scope) as ports:
            document = await ports.documents.get(scope, UUID(sample_document))
            assert document is not None
            collection = await ports.collections.get(scope, document.collection_id)
            assert collection is not None
            return sorted({one.generation for one in await ports.vectors.ids(scope, collection, document.id)})

    assert run(ids()) == [1]
    world.send(api_client.post(f"/documents/{sample_document}/versions", {}).json, LEAVE_CHANGED)
    world.settle()
    assert run(ids()) == [2]
