"""Requests and responses about documents."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field, Json

from shared.domain.chunks import Chunk
from shared.domain.documents import DocumentStatus, Generation
from shared.domain.extracted import Extracted
from shared.domain.filters import parse_filter
from shared.ports.documents import DocumentFilter, FailedFilter
from shared.runtime.paging import Cursor, Limit
from shared.runtime.schemas import Body, Out
from shared.runtime.uploads import FormOut
from shared.usecases.documents.read import DocumentView
from shared.usecases.documents.retry import Retries
from shared.usecases.documents.upload import NewUpload, UploadSlot

MAX_TEXT = 200_000
HASH = r"^([0-9a-f]{64})?$"

FilterJson = Json[Any]


class NewDocument(Body):
    """A file that is about to be uploaded."""

    collection_id: UUID
    name: str = Field(min_length=1, max_length=255, description="the file's name")
    size: int | None = Field(default=None, ge=0, description="bytes, if known")
    media_type: str = Field(default="", max_length=255, pattern=r"^([\w.+-]+/[\w.+-]+)?$")
    path: str = Field(
        default="",
        max_length=1024,
        description="your own key: the same path again makes a new version of the same document",
    )
    content_hash: str = Field(
        default="", pattern=HASH, description="sha256 in hexadecimal: an unchanged file need not be sent"
    )
    tags: list[str] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    ingestion_id: UUID | None = Field(default=None, description="the ingestion run this file belongs to")

    def domain(self) -> NewUpload:
        """The use case's command."""
        return NewUpload(**{**self.model_dump(), "tags": tuple(self.tags)})


class Listing(Body):
    """Which documents to list."""

    collection_id: UUID | None = None
    status: DocumentStatus | None = None
    filter: FilterJson | None = Field(default=None, description="a filter as JSON")
    cursor: Cursor = None
    limit: Limit = 50

    def domain(self) -> DocumentFilter:
        """The use case's filter."""
        parsed = None if self.filter is None else parse_filter(self.filter)
        return DocumentFilter(self.collection_id, self.status, parsed)


class RetryFailed(Body):
    """Which failed documents to retry: all of the project, or those of a collection, or with a reason's code."""

    collection_id: UUID | None = None
    reason: str | None = Field(default=None, max_length=64)
    cursor: str | None = Field(default=None, max_length=512)
    limit: int = Field(default=50, ge=1, le=100)

    def domain(self) -> FailedFilter:
        """The use case's filter."""
        return FailedFilter(self.collection_id, self.reason)


class NewVersion(Body):
    """New content of a document."""

    media_type: str = Field(default="", max_length=255, pattern=r"^([\w.+-]+/[\w.+-]+)?$")
    content_hash: str = Field(default="", pattern=HASH)
    ingestion_id: UUID | None = Field(default=None, description="the ingestion run this version belongs to")


class DocumentChange(Body):
    """What to change; a field left out stays."""

    name: str | None = Field(default=None, min_length=1, max_length=255)
    tags: list[str] | None = None
    metadata: dict[str, Any] | None = None


class DocumentOut(Out):
    """A document."""

    id: UUID
    collection_id: UUID
    name: str
    path: str
    title: str
    media_type: str
    language: str
    size: int
    tags: list[str]
    metadata: dict[str, Any]
    status: DocumentStatus
    version: int | None = Field(
        validation_alias="committed_generation", description="the version that is searched; none before the first"
    )
    latest_version: int = Field(validation_alias="latest_generation")
    content_hash: str
    duplicate_of: UUID | None
    created_at: datetime
    updated_at: datetime


class DocumentPage(Out):
    """A page of documents; send `next` back as `cursor`."""

    items: list[DocumentOut]
    next: str | None


class ReasonOut(Out):
    """Why something ended as it did."""

    code: str
    detail: str


class CountsOut(Out):
    """How much came out of each step."""

    pages: int
    characters: int
    chunks: int
    embedded: int
    reused: int
    tokens: int


class ProgressOut(Out):
    """How far the present step has come: pages while it is read, chunks while it is embedded."""

    done: int
    total: int


class VersionOut(Out):
    """The progress of one version."""

    version: int
    state: str
    since: datetime
    attempts: int
    waiting: str
    progress: ProgressOut | None
    failure: ReasonOut | None
    counts: CountsOut
    timings: dict[str, int] = Field(description="milliseconds in each finished step, waiting included")
    warnings: list[str]
    finished_at: datetime | None
    ingestion_id: UUID | None

    @classmethod
    def of(cls, one: Generation) -> Self:
        """From a generation."""
        return cls(
            version=one.number,
            state=one.state.value,
            since=one.entered_at,
            attempts=one.attempts,
            waiting=one.waiting,
            progress=None if one.progress is None else ProgressOut.model_validate(one.progress),
            failure=None if one.failure is None else ReasonOut.model_validate(one.failure),
            counts=CountsOut.model_validate(one.counts),
            timings=dict(one.timings),
            warnings=list(one.warnings),
            finished_at=one.finished_at,
            ingestion_id=one.ingestion_id,
        )


class StartedOut(Out):
    """A version that a retry started."""

    document_id: UUID
    version: int = Field(validation_alias="number")
    state: str


class RefusedOut(Out):
    """A document that no retry helps."""

    document_id: UUID
    reason: ReasonOut


class RetriesOut(Out):
    """What came of a retry of many; send `next` back as `cursor`."""

    started: list[StartedOut]
    refused: list[RefusedOut]
    next: str | None

    @classmethod
    def of(cls, found: Retries) -> Self:
        """From the use case's answer."""
        return cls(
            started=[StartedOut.model_validate(one) for one in found.started],
            refused=[RefusedOut.model_validate(one) for one in found.refused],
            next=found.next,
        )


class DocumentViewOut(DocumentOut):
    """A document with its latest version."""

    latest: VersionOut | None = None

    @classmethod
    def of(cls, view: DocumentView) -> Self:
        """From the use case's view."""
        about = cls.model_validate(view.document)
        about.latest = None if view.latest is None else VersionOut.of(view.latest)
        return about


class UploadSlotOut(Out):
    """Where to upload to; `upload` is none when the same content is being served already."""

    document: DocumentOut
    version: int
    unchanged: bool
    upload: FormOut | None

    @classmethod
    def of(cls, slot: UploadSlot) -> Self:
        """From the use case's slot."""
        form = None if slot.form is None else FormOut.model_validate(slot.form)
        return cls(
            document=DocumentOut.model_validate(slot.document),
            version=slot.generation,
            unchanged=form is None,
            upload=form,
        )


class AttemptOut(Out):
    """One version's story in a line."""

    version: int
    state: str
    since: datetime
    words: str


class ExplanationOut(Out):
    """Where a document is and why."""

    status: DocumentStatus
    summary: str
    since: datetime
    next: str
    retryable: bool = Field(description="whether POST documents/{id}/retry can help")
    history: list[AttemptOut]


class LinkOut(Out):
    """A link that works for `expires_in` seconds."""

    url: str
    expires_in: int


class PageOut(Out):
    """One page, slide or sheet."""

    number: int
    start: int
    end: int


class TextOut(Out):
    """Extracted text; `start` and `end` are characters of the whole."""

    text: str
    start: int
    end: int
    characters: int
    title: str
    language: str
    media_type: str
    pages: list[PageOut]
    properties: dict[str, str]
    warnings: list[str]

    @classmethod
    def of(cls, extracted: Extracted, start: int, end: int | None) -> Self:
        """The asked part."""
        first = min(start, len(extracted.text))
        last = min(len(extracted.text) if end is None else max(first, end), len(extracted.text), first + MAX_TEXT)
        return cls(
            text=extracted.text[first:last],
            start=first,
            end=last,
            characters=len(extracted.text),
            title=extracted.title,
            language=extracted.language,
            media_type=extracted.media_type,
            pages=[PageOut.model_validate(page) for page in extracted.pages],
            properties=extracted.properties,
            warnings=list(extracted.warnings),
        )


class ChunkOut(Out):
    """A searchable piece: `text` is characters `start` to `end` of the document's text."""

    id: str
    ordinal: int
    text: str
    start: int
    end: int
    page_first: int | None
    page_last: int | None
    heading_path: list[str]
    kind: str
    tokens: int

    @classmethod
    def of(cls, one: Chunk) -> Self:
        """From the domain's chunk."""
        return cls(
            id=str(one.id),
            ordinal=one.id.ordinal,
            text=one.text,
            start=one.start,
            end=one.end,
            page_first=one.page_first,
            page_last=one.page_last,
            heading_path=list(one.heading_path),
            kind=one.kind,
            tokens=one.tokens,
        )
