"""The keyword leg: BM25 over analysed terms, with statistics kept per index."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from shared.domain.chunks import ChunkTerms
from shared.domain.filters import Filter
from shared.domain.search import LegHit
from shared.domain.tenants import Scope, TenantScope


class Keywords(Protocol):
    """A keyword index, inside the current transaction. Only committed generations count in the statistics."""

    async def put(self, scope: Scope, index_id: UUID, terms: Sequence[ChunkTerms]) -> None:
        """Store the terms of chunks of one generation (after `Chunks.replace`); the same id again replaces them."""
        ...

    async def publish(
        self, scope: Scope, index_id: UUID, document_id: UUID, *, add: int | None, remove: int | None
    ) -> None:
        """Count generation `add` of the document into the index's statistics and `remove` out of them.

        None: nothing to add or remove.
        """
        ...

    async def query(
        self,
        scope: Scope,
        index_ids: Sequence[UUID],
        terms: Sequence[str],
        limit: int,
        *,
        filter: Filter | None = None,
        document_ids: Sequence[UUID] | None = None,
    ) -> Sequence[LegHit]:
        """Chunks of committed generations that share at least one term, best BM25 first; scores above 0."""
        ...

    async def counted(self, scope: Scope, index_id: UUID, document_id: UUID) -> Sequence[int]:
        """Generations of a document that are counted into the index's statistics."""
        ...

    async def recount(self, scope: TenantScope) -> int:
        """Make the totals of each index of the tenant what its counted generations add up to.

        Returns of how many they were not; those of deleted collections and projects are left alone.
        """
        ...

    async def discard(self, scope: Scope, index_id: UUID, document_id: UUID) -> int:
        """Remove the words of every generation of a deleted document, and that they were counted.

        The index's statistics stay as they are: of a living collection, `publish` has counted them out before.
        Returns how many rows went.
        """
        ...

    async def count(self, scope: Scope, index_id: UUID, document_id: UUID) -> int:
        """Rows about a document: words of its chunks, and generations counted."""
        ...

    async def forget(self, scope: Scope, index_id: UUID, limit: int) -> int:
        """Remove the statistics of an index that is done with, up to `limit` terms; returns how many rows went."""
        ...

    async def rebalance(self, scope: Scope, index_id: UUID) -> int:
        """Re-encode the index's weights when the mean length has drifted by a factor of two.

        Returns how many chunks were re-encoded.
        """
        ...
