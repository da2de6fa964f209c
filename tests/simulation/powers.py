"""What lies outside the database, behind faults: time, buckets, queues, an embedding provider, a vector store."""

import hashlib
import json
import math
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus
from uuid import UUID

from shared.adapters.memory.blobs import MemoryBlobs
from shared.adapters.memory.clock import START
from shared.adapters.memory.embedder import MemoryEmbedder
from shared.domain.chunks import ChunkId, ChunkVector
from shared.domain.collections import Collection, EmbeddingModel
from shared.domain.documents import EXTRACTED_PREFIX
from shared.domain.errors import Delayed, Outage, Rejected, Unavailable
from shared.domain.events import ObjectCreated, Outgoing
from shared.domain.extracted import Block, BlockKind, Extracted
from shared.domain.filters import Filter
from shared.domain.parts import Part
from shared.domain.search import LegHit
from shared.domain.tenants import Scope, TenantScope
from shared.ports.blobs import Bucket
from shared.ports.embedder import Embeddings, Purpose
from shared.ports.meter import Unit
from shared.ports.queue import QueueDepth
from tests.simulation.faults import Faults
from tests.simulation.ledger import Payment
from tests.simulation.loop import SeededLoop
from tests.simulation.processes import PROCESS, Crashed, Gate, Process

MODEL = EmbeddingModel("simulated/words", 8, 64)
KILLER = b"This file ends whoever reads it."
"""Its reader runs out of memory, and takes its process along."""
REJECTED_WORD = "unspeakable"
"""A text with it is turned down by the embedding provider for good."""


class SkewedClock:
    """Implements `shared.ports.clock.Clock`: each process's clock is off by its own seconds."""

    def __init__(self, loop: SeededLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        process = PROCESS.get(None)
        return START + timedelta(seconds=self._loop.time() + (process.skew if process else 0.0))

    def monotonic(self) -> float:
        return self._loop.time()


class TrueClock:
    """Implements `shared.ports.clock.Clock`: the time as it is."""

    def __init__(self, loop: SeededLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        return START + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._loop.time()


class SilentMeter:
    """Implements `shared.ports.meter.Meter` for histories, whose figures nobody reads."""

    def add(self, name: str, value: float, unit: Unit = Unit.COUNT, **dimensions: str) -> None:
        pass

    def flush(self) -> dict[str, object]:
        return {}


class PowerGuard:
    """In front of a power: it may be out of reach, or do what it was asked and lose its answer."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def arrive(self, point: str) -> Process:
        """See `Gate.arrive`."""
        return self._gate.arrive(point)

    def hold(self, ticket: Process, port: str) -> Awaitable[None] | None:
        """See `Gate.hold`."""
        return None if ticket.faultless else self._gate.hold(ticket, port)

    def admit(self, ticket: Process, port: str) -> None:
        """See that the port is there.

        Raises:
            Unavailable: out of reach.
        """
        self._may_fail(ticket, f"{port}_unavailable", port)

    def leave(self, ticket: Process, port: str, point: str) -> None:
        """The call had its effect.

        Raises:
            Unavailable: its answer is lost.
        """
        self._may_fail(ticket, f"{port}_answer_lost", port)
        self._gate.point(ticket, point)

    def _may_fail(self, process: Process, kind: str, port: str) -> None:
        self._gate.check(process)
        if not process.faultless and self._gate.faults.strikes(kind, self._gate.loop.time()):
            process.turned_away = True
            kind_of = Outage if port == "blobs" else Unavailable
            raise kind_of(f"the {port} did not answer", code=f"{port}_unavailable")


class NotifyingBlobs(MemoryBlobs):
    """Buckets that tell of new objects, as S3 does: uploads, and texts under `extracted/`."""

    def __init__(
        self, loop: SeededLoop, tell: Callable[[Bucket, str, bool], None], gone: Callable[[str], bool]
    ) -> None:
        super().__init__(TrueClock(loop))
        self._gone = gone
        self._tell = tell

    def submit(self, fields: Any, body: bytes) -> ObjectCreated:
        """A client sends a form."""
        again = fields["key"] in self._objects[Bucket.UPLOADS]
        created = self.post(fields, body)
        self._tell(Bucket.UPLOADS, notification(created), again or self._gone(created.key))
        return created

    def _store(self, bucket: Bucket, key: str, body: bytes | None, content_type: str) -> str:
        """As S3: sequencers differ in length, and are to be compared as if the shorter went on with zeros."""
        version = super()._store(bucket, key, body, content_type)
        versions = self._objects[bucket][key]
        tail = "" if self._count % 3 == 0 else f"{self._count * 2654435761 % 65536:04X}"
        versions[-1] = replace(versions[-1], sequencer=f"0055AED6DC{self._count:04X}{tail}")
        return version

    async def put(self, bucket: Bucket, key: str, body: bytes, *, content_type: str) -> str:
        version = await super().put(bucket, key, body, content_type=content_type)
        if bucket is Bucket.WORK and (key.startswith(EXTRACTED_PREFIX) or not key.endswith("checkpoint.json")):
            self._tell(bucket, notification(self.created(key, Bucket.WORK)), self._gone(key))
        return version


def notification(created: ObjectCreated) -> str:
    """The S3 event of one object, as a queue carries it."""
    found = {
        "key": quote_plus(created.key, safe="/"),
        "size": created.size,
        "versionId": created.version_id,
        "sequencer": created.sequencer,
    }
    record = {
        "eventName": "ObjectCreated:Post",
        "eventTime": created.event_time.isoformat(),
        "s3": {"bucket": {"name": created.bucket}, "object": found},
    }
    return json.dumps({"Records": [record]})


class SimulatedQueue:
    """Implements `shared.ports.queue.Queue`: hands messages to the platform, all, some or none of them."""

    def __init__(self, loop: SeededLoop, faults: Faults, deliver: Callable[[Outgoing], None]) -> None:
        self._loop = loop
        self._faults = faults
        self._deliver = deliver

    async def send(self, messages: Sequence[Outgoing]) -> list[Outgoing]:
        now = self._loop.time()
        if self._faults.strikes("send_failed", now):
            raise Unavailable("the queue cannot be reached", code="queue_down")
        accepted = list(messages)
        if self._faults.strikes("send_partial", now):
            accepted = [one for one in messages if self._faults.chance.random() < 0.5]
        for one in accepted:
            self._deliver(one)
        if accepted and self._faults.strikes("send_answer_lost", now):
            raise Unavailable("the queue did not answer", code="queue_down")
        return accepted

    async def depths(self) -> list[QueueDepth]:
        return []


class PaidEmbedder:
    """Implements `shared.ports.embedder.Embedder`: a provider that asks to wait, and writes down what it was paid for.

    `paid` is told of every batch when the provider has done the work, whether or not the answer arrives.
    """

    model = MODEL
    remote = True

    def __init__(
        self,
        gate: Gate,
        batch_size: int,
        paid: Callable[[Process, Sequence[str]], Sequence[Payment]],
        storms: Sequence[float],
    ) -> None:
        self.batch_size = batch_size
        self._gate = gate
        self._paid = paid
        self._storms = storms
        self._inner = MemoryEmbedder(MODEL, batch_size=10_000)

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        gate, faults = self._gate, self._gate.faults
        process = await gate.enter("embedder", "embed")
        now = gate.loop.time()
        if purpose is Purpose.QUERY or process.faultless:
            return await self._inner.embed(texts, purpose)
        if any(begin <= now < begin + 90.0 for begin in self._storms):
            seconds = faults.chance.choice((1.0, 5.0, 20.0, 60.0))
            faults.fired["embedder_storm"] += 1
            faults.lasting(now + seconds)
            raise Delayed("the provider asks to wait", seconds=seconds)
        if faults.strikes("embedder_unavailable", now):
            raise Unavailable("the provider answered 500", code="embedder_unavailable")
        if any(REJECTED_WORD in text for text in texts):
            raise Rejected("the provider will not take this text", code="content_refused")
        made = await self._inner.embed(texts, purpose)
        payments = self._paid(process, texts)
        if faults.strikes("embedder_answer_lost", now):
            for payment in payments:
                payment.unanswered = True
            raise Unavailable("the provider did not answer in time", code="embedder_unavailable")
        gate.point(process, "embedder.embed.after")
        return made


class LaggingVectors:
    """Implements `shared.ports.vectors.Vectors` as a service outside the database does.

    It cannot filter, knows nothing of generations and deletes, shares no transaction, and shows what was written or
    deleted only after a while: other reads may still see the state of some seconds ago.
    """

    filters = False
    lag = timedelta(seconds=60)

    def __init__(self, loop: SeededLoop, faults: Faults) -> None:
        self._loop = loop
        self._faults = faults
        self._log: dict[tuple[UUID, UUID, ChunkId], list[tuple[float, Sequence[float] | None]]] = {}
        """What each id was set to, and from when on everybody sees it."""
        self.stray: set[ChunkId] = set()
        """Written by a process that stood still in its transaction until the database had given it up."""

    async def put(self, scope: Scope, collection: Collection, vectors: Sequence[ChunkVector]) -> None:
        process = PROCESS.get()
        if process.open and all(one.lost for one in process.open):
            self.stray.update(one.id for one in vectors)
        for one in vectors:
            if len(one.values) != collection.model.dimensions:
                raise Unavailable("a vector has the wrong dimensions", code="vectors_unavailable")
            self._write((scope.tenant_id, collection.index_id, one.id), one.values)

    async def query(
        self,
        scope: Scope,
        collections: Sequence[Collection],
        vector: Sequence[float],
        limit: int,
        *,
        filter: Filter | None = None,
        document_ids: Sequence[UUID] | None = None,
    ) -> Sequence[LegHit]:
        within = {collection.index_id for collection in collections}
        hits = [
            LegHit(id, math.sumprod(vector, values))
            for (tenant, where, id), values in self._seen().items()
            if tenant == scope.tenant_id
            and where in within
            and (document_ids is None or id.document_id in document_ids)
        ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.id.document_id, hit.id.generation, hit.id.ordinal))[:limit]

    async def ids(self, scope: Scope, collection: Collection, document_id: UUID) -> Sequence[ChunkId]:
        return [
            id
            for tenant, where, id in self._seen()
            if (tenant, where, id.document_id) == (scope.tenant_id, collection.index_id, document_id)
        ]

    async def delete(
        self,
        scope: Scope,
        collection: Collection,
        document_id: UUID,
        *,
        keep: int | None,
        known: Sequence[ChunkId] = (),
    ) -> int:
        found = await self.ids(scope, collection, document_id)
        there = dict.fromkeys((*found, *known))
        doomed = [id for id in there if keep is None or id.generation < keep]
        for id in doomed:
            self._write((scope.tenant_id, collection.index_id, id), None)
        return len(doomed)

    async def listed(self, scope: TenantScope, after: str, limit: int) -> tuple[Sequence[ChunkId], str]:
        there = sorted(str(id) for tenant, _, id in self._seen() if tenant == scope.tenant_id and str(id) > after)
        return [ChunkId.parse(id) for id in there[:limit]], there[limit - 1] if len(there) > limit else ""

    async def drop(self, scope: TenantScope, ids: Sequence[ChunkId]) -> None:
        for key in [key for key in self._log if key[0] == scope.tenant_id and key[2] in set(ids)]:
            self._write(key, None)

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        doomed = [key for key in self._seen() if key[0] == scope.tenant_id][:limit]
        for key in doomed:
            self._write(key, None)
        return len(doomed)

    async def retire(self, scope: Scope, collection: Collection) -> None:
        pass

    async def tend(self, scope: Scope, collection: Collection, now: datetime) -> bool:
        return False

    async def ping(self) -> None:
        pass

    def held(self) -> dict[tuple[UUID, UUID, ChunkId], Sequence[float]]:
        """What is really in it."""
        return {key: log[-1][1] for key, log in self._log.items() if log[-1][1] is not None}

    def _write(self, key: tuple[UUID, UUID, ChunkId], values: Sequence[float] | None) -> None:
        now = self._loop.time()
        lag = self._faults.chance.uniform(0.0, 60.0) if self._faults.strikes("vectors_lag", now, harm=0) else 0.0
        self._faults.lasting(now + lag)
        self._log.setdefault(key, []).append((now + lag, values))

    def _seen(self) -> dict[tuple[UUID, UUID, ChunkId], Sequence[float]]:
        now = self._loop.time()
        seen = {}
        for key, log in self._log.items():
            visible = [values for at, values in log if at <= now]
            if visible and visible[-1] is not None:
                seen[key] = visible[-1]
        return seen


class LineReader:
    """Implements `shared.ports.reader.Reader` for UTF-8 text: an empty line ends a paragraph."""

    def __init__(self, loop: SeededLoop, faults: Faults) -> None:
        self._loop = loop
        self._faults = faults

    def read(self, source: Path, *, name: str, declared_type: str) -> Extracted:
        """See the port.

        Raises:
            Crashed: a file that brings its reader down, each time.
        """
        data = source.read_bytes()
        if data == KILLER:
            process = PROCESS.get()
            process.dead = True
            self._faults.count("deadly_file", self._loop.time(), harm=2)
            raise Crashed
        return read(data)

    def read_on(
        self, source: Path, *, name: str, declared_type: str, after: int = 0, characters: int = 0
    ) -> Extracted | Part:
        """Three paragraphs and more are a long file, read a paragraph at a time.

        Raises:
            Crashed: see `read`.
        """
        whole = self.read(source, name=name, declared_type=declared_type)
        pages = whole.text.split("\n\n")
        if len(pages) < 3:
            return whole
        return Part(after, after + 1, len(pages), characters + len(pages[after]), pages[after].encode())

    def assemble(self, source: Path, *, name: str, declared_type: str, parts: Sequence[bytes]) -> Extracted:
        """Put the paragraphs together."""
        made = read(b"\n\n".join(parts))
        return replace(made, content_hash=hashlib.sha256(source.read_bytes()).hexdigest())


def read(data: bytes) -> Extracted:
    """What the reader makes of these bytes.

    Raises:
        Rejected: nothing, or no text.
    """
    if not data:
        raise Rejected("the file is empty", code="empty_file")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Rejected("the file is no text", code="unsupported_type") from error
    blocks, place = [], 0
    for part in text.split("\n\n"):
        if part.strip():
            blocks.append(Block(BlockKind.PARAGRAPH, place, place + len(part)))
        place += len(part) + 2
    digest = hashlib.sha256(data).hexdigest()
    return Extracted(text, "text/plain", digest, len(data), language="en", blocks=tuple(blocks))


def storms(chance: random.Random, faults: Faults) -> list[float]:
    """When the provider has had enough, in seconds from the beginning; each lasts a minute and a half."""
    if "embedder_storm" not in faults.rates:
        return []
    return [chance.uniform(0.0, faults.until) for _ in range(chance.choice((1, 1, 2)))]
