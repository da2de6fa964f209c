"""Vectors in one Pinecone index (metric cosine): a namespace for each tenant, ids that carry document and generation.

Pinecone is eventually consistent: a write is done when it is acknowledged, and nothing here is ever decided by reading
it back. Vectors that turn up late belong to a generation the read gate knows, or they stay invisible.
"""

import asyncio
import math
from collections.abc import Awaitable, Sequence
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

    def __init__(self, *, host: str, api_key: str) -> None:
        """Nothing is imported or opened before the first call.

        Args:
            host: address of the index, as Pinecone shows it; http:// only for a local stand-in.
            api_key: of the project the index is in.
        """
        self._host = host
        self._api_key = api_key
        self._index: Any = None

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
        gate = asyncio.Semaphore(PARALLEL)

        async def send(batch: list[dict[str, Any]]) -> None:
            async with gate:
                await _asked(self._opened().upsert(vectors=batch, namespace=_namespace(scope)), "writing vectors")

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
        own = [str(collection.id) for collection in collections if _belongs(scope, collection)]
        if not own or limit < 1 or (document_ids is not None and not document_ids):
            return []
        conditions: dict[str, Any] = {"project_id": {"$eq": str(scope.project_id)}, "collection_id": {"$in": own}}
        if document_ids is not None:
            conditions["document_id"] = {"$in": [str(id) for id in document_ids]}
        try:
            found = await _asked(
                self._opened().query(
                    top_k=min(limit, MAX_HITS),
                    vector=[float(value) for value in vector],
                    namespace=_namespace(scope),
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
                    self._opened().list_paginated(
                        prefix=f"{document_id}:", limit=PAGE, pagination_token=token, namespace=_namespace(scope)
                    ),
                    "listing vectors",
                )
            except NotFound:
                return found
            found += [ChunkId.parse(item.id) for item in page.vectors]
            token = page.pagination.next if page.pagination else None
            if not token:
                return found

    async def delete(self, scope: Scope, collection: Collection, document_id: UUID, *, keep: int | None) -> int:
        """See the port. The count is of those that were listed and whose deletion was acknowledged."""
        listed = await self.ids(scope, collection, document_id)
        doomed = [str(id) for id in listed if keep is None or id.generation < keep]
        for first in range(0, len(doomed), MAX_DELETED):
            batch = doomed[first : first + MAX_DELETED]
            # A namespace goes with its last vector, which another worker may have deleted meanwhile.
            with suppress(NotFound):
                await _asked(self._opened().delete(ids=batch, namespace=_namespace(scope)), "deleting vectors")
        return len(doomed)

    async def tend(self, scope: Scope, collection: Collection, now: datetime) -> bool:
        """Nothing to do: Pinecone tends its index itself."""
        return False

    async def listed(self, scope: TenantScope, after: str, limit: int) -> tuple[Sequence[ChunkId], str]:
        """See the port. A page holds 100 ids at the most; the place is Pinecone's own token."""
        try:
            page = await _asked(
                self._opened().list_paginated(
                    limit=min(limit, PAGE), pagination_token=after or None, namespace=_namespace(scope)
                ),
                "listing vectors",
            )
        except NotFound:
            return [], ""
        following = page.pagination.next if page.pagination else None
        return [ChunkId.parse(item.id) for item in page.vectors], following or ""

    async def drop(self, scope: TenantScope, ids: Sequence[ChunkId]) -> None:
        """See the port."""
        for first in range(0, len(ids), MAX_DELETED):
            batch = [str(id) for id in ids[first : first + MAX_DELETED]]
            with suppress(NotFound):
                await _asked(self._opened().delete(ids=batch, namespace=_namespace(scope)), "deleting vectors")

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        """Delete the tenant's namespace. Its count is of what the index still told to be in it."""
        namespace = _namespace(scope)
        stats = await _asked(self._opened().describe_index_stats(), "counting vectors")
        known = stats.namespaces.get(namespace)
        if known is None:
            return 0
        with suppress(NotFound):
            await _asked(self._opened().delete(delete_all=True, namespace=namespace), "deleting a tenant's vectors")
        return int(known.vector_count)

    async def retire(self, scope: Scope, collection: Collection) -> None:
        """Nothing to do: there is nothing of a collection but its vectors."""

    async def ping(self) -> None:
        """See the port."""
        await _asked(self._opened().describe_index_stats(), "reaching the vector index")

    async def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        index, self._index = self._index, None
        if index is not None:
            await index.close()

    def _opened(self) -> Any:
        if not self._host:
            raise Unavailable("this deployment has no address of its vector index", code="not_configured")
        if self._index is None:
            # Imported here: 0.1-0.4 s that only functions with vectors pay, and only when this store is chosen.
            from pinecone import AsyncIndex, RetryConfig
            from pinecone.errors.exceptions import PineconeValueError

            try:
                index = AsyncIndex(host=self._host, api_key=self._api_key, timeout=SECONDS)
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
            self._index = index
        return self._index


def _belongs(scope: Scope, collection: Collection) -> bool:
    return collection.tenant_id == scope.tenant_id and collection.project_id == scope.project_id


def _namespace(scope: TenantScope) -> str:
    # Never empty, which would be the index's default namespace: a scope has a tenant.
    return str(scope.tenant_id)


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
