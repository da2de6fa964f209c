"""Vectors known already: within one tenant, equal text and model are embedded once."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.tenants import Scope, TenantScope


class EmbeddingCache(Protocol):
    """Vectors by content hash and model, inside the current transaction."""

    async def get(self, scope: Scope, model: str, hashes: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Those that are known."""
        ...

    async def put(self, scope: Scope, model: str, vectors: Mapping[str, Sequence[float]]) -> None:
        """Remember vectors by content hash."""
        ...

    async def under_way(
        self, scope: Scope, document_id: UUID, generation: int, hashes: Sequence[str], now: datetime
    ) -> set[str]:
        """Those of the hashes that a worker is embedding for another generation of the tenant at this moment.

        That is: chunks of a generation that is embedding and leased. Asked in the transaction that takes the lease; of
        two that ask at once the second sees the first, so only one of them pays.
        """
        ...

    async def listed(self, scope: TenantScope, after: str, limit: int) -> Sequence[str]:
        """Hashes that some vector of the tenant is kept by, in order, from behind `after`."""
        ...

    async def delete_unused(self, scope: TenantScope, hashes: Sequence[str]) -> int:
        """Forget those of the hashes that no chunk of the tenant has any more; returns how many rows went."""
        ...

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        """Forget every vector of a deleted tenant, up to `limit`; returns how many rows went."""
        ...

    async def count_unused(self, scope: Scope, hashes: Sequence[str]) -> int:
        """How many rows there are for those of the hashes that no chunk of the tenant has."""
        ...
