"""Collections: documents that are cut, embedded and searched in one way."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.chunks import Chunking


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """An embedding model as a collection remembers it: vectors of two models never meet."""

    name: str
    """Provider and model, e.g. 'local/all-minilm-l6-v2'."""
    dimensions: int
    max_tokens: int = 256
    """What the model reads of one text; the rest is cut."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A set of documents of one project."""

    id: UUID
    tenant_id: UUID
    project_id: UUID
    name: str
    model: EmbeddingModel
    chunking: Chunking
    created_at: datetime
    description: str = ""
    language: str = ""
    """Analysis of words: '' follows each document's own language."""
    deleted_at: datetime | None = None
    index: UUID | None = None
    """The index it is seen through; None: its first, which bears the collection's own id."""
    slot: int = 0
    """That index's place on every document."""
    live: bool = True
    """Whether that index is the one that is searched."""
    held: timedelta = timedelta()
    """For so long nothing is published into what is searched, because a cut is near; told by `through` with `hold`."""

    @property
    def index_id(self) -> UUID:
        """What the rows of this index are kept under."""
        return self.index or self.id


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """A collection with what is in it."""

    collection: Collection
    documents: int
    indexed: int
    failed: int
    chunks: int
