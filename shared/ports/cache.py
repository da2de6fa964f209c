"""Vectors known already: within one tenant, equal text and model are embedded once."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from shared.domain.tenants import Scope, TenantScope


class EmbeddingCache(Protocol):
    """Vectors by content hash and model, inside the current transaction."""

    async def get(self, scope: Scope, model: str, hashes: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Those that are known."""
        ...

    async def put(self, scope: Scope, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """Remember vectors by content hash."""
        ...

    async def delete_unused(self, scope: Scope, hashes: Sequence[str]) -> int:
        """Forget those of the hashes that no chunk of the tenant has any more; returns how many rows went."""
        ...

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        """Forget every vector of a deleted tenant, up to `limit`; returns how many rows went."""
        ...

    async def count_unused(self, scope: Scope, hashes: Sequence[str]) -> int:
        """How many rows there are for those of the hashes that no chunk of the tenant has."""
        ...
