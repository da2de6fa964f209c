"""The lines before ingestion."""

from collections.abc import Sequence
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.documents import IN_PROGRESS, Document, Generation, GenerationState
from shared.domain.tenants import TenantScope


class MemoryAdmissions:
    """Which generations are in progress, and which wait for their turn."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def in_progress(self, scope: TenantScope, most: int) -> int:
        """How many of the tenant's generations are in progress, counted up to `most`."""
        return min(most, sum(row.state in IN_PROGRESS for _, row in self._generations(scope)))

    async def next(self, scope: TenantScope, most: int) -> Sequence[tuple[Document, Generation]]:
        """The longest waiting of the tenant, as many as make up `most` in progress; locked.

        Rows locked by others are passed over.
        """
        room = most - await self.in_progress(scope, most)
        waiting = [(key, row) for key, row in self._generations(scope) if row.state is GenerationState.QUEUED]
        waiting.sort(key=lambda found: (found[1].entered_at, found[1].document_id, found[1].number))
        taken: list[tuple[Document, Generation]] = []
        for key, row in waiting:
            if len(taken) >= room:
                break
            document = (row.document_id,)
            free = self._transaction.free
            if free("documents", scope.tenant_id, document) and free("generations", scope.tenant_id, key):
                await self._transaction.lock("documents", scope.tenant_id, document)
                await self._transaction.lock("generations", scope.tenant_id, key)
                taken.append((self._transaction.get("documents", scope.tenant_id, document), row))
        return taken

    async def waiting(self, limit: int) -> Sequence[UUID]:
        """Across tenants: those with generations in line. Ids only."""
        everyone = self._transaction.everyones("generations")
        return sorted({tenant_id for tenant_id, _, row in everyone if row.state is GenerationState.QUEUED})[:limit]

    def _generations(self, scope: TenantScope) -> list[tuple[tuple[object, ...], Generation]]:
        return list(self._transaction.items("generations", scope.tenant_id))
