"""Rows of indexes, and what it takes to keep two of them in step."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from shared.domain.documents import Generation
from shared.domain.indexes import Index, Progress
from shared.domain.questions import Question
from shared.domain.tenants import Scope


@dataclass(frozen=True, slots=True)
class UnfinishedIndex:
    """An index that the schedule must look at, named well enough to open its tenant's scope."""

    tenant_id: UUID
    project_id: UUID
    collection_id: UUID
    id: UUID


class Indexes(Protocol):
    """Storage of indexes and of the questions they are scored by, inside the current transaction.

    A collection's first index comes with it (`Collections.add`).
    """

    async def add(self, scope: Scope, index: Index) -> None:
        """Store a new index.

        Raises:
            Conflict: the collection has another open index in this slot.
        """
        ...

    async def get(self, scope: Scope, index_id: UUID, *, lock: bool = False) -> Index | None:
        """One index, locked until the transaction ends if asked."""
        ...

    async def of(self, scope: Scope, collection_id: UUID) -> Sequence[Index]:
        """Every index of a collection, newest first."""
        ...

    async def save(self, scope: Scope, index: Index) -> None:
        """Write a changed index back; its slot stays."""
        ...

    async def progress(self, scope: Scope, index: Index, ahead: Index) -> Progress:
        """How far `index` is behind `ahead`, both of one collection."""
        ...

    async def restate(self, scope: Scope, index: Index) -> int:
        """The index is searched from now on: documents that are not in it are failed, those that are, indexed.

        Only documents that are neither on their way nor deleted; returns how many were something else.
        """
        ...

    async def behind(self, scope: Scope, index: Index, ahead: Index, limit: int) -> Sequence[Generation]:
        """Generations committed in `ahead` whose upload is newer than what `index` has.

        Left out are documents with a generation under way for `index`, and those whose try with this upload failed.
        The oldest documents first, up to `limit`.
        """
        ...

    async def under_way(self, scope: Scope, index: Index) -> int:
        """Generations under way for the index, those that wait for their upload included."""
        ...

    async def generations(self, scope: Scope, index: Index, limit: int) -> Sequence[Generation]:
        """Generations under way for the index, up to `limit`."""
        ...

    async def busy(self, scope: Scope, index: Index) -> int:
        """Generations under way in the project for anything but this index, without those that wait for an upload."""
        ...

    async def remains(self, scope: Scope, index: Index, limit: int) -> Sequence[UUID]:
        """Documents that have chunks in the index, up to `limit`."""
        ...

    async def forget(self, scope: Scope, index: Index, document_id: UUID) -> None:
        """Take the index's generation off the document's slot, if it is there."""
        ...

    async def unfinished(self, limit: int) -> Sequence[UnfinishedIndex]:
        """Across tenants: indexes that are building, ready, retired or dropping. Ids only."""
        ...

    async def questions(self, scope: Scope, collection_id: UUID) -> Sequence[Question]:
        """The collection's own questions, in their order."""
        ...

    async def ask(self, scope: Scope, collection_id: UUID, questions: Sequence[Question]) -> None:
        """Make these the collection's questions."""
        ...
