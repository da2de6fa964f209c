"""Texts to vectors."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from shared.domain.collections import EmbeddingModel


class Purpose(StrEnum):
    """Some models treat questions and documents differently."""

    DOCUMENT = "document"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors in the order of the texts, each of `model.dimensions` floats and unit length, and the tokens read."""

    vectors: Sequence[Sequence[float]]
    tokens: int


class Embedders(Protocol):
    """Every embedding model of this deployment: the present one, and others that some index still or already has."""

    def of(self, name: str) -> "Embedder":
        """The model of this name. Looking it up never loads a model nor calls anyone.

        Raises:
            Conflict: nobody configured it.
        """
        ...


class Embedder(Protocol):
    """One embedding model.

    Errors: Delayed when the provider asks to wait (429, with its Retry-After), Unavailable for anything transient or
    malformed, Rejected when the provider will never take these texts.
    """

    @property
    def model(self) -> EmbeddingModel:
        """Name, dimensions and window. Reading it never loads the model nor calls anyone."""
        ...

    @property
    def batch_size(self) -> int:
        """How many texts to hand over at once."""
        ...

    @property
    def remote(self) -> bool:
        """Whether a provider answers, who may ask to wait; a model in this process never does."""
        ...

    async def embed(self, texts: Sequence[str], purpose: Purpose) -> Embeddings:
        """Embed 1 to `batch_size` texts; longer ones are cut at the model's window."""
        ...
