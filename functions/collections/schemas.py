"""Requests and responses about collections."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from shared.domain.chunks import DEFAULT_CHUNKING, Chunking, ChunkMethod
from shared.domain.collections import CollectionSummary
from shared.runtime.schemas import Body, Out


class ChunkingIn(Body):
    """How documents are cut; sizes are estimated tokens."""

    method: ChunkMethod = DEFAULT_CHUNKING.method
    size: int = Field(default=DEFAULT_CHUNKING.size, ge=20, le=2000)
    overlap: int | None = Field(default=None, ge=0, le=999, description="left out: a tenth of the size")

    def domain(self) -> Chunking:
        """The domain value."""
        return Chunking(self.method, self.size, self.size // 10 if self.overlap is None else self.overlap)


class NewCollection(Body):
    """A collection to make."""

    name: str = Field(min_length=1, max_length=255)
    description: str = Field(default="", max_length=2000)
    language: str = Field(
        default="", pattern="^([a-z]{2})?$", description="ISO 639-1; empty follows each document's own"
    )
    chunking: ChunkingIn | None = None


class CollectionChange(Body):
    """What to change; a field left out stays."""

    name: str | None = Field(default=None, min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=2000)
    chunking: ChunkingIn | None = None


class ChunkingOut(Out):
    """How documents are cut."""

    method: ChunkMethod
    size: int
    overlap: int


class ModelOut(Out):
    """The embedding model."""

    name: str
    dimensions: int


class CollectionOut(Out):
    """A collection."""

    id: UUID
    name: str
    description: str
    language: str
    chunking: ChunkingOut
    model: ModelOut
    created_at: datetime


class CollectionSummaryOut(CollectionOut):
    """A collection with counts."""

    documents: int
    indexed: int
    failed: int
    chunks: int

    @classmethod
    def of(cls, found: CollectionSummary) -> Self:
        """From the domain's summary."""
        about = CollectionOut.model_validate(found.collection).model_dump()
        return cls(**about, documents=found.documents, indexed=found.indexed, failed=found.failed, chunks=found.chunks)


class CollectionPage(Out):
    """A page of collections; send `next` back as `cursor`."""

    items: list[CollectionOut]
    next: str | None
