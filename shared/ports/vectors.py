"""Where vectors are kept and compared.

There is no call that touches another tenant's vectors, and none that removes more than one document's but `wipe`, which
is for a deleted tenant's own.
A collection is what its index
makes of it: calls concern the vectors of `collection.index_id` alone, which all have `collection.model`'s dimensions.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.domain.chunks import ChunkId, ChunkVector
from shared.domain.collections import Collection
from shared.domain.filters import Filter
from shared.domain.search import LegHit
from shared.domain.tenants import Scope, TenantScope


class Vectors(Protocol):
    """A vector store. Ids contain the generation, so writes are idempotent and stale ones never pass for fresh.

    A store may be eventually consistent, and may return chunks of generations that are not committed: the read gate
    (`Chunks.visible`) decides, and callers over-fetch.
    """

    @property
    def filters(self) -> bool:
        """True when `query` applies `filter` itself; else the caller passes `document_ids`."""
        ...

    @property
    def lag(self) -> timedelta:
        """How long after an acknowledged change a listing may still tell of what was before."""
        ...

    async def put(self, scope: Scope, collection: Collection, vectors: Sequence[ChunkVector]) -> None:
        """Write vectors of one document; the same id again replaces it.

        Raises:
            Invalid: a vector has not the collection's dimensions.
        """
        ...

    async def query(
        self,
        scope: Scope,
        collections: Sequence[Collection],
        vector: Sequence[float],
        limit: int,
        *,
        filter: Filter | None = None,
        document_ids: Sequence[UUID] | None = None,
    ) -> Sequence[LegHit]:
        """Nearest by cosine, best first; the score is the cosine, -1 to 1. An empty `document_ids` finds nothing.

        The collections all have the same model.
        """
        ...

    async def ids(self, scope: Scope, collection: Collection, document_id: UUID) -> Sequence[ChunkId]:
        """Every stored id of one document in the index, all generations."""
        ...

    async def delete(
        self,
        scope: Scope,
        collection: Collection,
        document_id: UUID,
        *,
        keep: int | None,
        known: Sequence[ChunkId] = (),
    ) -> int:
        """Remove the document's vectors of every generation up to `keep` exclusive; of all when None.

        Args:
            scope: who asks.
            collection: the document's.
            document_id: the document.
            keep: the oldest generation that stays.
            known: ids that may be there besides those the store lists, because it lists late.

        Returns:
            How many.
        """
        ...

    async def tend(self, scope: Scope, collection: Collection, now: datetime) -> bool:
        """What the store wants done as a collection grows, such as an index of its own; True when something was done.

        Asked on a schedule, in a transaction that does nothing else: it may take long.
        """
        ...

    async def listed(self, scope: TenantScope, after: str, limit: int) -> tuple[Sequence[ChunkId], str]:
        """Some ids of the tenant's vectors, from the place `after` ('' for the first), and the place that follows.

        That is '' at the end. A store whose vectors cannot be without their document's row lists none.
        """
        ...

    async def drop(self, scope: TenantScope, ids: Sequence[ChunkId]) -> None:
        """Remove vectors of the tenant by their ids."""
        ...

    async def wipe(self, scope: TenantScope, limit: int) -> int:
        """Remove every vector of a deleted tenant and of nobody else; a store may stop after `limit`.

        Returns how many went, as far as the store tells; 0 when nothing is left.
        """
        ...

    async def retire(self, scope: Scope, collection: Collection) -> None:
        """Undo what `tend` made of the index, which is done with and has no vectors any more."""
        ...

    async def ping(self) -> None:
        """Prove that the store answers."""
        ...
