"""Deletion receipts as every door shows them."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from shared.domain.receipts import DeletionReceipt, SubjectKind
from shared.runtime.schemas import Body, Out


class Sure(Body):
    """What is to be deleted, said again."""

    name: str = Field(max_length=255, description="its name, exactly")


class ReceiptOut(Out):
    """The proof of a deletion: what was removed and what was left in each store when it was asked again."""

    id: UUID
    kind: SubjectKind = Field(description="what was deleted")
    subject_id: UUID = Field(description="its id")
    parent_id: UUID | None = Field(description="the receipt of what it was deleted with")
    requested_by: str
    requested_at: datetime
    completed_at: datetime | None
    complete: bool
    documents: int = Field(description="documents deleted with it, so far")
    removed: dict[str, int]
    remaining: dict[str, int]

    @classmethod
    def of(cls, one: DeletionReceipt) -> Self:
        """From the domain's receipt."""
        return cls(
            id=one.id,
            kind=one.subject.kind,
            subject_id=one.subject.id,
            parent_id=one.parent_id,
            requested_by=one.requested_by,
            requested_at=one.requested_at,
            completed_at=one.completed_at,
            complete=one.complete,
            documents=one.documents,
            removed=dict(one.removed),
            remaining=dict(one.remaining),
        )
