"""Deletion receipts as every door shows them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from shared import bootstrap
from shared.domain.receipts import DeletionReceipt, SubjectKind, statement
from shared.runtime.schemas import Body, Out
from shared.usecases.deletion import read


class SignatureOut(Out):
    """Ed25519 (RFC 8032) over the canonical form of `statement`: JSON in UTF-8, keys sorted, without spaces."""

    public_key: str = Field(description="32 bytes in hexadecimal")
    value: str = Field(description="64 bytes in hexadecimal")


class KeyOut(Out):
    """What verifies the receipts of this deployment."""

    algorithm: str = "Ed25519"
    public_key: str = Field(description="32 bytes in hexadecimal")


class Sure(Body):
    """What is to be deleted, said again."""

    name: str = Field(max_length=255, description="its name, exactly")


async def signing_key() -> bytes:
    """The public key of this deployment's receipts; it is no secret, so no credential is asked for.

    Raises:
        NotFound: none is configured.
    """
    return await read.signing_key(bootstrap.powers())


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
    statement: dict[str, Any] = Field(description="what is signed")
    signature: SignatureOut | None = Field(description="none until it is complete, or where no key is configured")

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
            statement=statement(one),
            signature=None if one.signature is None else SignatureOut.model_validate(one.signature),
        )
