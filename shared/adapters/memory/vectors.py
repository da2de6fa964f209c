"""Vectors, compared one by one."""

import math
from array import array
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from shared.adapters.memory.chunks import document_in, generations_of, index_of
from shared.adapters.memory.documents import shown
from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.chunks import ChunkId, ChunkVector
from shared.domain.collections import Collection
from shared.domain.errors import Invalid, NotFound
from shared.domain.filters import Filter, matches
from shared.domain.search import LegHit
from shared.domain.tenants import Scope, TenantScope


class MemoryVectors:
    """A vector store within the rows: always consistent, and its hits have passed the read gate."""

    filters = True
    lag = timedelta()

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def put(self, scope: Scope, collection: Collection, vectors: Sequence[ChunkVector]) -> None:
        """Write vectors of one document; the same id again replaces it. They are kept at unit length.

        Raises:
            Invalid: a vector has not the collection's dimensions or holds what is not a number.
            NotFound: the document is none of this project and collection.
        """
        units = [(one.id, unit(one.values, collection.model.dimensions)) for one in vectors]
        for id, values in units:
            document = document_in(self._transaction, scope, id.document_id)
            if document is None or document.collection_id != collection.id:
                raise NotFound("no such document in this collection", code="document_not_found")
            key = (id.document_id, id.generation)
            await self._transaction.lock("vectors", scope.tenant_id, key)
            known = self._transaction.get("vectors", scope.tenant_id, key) or {}
            await self._transaction.put("vectors", scope.tenant_id, key, {**known, id.ordinal: values})

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
        """Nearest by cosine, best first; the score is the cosine, -1 to 1. An empty `document_ids` finds nothing."""
        if not collections:
            return []
        if len({one.model.dimensions for one in collections}) > 1:
            raise Invalid(
                "collections of different dimensions cannot be asked with one vector", code="wrong_dimensions"
            )
        wanted = unit(vector, collections[0].model.dimensions)
        asked = {one.id: one for one in collections}
        hits: list[LegHit] = []
        for document in shown(self._transaction, scope):
            if document.collection_id not in asked or (document_ids is not None and document.id not in document_ids):
                continue
            if filter is not None and not matches(filter, document):
                continue
            generation = document.committed_in(asked[document.collection_id].slot) or 0
            if index_of(self._transaction, document, generation) != asked[document.collection_id].index_id:
                continue
            known = self._transaction.get("vectors", scope.tenant_id, (document.id, generation)) or {}
            for ordinal, values in known.items():
                score = math.sumprod(values, wanted)
                hits.append(LegHit(ChunkId(document.id, generation, ordinal), score))
        return sorted(hits, key=lambda hit: (-hit.score, hit.id.document_id, hit.id.ordinal))[:limit]

    async def ids(self, scope: Scope, collection: Collection, document_id: UUID) -> Sequence[ChunkId]:
        """Every stored id of one document, all generations."""
        return [
            ChunkId(*key, ordinal)
            for key in generations_of(self._transaction, "vectors", scope, document_id, None, collection.index_id)
            for ordinal in sorted(self._transaction.get("vectors", scope.tenant_id, key))
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
        """Remove the document's vectors of every generation up to `keep` exclusive; of all when None.

        Returns how many.
        """
        gone = 0
        for key in generations_of(self._transaction, "vectors", scope, document_id, keep, collection.index_id):
            gone += len(self._transaction.get("vectors", scope.tenant_id, key))
            await self._transaction.remove("vectors", scope.tenant_id, key)
        return gone

    async def tend(self, scope: Scope, collection: Collection, now: datetime) -> bool:
        """There is nothing to tend."""
        return False

    async def listed(self, scope: TenantScope, after: str, limit: int) -> tuple[Sequence[ChunkId], str]:
        """None: each refers to its generation's row."""
        return [], ""

    async def drop(self, scope: TenantScope, ids: Sequence[ChunkId]) -> None:
        """Remove vectors of the tenant by their ids."""
        for id in ids:
            key = (id.document_id, id.generation)
            await self._transaction.lock("vectors", scope.tenant_id, key)
            known = dict(self._transaction.get("vectors", scope.tenant_id, key) or {})
            known.pop(id.ordinal, None)
            if known:
                await self._transaction.put("vectors", scope.tenant_id, key, known)
            else:
                await self._transaction.remove("vectors", scope.tenant_id, key)

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        """Remove every vector of a deleted tenant, of `limit` generations at once."""
        doomed = [key for key, _ in self._transaction.items("vectors", scope.tenant_id)][:limit]
        gone = sum(len(self._transaction.get("vectors", scope.tenant_id, key)) for key in doomed)
        for key in doomed:
            await self._transaction.remove("vectors", scope.tenant_id, key)
        return gone

    async def retire(self, scope: Scope, collection: Collection) -> None:
        """There is nothing to undo."""

    async def ping(self) -> None:
        """It always answers."""


def unit(values: Sequence[float], dimensions: int) -> Sequence[float]:
    """The vector at length 1, in 32-bit floats as a database keeps it; a zero vector stays as it is.

    Raises:
        Invalid: wrong number of dimensions, or a value that is not finite.
    """
    if len(values) != dimensions:
        raise Invalid(
            f"a vector of {len(values)} dimensions where the collection has {dimensions}", code="wrong_dimensions"
        )
    length = math.sqrt(math.sumprod(values, values))
    if not math.isfinite(length):
        raise Invalid("a vector holds values that are no finite numbers", code="invalid_vector")
    return array("f", [value / length for value in values] if length else values)
