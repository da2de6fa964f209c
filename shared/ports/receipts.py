"""Rows of deletion receipts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.receipts import DeletionReceipt, Subject, Totals
from shared.domain.tenants import Scope, TenantScope


class Receipts(Protocol):
    """Storage of deletion receipts; they outlive what was deleted."""

    async def save(self, scope: TenantScope, *receipts: DeletionReceipt) -> None:
        """Store or update receipts, each by its id."""
        ...

    async def get(self, scope: Scope, document_id: UUID) -> DeletionReceipt | None:
        """The receipt of a document's deletion."""
        ...

    async def of(self, scope: TenantScope, subject: Subject) -> DeletionReceipt | None:
        """The latest receipt of anything of the tenant."""
        ...

    async def lock(self, scope: TenantScope, receipt_id: UUID) -> DeletionReceipt | None:
        """One receipt of the tenant, locked until the transaction ends."""
        ...

    async def totals(self, scope: TenantScope, parent_id: UUID) -> Totals:
        """What the receipts of the documents of a larger delete say together."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[UUID, UUID]]:
        """Across tenants: larger deletes whose `due_at` has passed, one of each tenant before the second of any.

        Ids only: tenant and receipt.
        """
        ...
