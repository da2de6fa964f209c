"""What of a collection is stale, and what it would take to make its index anew."""

from dataclasses import dataclass
from uuid import UUID

from shared.domain.chunks import Chunking
from shared.domain.collections import EmbeddingModel

CHARACTERS_PER_TOKEN = 4
"""Of ordinary prose; an estimate before the model itself has counted."""


@dataclass(frozen=True, slots=True)
class Staleness:
    """How a collection's searched documents differ from the wanted recipe.

    A document may be stale in several ways, so the four counts may add up to more than `stale`.
    """

    documents: int = 0
    """Searched documents in all."""
    stale: int = 0
    model: int = 0
    """Embedded by another model."""
    chunking: int = 0
    """Cut by other settings."""
    reader: int = 0
    """Read by another version of the file readers."""
    pipeline: int = 0
    """Made by another version of the pipeline."""
    chunks: int = 0
    """Of all searched documents: a new index has them all."""
    characters: int = 0
    """Of all searched documents."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """In which ways something is stale."""
        return tuple(name for name in ("model", "chunking", "reader", "pipeline") if getattr(self, name))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a reindex of a collection would do, before anything is done."""

    collection_id: UUID
    name: str
    model: EmbeddingModel
    """As the collection is now."""
    chunking: Chunking
    target_model: EmbeddingModel
    target_chunking: Chunking
    staleness: Staleness

    @property
    def tokens(self) -> int:
        """Most that would be embedded, estimated; texts this tenant had embedded by the target model are free."""
        return self.staleness.characters // CHARACTERS_PER_TOKEN

    @property
    def needed(self) -> bool:
        """Whether anything is stale."""
        return self.staleness.stale > 0
