"""Signs of life: a slow worker that lives is not given up, and one whose work nobody wants stops."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import bootstrap
from shared.domain.documents import Generation, GenerationState, Progress
from shared.domain.errors import Unavailable
from shared.domain.events import Queue
from shared.domain.ingestion import Pace
from shared.domain.tenants import Scope
from shared.ports.documents import DueGeneration
from shared.ports.ports import Ports
from shared.runtime import stage
from shared.runtime.transactions import transaction
from shared.usecases.ingest.rescue import rescue
from shared.usecases.ingest.stage import Claimed, beat
from tests.functions.conftest import Lines
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World

LEASE = Pace().lease(GenerationState.EMBEDDING)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life follow each other quickly; the lease is as long as ever, by the world's own clock."""
    monkeypatch.setattr(stage, "BEAT_SECONDS", 0.005)


def embedding(world: World, client: Client, collection: str, text: str = LEAVE) -> str:
    """A document that is about to be embedded."""
    document = client.upload(collection, text)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    world.deliver(Queue.INGEST_CHUNK)
    return document


async def beaten(world: World, client: Client, document: str) -> Generation:
    """The generation once its lease has been extended to the full from now."""
    while True:
        now = await world.generation_now(client, document)
        if now.lease_until == world.clock.now() + LEASE:
            return now
        await asyncio.sleep(0.002)


def test_worker_that_takes_longer_than_its_lease_keeps_it(world: World, api_client: Client, collection: str) -> None:
    document = embedding(world, api_client, collection)
    (message,) = world.queue.waiting(Queue.INGEST_EMBED)
    seen: list[Generation] = []

    async def slow() -> None:
        for _ in range(4):
            world.clock.advance(LEASE.total_seconds() * 0.6)
            seen.append(await beaten(world, api_client, document))
            # The schedule finds nothing to do about it, and a second delivery leaves it alone.
            scope = world.scope(api_client)
            async with transaction(scope) as ports:
                due = DueGeneration(scope.tenant_id, scope.project_id, seen[-1].document_id, 1)
                await rescue(scope, ports, due)

    world.embedder.during_embed = slow
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert len({one.lease_owner for one in seen}) == 1
    assert [one.attempts for one in seen] == [0] * 4
    assert world.clock.now() - seen[0].entered_at > 2 * LEASE
    assert len(world.embedder.calls) == 1
    assert message not in world.queue.waiting(Queue.INGEST_EMBED)


def test_worker_tells_how_many_chunks_are_embedded(world: World, api_client: Client, collection: str) -> None:
    world.embedder.batch_size = 2
    document = embedding(world, api_client, collection)
    chunks = world.generation(api_client, document).counts.chunks
    assert chunks > 2
    seen: list[Progress | None] = []

    async def second() -> None:
        # Runs before the second batch: the first one is counted with the next sign of life.
        world.clock.advance(1)
        seen.append((await beaten(world, api_client, document)).progress)

    async def first() -> None:
        world.embedder.during_embed = second

    world.embedder.during_embed = first
    world.settle()
    assert seen == [Progress(2, chunks)]
    assert world.generation(api_client, document).progress is None


def test_worker_of_deleted_document_stops_before_it_spends_more(
    world: World, api_client: Client, collection: str
) -> None:
    document = embedding(world, api_client, collection)

    async def deleted() -> None:
        await world.delete_now(api_client, document)
        await asyncio.sleep(30)

    world.embedder.during_embed = deleted
    world.deliver(Queue.INGEST_EMBED)
    assert world.embedder.calls == []
    assert world.generation(api_client, document).state is GenerationState.SUPERSEDED


def test_worker_whose_lease_was_taken_stops_and_writes_nothing(
    world: World, api_client: Client, collection: str, log_lines: Lines
) -> None:
    document = embedding(world, api_client, collection)

    async def taken() -> None:
        scope = world.scope(api_client)
        async with transaction(scope) as ports:
            found = await ports.documents.lock_with(
                scope, (await world.generation_now(api_client, document)).document_id, 1
            )
            assert found is not None
            await ports.documents.save_generation(scope, other(found[1]))
        await asyncio.sleep(30)

    world.embedder.during_embed = taken
    assert world.deliver(Queue.INGEST_EMBED) == []
    held = world.generation(api_client, document)
    assert (held.lease_owner, held.state) == ("another", GenerationState.EMBEDDING)
    assert any(line["event"] == "stage.fenced" for line in log_lines())


def other(generation: Generation) -> Generation:
    until = generation.entered_at + timedelta(hours=1)
    return replace(generation, lease_owner="another", lease_until=until, due_at=until)


def test_sign_of_life_that_cannot_be_given_is_no_reason_to_stop(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch, log_lines: Lines
) -> None:
    document = embedding(world, api_client, collection)
    down = asyncio.Event()

    async def unreachable(*_: object) -> bool:
        down.set()
        raise Unavailable("the database cannot be reached")

    monkeypatch.setattr(stage, "beat", unreachable)

    async def until_down() -> None:
        await down.wait()

    world.embedder.during_embed = until_down
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert any(line["event"] == "stage.beat_failed" for line in log_lines())


def test_chunking_of_a_long_text_gives_signs_of_life_too(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[float] = []

    async def counted(scope: Scope, ports: Ports, claimed: Claimed) -> bool:
        beats.append(1)
        return await beat(scope, ports, claimed)

    monkeypatch.setattr(stage, "beat", counted)
    with bootstrap.override(pace=Pace()):
        api_client.upload(collection, "\n\n".join(f"Sentence number {n} about mills and rivers." for n in range(4_000)))
        world.settle()
    assert beats
