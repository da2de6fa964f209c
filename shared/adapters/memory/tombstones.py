"""What is gone because the project, the tenant or the collection it is in is deleted."""

from datetime import datetime
from typing import Any
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.documents import Document
from shared.domain.ingestions import Ingestion
from shared.domain.receipts import Subject, SubjectKind

FIELDS = {
    SubjectKind.DOCUMENT: "id",
    SubjectKind.COLLECTION: "collection_id",
    SubjectKind.PROJECT: "project_id",
    SubjectKind.TENANT: "tenant_id",
}


def is_within(row: Any, subject: Subject) -> bool:
    """Whether a row of documents, chats or keys is the subject or in it."""
    return bool(getattr(row, FIELDS[subject.kind]) == subject.id)


def tenant_gone(transaction: Transaction, tenant_id: UUID) -> datetime | None:
    """When the tenant was deleted."""
    tenant = transaction.get("tenants", tenant_id, ())
    return None if tenant is None else tenant.deleted_at


def room_gone(transaction: Transaction, tenant_id: UUID, project_id: UUID | None) -> datetime | None:
    """When the project, or else its tenant, was deleted."""
    project = None if project_id is None else transaction.get("projects", tenant_id, (project_id,))
    gone = None if project is None else project.deleted_at
    return gone or tenant_gone(transaction, tenant_id)


def collection_gone(transaction: Transaction, row: Document | Ingestion) -> datetime | None:
    """When the collection of a document or of an ingestion run was deleted, or what the collection is in."""
    collection = transaction.get("collections", row.tenant_id, (row.collection_id,))
    gone = None if collection is None else collection.deleted_at
    return gone or room_gone(transaction, row.tenant_id, row.project_id)
