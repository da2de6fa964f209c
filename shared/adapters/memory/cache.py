"""Vectors known already, by content and model."""

from array import array
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from shared.adapters.memory.rows_transaction import Key, Transaction
from shared.domain.documents import GenerationState
from shared.domain.tenants import Scope, TenantScope


class MemoryEmbeddingCache:
    """Vectors by content hash and model, as 32-bit floats."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, scope: Scope, model: str, hashes: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Those that are known."""
        found = {one: self._transaction.get("cache", scope.tenant_id, (one, model)) for one in hashes}
        return {one: values for one, values in found.items() if values is not None}

    async def put(self, scope: Scope, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """Remember vectors by content hash."""
        for content_hash in sorted(vectors):
            values = tuple(array("f", vectors[content_hash]))
            await self._transaction.put("cache", scope.tenant_id, (content_hash, model), values)

    async def under_way(
        self, scope: Scope, document_id: UUID, generation: int, hashes: Sequence[str], now: datetime
    ) -> set[str]:
        """Those of the hashes that a worker is embedding for another generation of the tenant at this moment."""
        await self._transaction.lock("embedding", scope.tenant_id, ())
        found: set[str] = set()
        for key, row in self._transaction.items("generations", scope.tenant_id):
            if key != (document_id, generation) and row.state is GenerationState.EMBEDDING and row.leased(now):
                chunks = self._transaction.get("chunks", scope.tenant_id, key) or {}
                found.update(chunk.content_hash for chunk in chunks.values())
        return found & set(hashes)

    async def listed(self, scope: TenantScope, after: str, limit: int) -> Sequence[str]:
        """Hashes that some vector of the tenant is kept by, in order, from behind `after`."""
        kept = {str(key[0]) for key, _ in self._transaction.items("cache", scope.tenant_id)}
        return sorted(one for one in kept if one > after)[:limit]

    async def delete_unused(self, scope: TenantScope, hashes: Sequence[str]) -> int:
        """Forget those of the hashes that no chunk of the tenant has any more; returns how many rows went."""
        kept = (key for key, _ in self._transaction.items("cache", scope.tenant_id) if key[0] in set(hashes))
        for key in sorted(kept, key=str):
            # Whoever forgets the last other chunk with this text at this moment is waited for.
            await self._transaction.lock("cache", scope.tenant_id, key)
        keys = self._unused(scope, hashes)
        for key in keys:
            await self._transaction.remove("cache", scope.tenant_id, key)
        return len(keys)

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        """Forget every vector of a deleted tenant, up to `limit`; returns how many rows went."""
        keys = [key for key, _ in self._transaction.items("cache", scope.tenant_id)][:limit]
        for key in keys:
            await self._transaction.remove("cache", scope.tenant_id, key)
        return len(keys)

    async def count_unused(self, scope: Scope, hashes: Sequence[str]) -> int:
        """How many rows there are for those of the hashes that no chunk of the tenant has."""
        return len(self._unused(scope, hashes))

    def _unused(self, scope: TenantScope, hashes: Sequence[str]) -> list[Key]:
        generations = self._transaction.items("chunks", scope.tenant_id)
        used = {chunk.content_hash for _, chunks in generations for chunk in chunks.values()}
        unused = set(hashes) - used
        return [key for key, _ in self._transaction.items("cache", scope.tenant_id) if key[0] in unused]
