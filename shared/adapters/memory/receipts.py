"""Deletion receipts."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.adapters.memory.turns import in_turn
from shared.domain.pages import After
from shared.domain.receipts import DeletionReceipt, Subject, SubjectKind, Totals, added
from shared.domain.tenants import Scope, TenantScope
from shared.ports.receipts import ReceiptFilter


class MemoryReceipts:
    """Storage of deletion receipts; they outlive what was deleted."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def save(self, scope: TenantScope, *receipts: DeletionReceipt) -> None:
        """Store or update receipts, each by its id."""
        for one in receipts:
            await self._transaction.put("receipts", scope.tenant_id, (one.id,), one)

    async def get(self, scope: Scope, document_id: UUID) -> DeletionReceipt | None:
        """The receipt of a document's deletion."""
        found = await self.of(scope, Subject(SubjectKind.DOCUMENT, document_id))
        return found if found is not None and found.project_id == scope.project_id else None

    async def of(self, scope: TenantScope, subject: Subject) -> DeletionReceipt | None:
        """The latest receipt of anything of the tenant."""
        rows = [row for row in self._mine(scope) if row.subject == subject]
        return max(rows, key=lambda row: (row.requested_at, row.id)) if rows else None

    async def lock(self, scope: TenantScope, receipt_id: UUID) -> DeletionReceipt | None:
        """One receipt of the tenant, locked until the transaction ends."""
        if self._transaction.get("receipts", scope.tenant_id, (receipt_id,)) is None:
            return None
        await self._transaction.lock("receipts", scope.tenant_id, (receipt_id,))
        found: DeletionReceipt | None = self._transaction.get("receipts", scope.tenant_id, (receipt_id,))
        return found

    async def one(self, scope: TenantScope, receipt_id: UUID) -> DeletionReceipt | None:
        """One receipt of the tenant."""
        found: DeletionReceipt | None = self._transaction.get("receipts", scope.tenant_id, (receipt_id,))
        return found

    async def list(
        self, scope: Scope, wanted: ReceiptFilter, after: After | None, limit: int
    ) -> Sequence[DeletionReceipt]:
        """Receipts of the project, newest first; with `deleted_projects`, those of projects that are deleted and of the
        tenant too.
        """
        rows = [
            row
            for row in self._mine(scope)
            if (row.project_id == scope.project_id or (wanted.deleted_projects and self._project_deleted(row)))
            and (wanted.kind is None or row.subject.kind is wanted.kind)
            and (wanted.parent_id is None or row.parent_id == wanted.parent_id)
            and (wanted.complete is None or (row.completed_at is not None) == wanted.complete)
            and (after is None or (row.requested_at, row.id) < (after.at, after.id))
        ]
        return sorted(rows, key=lambda row: (row.requested_at, row.id), reverse=True)[:limit]

    def _project_deleted(self, row: DeletionReceipt) -> bool:
        if row.project_id is None:
            return True
        project = self._transaction.get("projects", row.tenant_id, (row.project_id,))
        return project is not None and project.deleted_at is not None

    async def totals(self, scope: TenantScope, parent_id: UUID) -> Totals:
        """What the receipts of the documents of a larger delete say together."""
        rows = [row for row in self._mine(scope) if row.parent_id == parent_id]
        removed: dict[str, int] = {}
        remaining: dict[str, int] = {}
        for row in rows:
            removed, remaining = added(removed, row.removed), added(remaining, row.remaining)
        return Totals(len(rows), sum(row.completed_at is not None for row in rows), removed, remaining)

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[UUID, UUID]]:
        """Across tenants: larger deletes whose `due_at` has passed, one of each tenant before the second of any.

        Ids only: tenant and receipt.
        """
        rows = [
            (tenant_id, (row.due_at, row.id))
            for tenant_id, _, row in self._transaction.everyones("receipts")
            if row.due_at is not None and row.due_at <= now
        ]
        return [(tenant_id, place[1]) for tenant_id, place in in_turn(rows)[:limit]]

    def _mine(self, scope: TenantScope) -> Sequence[DeletionReceipt]:
        return [row for _, row in self._transaction.items("receipts", scope.tenant_id)]
