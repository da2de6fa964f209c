"""Ingestion runs as both of their doors show them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from shared.domain.documents import GenerationState
from shared.domain.ingestions import IngestionEvent, IngestionStatus, IngestionView, Progress
from shared.runtime.schemas import Out


class IngestionOut(Out):
    """A run: documents that were sent together."""

    id: UUID
    collection_id: UUID
    name: str
    status: IngestionStatus
    expected: int | None
    created_by: str
    created_at: datetime
    closed_at: datetime | None
    cancelled_at: datetime | None
    completed_at: datetime | None
    webhook_id: UUID | None
    trouble: str = Field(description="why what was asked for all its documents is not done; empty: nothing in the way")
    last_event: int = Field(validation_alias="sequence", description="number of its latest event")


class CostOut(Out):
    """What the work took: all versions together, failed tries too."""

    pages: int
    characters: int
    chunks: int
    embedded: int = Field(description="chunks whose vector was computed")
    reused: int = Field(description="chunks whose vector was known already")
    tokens: int = Field(description="of embedded text, as the model counts")


class ExampleOut(Out):
    """A document that failed."""

    document_id: UUID
    name: str
    version: int = Field(validation_alias="generation")
    detail: str


class ErrorGroupOut(Out):
    """Documents that failed for one reason, with some of them."""

    code: str
    documents: int
    examples: list[ExampleOut]


class ProgressOut(Out):
    """How far a run is."""

    documents: int
    finished: int
    fraction: float = Field(description="0 to 1")
    states: dict[GenerationState, int] = Field(description="documents in each state; failed without cancelled ones")
    cancelled: int
    cost: CostOut
    errors: list[ErrorGroupOut]

    @classmethod
    def of(cls, one: Progress) -> Self:
        """From the domain's progress."""
        return cls(
            documents=one.documents,
            finished=one.finished,
            fraction=round(one.fraction, 4),
            states=dict(one.by_state),
            cancelled=one.cancelled,
            cost=CostOut.model_validate(one.cost),
            errors=[ErrorGroupOut.model_validate(error) for error in one.errors],
        )


class IngestionViewOut(IngestionOut):
    """A run with its progress."""

    progress: ProgressOut

    @classmethod
    def of(cls, view: IngestionView) -> Self:
        """From the use case's view."""
        about = IngestionOut.model_validate(view.ingestion)
        fields = {**about.model_dump(), "sequence": about.last_event}
        return cls(**fields, progress=ProgressOut.of(view.progress))


class IngestionEventOut(Out):
    """Something that happened; `number` counts 1, 2, 3 … within the run."""

    number: int
    at: datetime
    kind: str
    document_id: UUID | None
    version: int | None
    data: dict[str, Any]

    @classmethod
    def of(cls, one: IngestionEvent) -> Self:
        """From the domain's event."""
        return cls(
            number=one.sequence,
            at=one.at,
            kind=one.kind.value,
            document_id=one.document_id,
            version=one.generation,
            data=dict(one.data),
        )
