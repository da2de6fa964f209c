"""Documents and their generations."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.adapters.memory.tombstones import collection_gone, is_within, room_gone
from shared.adapters.memory.turns import in_turn
from shared.domain.documents import Document, DocumentStatus, Generation, GenerationState, Recipe
from shared.domain.errors import Conflict, Forbidden
from shared.domain.filters import Filter, matches
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.reindexing import Staleness
from shared.domain.tenants import Scope, TenantScope
from shared.ports.documents import DocumentFilter, DueGeneration, FailedFilter, Unswept


class MemoryDocuments:
    """Storage of documents and generations."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: Scope, document: Document, generation: Generation) -> None:
        """Store a new document with its first generation.

        Raises:
            Conflict: a live document of the collection has this path already.
        """
        self._transaction.require(scope.tenant_id)
        if document.path:
            await self._transaction.lock("documents.path", scope.tenant_id, (document.collection_id, document.path))
            # Also those that whoever adds it may not read.
            rows = (row for tenant, _, row in self._transaction.everyones("documents") if tenant == scope.tenant_id)
            live = (row for row in rows if row.collection_id == document.collection_id and row.tombstoned_at is None)
            if any(row.path == document.path for row in live):
                raise Conflict(
                    f"a document with the path {document.path!r} is in this collection already", code="path_taken"
                )
        collection = self._transaction.get("collections", scope.tenant_id, (document.collection_id,))
        if collection is None or collection.project_id != scope.project_id:
            raise Conflict("it refers to something that is not there", code="missing_reference")
        await self._transaction.put(
            "documents",
            scope.tenant_id,
            (document.id,),
            replace(document, committed_generation=None, standby_generation=None, slot=0),
        )
        if self._transaction.get("documents", scope.tenant_id, (document.id,)) is None:
            raise Forbidden("who may not read what is in a collection adds nothing to it", code="not_a_reader")
        await self.add_generation(scope, generation)

    async def project_of(self, scope: TenantScope, document_id: UUID) -> UUID | None:
        """The project a document of the tenant belongs to; None when there is no such document."""
        row: Document | None = self._transaction.get("documents", scope.tenant_id, (document_id,))
        return None if row is None else row.project_id

    async def get(self, scope: Scope, document_id: UUID) -> Document | None:
        """One document, deleted ones too."""
        row: Document | None = self._transaction.get("documents", scope.tenant_id, (document_id,))
        if row is None or row.project_id != scope.project_id:
            return None
        gone = collection_gone(self._transaction, row)
        kept = seen(self._transaction, row)
        return kept if gone is None else replace(kept, gone_with=gone)

    async def latest(self, scope: Scope, document_id: UUID) -> tuple[Document, Generation] | None:
        """One document, deleted ones too, with its latest generation."""
        document = await self.get(scope, document_id)
        return None if document is None else await self._with(scope, document, document.latest_generation)

    async def lock_with(self, scope: Scope, document_id: UUID, number: int) -> tuple[Document, Generation] | None:
        """One document, locked until the transaction ends, with one of its generations.

        None when either is not there.
        """
        document = await self.lock(scope, document_id)
        return None if document is None else await self._with(scope, document, number)

    async def lock_all(
        self, scope: TenantScope, named: Sequence[tuple[UUID, int]]
    ) -> Mapping[tuple[UUID, int], tuple[Document, Generation]]:
        """As `lock_with` for many of the tenant, whichever project's, locked in the order of their ids."""
        found = {}
        for document_id, number in sorted(set(named)):
            project_id = await self.project_of(scope, document_id)
            if project_id is not None:
                own = Scope(scope.tenant_id, scope.principal, scope.permissions, project_id)
                both = await self.lock_with(own, document_id, number)
                found.update({} if both is None else {(document_id, number): both})
        return found

    async def _with(self, scope: Scope, document: Document, number: int) -> tuple[Document, Generation] | None:
        generation = await self.generation(scope, document.id, number)
        return None if generation is None else (document, generation)

    async def get_by_path(self, scope: Scope, collection_id: UUID, path: str) -> Document | None:
        """The live document with this path, locked until the transaction ends."""
        for row in self._live(scope, collection_id):
            if path and row.path == path:
                locked = await self.lock(scope, row.id)
                return locked if locked is not None and not locked.deleted and locked.path == path else None
        return None

    async def list(self, scope: Scope, wanted: DocumentFilter, after: After | None, limit: int) -> Sequence[Document]:
        """Documents that are not deleted, newest first (created_at, id), up to `limit`."""
        rows = [
            row
            for row in self._live(scope, wanted.collection_id)
            if (wanted.status is None or row.status is wanted.status)
            and (wanted.filter is None or matches(wanted.filter, row))
            and (after is None or (row.created_at, row.id) < (after.at, after.id))
        ]
        return sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)[:limit]

    async def failed(self, scope: Scope, wanted: FailedFilter, after: After | None, limit: int) -> Sequence[Document]:
        """Documents that are not deleted and whose latest generation failed, in the order of `list`."""
        found = []
        for row in self._live(scope, wanted.collection_id):
            latest = await self.generation(scope, row.id, row.latest_generation)
            if latest is None or latest.failure is None or (after and (row.created_at, row.id) >= (after.at, after.id)):
                continue
            if latest.state is GenerationState.FAILED and wanted.reason in (None, latest.failure.code):
                found.append(row)
        return sorted(found, key=lambda row: (row.created_at, row.id), reverse=True)[:limit]

    async def matching_ids(
        self, scope: Scope, collection_ids: Sequence[UUID], filter: Filter, limit: int
    ) -> Sequence[UUID]:
        """Ids of searchable documents of the collections that pass the filter, up to `limit`."""
        rows = searchable(self._transaction, scope)
        return [row.id for row in rows if row.collection_id in collection_ids and matches(filter, row)][:limit]

    async def living(self, scope: Scope, document_ids: Sequence[UUID]) -> Set[UUID]:
        """Those of the documents that are there and not deleted, nor anything they are in."""
        found = [await self.get(scope, document_id) for document_id in document_ids]
        return {one.id for one in found if one is not None and not one.deleted}

    async def lock(self, scope: Scope, document_id: UUID) -> Document | None:
        """One document, locked until the transaction ends."""
        if await self.get(scope, document_id) is None:
            return None
        await self._transaction.lock("documents", scope.tenant_id, (document_id,))
        # As it is now: it may have changed while its holder was waited for.
        return await self.get(scope, document_id)

    async def save(self, scope: Scope, document: Document) -> None:
        """Write a changed document back, except `committed_generation`, which only `commit` changes."""
        known = await self.lock(scope, document.id)
        if known is None:
            return
        kept = replace(
            document,
            tenant_id=known.tenant_id,
            project_id=known.project_id,
            created_at=known.created_at,
            committed_generation=known.committed_in(0),
            standby_generation=known.committed_in(1),
            slot=0,
            gone_with=None,
        )
        await self._transaction.put("documents", scope.tenant_id, (document.id,), kept)

    async def commit(self, scope: Scope, document_id: UUID, generation: int, slot: int = 0) -> bool:
        """Compare-and-set the generation committed in a slot.

        False when a newer one is committed there or the document is tombstoned.
        """
        known = await self.lock(scope, document_id)
        if known is None or known.deleted or (known.committed_in(slot) or 0) > generation:
            return False
        committed = [known.committed_in(0), known.committed_in(1)]
        committed[slot] = generation
        kept = replace(
            known, committed_generation=committed[0], standby_generation=committed[1], slot=0, gone_with=None
        )
        await self._transaction.put("documents", scope.tenant_id, (document_id,), kept)
        return True

    async def same_content(self, scope: Scope, document_id: UUID, content_hash: str) -> UUID | None:
        """Another searchable document of the project with these bytes, the oldest; None when there is none."""
        rows = searchable(self._transaction, scope)
        twins = [row for row in rows if row.content_hash == content_hash and row.id != document_id]
        return min(twins, key=lambda row: (row.created_at, row.id)).id if twins else None

    async def add_generation(self, scope: Scope, generation: Generation) -> None:
        """Store a further generation."""
        key = (generation.document_id, generation.number)
        await self._transaction.lock("generations", scope.tenant_id, key)
        if self._transaction.get("generations", scope.tenant_id, key) is not None:
            raise Conflict("something with the same key exists already", code="already_exists")
        await self._transaction.put("generations", scope.tenant_id, key, generation)

    async def generation(self, scope: Scope, document_id: UUID, number: int) -> Generation | None:
        """One generation."""
        row: Generation | None = self._transaction.get("generations", scope.tenant_id, (document_id, number))
        return row if row is not None and row.project_id == scope.project_id else None

    async def generations(self, scope: Scope, document_id: UUID) -> Sequence[Generation]:
        """All generations of a document, newest first."""
        rows = [
            row
            for _, row in self._transaction.items("generations", scope.tenant_id)
            if row.document_id == document_id and row.project_id == scope.project_id
        ]
        return sorted(rows, key=lambda row: row.number, reverse=True)

    async def save_generation(self, scope: Scope, generation: Generation) -> None:
        """Write a changed generation back."""
        key = (generation.document_id, generation.number)
        await self._transaction.lock("generations", scope.tenant_id, key)
        known = await self.generation(scope, generation.document_id, generation.number)
        if known is not None:
            await self._transaction.put(
                "generations", scope.tenant_id, key, replace(generation, created_at=known.created_at)
            )

    async def claim(self, scope: Scope, generation: Generation) -> None:
        """Write back a generation that got a lease."""
        await self.save_generation(scope, generation)

    async def due(self, now: datetime, limit: int) -> Sequence[DueGeneration]:
        """Across tenants: unfinished generations whose `due_at` has passed, but for those in line. Ids only.

        In turns of the tenants, the longest overdue first.
        """
        rows = {
            (row.due_at, row.document_id, row.number): row
            for _, _, row in self._transaction.everyones("generations")
            if row.due_at and row.due_at <= now and row.state is not GenerationState.QUEUED
        }
        turns = in_turn((row.tenant_id, place) for place, row in rows.items())
        chosen = [rows[place] for _, place in turns[:limit]]
        return [DueGeneration(row.tenant_id, row.project_id, row.document_id, row.number) for row in chosen]

    async def staleness(self, scope: Scope, collection_id: UUID, wanted: Recipe) -> Staleness:
        """How what is searched of a collection differs from the wanted recipe."""
        found = Staleness()
        for row in searchable(self._transaction, scope):
            served = await self.generation(scope, row.id, row.committed_generation or 0)
            if row.collection_id != collection_id or served is None:
                continue
            found = Staleness(
                documents=found.documents + 1,
                stale=found.stale + (served.recipe != wanted),
                model=found.model + (served.recipe.model != wanted.model),
                chunking=found.chunking + (served.recipe.chunking != wanted.chunking),
                reader=found.reader + (served.recipe.reader != wanted.reader),
                pipeline=found.pipeline + (served.recipe.pipeline != wanted.pipeline),
                chunks=found.chunks + served.counts.chunks,
                characters=found.characters + served.counts.characters,
            )
        return found

    async def tombstoned(self, limit: int) -> Sequence[DueGeneration]:
        """Across tenants: documents deleted but not yet swept (`number` is the latest generation).

        The oldest first, but one of each tenant before the second of any. Ids only.
        """
        everyone: list[Document] = [row for _, _, row in self._transaction.everyones("documents")]
        rows = {row.id: row for row in everyone if row.tombstoned_at and row.swept_at is None}
        turns = in_turn((row.tenant_id, (row.tombstoned_at, row.id)) for row in rows.values())
        chosen = [rows[place[1]] for _, place in turns[:limit]]
        return [DueGeneration(row.tenant_id, row.project_id, row.id, row.latest_generation) for row in chosen]

    async def tombstone(
        self, scope: TenantScope, subject: Subject, now: datetime, limit: int
    ) -> Sequence[tuple[UUID, UUID]]:
        """Give documents of a deleted collection, project or tenant a tombstone of their own, up to `limit`.

        Those that another transaction holds are left for the next time. Returns project and document ids.
        """
        rows = [row for row in self._within(scope, subject) if row.tombstoned_at is None]
        free = [row for row in rows if self._transaction.free("documents", scope.tenant_id, (row.id,))]
        chosen = sorted(free, key=lambda row: (row.created_at, row.id))[:limit]
        for row in chosen:
            changed = replace(row, tombstoned_at=now, updated_at=now, status=DocumentStatus.DELETING)
            await self._transaction.put("documents", scope.tenant_id, (row.id,), changed)
        return [(row.project_id, row.id) for row in chosen]

    async def swept(self, scope: TenantScope, document_ids: Sequence[UUID]) -> Mapping[UUID, tuple[UUID, bool]]:
        """Those of the documents that have a row: their project, and whether they are deleted and swept."""
        rows = {id: self._transaction.get("documents", scope.tenant_id, (id,)) for id in document_ids}
        return {id: (row.project_id, row.swept_at is not None) for id, row in rows.items() if row is not None}

    async def indexed(self, scope: TenantScope, after: UUID | None, limit: int) -> Sequence[tuple[UUID, UUID]]:
        """Project and id of documents of the tenant that have a committed generation and no tombstone, by id."""
        rows: Sequence[Document] = [row for _, row in self._transaction.items("documents", scope.tenant_id)]
        found = sorted(
            (row.id, row.project_id)
            for row in rows
            if (row.committed_generation or row.standby_generation)
            and row.tombstoned_at is None
            and (after is None or row.id > after)
        )
        return [(project_id, id) for id, project_id in found[:limit]]

    async def unswept(self, scope: TenantScope, subject: Subject) -> Unswept:
        """What is left to do of a deleted collection, project or tenant."""
        rows = self._within(scope, subject)
        return Unswept(
            living=any(row.tombstoned_at is None for row in rows),
            tombstoned=sum(row.tombstoned_at is not None and row.swept_at is None for row in rows),
        )

    def _within(self, scope: TenantScope, subject: Subject) -> Sequence[Document]:
        return [row for _, row in self._transaction.items("documents", scope.tenant_id) if is_within(row, subject)]

    def _live(self, scope: Scope, collection_id: UUID | None) -> Sequence[Document]:
        return [
            seen(self._transaction, row)
            for _, row in self._transaction.items("documents", scope.tenant_id)
            if row.project_id == scope.project_id
            and row.tombstoned_at is None
            and (collection_id is None or row.collection_id == collection_id)
            and collection_gone(self._transaction, row) is None
        ]


def seen(transaction: Transaction, row: Document) -> Document:
    """A kept row, which is by slots 0 and 1, as of the index that is searched now."""
    collection = transaction.get("collections", row.tenant_id, (row.collection_id,))
    if collection is None or collection.slot == row.slot:
        return row
    return replace(
        row,
        slot=collection.slot,
        committed_generation=row.standby_generation,
        standby_generation=row.committed_generation,
    )


def searchable(transaction: Transaction, scope: Scope) -> list[Document]:
    """Documents of the scope's project that are in the index which is searched, in live collections."""
    return [row for row in shown(transaction, scope) if row.committed_generation is not None]


def shown(transaction: Transaction, scope: Scope) -> list[Document]:
    """The read gate: documents of the scope's project in live collections that are in an index at all."""
    if room_gone(transaction, scope.tenant_id, scope.project_id) is not None:
        return []
    live = {row.id for _, row in transaction.items("collections", scope.tenant_id) if row.deleted_at is None}
    rows = [seen(transaction, row) for _, row in transaction.items("documents", scope.tenant_id)]
    return [
        row
        for row in rows
        if row.project_id == scope.project_id
        and not row.deleted
        and (row.committed_generation is not None or row.standby_generation is not None)
        and row.collection_id in live
    ]
