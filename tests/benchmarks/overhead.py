"""What the machinery of correctness costs: the same documents with it and without it, by turns.

    uv run python -m tests.benchmarks.overhead [--documents 10] [--rounds 25]

Both ways go through the same doors (batches of records, one at a time, on the process's event loop), the same five
steps with a message between each, the same reader in its cage, chunker, analyser, zero-cost embedder, embedding cache
and statistics, and the same Postgres adapters on a server that syncs every commit; objects and queues are in memory,
where they cost next to nothing, which makes the machinery's share as large as it can be. `--without-reading` leaves the
cage out as well.

Without means: no row is locked, claimed or asked again before the result is written; each step is one transaction with
its own rows only and keeps no state of the generation (no lease, deadline, attempts, timings, counts); messages go
straight to the queue after the commit instead of through the outbox; S3 events are taken at their word; nobody counts
who is in progress; a publish asks nothing about newer versions, tombstones or equal content.

Rounds are short and come in pairs, so that what else the machine does falls on both; told is the median of the pairs,
and the quarters around it. Processor time is of all that works: this process, the server's, and the readers.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from shared import bootstrap
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.local_model.embedder import LocalEmbedder
from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from shared.adapters.snowball.analyser import SnowballAnalyser
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.domain.chunks import Chunking, ChunkVector, matched_text
from shared.domain.collections import Collection
from shared.domain.documents import (
    Document,
    DocumentStatus,
    Generation,
    Reason,
    extracted_key,
    parse_extracted_key,
    parse_upload_key,
)
from shared.domain.errors import NotFound, Rejected
from shared.domain.events import (
    ExtractMessage,
    GenerationMessage,
    Message,
    ObjectCreated,
    Outgoing,
    Queue,
    body_of,
)
from shared.domain.extraction import read_extraction
from shared.domain.tenants import Scope
from shared.ports.blobs import Bucket
from shared.ports.embedder import Purpose
from shared.ports.ports import Ports
from shared.ports.reader import Reader
from shared.runtime.invocation import run
from shared.runtime.worker import Worker, s3_function, sqs_function
from shared.usecases.ingest.chunk import cut
from tests.benchmarks.ingest import pages
from tests.benchmarks.stock import IDS, new_tenant, slots
from tests.fixtures.local_model import model_files
from tests.fixtures.postgres import TestServer
from tests.functions.fakes import PlainReader
from tests.functions.gateway import records
from tests.functions.world import World, by_bucket
from tests.runtime.contexts import FakeContext

BATCHES = {Queue.INGEST_EXTRACT: 1, Queue.INGEST_CHUNK: 2, Queue.INGEST_EMBED: 1, Queue.INGEST_PUBLISH: 5}
"""Records a call, as the template has them."""
EVENTS = 10


NAMES = {
    "local": "the one of a fresh checkout, which the promise is about",
    "memory": "one that costs nothing, so that the share is as large as it can be",
}


class Bare:
    """The same steps with nothing but the work."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope
        self.doors: dict[str, Worker] = {
            "ingest_receive": s3_function(nobody_asks, self._receive),
            "ingest_collect": s3_function(nobody_asks, self._collect),
            "ingest_chunk": sqs_function(GenerationMessage, self._chunk),
            "ingest_embed": sqs_function(GenerationMessage, self._embed),
            "ingest_publish": sqs_function(GenerationMessage, self._publish),
        }

    async def _receive(self, everyones: str, created: Sequence[ObjectCreated]) -> None:
        scope, messages = self._scope, []
        async with bootstrap.transaction(scope) as ports:
            for one in created:
                _, id, _ = parse_upload_key(one.key) or (None, uuid.UUID(int=0), 0)
                document = await ports.documents.get(scope, id)
                if document is None:
                    raise NotFound("no such document")
                await ports.documents.save(scope, replace(document, status=DocumentStatus.PROCESSING))
                named = (scope.tenant_id, scope.project_id, id, 1, ports.clock.now())
                about = (one.key, one.version_id, document.name, document.media_type)
                messages.append(ExtractMessage(*named, *about))
        await self._put(Queue.INGEST_EXTRACT, *messages)

    async def _collect(self, everyones: str, created: Sequence[ObjectCreated]) -> None:
        named = [parse_extracted_key(one.key) or (None, uuid.UUID(int=0), 0) for one in created]
        await self._send(Queue.INGEST_CHUNK, *(id for _, id, _ in named))

    async def _chunk(self, message: GenerationMessage) -> None:
        scope, powers = self._scope, bootstrap.powers()
        async with bootstrap.transaction(scope) as ports:
            document, generation = await self._both(ports, message)
            collection = await self._collection(ports, document.collection_id)
            key = extracted_key(scope.tenant_id, document.id, 1)
            extracted = read_extraction(await powers.blobs.get(Bucket.WORK, key))
            if isinstance(extracted, Reason):
                raise Rejected(extracted.detail)
            made = cut(document, generation, collection, extracted, powers.analyser)
            await ports.chunks.replace(scope, collection.id, document.id, 1, made.chunks)
            await ports.keywords.put(scope, collection.id, made.terms)
        await self._send(Queue.INGEST_EMBED, document.id)

    async def _embed(self, message: GenerationMessage) -> None:
        scope, embedder = self._scope, bootstrap.powers().embedder
        async with bootstrap.transaction(scope) as ports:
            document, _ = await self._both(ports, message)
            collection = await self._collection(ports, document.collection_id)
            chunks = await ports.chunks.list(scope, document.id, 1)
            known = await ports.cache.get(scope, collection.model.name, [chunk.content_hash for chunk in chunks])
            new = [chunk for chunk in chunks if chunk.content_hash not in known]
            texts = [matched_text(document.name, chunk.heading_path, chunk.text) for chunk in new]
            made = (await embedder.embed(texts, Purpose.DOCUMENT)).vectors if new else []
            fresh = dict(zip([chunk.content_hash for chunk in new], made, strict=True))
            await ports.cache.put(scope, collection.model.name, fresh)
            vectors = {**known, **fresh}
            given = [ChunkVector(chunk.id, vectors[chunk.content_hash]) for chunk in chunks]
            await ports.vectors.put(scope, collection, given)
        await self._send(Queue.INGEST_PUBLISH, document.id)

    async def _publish(self, message: GenerationMessage) -> None:
        scope = self._scope
        async with bootstrap.transaction(scope) as ports:
            document = await ports.documents.get(scope, message.document_id)
            if document is None:
                raise NotFound("no such document")
            await ports.documents.commit(scope, document.id, 1)
            await ports.keywords.publish(scope, document.collection_id, document.id, add=1, remove=None)
            await ports.documents.save(scope, replace(document, status=DocumentStatus.INDEXED))

    async def _both(self, ports: Ports, message: GenerationMessage) -> tuple[Document, Generation]:
        found = await ports.documents.latest(self._scope, message.document_id)
        if found is None:
            raise NotFound("no such document")
        return found

    async def _collection(self, ports: Ports, collection_id: uuid.UUID) -> Collection:
        found = await ports.collections.get(self._scope, collection_id)
        if found is None:
            raise NotFound("no such collection")
        return found

    async def _send(self, queue: Queue, *ids: uuid.UUID) -> None:
        scope, now = self._scope, bootstrap.powers().clock.now()
        every = [GenerationMessage(scope.tenant_id, scope.project_id, id, 1, now, queue) for id in ids]
        await self._put(queue, *every)

    async def _put(self, queue: Queue, *messages: Message) -> None:
        bodies = [json.dumps(body_of(message), separators=(",", ":")) for message in messages]
        group = str(self._scope.tenant_id)
        await bootstrap.powers().queue.send([Outgoing(IDS.new(), queue, group, body) for body in bodies])


def nobody_asks(created: ObjectCreated) -> str:
    """All objects belong together."""
    return created.bucket


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Log lines are made, and go nowhere."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


@dataclass(frozen=True, slots=True)
class Run:
    """What one round took, seconds: on the clock, of this process's processor, and of that and all it has started."""

    wall: float
    processor: float
    every: float


class Bench:
    """One database, one tenant, two ways."""

    def __init__(
        self, world: World, store: PgStore, scope: Scope, documents: int, server: TestServer | None = None
    ) -> None:
        self._world, self._store, self._scope, self.documents = world, store, scope, documents
        self._server = server
        self._round = 0
        bare = Bare(scope)
        self.ways: dict[str, Callable[[str, dict[str, object]], object]] = {
            "with": world.call,
            "without": lambda name, event: (
                bare.doors[name](event, FakeContext(function_name=name))
                if name in bare.doors
                else world.call(name, event)
            ),
        }

    def round(self, way: str, collection: uuid.UUID | None = None) -> Run:
        """Some documents from their upload's event until they are searchable, in a collection of their own or this one.

        Raises:
            RuntimeError: one of them did not get there.
        """
        call, id = self.ways[way], collection or run(self.collection())
        before = run(self._indexed(id))
        run(self._upload(id))
        began, processor, every = time.perf_counter(), time.process_time(), processors(self._server)
        with quietly():
            self._settle(call)
        spent = Run(time.perf_counter() - began, time.process_time() - processor, processors(self._server) - every)
        if run(self._indexed(id)) != before + self.documents:
            raise RuntimeError(f"not all documents are searchable, {way}")
        return spent

    def _settle(self, call: Callable[[str, dict[str, object]], object]) -> None:
        world, busy = self._world, True
        while busy:
            busy = False
            told, world.blobs.notifications = world.blobs.notifications, []
            for queue, bodies in by_bucket(told).items():
                for first in range(0, len(bodies), EVENTS):
                    call(queue.value, records(bodies[first : first + EVENTS], queue.value))
                    busy = True
            for queue, size in BATCHES.items():
                while handed := world.queue.receive(queue, size):
                    call(queue.value, records([one.message.body for one in handed], queue.value))
                    for one in handed:
                        world.queue.done(one)
                    busy = True

    async def collection(self) -> uuid.UUID:
        """A new one."""
        scope, id = self._scope, IDS.new()
        now, model = self._world.clock.now(), bootstrap.powers().embedder.model
        made = Collection(id, scope.tenant_id, scope.project_id, f"round {id}", model, Chunking(), now)
        async with self._store.transaction(scope) as rows:
            await rows.collections.add(scope, made)
        return id

    async def _upload(self, collection: uuid.UUID) -> None:
        self._round += 1
        keys = await slots(self._store, self._scope, collection, self.documents)
        files = pages(self.documents * self._round)[-self.documents :]
        for key, body in zip(keys, files, strict=True):
            form = await self._world.blobs.upload_form(key, max_bytes=10**6, seconds=900, content_type="text/markdown")
            self._world.blobs.submit(form.fields, body)

    async def _indexed(self, collection: uuid.UUID) -> int:
        async with self._store.transaction(self._scope) as rows:
            found = await rows.collections.summary(self._scope, collection)
        return 0 if found is None else found.indexed


def processors(server: TestServer | None) -> float:
    """Processor seconds so far of this process, the server, and all below them, those that have ended too."""
    roots = [psutil.Process()]
    if server is not None:
        postmaster = (server.folder / "data" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
        roots.append(psutil.Process(int(postmaster)))
    return sum(sum(one.cpu_times()[:4]) for root in roots for one in (root, *root.children(recursive=True)))


def told(name: str, documents: int, runs: Sequence[Run]) -> str:
    """A line about one way."""
    wall = statistics.median(one.wall for one in runs) / documents * 1000
    processor = statistics.median(one.processor for one in runs) / documents * 1000
    every = statistics.median(one.every for one in runs) / documents * 1000
    return (
        f"  {name}: {1000 / wall:.1f} documents/s, {wall:.1f} ms each; "
        f"{processor:.1f} ms of this process's processor, {every:.1f} of all"
    )


def shares(runs: Sequence[tuple[float, float]]) -> str:
    """By how much the first of each pair is more than the second, as a share of the first."""
    low, middle, high = statistics.quantiles((1 - without / with_ for with_, without in runs), n=4)
    return f"{middle:.1%} ({low:.1%} to {high:.1%})"


def measure(server: TestServer, url: str, parts: dict[str, object], documents: int, rounds: int) -> None:
    """Both ways by turns, printed."""
    world, store = World(), PgStore(url)
    with world.active(), bootstrap.override(store=store, analyser=SnowballAnalyser(), **parts):
        scope, _ = run(new_tenant(store, "overhead"))
        bench = Bench(world, store, scope, documents, server)
        for way in bench.ways:
            bench.round(way)
        found: dict[str, list[Run]] = {way: [] for way in bench.ways}
        for number in range(rounds):
            for way in sorted(bench.ways, reverse=bool(number % 2)):
                found[way].append(bench.round(way))
        run(store.close())
    for way, runs in found.items():
        print(told(way, documents, runs))
    pairs = list(zip(found["with"], found["without"], strict=True))
    wall = shares([(one.wall, other.wall) for one, other in pairs])
    processor = shares([(one.processor, other.processor) for one, other in pairs])
    every = shares([(one.every, other.every) for one, other in pairs])
    print(f"  the machinery costs {wall} of the documents/s by the clock")
    print(f"  {processor} of this process's processor, {every} of all; load {os.getloadavg()[0]:.1f}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--documents", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--embedder", choices=("local", "memory", "both"), default="both")
    parser.add_argument("--without-reading", action="store_true", help="a reader that does nothing but decode")
    chosen = parser.parse_args()
    server = TestServer({"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"})
    try:
        urls = server.create_database()
        asyncio.run(PgMigrations(urls.owner, urls.app).migrate())
        reader: Reader = PlainReader() if chosen.without_reading else CagedFilesReader(syntax=TreeSitterSyntax)
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"{chosen.documents} one-page texts a round, {chosen.rounds} rounds of each by turns; load {load}")
        for name in ("local", "memory") if chosen.embedder == "both" else (chosen.embedder,):
            print(f"embedder: {NAMES[name]}")
            embedder: dict[str, object] = {"embedder": LocalEmbedder(model_files())} if name == "local" else {}
            measure(server, urls.app, {"reader": reader, **embedder}, chosen.documents, chosen.rounds)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
