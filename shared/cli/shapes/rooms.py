"""Projects and collections, as the API answers."""

from typing import NotRequired, TypedDict


class Project(TypedDict):
    """A project."""

    id: str
    name: str
    created_at: str
    unit_id: str | None
    archived_at: str | None


class Model(TypedDict):
    """An embedding model."""

    name: str
    dimensions: int


class Collection(TypedDict):
    """A collection; the counts come with a single one only."""

    id: str
    name: str
    description: str
    language: str
    model: Model
    created_at: str
    documents: NotRequired[int]
    indexed: NotRequired[int]
    failed: NotRequired[int]
    chunks: NotRequired[int]
