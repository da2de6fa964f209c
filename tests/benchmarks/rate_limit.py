"""A provider that takes so many requests a minute, and documents that need many more.

    uv run python -m tests.benchmarks.rate_limit [--chunks 15000] [--limit 2000] [--documents 150] [--unknown]

The embed stage itself, five at a time as StageConcurrency has it, on a real Postgres, through the OpenAI-compatible
adapter, against a server on the loopback address that takes `limit` requests in any sixty seconds and answers 429 with
Retry-After beyond. Every chunk is a request of its own: the adapter's usual 64 texts a request would be done in seconds
and meet no limit. The ideal is chunks / limit minutes. `--unknown` tells the stage of no limit, so that the provider's
refusals alone are what it goes by.
"""

import argparse
import asyncio
import base64
import json
import threading
import time
from array import array
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import structlog
from pydantic import TypeAdapter

from shared import bootstrap
from shared.adapters.memory.meter import MemoryMeter
from shared.adapters.memory.queue import MemoryQueue
from shared.adapters.openai_api.embedder import OpenAiEmbedder
from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from shared.adapters.system.clock import SystemClock
from shared.domain.chunks import Chunk, ChunkId, Chunking
from shared.domain.collections import Collection, EmbeddingModel
from shared.domain.documents import Counts, GenerationState
from shared.domain.events import GenerationMessage, Queue
from shared.domain.tenants import Scope
from shared.runtime.stage import run_stage
from shared.runtime.transactions import transaction
from shared.usecases.ingest.embed import EmbedStage
from shared.usecases.outbox.send import send_step
from tests.benchmarks.stock import IDS, new_tenant, waiting
from tests.fixtures.postgres import TestServer

MODEL = EmbeddingModel("openai_api/limited", 384, 256)
WORKERS = 5
LEASE_SECONDS = 1800.0
READER: TypeAdapter[GenerationMessage] = TypeAdapter(GenerationMessage)


class OneByOne(OpenAiEmbedder):
    """The adapter, a text a request."""

    batch_size = 1


class Provider(ThreadingHTTPServer):
    """An OpenAI-compatible endpoint with a limit in any sixty seconds."""

    daemon_threads = True

    def __init__(self, limit: int) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self._limit = limit
        self._latest: deque[float] = deque()
        self._lock = threading.Lock()
        self.taken = 0
        self.refused = 0
        vector = array("f", [1.0] + [0.0] * (MODEL.dimensions - 1))
        self.vector = base64.b64encode(vector.tobytes()).decode()

    def take(self) -> float:
        """0 when the request is taken, else the seconds after which another would be."""
        now = time.monotonic()
        with self._lock:
            while self._latest and self._latest[0] <= now - 60:
                self._latest.popleft()
            if len(self._latest) >= self._limit:
                self.refused += 1
                return self._latest[0] + 60 - now
            self._latest.append(now)
            self.taken += 1
            return 0.0


class Door(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    server: Provider

    def do_POST(self) -> None:
        """POST /embeddings."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        wait = self.server.take()
        if wait:
            self._answer(429, {"error": {"message": "rate limit reached"}}, {"Retry-After": str(int(wait) + 1)})
            return
        data = [{"index": place, "embedding": self.server.vector} for place in range(len(asked["input"]))]
        self._answer(200, {"data": data, "usage": {"prompt_tokens": 8 * len(data)}}, {})

    def _answer(self, status: int, body: object, headers: dict[str, str]) -> None:
        sent = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(sent)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@contextmanager
def provider(limit: int) -> Iterator[Provider]:
    """A running one."""
    server = Provider(limit)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


async def prepare(store: PgStore, scope: Scope, documents: int, chunks: int) -> None:
    """Documents that are cut, their chunks, and their messages."""
    now = datetime.now(UTC)
    collection = Collection(IDS.new(), scope.tenant_id, scope.project_id, "limited", MODEL, Chunking(), now)
    async with store.transaction(scope) as rows:
        await rows.collections.add(scope, collection)
    for number in range(documents):
        document, generation = waiting(scope, collection, f"{number}.txt")
        own = chunks // documents + (number < chunks % documents)
        made = [_chunk(ChunkId(document.id, 1, ordinal), f"Chunk {number}-{ordinal}.") for ordinal in range(own)]
        cut = replace(
            generation,
            state=GenerationState.EMBEDDING,
            counts=Counts(chunks=own),
            due_at=now + timedelta(hours=9),
        )
        async with transaction(scope) as ports:
            await ports.documents.add(scope, document, cut)
            await ports.chunks.replace(scope, collection.id, document.id, 1, made)
            await send_step(scope, ports, document, cut)


def _chunk(id: ChunkId, text: str) -> Chunk:
    return Chunk(id=id, text=text, start=0, end=len(text), content_hash=text, tokens=4)


async def worker(queue: MemoryQueue, stage: EmbedStage, documents: int) -> int:
    """Take messages until every document has moved on; returns how many were taken."""
    taken = 0
    while len(queue.waiting(Queue.INGEST_PUBLISH)) < documents:
        handed = queue.receive(Queue.INGEST_EMBED, 1, hidden_seconds=LEASE_SECONDS)
        for queued in handed:
            taken += 1
            await run_stage(stage, READER.validate_json(queued.message.body))
            queue.done(queued)
        if not handed:
            await asyncio.sleep(0.05)
    return taken


async def measure(database_url: str, chosen: argparse.Namespace, server: Provider) -> None:
    """One run, printed."""
    store, queue = PgStore(database_url), MemoryQueue(SystemClock())
    url = f"http://127.0.0.1:{server.server_address[1]}"
    embedder = OneByOne(MODEL, model="limited", base_url=url, api_key="none")
    with bootstrap.override(store=store, queue=queue, embedder=embedder, meter=MemoryMeter()):
        scope, _ = await new_tenant(store, "limited")
        await prepare(store, scope, chosen.documents, chosen.chunks)
        stage = EmbedStage(0 if chosen.unknown else chosen.limit)
        started = time.perf_counter()
        taken = await asyncio.gather(*(worker(queue, stage, chosen.documents) for _ in range(WORKERS)))
        spent = time.perf_counter() - started
        failed = await _failed(store, scope)
    await store.close()
    ideal = chosen.chunks / chosen.limit * 60
    print(f"{chosen.chunks} chunks of {chosen.documents} documents, a request each, at {chosen.limit} requests/min")
    print(f"  {spent:.1f} s, ideal {ideal:.1f} s: ratio {spent / ideal:.3f} x; {failed} documents failed")
    print(f"  {server.taken} requests taken, {server.refused} refused; {sum(taken)} deliveries of messages")


async def _failed(store: PgStore, scope: Scope) -> int:
    async with store.transaction(scope) as rows:
        (collection,) = await rows.collections.list(scope, None, 2)
        summary = await rows.collections.summary(scope, collection.id)
    if summary is None:
        raise LookupError("the collection is gone")
    return summary.failed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=15_000)
    parser.add_argument("--limit", type=int, default=2_000)
    parser.add_argument("--documents", type=int, default=150)
    parser.add_argument("--unknown", action="store_true", help="tell the stage of no limit")
    chosen = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    server = TestServer({"fsync": "on", "synchronous_commit": "on"})
    try:
        urls = server.create_database()
        asyncio.run(PgMigrations(urls.owner, urls.app).migrate())
        with provider(chosen.limit) as limited:
            asyncio.run(measure(urls.app, chosen, limited))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
