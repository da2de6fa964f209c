"""A provider's limit, shared by all workers: kept, used up to the brim, and shared fairly by the tenants."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from functions.ingest_embed import app
from shared.adapters.memory.clock import ManualClock
from shared.domain.errors import Delayed
from shared.domain.events import Queue
from shared.ports.embedder import Embeddings, Purpose
from shared.runtime.stage import stage_function
from shared.usecases.ingest.embed import EmbedStage
from tests.functions.fakes import HookedEmbedder
from tests.functions.world import Client, World

MINUTE = timedelta(minutes=1)


class LimitedEmbedder(HookedEmbedder):
    """A provider that takes so many requests in any sixty seconds, and asks to wait beyond that."""

    def __init__(self, clock: ManualClock, limit: int, *, seconds: float = 0.01) -> None:
        super().__init__(batch_size=1)
        self._clock, self._limit, self._seconds = clock, limit, seconds
        self._latest: deque[datetime] = deque()
        self.refused = 0

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        self._clock.advance(self._seconds)
        now = self._clock.now()
        while self._latest and self._latest[0] <= now - MINUTE:
            self._latest.popleft()
        if len(self._latest) >= self._limit:
            self.refused += 1
            wait = (self._latest[0] + MINUTE - now).total_seconds()
            raise Delayed("the provider asked for a pause", seconds=max(1.0, wait))
        self._latest.append(now)
        return await super().embed(texts, purpose)


@contextmanager
def limited(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: int, *, known: bool = True, seconds: float = 0.01
) -> Iterator[LimitedEmbedder]:
    provider = LimitedEmbedder(world.clock, limit, seconds=seconds)
    world.embedder = provider
    monkeypatch.setattr(app, "handler", stage_function(EmbedStage(requests_per_minute=limit if known else 0)))
    with world.active():
        yield provider


def text(document: int, chunks: int) -> str:
    """So many paragraphs that fill a chunk each, all different."""
    words = " ".join(f"word{number}" for number in range(28))
    return "\n\n".join(f"Paragraph {document}-{number} has {words}." for number in range(chunks))


def cut(world: World, client: Client, documents: int, chunks: int) -> str:
    """Documents that wait to be embedded; returns their collection."""
    collection = client.collection(chunking={"method": "structure", "size": 40})
    for number in range(documents):
        client.upload(collection, text(number, chunks), f"{number}.txt")
    while world.notify() or world.blobs.notifications or world.queue.waiting(Queue.INGEST_CHUNK):
        pass
    for queue in (Queue.INGEST_EXTRACT, Queue.INGEST_CHUNK):
        while world.queue.waiting(queue):
            world.deliver(queue)
            world.notify()
    return collection


def embedded_once(provider: LimitedEmbedder, least: int) -> int:
    """How many texts were embedded: each in a request of its own, and none twice."""
    texts = provider.documents_embedded
    assert len(texts) == len(set(texts)) >= least
    return len(texts)


def counts(client: Client, collection: str) -> tuple[int, int]:
    """Documents that are searchable, and that failed."""
    found = client.get(f"/collections/{collection}").json
    return found["indexed"], found["failed"]


def until_done(world: World, client: Client, collection: str, documents: int, *, most: float = 3600) -> float:
    """Let time pass until all documents are searchable; returns the seconds it took."""
    started = world.clock.now()
    while True:
        world.settle()
        done, failed = counts(client, collection)
        assert failed == 0
        spent = (world.clock.now() - started).total_seconds()
        if done == documents:
            return spent
        assert spent < most
        world.clock.advance(1)


def test_storm_of_1500_chunks_is_near_the_ideal_and_nobody_fails(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.owner()
    with limited(world, monkeypatch, 2000) as provider:
        collection = cut(world, client, documents=30, chunks=50)
        assert len(world.queue.waiting(Queue.INGEST_EMBED)) == 30
        spent = until_done(world, client, collection, 30)
        requests = embedded_once(provider, 1500)
        assert spent <= 1.3 * requests / 2000 * 60
        assert provider.refused == 0


def test_storm_nobody_told_us_the_limit_of_is_near_the_ideal_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.owner()
    with limited(world, monkeypatch, 200, known=False) as provider:
        collection = cut(world, client, documents=20, chunks=50)
        spent = until_done(world, client, collection, 20)
        requests = embedded_once(provider, 1000)
        assert spent <= 1.3 * requests / 200 * 60
        # A provider that asked for silence is not asked again by those who did not know: a worker each at the most.
        assert 0 < provider.refused <= 40


def test_limit_is_kept_by_a_document_that_needs_more_than_there_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = world.owner()
    with limited(world, monkeypatch, 60) as provider:
        collection = cut(world, client, documents=1, chunks=100)
        spent = until_done(world, client, collection, 1)
        requests = embedded_once(provider, 100)
        assert provider.refused == 0
        assert spent <= 1.3 * requests


def test_limit_that_is_used_up_by_one_tenant_leaves_others_their_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, quiet = world.owner("Busy"), world.owner("Quiet")
    with limited(world, monkeypatch, 600):
        first = cut(world, busy, documents=40, chunks=50)
        for _ in range(30):
            world.settle()
            world.clock.advance(1)
        assert counts(busy, first)[0] < 40
        second = cut(world, quiet, documents=1, chunks=1)
        assert until_done(world, quiet, second, 1) <= 6
        assert counts(busy, first)[0] < 40


def test_silence_a_provider_asked_for_voids_what_was_promised(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.owner()
    with limited(world, monkeypatch, 60) as provider:
        collection = cut(world, client, documents=3, chunks=1)
        provider.failures.append(Delayed("the provider asked for 30 s", seconds=30))
        world.settle()
        world.clock.advance(5)
        world.settle()
        assert provider.documents_embedded == []
        assert until_done(world, client, collection, 3) <= 60


def test_silence_is_heeded_by_workers_that_know_of_no_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.owner()
    with limited(world, monkeypatch, 1000, known=False) as provider:
        collection = cut(world, client, documents=5, chunks=1)
        provider.failures.append(Delayed("the provider asked for 30 s", seconds=30))
        world.settle()
        assert provider.documents_embedded == []
        delays = [message.delay_seconds for message in world.queue.waiting(Queue.INGEST_EMBED)]
        assert min(delays) == 30
        assert len(set(delays)) > 1
        assert until_done(world, client, collection, 5) <= 40
