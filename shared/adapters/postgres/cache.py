"""Vectors known already, by content and model."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.adapters.postgres.binary import floats, read_floats
from shared.adapters.postgres.engine import Session
from shared.domain.tenants import Scope, TenantScope

BATCH = 1000

GET = text("""
SELECT content_hash, embedding FROM embedding_cache
WHERE tenant_id = :tenant AND model = :model AND content_hash = ANY (CAST(:hashes AS text[]))
""")
# In the order of the key: two workers that put the same texts at once wait for each other instead of deadlocking.
PUT = text("""
INSERT INTO embedding_cache (tenant_id, model, content_hash, embedding)
SELECT :tenant, :model, new.content_hash, new.embedding
FROM unnest(CAST(:hashes AS text[]), CAST(:embeddings AS bytea[])) AS new (content_hash, embedding)
ORDER BY new.content_hash
ON CONFLICT (tenant_id, content_hash, model) DO UPDATE SET embedding = excluded.embedding
""")
LISTED = text("""
SELECT DISTINCT content_hash FROM embedding_cache
WHERE tenant_id = :tenant AND content_hash > :after ORDER BY content_hash LIMIT :most
""")
# One at a time within a tenant, until the lease that was taken before is committed and can be seen.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended('embedding ' || CAST(:tenant AS text), 0))")
UNDER_WAY = text("""
SELECT DISTINCT c.content_hash FROM chunks c
JOIN generations g ON g.tenant_id = c.tenant_id AND g.document_id = c.document_id AND g.number = c.generation
WHERE c.tenant_id = :tenant AND c.content_hash = ANY (CAST(:hashes AS text[]))
  AND (c.document_id, c.generation) <> (:document, :generation)
  AND g.state = 'embedding' AND g.lease_until > :now
""")
# Two sweeps of documents with a text in common would each see the other's chunk and both leave the vector: the later
# one waits here, and looks when the earlier is done.
HOLD = text("""
SELECT FROM embedding_cache WHERE tenant_id = :tenant AND content_hash = ANY (CAST(:hashes AS text[]))
ORDER BY content_hash, model FOR UPDATE
""")
# One look into the index of chunks for each text: as a join, all chunks of a large tenant would be read.
UNUSED = """
FROM embedding_cache e
WHERE e.tenant_id = :tenant AND e.content_hash = ANY (CAST(:hashes AS text[]))
  AND (SELECT true FROM chunks c WHERE c.tenant_id = :tenant AND c.content_hash = e.content_hash LIMIT 1) IS NULL
"""
DELETE_UNUSED = text(f"DELETE {UNUSED}")
COUNT_UNUSED = text(f"SELECT count(*) {UNUSED}")
WIPE = text("""
DELETE FROM embedding_cache e USING (
  SELECT content_hash, model FROM embedding_cache WHERE tenant_id = :tenant LIMIT :most
) doomed
WHERE e.tenant_id = :tenant AND e.content_hash = doomed.content_hash AND e.model = doomed.model
""")


class PgEmbeddingCache:
    """Vectors by content hash and model, as 32-bit floats."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, scope: Scope, model: str, hashes: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Those that are known."""
        if not hashes:
            return {}
        rows = await self._session.all(GET, {"tenant": scope.tenant_id, "model": model, "hashes": list(hashes)})
        return {row.content_hash: read_floats(row.embedding) for row in rows}

    async def put(self, scope: Scope, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """Remember vectors by content hash."""
        hashes = sorted(vectors)
        for first in range(0, len(hashes), BATCH):
            batch = hashes[first : first + BATCH]
            parameters = {
                "tenant": scope.tenant_id,
                "model": model,
                "hashes": batch,
                "embeddings": [floats(vectors[content_hash]) for content_hash in batch],
            }
            self._session.later(PUT, parameters)

    async def under_way(
        self, scope: Scope, document_id: UUID, generation: int, hashes: Sequence[str], now: datetime
    ) -> set[str]:
        """Those of the hashes that a worker is embedding for another generation of the tenant at this moment."""
        self._session.later(ONE_AT_A_TIME, {"tenant": str(scope.tenant_id)})
        parameters = {
            "tenant": scope.tenant_id,
            "document": document_id,
            "generation": generation,
            "hashes": list(hashes),
            "now": now,
        }
        return {row.content_hash for row in await self._session.all(UNDER_WAY, parameters)}

    async def listed(self, scope: TenantScope, after: str, limit: int) -> Sequence[str]:
        """Hashes that some vector of the tenant is kept by, in order, from behind `after`."""
        rows = await self._session.all(LISTED, {"tenant": scope.tenant_id, "after": after, "most": limit})
        return [row.content_hash for row in rows]

    async def delete_unused(self, scope: TenantScope, hashes: Sequence[str]) -> int:
        """Forget those of the hashes that no chunk of the tenant has any more; returns how many rows went."""
        if not hashes:
            return 0
        asked = {"tenant": scope.tenant_id, "hashes": list(hashes)}
        self._session.later(HOLD, asked)
        return (await self._session.run(DELETE_UNUSED, asked)).rowcount

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        """Forget every vector of a deleted tenant, up to `limit`; returns how many rows went."""
        return (await self._session.run(WIPE, {"tenant": scope.tenant_id, "most": limit})).rowcount

    async def count_unused(self, scope: Scope, hashes: Sequence[str]) -> int:
        """How many rows there are for those of the hashes that no chunk of the tenant has."""
        if not hashes:
            return 0
        return int(await self._session.scalar(COUNT_UNUSED, {"tenant": scope.tenant_id, "hashes": list(hashes)}))
