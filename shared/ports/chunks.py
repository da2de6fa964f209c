"""Chunks, and the read gate in front of them."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from shared.domain.chunks import Chunk, ChunkId
from shared.domain.search import VisibleChunk
from shared.domain.tenants import Scope


class Chunks(Protocol):
    """Storage of chunk texts, inside the current transaction."""

    async def replace(
        self, scope: Scope, index_id: UUID, document_id: UUID, generation: int, chunks: Sequence[Chunk]
    ) -> None:
        """Make `chunks` the whole content of the generation; doing it twice changes nothing."""
        ...

    async def list(
        self, scope: Scope, document_id: UUID, generation: int, *, first: int = 0, limit: int | None = None
    ) -> Sequence[Chunk]:
        """Chunks of a generation in order, from ordinal `first`."""
        ...

    async def visible(self, scope: Scope, ids: Sequence[ChunkId]) -> dict[ChunkId, VisibleChunk]:
        """The read gate.

        Those of the ids whose generation is its document's committed one and whose document and collection are not
        deleted.
        """
        ...

    async def delete(self, scope: Scope, document_id: UUID) -> int:
        """Remove every chunk of the document, in all indexes; returns how many."""
        ...

    async def delete_from(self, scope: Scope, index_id: UUID, document_id: UUID, *, keep: int | None) -> int:
        """Remove the chunks of every generation made for the index up to `keep` exclusive; of all when None.

        Returns how many.
        """
        ...

    async def count(self, scope: Scope, document_id: UUID) -> int:
        """Chunks of a document in all generations."""
        ...

    async def ids(self, scope: Scope, document_id: UUID) -> Sequence[ChunkId]:
        """Of every chunk of a document, all generations."""
        ...

    async def hashes(self, scope: Scope, document_id: UUID) -> Sequence[str]:
        """Distinct content hashes of a document's chunks, all generations."""
        ...
