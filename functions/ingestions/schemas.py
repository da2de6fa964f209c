"""Requests and responses about ingestion runs."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from shared.domain.documents import DocumentStatus, GenerationState
from shared.domain.ingestions import Member
from shared.runtime.ingestions import IngestionEventOut, IngestionOut
from shared.runtime.paging import MAX_NUMBER
from shared.runtime.schemas import Body, Out


class NewIngestion(Body):
    """A run to open."""

    name: str = Field(min_length=1, max_length=255)
    collection_id: UUID
    expected: int | None = Field(
        default=None, ge=1, le=MAX_NUMBER, description="how many files will be announced; the last one closes the run"
    )
    webhook_id: UUID | None = Field(default=None, description="a webhook that is told when the run completes")


class IngestionPage(Out):
    """A page of runs; send `next` back as `cursor`."""

    items: list[IngestionOut]
    next: str | None


class MemberOut(Out):
    """A document of a run, as the run has it."""

    document_id: UUID
    name: str
    path: str
    status: DocumentStatus = Field(description="of the document as it is now, whatever the run did")
    version: int
    state: GenerationState
    since: datetime
    attempts: int
    waiting: str
    code: str = Field(description="why it failed")
    detail: str

    @classmethod
    def of(cls, one: Member) -> Self:
        """From the domain's member."""
        document, latest = one.document, one.generation
        return cls(
            document_id=document.id,
            name=document.name,
            path=document.path,
            status=document.status,
            version=latest.number,
            state=latest.state,
            since=latest.entered_at,
            attempts=latest.attempts,
            waiting=latest.waiting,
            code=latest.failure.code if latest.failure else "",
            detail=latest.failure.detail if latest.failure else "",
        )


class MemberPage(Out):
    """A page of documents; send `next` back as `cursor`."""

    items: list[MemberOut]
    next: str | None


class IngestionEvents(Out):
    """Events in order; ask for those after the last one's number next."""

    items: list[IngestionEventOut]
