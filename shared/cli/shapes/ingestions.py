"""What the API answers about ingestion runs, as far as the command line reads it."""

from typing import NotRequired, TypedDict

from shared.cli.shapes import Json


class Cost(TypedDict):
    """What the work took."""

    pages: int
    characters: int
    chunks: int
    embedded: int
    reused: int
    tokens: int


class Example(TypedDict):
    """A document that failed."""

    document_id: str
    name: str
    version: int
    detail: str


class ErrorGroup(TypedDict):
    """Documents that failed for one reason."""

    code: str
    documents: int
    examples: list[Example]


class Progress(TypedDict):
    """How far a run is."""

    documents: int
    finished: int
    fraction: float
    states: dict[str, int]
    cancelled: int
    cost: Cost
    errors: list[ErrorGroup]


class Ingestion(TypedDict):
    """A run; `progress` comes with a single one only."""

    id: str
    collection_id: str
    name: str
    status: str
    expected: int | None
    created_by: str
    created_at: str
    closed_at: str | None
    cancelled_at: str | None
    completed_at: str | None
    last_event: int
    progress: NotRequired[Progress]


class IngestionEvent(TypedDict):
    """Something that happened in a run."""

    number: int
    at: str
    kind: str
    document_id: str | None
    version: int | None
    data: Json
