"""Vectors in Pinecone (metric cosine): a Pinecone index for each length of vectors, by configuration, for it has one.

In it is a namespace for each tenant, and one for each further index of a collection; ids carry document and generation.

A collection's first index is in the tenant's namespace with those of its other collections, so that one query spans
them. An index made beside it has a namespace of its own, which goes with its last vector.

Pinecone is eventually consistent: a write is done when it is acknowledged, and nothing here is ever decided by reading
it back. Vectors that turn up late belong to a generation the read gate knows, or they stay invisible.
"""

import asyncio
import math
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from shared.domain.chunks import ChunkId, ChunkVector
from shared.domain.collections import Collection
from shared.domain.errors import Delayed, Invalid, LambentError, NotFound, Unavailable
from shared.domain.filters import Filter
from shared.domain.search import LegHit
from shared.domain.tenants import Scope, TenantScope

MAX_BATCH = 200
MAX_BATCH_BYTES = 2_000_000
VALUE_BYTES = 24
"""Longest JSON form of one float, with its comma."""
OVERHEAD_BYTES = 512
"""Id, metadata and punctuation of one vector, generously."""
MAX_DELETED = 1000
MAX_HITS = 10_000
PAGE = 100
"""Ids Pinecone lists at once."""
PARALLEL = 4
"""Batches under way at once; Pinecone takes 100 requests a second in a namespace."""
SECONDS = 15.0
"""Time-out of one request."""
WAIT_SECONDS = 5.0
"""How long to wait after 'too many requests' without a Retry-After."""
LAG = timedelta(minutes=2)
"""Pinecone gives no bound for when a delete shows in listings, and is usually seconds late."""


class PineconeVectors:
    """Implements `shared.ports.vectors.Vectors`. Nothing it calls can reach the index as a whole."""

    filters = False
    lag = LAG

    def __init__(self, *, hosts: Mapping[int, str], api_key: str) -> None:
        """Nothing is imported or opened before the first call.

        Args:
            hosts: address of the Pinecone index for vectors of so many dimensions, as Pinecone shows it; http:// only
                for a local stand-in.
            api_key: of the project the indexes are in.
        """
        self._hosts = dict(hosts)
        self._api_key = api_key
        self._indexes: dict[int, Any] = {}

    async def put(self, scope: Scope, collection: Collection, vectors: Sequence[ChunkVector]) -> None:
        """See the port.

        Raises:
            Invalid: a vector has not the collection's dimensions, or holds something that is not a number.
            NotFound: the collection is none of this project.
            Delayed: Pinecone asks to wait; batches sent before stay, and sending all again changes nothing.
        """
        if not _belongs(scope, collection):
            raise NotFound(f"no collection {collection.id} in this project", code="collection_not_found")
        entries = [_entry(collection, vector) for vector in vectors]
        size = max(1, min(MAX_BATCH, MAX_BATCH_BYTES // (collection.model.dimensions * VALUE_BYTES + OVERHEAD_BYTES)))
        gate, index = asyncio.Semaphore(PARALLEL), self._opened(collection.model.dimensions)

        async def send(batch: list[dict[str, Any]]) -> None:
            async with gate:
                await _asked(index.upsert(vectors=batch, namespace=_namespace(scope, collection)), "writing vectors")

        await asyncio.gather(*(send(entries[first : first + size]) for first in range(0, len(entries), size)))

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
        """See the port. The caller has turned any filter into `document_ids`."""
        rooms: dict[str, list[Collection]] = {}
        for collection in collections:
            if _belongs(scope, collection):
                rooms.setdefault(_namespace(scope, collection), []).append(collection)
        if not rooms or limit < 1 or (document_ids is not None and not document_ids):
            return []
        found = await asyncio.gather(
            *(self._query(scope, room, inside, vector, limit, document_ids) for room, inside in rooms.items())
        )
        return sorted((hit for hits in found for hit in hits), key=lambda hit: -hit.score)[:limit]

    async def _query(
        self,
        scope: Scope,
        namespace: str,
        collections: Sequence[Collection],
        vector: Sequence[float],
        limit: int,
        document_ids: Sequence[UUID] | None,
    ) -> list[LegHit]:
        own = [str(collection.id) for collection in collections]
        conditions: dict[str, Any] = {"project_id": {"$eq": str(scope.project_id)}, "collection_id": {"$in": own}}
        if document_ids is not None:
            conditions["document_id"] = {"$in": [str(id) for id in document_ids]}
        try:
            found = await _asked(
                self._opened(collections[0].model.dimensions).query(
                    top_k=min(limit, MAX_HITS),
                    vector=[float(value) for value in vector],
                    namespace=namespace,
                    filter=conditions,
                ),
                "searching vectors",
            )
        except NotFound:
            return []
        return [LegHit(ChunkId.parse(match.id), float(match.score)) for match in found.matches]

    async def ids(self, scope: Scope, collection: Collection, document_id: UUID) -> Sequence[ChunkId]:
        """See the port. Pinecone may still list what was just deleted, and not yet what was just written."""
        if not _belongs(scope, collection):
            return []
        found: list[ChunkId] = []
        token: str | None = None
        while True:
            try:
                page = await _asked(
                    self._opened(collection.model.dimensions).list_paginated(
                        prefix=f"{document_id}:",
                        limit=PAGE,
                        pagination_token=token,
                        namespace=_namespace(scope, collection),
                    ),
                    "listing vectors",
                )
            except NotFound:
                return found
            found += [ChunkId.parse(item.id) for item in page.vectors]
            token = page.pagination.next if page.pagination else None
            if not token:
                return found

    async def delete(
        self,
        scope: Scope,
        collection: Collection,
        document_id: UUID,
        *,
        keep: int | None,
        known: Sequence[ChunkId] = (),
    ) -> int:
        """See the port. The count is of those that were listed or known and whose deletion was acknowledged."""
        listed = await self.ids(scope, collection, document_id)
        there = dict.fromkeys((*listed, *known))
        doomed = [str(id) for id in there if keep is None or id.generation < keep]
        for first in range(0, len(doomed), MAX_DELETED):
            batch = doomed[first : first + MAX_DELETED]
            # A namespace goes with its last vector, which another worker may have deleted meanwhile.
            with suppress(NotFound):
                opened = self._opened(collection.model.dimensions)
                await _asked(opened.delete(ids=batch, namespace=_namespace(scope, collection)), "deleting vectors")
        return len(doomed)

    async def tend(self, scope: Scope, collection: Collection, now: datetime) -> bool:
        """Nothing to do: Pinecone tends its index itself."""
        return False

    async def listed(self, scope: TenantScope, after: str, limit: int) -> tuple[Sequence[ChunkId], str]:
        """See the port. A page holds 100 ids at the most; the place is a namespace and Pinecone's own token in it."""
        rooms = await self._rooms(scope)
        place, _, token = after.partition("|")
        at = int(place or 0)
        if at >= len(rooms):
            return [], ""
        dimensions, namespace = rooms[at]
        further = f"{at + 1}|" if at + 1 < len(rooms) else ""
        try:
            page = await _asked(
                self._opened(dimensions).list_paginated(
                    limit=min(limit, PAGE), pagination_token=token or None, namespace=namespace
                ),
                "listing vectors",
            )
        except NotFound:
            return [], further
        following = page.pagination.next if page.pagination else None
        return [ChunkId.parse(item.id) for item in page.vectors], f"{at}|{following}" if following else further

    async def drop(self, scope: TenantScope, ids: Sequence[ChunkId]) -> None:
        """See the port. An id is in one namespace only; asking the others for it changes nothing."""
        for dimensions, namespace in await self._rooms(scope) if ids else []:
            for first in range(0, len(ids), MAX_DELETED):
                batch = [str(id) for id in ids[first : first + MAX_DELETED]]
                with suppress(NotFound):
                    await _asked(self._opened(dimensions).delete(ids=batch, namespace=namespace), "deleting vectors")

    async def _rooms(self, scope: TenantScope) -> list[tuple[int, str]]:
        """The tenant's namespaces, its own first, in every Pinecone index."""
        own, found = str(scope.tenant_id), []
        for dimensions in sorted(self._hosts):
            stats = await _asked(self._opened(dimensions).describe_index_stats(), "counting vectors")
            named = {own, *(name for name in stats.namespaces if name.startswith(f"{own}."))}
            found += [(dimensions, name) for name in sorted(named)]
        return found

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        """Delete the tenant's namespaces. The count is of what was still told to be in them."""
        own, gone = str(scope.tenant_id), 0
        for dimensions in self._hosts:
            index = self._opened(dimensions)
            stats = await _asked(index.describe_index_stats(), "counting vectors")
            for name, known in stats.namespaces.items():
                if name != own and not name.startswith(f"{own}."):
                    continue
                with suppress(NotFound):
                    await _asked(index.delete(delete_all=True, namespace=name), "deleting a tenant's vectors")
                gone += int(known.vector_count)
        return gone

    async def retire(self, scope: Scope, collection: Collection) -> None:
        """Nothing to do: there is nothing of a collection but its vectors."""

    async def ping(self) -> None:
        """See the port."""
        for dimensions in self._hosts:
            await _asked(self._opened(dimensions).describe_index_stats(), "reaching the vector index")

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        opened, self._indexes = self._indexes, {}
        for index in opened.values():
            await index.close()

    def _opened(self, dimensions: int) -> Any:
        host = self._hosts.get(dimensions)
        if not host:
            raise Unavailable(
                f"this deployment has no address of a vector index of {dimensions} dimensions",
                code="not_configured",
                hint="make one (metric cosine) and configure its host beside the embedding model",
            )
        if dimensions not in self._indexes:
            # Imported here: 0.1-0.4 s that only functions with vectors pay, and only when this store is chosen.
            from pinecone import AsyncIndex, RetryConfig
            from pinecone.errors.exceptions import PineconeValueError

            try:
                index = AsyncIndex(host=host, api_key=self._api_key, timeout=SECONDS)
            except PineconeValueError as error:
                raise Unavailable(
                    "the address or key of the vector index is malformed", code="not_configured"
                ) from error
            # The SDK sleeps up to three minutes on 429, in a function that is paid by the millisecond; here the work is
            # queued again. An index client has no public setting for it, so its transport, which is made on first use,
            # is told; a test counts the requests.
            transport: Any = index._http  # noqa: SLF001
            retries = RetryConfig(max_retries=1, max_wait=1.0, retryable_status_codes=frozenset({408, 502, 503, 504}))
            transport._config = replace(transport._config, retry_config=retries)  # noqa: SLF001
            self._indexes[dimensions] = index
        return self._indexes[dimensions]


def _belongs(scope: Scope, collection: Collection) -> bool:
    return collection.tenant_id == scope.tenant_id and collection.project_id == scope.project_id


def _namespace(scope: Scope, collection: Collection) -> str:
    # Never empty, which would be the default namespace: a scope has a tenant.
    return str(scope.tenant_id) if collection.index is None else f"{scope.tenant_id}.{collection.index}"


def _entry(collection: Collection, vector: ChunkVector) -> dict[str, Any]:
    values = [float(value) for value in vector.values]
    if len(values) != collection.model.dimensions:
        raise Invalid(f"a vector has {len(values)} dimensions, the collection {collection.model.dimensions}")
    if not all(map(math.isfinite, values)):
        raise Invalid("a vector holds something that is not a number")
    return {
        "id": str(vector.id),
        "values": values,
        "metadata": {
            "project_id": str(collection.project_id),
            "collection_id": str(collection.id),
            "document_id": str(vector.id.document_id),
            "generation": vector.id.generation,
        },
    }


async def _asked[Answer](request: Awaitable[Answer], doing: str) -> Answer:
    """Await a request of the SDK and translate its errors.

    Raises:
        NotFound: the tenant has no namespace yet, which is made by its first vector.
        Delayed: too many requests.
        Unavailable: anything else.
    """
    from pinecone.errors.exceptions import PineconeError

    try:
        return await request
    except PineconeError as error:
        raise _translated(error, doing) from error


def _translated(error: Exception, doing: str) -> LambentError:
    from pinecone.errors.exceptions import ApiError, NotFoundError, RateLimitError

    if isinstance(error, RateLimitError):
        wait = WAIT_SECONDS if error.retry_after is None else error.retry_after
        return Delayed(f"{doing}: Pinecone asks to wait", seconds=max(1.0, wait))
    if isinstance(error, NotFoundError) and "namespace" in error.message.lower():
        return NotFound("the tenant has no vectors yet", code="no_namespace")
    if isinstance(error, ApiError):
        reason = f": {error.message[:200]}" if error.status_code == 400 else ""
        return Unavailable(f"{doing} failed: {error.status_code} {error.error_code or ''}".rstrip() + reason)
    return Unavailable(f"{doing} failed: {type(error).__name__}")
