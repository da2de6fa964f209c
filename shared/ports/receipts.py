"""Rows of deletion receipts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.pages import After
from shared.domain.receipts import DeletionReceipt, Subject, SubjectKind, Totals
from shared.domain.tenants import Scope, TenantScope


@dataclass(frozen=True, slots=True)
class ReceiptFilter:
    """Which receipts a listing shows; None means any."""

    kind: SubjectKind | None = None
    parent_id: UUID | None = None
    complete: bool | None = None
    deleted_projects: bool = False


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

    async def one(self, scope: TenantScope, receipt_id: UUID) -> DeletionReceipt | None:
        """One receipt of the tenant."""
        ...

    async def list(
        self, scope: Scope, wanted: ReceiptFilter, after: After | None, limit: int
    ) -> Sequence[DeletionReceipt]:
        """Receipts of the project, by `requested_at` and id, newest first.

        With `deleted_projects`, those of projects that are deleted and of the tenant too.
        """
        ...

    async def totals(self, scope: TenantScope, parent_id: UUID) -> Totals:
        """What the receipts of the documents of a larger delete say together."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[UUID, UUID]]:
        """Across tenants: larger deletes whose `due_at` has passed, one of each tenant before the second of any.

        Ids only: tenant and receipt.
        """
        ...
