"""Ingestion runs: documents that were sent together, what happened to each, and how far they are.

A run never counts by itself. Which documents are in it is written on their generations, and every figure is taken
from those rows; what happened is a list of events that is only ever appended to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.domain.documents import Document, Generation, GenerationState, Reason

CANCELLED = "cancelled"
"""Reason code of a generation that ended because its run was cancelled."""


class IngestionStatus(StrEnum):
    """Where a run is. It takes documents while it is open; the last two are the ends."""

    OPEN = "open"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class Happening(StrEnum):
    """What an event of a run tells."""

    STARTED = "ingestion.started"
    CLOSED = "ingestion.closed"
    CANCELLED = "ingestion.cancelled"
    RETRIED = "ingestion.retried"
    STALLED = "ingestion.stalled"
    """What was asked for all its documents could not be carried out and is not tried any more."""
    COMPLETED = "ingestion.completed"
    """Every document has ended; a retry may open it again, and then it comes once more."""
    DOCUMENT_INDEXED = "document.indexed"
    DOCUMENT_UNCHANGED = "document.unchanged"
    DOCUMENT_SUPERSEDED = "document.superseded"
    DOCUMENT_FAILED = "document.failed"
    DOCUMENT_CANCELLED = "document.cancelled"


ENDS = {
    GenerationState.COMMITTED: Happening.DOCUMENT_INDEXED,
    GenerationState.UNCHANGED: Happening.DOCUMENT_UNCHANGED,
    GenerationState.SUPERSEDED: Happening.DOCUMENT_SUPERSEDED,
    GenerationState.FAILED: Happening.DOCUMENT_FAILED,
}


@dataclass(frozen=True, slots=True)
class Ingestion:
    """One run, in one collection."""

    id: UUID
    tenant_id: UUID
    project_id: UUID
    collection_id: UUID
    name: str
    created_by: str
    created_at: datetime
    expected: int | None = None
    """How many versions will be sent; with the last of them the run closes by itself. None: it is closed by hand."""
    announced: int = 0
    """Versions that joined. It decides when `expected` is reached and nothing else: it grows in the transaction that
    writes the version, and no version ever leaves.
    """
    closed_at: datetime | None = None
    """From here on it takes no more documents."""
    cancelled_at: datetime | None = None
    completed_at: datetime | None = None
    sequence: int = 0
    """Of its latest event."""
    webhook_id: UUID | None = None
    """An endpoint that is told when it completes."""
    trouble: str = ""
    """Why what was asked for all its documents is not done yet, in words; empty when nothing is in its way."""

    @property
    def status(self) -> IngestionStatus:
        """Where it is."""
        if self.cancelled_at is not None:
            return IngestionStatus.CANCELLED if self.completed_at is not None else IngestionStatus.CANCELLING
        if self.completed_at is not None:
            return IngestionStatus.COMPLETED
        return IngestionStatus.OPEN if self.closed_at is None else IngestionStatus.RUNNING


@dataclass(frozen=True, slots=True)
class News:
    """Something that happened in a run, not yet numbered."""

    kind: Happening
    document_id: UUID | None = None
    generation: int | None = None
    data: Mapping[str, object] = field(default_factory=dict)
    """JSON."""


@dataclass(frozen=True, slots=True)
class IngestionEvent:
    """One event, numbered 1, 2, 3 … within its run in the order of the commits."""

    sequence: int
    at: datetime
    kind: Happening
    document_id: UUID | None
    generation: int | None
    data: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Example:
    """A document that ended in some way."""

    document_id: UUID
    name: str
    generation: int
    detail: str


@dataclass(frozen=True, slots=True)
class Tally:
    """Generations of a run that are in one state, and failed for one reason if they failed.

    `documents` counts a document once, by its latest generation in the run; what the work took counts all of them.
    """

    state: GenerationState
    code: str
    documents: int
    pages: int = 0
    characters: int = 0
    chunks: int = 0
    embedded: int = 0
    reused: int = 0
    tokens: int = 0
    examples: tuple[Example, ...] = ()
    """Of failed ones, some."""


@dataclass(frozen=True, slots=True)
class Member:
    """A document of a run, with its latest generation in it."""

    document: Document
    generation: Generation


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run took: all versions together, failed tries too."""

    pages: int
    characters: int
    chunks: int
    embedded: int
    """Chunks whose vector was computed."""
    reused: int
    """Chunks whose vector was known already."""
    tokens: int
    """Of embedded text, as the model counts."""


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Documents that failed for one reason."""

    code: str
    documents: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    documents: int
    by_state: Mapping[GenerationState, int]
    """Every state that some document is in; `failed` without the cancelled ones."""
    cancelled: int
    finished: int
    """Documents that have ended, in whatever way."""
    fraction: float
    """0 to 1, of the documents that are there or expected."""
    cost: Cost
    errors: tuple[ErrorGroup, ...]
    """Most frequent first."""


@dataclass(frozen=True, slots=True)
class IngestionView:
    """A run and how far it is."""

    ingestion: Ingestion
    progress: Progress


def end_of(document: Document, generation: Generation) -> News:
    """The event of a generation that has just ended."""
    kind = ENDS[generation.state]
    data: dict[str, object] = {"name": document.name, "path": document.path}
    if generation.failure is not None:
        kind = Happening.DOCUMENT_CANCELLED if generation.failure.code == CANCELLED else kind
        data |= {"code": generation.failure.code, "detail": generation.failure.detail}
    if generation.state is GenerationState.COMMITTED:
        counts = generation.counts
        data |= {
            "pages": counts.pages,
            "chunks": counts.chunks,
            "embedded": counts.embedded,
            "reused": counts.reused,
            "tokens": counts.tokens,
        }
    return News(kind, document.id, generation.number, data)


def cancelled_reason() -> Reason:
    """Why a document of a cancelled run has ended."""
    return Reason(CANCELLED, "its ingestion was cancelled before it was indexed; process it again to index it")


def progress_of(ingestion: Ingestion, tallies: Sequence[Tally]) -> Progress:
    """Sum up a run.

    Args:
        ingestion: the run.
        tallies: of all its generations.
    """
    by_state: dict[GenerationState, int] = {}
    for one in tallies:
        if one.code != CANCELLED and one.documents:
            by_state[one.state] = by_state.get(one.state, 0) + one.documents
    cancelled = sum(one.documents for one in tallies if one.code == CANCELLED)
    documents = cancelled + sum(by_state.values())
    finished = cancelled + sum(count for state, count in by_state.items() if state in ENDS)
    # An open run that expects more is not done when those that came are.
    whole = max(documents, ingestion.expected or 0) if ingestion.closed_at is None else documents
    done = ingestion.completed_at is not None
    failed = [one for one in tallies if one.state is GenerationState.FAILED and one.code != CANCELLED and one.documents]
    return Progress(
        documents=documents,
        by_state=by_state,
        cancelled=cancelled,
        finished=finished,
        fraction=finished / whole if whole else float(done),
        cost=Cost(
            pages=sum(one.pages for one in tallies),
            characters=sum(one.characters for one in tallies),
            chunks=sum(one.chunks for one in tallies),
            embedded=sum(one.embedded for one in tallies),
            reused=sum(one.reused for one in tallies),
            tokens=sum(one.tokens for one in tallies),
        ),
        errors=tuple(
            ErrorGroup(one.code, one.documents, one.examples)
            for one in sorted(failed, key=lambda one: (-one.documents, one.code))
        ),
    )
