"""Vectors in the same transaction as the rows they belong to."""

import math
from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Double, Select, TextClause, Uuid, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.adapters.postgres.binary import Binary, array
from shared.adapters.postgres.binary import vector as packed
from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.gate import MAX_PARTS, hits_of, narrowed, page, paged, scanned, within
from shared.adapters.postgres.models import vectors as table
from shared.adapters.postgres.statements import TENANT
from shared.domain.chunks import ChunkId, ChunkVector
from shared.domain.collections import Collection
from shared.domain.errors import Invalid, NotFound
from shared.domain.filters import Filter
from shared.domain.search import LegHit
from shared.domain.tenants import Scope, TenantScope

BATCH = 250
"""Rows sent at once: half a megabyte of 384 dimensions."""

V = table.c

PUT = text("""
INSERT INTO vectors (tenant_id, index_id, document_id, generation, ordinal, embedding)
SELECT :tenant, :index, d.id, new.generation, new.ordinal, new.embedding
FROM unnest(
  CAST(:generations AS integer[]), CAST(:ordinals AS integer[]), CAST(:embeddings AS vector[])
) AS new (generation, ordinal, embedding)
JOIN documents d ON d.tenant_id = :tenant AND d.project_id = :project
  AND d.collection_id = :collection AND d.id = :document
ON CONFLICT (tenant_id, index_id, document_id, generation, ordinal) DO UPDATE SET embedding = excluded.embedding
""")

OF_DOCUMENT = """
tenant_id = :tenant AND index_id = :index
AND document_id = (
  SELECT d.id FROM documents d WHERE d.tenant_id = :tenant AND d.project_id = :project AND d.id = :document
)
"""
IDS = text(f"SELECT document_id, generation, ordinal FROM vectors WHERE {OF_DOCUMENT} ORDER BY generation, ordinal")
DELETE_ALL = text(f"DELETE FROM vectors WHERE {OF_DOCUMENT}")
DELETE_BEFORE = text(f"DELETE FROM vectors WHERE {OF_DOCUMENT} AND generation < :keep")
DROP = text("""
DELETE FROM vectors v USING unnest(
  CAST(:documents AS uuid[]), CAST(:generations AS integer[]), CAST(:ordinals AS integer[])
) AS w (document_id, generation, ordinal)
JOIN documents d ON d.tenant_id = :tenant AND d.id = w.document_id
JOIN indexes i ON i.tenant_id = :tenant AND i.collection_id = d.collection_id
WHERE v.tenant_id = :tenant AND v.index_id = i.id AND v.document_id = w.document_id
  AND v.generation = w.generation AND v.ordinal = w.ordinal
""")
WIPE = text("""
DELETE FROM vectors v USING (
  SELECT index_id, document_id, generation, ordinal FROM vectors WHERE tenant_id = :tenant LIMIT :most
) doomed
WHERE v.tenant_id = :tenant AND v.index_id = doomed.index_id AND v.document_id = doomed.document_id
  AND v.generation = doomed.generation AND v.ordinal = doomed.ordinal
""")
PING = text("SELECT CAST('[1,0]' AS vector) <=> CAST('[0,1]' AS vector)")

# All vectors have unit length, so the inner product is the cosine.
DISTANCE: ColumnElement[float] = V.embedding.op("<#>", return_type=Double())(text("CAST(:vector AS vector)"))
SCAN: Select[Any] = (
    select(V.document_id, V.generation, V.ordinal, (-DISTANCE).label("score"))
    .select_from(scanned(table))
    .where((V.tenant_id == TENANT) & (V.index_id == any_(bindparam("indexes", type_=ARRAY(Uuid)))))
    .order_by(DISTANCE, V.document_id, V.ordinal)
    .limit(bindparam("most"))
)
# Ordered by the very expression that the index of a large collection is on; without one this is a scan. The index gives
# its rows in nearly the right order, so they are sorted again.
NEAREST = """
SELECT {part} AS part, v.document_id, v.generation, v.ordinal, -(v.embedding <#> CAST(:vector AS vector)) AS score
FROM vectors v WHERE v.tenant_id = :tenant AND v.index_id = :index_{part}
ORDER BY CAST(v.embedding AS vector({dimensions})) <#> CAST(:vector AS vector({dimensions})) LIMIT :reach
"""


@lru_cache
def nearest(parts: int, dimensions: int) -> TextClause:
    """The paged statement over this many indexes."""
    return paged([NEAREST.format(part=part, dimensions=dimensions) for part in range(parts)])


INDEX_FROM = 5_000
"""Vectors from which a collection gets an index. Below, a scan of all takes 2.5 ms (384 dimensions) and misses none."""

SIZE = text("SELECT chunks FROM keyword_statistics WHERE tenant_id = :tenant AND index_id = :index")
PATIENCE = text("SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '60s', true)")
INDEX = text("SELECT lambent_index_vectors(:index, :now)")
RETIRE = text("SELECT lambent_drop_vector_index(:index)")


class PgVectors:
    """A vector store within the database: always consistent, and its hits have passed the read gate."""

    filters = True
    lag = timedelta()

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, scope: Scope, collection: Collection, vectors: Sequence[ChunkVector]) -> None:
        """Write vectors of one document; the same id again replaces it. They are kept at unit length.

        Raises:
            Invalid: a vector has not the collection's dimensions or holds what is not a number.
            NotFound: the document is none of this project and collection.
        """
        for first in range(0, len(vectors), BATCH):
            batch = vectors[first : first + BATCH]
            embeddings = [packed(unit(one.values, collection.model.dimensions)) for one in batch]
            parameters = {
                **_document(scope, collection, batch[0].id.document_id),
                "generations": [one.id.generation for one in batch],
                "ordinals": [one.id.ordinal for one in batch],
                "embeddings": array(await self._session.oid("vector"), embeddings),
            }
            if (await self._session.run(PUT, parameters)).rowcount != len(batch):
                raise NotFound("no such document in this collection", code="document_not_found")

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
        if not collections or (document_ids is not None and not document_ids):
            return []
        named = list(dict.fromkeys(one.index_id for one in collections))
        asked = {**within(scope, named), "vector": _question(vector, collections)}
        narrowing = narrowed(table, filter, document_ids)
        if not narrowing and len(named) <= MAX_PARTS:
            statement = nearest(len(named), collections[0].model.dimensions)
            found = await page(self._session, statement, asked, limit)
            if found is not None:
                return found
        return hits_of(await self._session.all(SCAN.where(*narrowing), {**asked, "most": limit}))

    async def tend(self, scope: Scope, collection: Collection, now: datetime) -> bool:
        """Give a collection that has grown large an index of its own; True when one was made.

        Writers of other collections may wait for it, some seconds for 10,000 vectors.
        """
        where = {"tenant": scope.tenant_id, "index": collection.index_id}
        if (await self._session.scalar(SIZE, where) or 0) < INDEX_FROM:
            return False
        await self._session.run(PATIENCE)
        return bool(await self._session.scalar(INDEX, {"index": collection.index_id, "now": now}))

    async def listed(self, scope: TenantScope, after: str, limit: int) -> tuple[Sequence[ChunkId], str]:
        """None: each refers to its generation's row."""
        return [], ""

    async def drop(self, scope: TenantScope, ids: Sequence[ChunkId]) -> None:
        """Remove vectors of the tenant by their ids."""
        if ids:
            documents, generations, ordinals = zip(*map(astuple, ids), strict=True)
            named = {"documents": list(documents), "generations": list(generations), "ordinals": list(ordinals)}
            await self._session.run(DROP, {"tenant": scope.tenant_id, **named})

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        """Remove every vector of a deleted tenant, up to `limit` at once."""
        return (await self._session.run(WIPE, {"tenant": scope.tenant_id, "most": limit})).rowcount

    async def retire(self, scope: Scope, collection: Collection) -> None:
        """Drop what a large index was given, if it was."""
        await self._session.run(PATIENCE)
        await self._session.run(RETIRE, {"index": collection.index_id})

    async def ids(self, scope: Scope, collection: Collection, document_id: UUID) -> Sequence[ChunkId]:
        """Every stored id of one document, all generations."""
        return [ChunkId(*row) for row in await self._session.all(IDS, _document(scope, collection, document_id))]

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
        where = _document(scope, collection, document_id)
        if keep is None:
            return (await self._session.run(DELETE_ALL, where)).rowcount
        return (await self._session.run(DELETE_BEFORE, {**where, "keep": keep})).rowcount

    async def ping(self) -> None:
        """Prove that the extension answers."""
        await self._session.scalar(PING)


def unit(values: Sequence[float], dimensions: int) -> Sequence[float]:
    """The vector at length 1; a zero vector stays as it is.

    Raises:
        Invalid: wrong number of dimensions, or a value that is not finite.
    """
    if len(values) != dimensions:
        raise Invalid(
            f"a vector of {len(values)} dimensions where the collection has {dimensions}", code="wrong_dimensions"
        )
    square = math.sumprod(values, values)
    if not math.isfinite(square):
        raise Invalid("a vector holds values that are no finite numbers", code="invalid_vector")
    if square == 0 or abs(square - 1) < 1e-6:
        return values
    length = math.sqrt(square)
    return [value / length for value in values]


def _question(values: Sequence[float], collections: Sequence[Collection]) -> Binary:
    dimensions = {one.model.dimensions for one in collections}
    if len(dimensions) > 1:
        raise Invalid("collections of different dimensions cannot be asked with one vector", code="wrong_dimensions")
    return Binary(packed(unit(values, dimensions.pop())))


def _document(scope: Scope, collection: Collection, document_id: UUID) -> dict[str, object]:
    return {
        "tenant": scope.tenant_id,
        "project": scope.project_id,
        "collection": collection.id,
        "index": collection.index_id,
        "document": document_id,
    }
