"""Rows of documents and their generations.

Every method but `due` and `tombstoned` stays inside the scope's tenant and project.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.documents import Document, DocumentStatus, Generation, Recipe
from shared.domain.filters import Filter
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.reindexing import Staleness
from shared.domain.tenants import Scope, TenantScope


@dataclass(frozen=True, slots=True)
class DocumentFilter:
    """Which documents a listing shows; None means any."""

    collection_id: UUID | None = None
    status: DocumentStatus | None = None
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class FailedFilter:
    """Which failed documents are meant; None means any."""

    collection_id: UUID | None = None
    reason: str | None = None
    """The code of the failure."""


@dataclass(frozen=True, slots=True)
class DueGeneration:
    """A generation whose deadline has passed, named well enough to open its tenant's scope."""

    tenant_id: UUID
    project_id: UUID
    document_id: UUID
    number: int


@dataclass(frozen=True, slots=True)
class Unswept:
    """What the sweep of a larger delete has before it."""

    living: bool
    """Some documents have no tombstone of their own yet."""
    tombstoned: int
    """How many have one and are not swept yet."""


class Documents(Protocol):
    """Storage of documents and generations, inside the current transaction."""

    async def add(self, scope: Scope, document: Document, generation: Generation) -> None:
        """Store a new document with its first generation.

        Raises:
            Conflict: a live document of the collection has this path already.
        """
        ...

    async def project_of(self, scope: TenantScope, document_id: UUID) -> UUID | None:
        """The project a document of the tenant belongs to; None when there is no such document."""
        ...

    async def get(self, scope: Scope, document_id: UUID) -> Document | None:
        """One document, deleted ones too."""
        ...

    async def latest(self, scope: Scope, document_id: UUID) -> tuple[Document, Generation] | None:
        """One document, deleted ones too, with its latest generation."""
        ...

    async def lock_with(self, scope: Scope, document_id: UUID, number: int) -> tuple[Document, Generation] | None:
        """As `lock`, with one of its generations; None when either is not there."""
        ...

    async def lock_all(
        self, scope: TenantScope, named: Sequence[tuple[UUID, int]]
    ) -> Mapping[tuple[UUID, int], tuple[Document, Generation]]:
        """As `lock_with` for many of the tenant, whichever project's, locked in the order of their ids.

        Args:
            scope: of the tenant.
            named: document and number; those that are not there are left out.
        """
        ...

    async def get_by_path(self, scope: Scope, collection_id: UUID, path: str) -> Document | None:
        """The live document with this path, locked until the transaction ends."""
        ...

    async def list(self, scope: Scope, wanted: DocumentFilter, after: After | None, limit: int) -> Sequence[Document]:
        """Documents that are not deleted, newest first (created_at, id), up to `limit`."""
        ...

    async def failed(self, scope: Scope, wanted: FailedFilter, after: After | None, limit: int) -> Sequence[Document]:
        """Documents that are not deleted and whose latest generation failed, in the order of `list`."""
        ...

    async def matching_ids(
        self, scope: Scope, collection_ids: Sequence[UUID], filter: Filter, limit: int
    ) -> Sequence[UUID]:
        """Ids of searchable documents of the collections that pass the filter, up to `limit`."""
        ...

    async def living(self, scope: Scope, document_ids: Sequence[UUID]) -> Set[UUID]:
        """Those of the documents that are there and not deleted, nor anything they are in."""
        ...

    async def lock(self, scope: Scope, document_id: UUID) -> Document | None:
        """One document, locked until the transaction ends.

        Whoever changes a generation holds its document's lock first.
        """
        ...

    async def save(self, scope: Scope, document: Document) -> None:
        """Write a changed document back, except `committed_generation`, which only `commit` changes."""
        ...

    async def commit(self, scope: Scope, document_id: UUID, generation: int, slot: int = 0) -> bool:
        """Compare-and-set the generation committed in a slot.

        False when a newer one is committed there or the document is tombstoned.
        """
        ...

    async def same_content(self, scope: Scope, document_id: UUID, content_hash: str) -> UUID | None:
        """Another searchable document of the project with these bytes, the oldest; None when there is none."""
        ...

    async def add_generation(self, scope: Scope, generation: Generation) -> None:
        """Store a further generation."""
        ...

    async def generation(self, scope: Scope, document_id: UUID, number: int) -> Generation | None:
        """One generation."""
        ...

    async def generations(self, scope: Scope, document_id: UUID) -> Sequence[Generation]:
        """All generations of a document, newest first."""
        ...

    async def save_generation(self, scope: Scope, generation: Generation) -> None:
        """Write a changed generation back."""
        ...

    async def claim(self, scope: Scope, generation: Generation) -> None:
        """Write the lease of a generation that got one, and the deadline with it; nothing else of it has changed.

        The transaction's commit need not be waited for: a database that crashes may have forgotten it, all of it.
        """
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[DueGeneration]:
        """Across tenants: unfinished generations whose `due_at` has passed, but for those in line. Ids only.

        In turns of the tenants, the longest overdue first.
        """
        ...

    async def staleness(self, scope: Scope, collection_id: UUID, wanted: Recipe) -> Staleness:
        """How what is searched of a collection differs from the wanted recipe."""
        ...

    async def tombstoned(self, limit: int) -> Sequence[DueGeneration]:
        """Across tenants: documents deleted but not yet swept (`number` is the latest generation).

        The oldest first, but one of each tenant before the second of any. Ids only.
        """
        ...

    async def tombstone(
        self, scope: TenantScope, subject: Subject, now: datetime, limit: int
    ) -> Sequence[tuple[UUID, UUID]]:
        """Give documents of a deleted collection, project or tenant a tombstone of their own, up to `limit`.

        Those that another transaction holds are left for the next time. Returns project and document ids.
        """
        ...

    async def swept(self, scope: TenantScope, document_ids: Sequence[UUID]) -> Mapping[UUID, tuple[UUID, bool]]:
        """Those of the documents that have a row: their project, and whether they are deleted and swept."""
        ...

    async def indexed(self, scope: TenantScope, after: UUID | None, limit: int) -> Sequence[tuple[UUID, UUID]]:
        """Project and id of documents of the tenant that have a committed generation and no tombstone, by id."""
        ...

    async def unswept(self, scope: TenantScope, subject: Subject) -> Unswept:
        """What is left to do of a deleted collection, project or tenant."""
        ...
