"""Deletion receipts."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, literal, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.models import projects, receipts
from shared.adapters.postgres.statements import ID, PROJECT, TENANT
from shared.domain.pages import After
from shared.domain.receipts import DeletionReceipt, Signature, Subject, SubjectKind, Totals
from shared.domain.tenants import Scope, TenantScope
from shared.ports.receipts import ReceiptFilter

R = receipts.c

SAVE = insert(receipts)
CHANGING = ("completed_at", "removed", "remaining", "documents", "steps", "due_at", "quiet_since", "signature")
SAVE = SAVE.on_conflict_do_update(
    index_elements=[R.tenant_id, R.id], set_={name: SAVE.excluded[name] for name in CHANGING}
)
OF = (
    select(receipts)
    .where((R.tenant_id == TENANT) & (R.kind == bindparam("kind")) & (R.subject_id == bindparam("subject")))
    .order_by(R.requested_at.desc(), R.id.desc())
    .limit(1)
)
OF_DOCUMENT = OF.where(R.project_id == PROJECT)
LIST = select(receipts).where(R.tenant_id == TENANT)
HERE = R.project_id == PROJECT
DELETED_PROJECTS = R.project_id.is_(None) | R.project_id.in_(
    select(projects.c.id).where((projects.c.tenant_id == TENANT) & projects.c.deleted_at.is_not(None))
)
ONE = LIST.where(R.id == ID)
LOCK = select(receipts).where((R.tenant_id == TENANT) & (R.id == ID)).with_for_update()
COUNTS = text("""
SELECT count(*) AS documents, count(completed_at) AS complete
FROM receipts WHERE tenant_id = :tenant AND parent_id = :parent
""")
SUMS = text("""
SELECT said.which, said.store, sum(said.count) AS count FROM receipts r
CROSS JOIN LATERAL (
  SELECT 'removed' AS which, one.key AS store, CAST(one.value AS bigint) AS count FROM jsonb_each_text(r.removed) one
  UNION ALL
  SELECT 'remaining', one.key, CAST(one.value AS bigint) FROM jsonb_each_text(r.remaining) one
) said
WHERE r.tenant_id = :tenant AND r.parent_id = :parent GROUP BY said.which, said.store ORDER BY said.which, said.store
""")
DUE = text("SELECT tenant_id, id FROM lambent_erasures(:now, :most)")


class PgReceipts:
    """Storage of deletion receipts; they outlive what was deleted."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def save(self, scope: TenantScope, *receipts: DeletionReceipt) -> None:
        """Store or update receipts, each by its id."""
        if receipts:
            await self._session.run(SAVE, [_values(scope, one) for one in receipts])

    async def get(self, scope: Scope, document_id: UUID) -> DeletionReceipt | None:
        """The receipt of a document's deletion."""
        where = _subject(scope, Subject(SubjectKind.DOCUMENT, document_id))
        row = await self._session.first(OF_DOCUMENT, {**where, "project": scope.project_id})
        return None if row is None else _receipt(row)

    async def of(self, scope: TenantScope, subject: Subject) -> DeletionReceipt | None:
        """The latest receipt of anything of the tenant."""
        row = await self._session.first(OF, _subject(scope, subject))
        return None if row is None else _receipt(row)

    async def lock(self, scope: TenantScope, receipt_id: UUID) -> DeletionReceipt | None:
        """One receipt of the tenant, locked until the transaction ends."""
        row = await self._session.first(LOCK, {"tenant": scope.tenant_id, "of_id": receipt_id})
        return None if row is None else _receipt(row)

    async def one(self, scope: TenantScope, receipt_id: UUID) -> DeletionReceipt | None:
        """One receipt of the tenant."""
        row = await self._session.first(ONE, {"tenant": scope.tenant_id, "of_id": receipt_id})
        return None if row is None else _receipt(row)

    async def list(
        self, scope: Scope, wanted: ReceiptFilter, after: After | None, limit: int
    ) -> Sequence[DeletionReceipt]:
        """Receipts of the project, newest first; with `deleted_projects`, those of projects that are deleted and of the
        tenant too.
        """
        statement = LIST.where(HERE | DELETED_PROJECTS if wanted.deleted_projects else HERE)
        if wanted.kind is not None:
            statement = statement.where(R.kind == wanted.kind.value)
        if wanted.parent_id is not None:
            statement = statement.where(R.parent_id == wanted.parent_id)
        if wanted.complete is not None:
            statement = statement.where(R.completed_at.is_not(None) if wanted.complete else R.completed_at.is_(None))
        if after is not None:
            statement = statement.where(tuple_(R.requested_at, R.id) < tuple_(literal(after.at), literal(after.id)))
        ordered = statement.order_by(R.requested_at.desc(), R.id.desc()).limit(limit)
        rows = await self._session.all(ordered, {"tenant": scope.tenant_id, "project": scope.project_id})
        return [_receipt(row) for row in rows]

    async def totals(self, scope: TenantScope, parent_id: UUID) -> Totals:
        """What the receipts of the documents of a larger delete say together."""
        where = {"tenant": scope.tenant_id, "parent": parent_id}
        counts = await self._session.first(COUNTS, where)
        sums: dict[str, dict[str, int]] = {"removed": {}, "remaining": {}}
        for row in await self._session.all(SUMS, where):
            sums[row.which][row.store] = int(row.count)
        return Totals(counts.documents, counts.complete, **sums)

    async def due(self, now: datetime, limit: int) -> Sequence[tuple[UUID, UUID]]:
        """Across tenants: larger deletes whose `due_at` has passed, one of each tenant before the second of any.

        Ids only: tenant and receipt.
        """
        return [(row.tenant_id, row.id) for row in await self._session.all(DUE, {"now": now, "most": limit})]


def _subject(scope: TenantScope, subject: Subject) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "kind": subject.kind.value, "subject": subject.id}


def _values(scope: TenantScope, receipt: DeletionReceipt) -> dict[str, object]:
    return {
        "tenant_id": scope.tenant_id,
        "id": receipt.id,
        "project_id": receipt.project_id,
        "kind": receipt.subject.kind.value,
        "subject_id": receipt.subject.id,
        "parent_id": receipt.parent_id,
        "requested_by": receipt.requested_by,
        "requested_at": receipt.requested_at,
        "completed_at": receipt.completed_at,
        "removed": dict(receipt.removed),
        "remaining": dict(receipt.remaining),
        "documents": receipt.documents,
        "steps": receipt.steps,
        "due_at": receipt.due_at,
        "quiet_since": receipt.quiet_since,
        "signature": None if receipt.signature is None else asdict(receipt.signature),
    }


def _receipt(row: Row[Any]) -> DeletionReceipt:
    return DeletionReceipt(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        subject=Subject(SubjectKind(row.kind), row.subject_id),
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        completed_at=row.completed_at,
        parent_id=row.parent_id,
        removed=row.removed,
        remaining=row.remaining,
        documents=row.documents,
        steps=row.steps,
        due_at=row.due_at,
        quiet_since=row.quiet_since,
        signature=None if row.signature is None else Signature(**row.signature),
    )
