"""Proof of a delete: what was deleted, what the sweep removed, and what was left when every store was asked again.

A receipt is written with the tombstone. That of a document is completed by the sweep of the document; that of a
collection, a project or a tenant is also the sweep's note of how far it is, and is completed when that of every
document in it is.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID


class SubjectKind(StrEnum):
    """What can be deleted."""

    DOCUMENT = "document"
    COLLECTION = "collection"
    PROJECT = "project"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True)
class Subject:
    """What was deleted."""

    kind: SubjectKind
    id: UUID


@dataclass(frozen=True, slots=True)
class Signature:
    """Ed25519 over the canonical form of a receipt's statement; both in hexadecimal."""

    public_key: str
    value: str


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """One delete: when it was accepted, what was removed, and what was left when every store was asked again."""

    id: UUID
    tenant_id: UUID
    project_id: UUID | None
    """None: the tenant as a whole."""
    subject: Subject
    requested_by: str
    requested_at: datetime
    completed_at: datetime | None = None
    parent_id: UUID | None = None
    """The receipt of the collection, project or tenant that the document was deleted with."""
    removed: Mapping[str, int] = field(default_factory=dict)
    """By store: chunks, keywords, vectors, cache, uploads, work."""
    remaining: Mapping[str, int] = field(default_factory=dict)
    """By store, counted after the sweep; complete only when all are zero."""
    documents: int = 0
    """Documents tombstoned so far, of a receipt that is of more than one."""
    steps: int = 0
    """Steps of the sweep done so far: a message that asks for an earlier one is a duplicate."""
    due_at: datetime | None = None
    """When the schedule looks after a sweep of many documents; None once it is complete, and for a document."""
    quiet_since: datetime | None = None
    """Since when nothing was found to remove: a store that forgets late must have been asked again after its delay."""
    signature: Signature | None = None
    """Of the completed receipt; None before, and where no key is configured."""

    @property
    def complete(self) -> bool:
        """True when the sweep ran and nothing is left anywhere."""
        return self.completed_at is not None and not any(self.remaining.values())


def statement(receipt: DeletionReceipt) -> dict[str, object]:
    """What a receipt says, as it is signed: JSON-ready, every value text, number or null."""
    return {
        "version": 1,
        "receipt_id": str(receipt.id),
        "tenant_id": str(receipt.tenant_id),
        "project_id": None if receipt.project_id is None else str(receipt.project_id),
        "kind": receipt.subject.kind.value,
        "subject_id": str(receipt.subject.id),
        "parent_id": None if receipt.parent_id is None else str(receipt.parent_id),
        "requested_by": receipt.requested_by,
        "requested_at": receipt.requested_at.isoformat(),
        "completed_at": None if receipt.completed_at is None else receipt.completed_at.isoformat(),
        "documents": receipt.documents,
        "removed": dict(receipt.removed),
        "remaining": dict(receipt.remaining),
    }


def canonical(said: Mapping[str, object]) -> bytes:
    """The one spelling of a statement that is signed: JSON in UTF-8, keys sorted, no space (as RFC 8785 has it for
    text, whole numbers and null).
    """
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


@dataclass(frozen=True, slots=True)
class Totals:
    """What the receipts of the documents of a larger delete say together."""

    documents: int
    complete: int
    removed: Mapping[str, int]
    remaining: Mapping[str, int]


BATCH = 100
"""Documents tombstoned in one step of a larger delete."""

BACKLOG = 300
"""Documents of one larger delete waiting to be swept at once: it takes no more than its turn."""

PACE = timedelta(seconds=5)
"""Until the next step when the backlog is full, or is all that is left."""

PATIENCE = timedelta(minutes=3)
"""How long a larger delete may go without a step before the schedule starts it again."""

SETTLING = timedelta(minutes=2)
"""A larger delete is not complete before: what was in the middle of a transaction when the tombstone was written has
ended by then, and is seen.
"""


def added(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    """Counts by store, together."""
    return {store: one.get(store, 0) + other.get(store, 0) for store in sorted({*one, *other})}
