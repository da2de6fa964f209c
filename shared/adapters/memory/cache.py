"""Vectors known already, by content and model."""

from array import array
from collections.abc import Mapping, Sequence

from shared.adapters.memory.rows_transaction import Key, Transaction
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

    async def delete_unused(self, scope: Scope, hashes: Sequence[str]) -> int:
        """Forget those of the hashes that no chunk of the tenant has any more; returns how many rows went."""
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

    def _unused(self, scope: Scope, hashes: Sequence[str]) -> list[Key]:
        generations = self._transaction.items("chunks", scope.tenant_id)
        used = {chunk.content_hash for _, chunks in generations for chunk in chunks.values()}
        unused = set(hashes) - used
        return [key for key, _ in self._transaction.items("cache", scope.tenant_id) if key[0] in unused]
