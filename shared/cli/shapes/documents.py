"""Documents, their versions and their deletion, as the API answers."""

from typing import NotRequired, TypedDict

from shared.cli.shapes import Json


class Reason(TypedDict):
    """Why something failed."""

    code: str
    detail: str


class Counts(TypedDict):
    """How much came out of each step."""

    pages: int
    characters: int
    chunks: int
    embedded: int
    reused: int


class Progress(TypedDict):
    """How far the present step has come: pages, then chunks."""

    done: int
    total: int


class Version(TypedDict):
    """The progress of one version of a document; `timings` are milliseconds by step."""

    version: int
    state: str
    since: str
    attempts: int
    waiting: str
    progress: Progress | None
    failure: Reason | None
    counts: Counts
    timings: dict[str, int]
    warnings: list[str]
    finished_at: str | None


class Document(TypedDict):
    """A document; `latest` comes with a single one only."""

    id: str
    collection_id: str
    name: str
    path: str
    title: str
    media_type: str
    language: str
    size: int
    tags: list[str]
    metadata: Json
    status: str
    version: int | None
    latest_version: int
    duplicate_of: str | None
    created_at: str
    updated_at: str
    latest: NotRequired[Version | None]


class Form(TypedDict):
    """Where and how to send a file."""

    url: str
    fields: dict[str, str]
    expires_at: str
    max_bytes: int


class UploadSlot(TypedDict):
    """The answer to an announced upload; without `upload` the same content is served already."""

    document: Document
    version: int
    unchanged: bool
    upload: Form | None


class Attempt(TypedDict):
    """One version's story in a line."""

    version: int
    state: str
    since: str
    words: str


class Started(TypedDict):
    """A version that a retry started."""

    document_id: str
    version: int
    state: str


class Refused(TypedDict):
    """A document that no retry helps."""

    document_id: str
    reason: Reason


class Retries(TypedDict):
    """What came of a retry of many."""

    started: list[Started]
    refused: list[Refused]
    next: str | None


class Explanation(TypedDict):
    """Where a document is and why."""

    status: str
    summary: str
    since: str
    next: str
    history: list[Attempt]


class DeletionReceipt(TypedDict):
    """The proof of a deletion."""

    id: str
    kind: str
    subject_id: str
    parent_id: str | None
    requested_by: str
    requested_at: str
    completed_at: str | None
    complete: bool
    documents: int
    removed: dict[str, int]
    remaining: dict[str, int]
    statement: dict[str, object]
    signature: dict[str, str] | None


class TextPart(TypedDict):
    """A part of a document's text; `characters` is the length of the whole."""

    text: str
    start: int
    end: int
    characters: int
