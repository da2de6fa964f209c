"""Stand-ins that the memory adapters lack: a reader of plain text, watched buckets, migrations that are done."""

import hashlib
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import quote_plus
from uuid import UUID

from shared.adapters.memory.blobs import MemoryBlobs
from shared.adapters.memory.embedder import MemoryEmbedder
from shared.adapters.memory.llm import MemoryLlm
from shared.adapters.memory.rows import MemoryRows, MemoryStore
from shared.domain.chunks import ChunkId, ChunkVector
from shared.domain.collections import Collection
from shared.domain.errors import Rejected, Unavailable
from shared.domain.events import ObjectCreated, Outgoing
from shared.domain.extracted import Block, BlockKind, Extracted
from shared.domain.filters import Filter
from shared.domain.prompts import Prompt
from shared.domain.search import LegHit
from shared.domain.tenants import Scope, TenantScope
from shared.ports.blobs import Bucket
from shared.ports.clock import Clock
from shared.ports.embedder import Embeddings, Purpose
from shared.ports.llm import LlmEvent
from shared.ports.queue import QueueDepth

type Hook = Callable[[], Awaitable[None]]


class PlainReader:
    """Implements `shared.ports.reader.Reader` for UTF-8 text: '# ' begins a heading, an empty line ends a paragraph.

    `failures` are raised by the next reads.
    """

    def __init__(self) -> None:
        self.failures: deque[Exception] = deque()
        self.reads = 0

    def read(self, source: Path, *, name: str, declared_type: str) -> Extracted:
        self.reads += 1
        if self.failures:
            raise self.failures.popleft()
        data = source.read_bytes()
        if not data:
            raise Rejected("the file is empty", code="empty_file")
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            raise Rejected("the file is no text", code="unsupported_type") from error
        blocks, place = [], 0
        for part in text.split("\n\n"):
            heading = part.startswith("# ")
            kind = BlockKind.HEADING if heading else BlockKind.PARAGRAPH
            if part.strip():
                blocks.append(Block(kind, place, place + len(part), 1 if heading else 0))
            place += len(part) + 2
        digest = hashlib.sha256(data).hexdigest()
        return Extracted(text, "text/plain", digest, len(data), language="en", blocks=tuple(blocks))

    def read_on(self, source: Path, *, name: str, declared_type: str, after: int = 0, characters: int = 0) -> Extracted:
        return self.read(source, name=name, declared_type=declared_type)

    def assemble(self, source: Path, *, name: str, declared_type: str, parts: Sequence[bytes]) -> Extracted:
        raise AssertionError("a plain text has no parts")


class WatchedBlobs(MemoryBlobs):
    """Buckets whose new objects are told of, as S3 does: uploads, texts under `extracted/` and their parts.

    `during_get` runs once while an object is being fetched, for races.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.notifications: list[str] = []
        self.failures: deque[Exception] = deque()
        self.during_get: Hook | None = None

    def submit(self, fields: Mapping[str, str], body: bytes) -> ObjectCreated:
        """A client sends the form."""
        created = self.post(fields, body)
        self.notifications.append(notification(created))
        return created

    def contents(self, bucket: Bucket) -> dict[str, bytes | None]:
        """The present body of every object; None for one that is marked deleted."""
        return {key: versions[-1].body for key, versions in self._objects[bucket].items()}

    async def put(self, bucket: Bucket, key: str, body: bytes, *, content_type: str) -> str:
        version = await super().put(bucket, key, body, content_type=content_type)
        if bucket is Bucket.WORK and key.startswith(("extracted/", "parts/")):
            self.notifications.append(notification(self.created(key, Bucket.WORK)))
        return version

    async def get(self, bucket: Bucket, key: str, *, version_id: str = "") -> bytes:
        if self.failures:
            raise self.failures.popleft()
        body = await super().get(bucket, key, version_id=version_id)
        hook, self.during_get = self.during_get, None
        if hook is not None:
            await hook()
        return body


class HookedEmbedder(MemoryEmbedder):
    """Runs `during_embed` once while documents are being embedded, for races."""

    during_embed: Hook | None = None

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        hook, self.during_embed = self.during_embed, None
        if hook is not None:
            await hook()
        return await super().embed(texts, purpose)

    @property
    def documents_embedded(self) -> list[str]:
        """Every text of a document that was embedded, in order."""
        return [text for texts, purpose in self.calls if purpose is Purpose.DOCUMENT for text in texts]


class HookedLlm(MemoryLlm):
    """Runs `before_answer` once before the model begins to write, for races."""

    before_answer: Hook | None = None

    async def stream(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        hook, self.before_answer = self.before_answer, None
        if hook is not None:
            await hook()
        async for event in super().stream(prompt):
            yield event


class DoneMigrations:
    """Implements `shared.ports.migrations.Migrations` for a store that needs none."""

    def __init__(self) -> None:
        self.runs = 0

    async def migrate(self) -> Mapping[str, object]:
        self.runs += 1
        return {"before": "", "after": self.head()}

    def head(self) -> str:
        return "0001"


class LostStore:
    """A database that cannot be reached."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @asynccontextmanager
    async def transaction(self, scope: TenantScope | None) -> AsyncIterator[None]:
        raise self.error
        yield


class FragileStore:
    """A database that works but for one commit, which fails before or after it took effect."""

    def __init__(self, inner: MemoryStore, number: int, error: Exception, *, committed: bool) -> None:
        """Wrap a store.

        Args:
            inner: the store.
            number: which transaction, counted from 1, fails to commit.
            error: what its door is told.
            committed: whether it took effect all the same.
        """
        self.inner = inner
        self.left = number
        self.error = error
        self.committed = committed

    @asynccontextmanager
    async def transaction(self, scope: TenantScope | None) -> AsyncIterator[MemoryRows]:
        self.left -= 1
        broken = self.left == 0
        async with self.inner.transaction(scope) as rows:
            yield rows
            if broken and not self.committed:
                raise self.error
        if broken:
            raise self.error


class DeadQueue:
    """Implements `shared.ports.queue.Queue` for a service that cannot be reached."""

    async def send(self, messages: Sequence[Outgoing]) -> list[Outgoing]:
        raise Unavailable("the queue cannot be reached", code="queue_down")

    async def depths(self) -> list[QueueDepth]:
        raise Unavailable("the queue cannot be reached", code="queue_down")


def notification(created: ObjectCreated) -> str:
    """The S3 event of one object, as a queue carries it."""
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "eventName": "ObjectCreated:Post",
        "eventTime": created.event_time.isoformat(),
        "s3": {
            "bucket": {"name": created.bucket},
            "object": {
                "key": quote_plus(created.key, safe="/"),
                "size": created.size,
                "versionId": created.version_id,
                "sequencer": created.sequencer,
            },
        },
    }
    return json.dumps({"Records": [record]})


class RemoteVectors:
    """Implements `shared.ports.vectors.Vectors` as a service outside the database does.

    It cannot filter, knows nothing of generations and deletes, and shares no transaction. `asked` keeps the document
    ids of every query; `forgetful` lets deletes be accepted and not done, as an eventually consistent store may.
    """

    filters = False

    def __init__(self) -> None:
        self.kept: dict[tuple[UUID, ChunkId], list[float]] = {}
        self.asked: list[Sequence[UUID] | None] = []
        self.forgetful = False
        self.lag = timedelta()
        self.tenants: dict[tuple[UUID, ChunkId], UUID] = {}

    async def put(self, scope: Scope, collection: Collection, vectors: Sequence[ChunkVector]) -> None:
        self.tenants.update({(collection.id, one.id): scope.tenant_id for one in vectors})
        self.kept.update({(collection.id, one.id): list(one.values) for one in vectors})

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
        self.asked.append(document_ids)
        within = {collection.id for collection in collections}
        hits = [
            LegHit(id, sum(one * other for one, other in zip(vector, values, strict=True)))
            for (collection_id, id), values in self.kept.items()
            if collection_id in within and (document_ids is None or id.document_id in document_ids)
        ]
        return sorted(hits, key=lambda hit: -hit.score)[:limit]

    async def ids(self, scope: Scope, collection: Collection, document_id: UUID) -> Sequence[ChunkId]:
        return [id for where, id in self.kept if where == collection.id and id.document_id == document_id]

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
        gone = [id for id in there if keep is None or id.generation < keep]
        if not self.forgetful:
            for id in gone:
                self.kept.pop((collection.id, id), None)
        return len(gone)

    async def tend(self, scope: Scope, collection: Collection, now: datetime) -> bool:
        return False

    async def listed(self, scope: TenantScope, after: str, limit: int) -> tuple[Sequence[ChunkId], str]:
        mine = sorted(str(id) for (_, id), tenant in self.tenants.items() if tenant == scope.tenant_id)
        there = [id for id in mine if id > after and any(str(kept) == id for _, kept in self.kept)]
        return [ChunkId.parse(id) for id in there[:limit]], there[limit - 1] if len(there) > limit else ""

    async def drop(self, scope: TenantScope, ids: Sequence[ChunkId]) -> None:
        self.kept = {key: values for key, values in self.kept.items() if key[1] not in set(ids)}

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        gone = [key for key, tenant_id in self.tenants.items() if tenant_id == scope.tenant_id and key in self.kept]
        for key in gone:
            del self.kept[key]
        return len(gone)

    async def retire(self, scope: Scope, collection: Collection) -> None:
        pass

    async def ping(self) -> None:
        pass
