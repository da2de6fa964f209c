"""Tenants, projects and collections."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.adapters.memory.references import refer
from shared.adapters.memory.rows_transaction import Transaction
from shared.adapters.memory.tombstones import FIELDS, room_gone
from shared.domain.collections import Collection, CollectionSummary
from shared.domain.documents import Document, DocumentStatus
from shared.domain.errors import Conflict
from shared.domain.indexes import Index, IndexState, seen_through
from shared.domain.pages import After
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.tenants import Project, Scope, Tenant, TenantScope


def newest_first[Row: (Project, Collection)](rows: Sequence[Row], after: After | None, limit: int) -> list[Row]:
    """A page in the order of listings."""
    ordered = sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)
    return [row for row in ordered if after is None or (row.created_at, row.id) < (after.at, after.id)][:limit]


class MemoryTenants:
    """Storage of tenants."""

    def __init__(self, transaction: Transaction, revision: str) -> None:
        self._transaction = transaction
        self._revision = revision

    async def ensure(self, tenant_id: UUID, name: str, now: datetime) -> None:
        """Store the tenant unless it is there."""
        if self._transaction.get("tenants", tenant_id, ()) is None:
            await self._transaction.put("tenants", tenant_id, (), Tenant(tenant_id, name, now))

    async def get(self, scope: TenantScope) -> Tenant | None:
        """The scope's tenant, deleted or not."""
        found: Tenant | None = self._transaction.get("tenants", scope.tenant_id, ())
        return found

    async def save(self, scope: TenantScope, tenant: Tenant) -> None:
        """Write the changed tenant back."""
        known = await self.get(scope)
        if known is not None:
            kept = replace(tenant, id=known.id, created_at=known.created_at)
            await self._transaction.put("tenants", scope.tenant_id, (), kept)

    async def ids(self) -> Sequence[UUID]:
        """Ids of the tenants that are not deleted."""
        rows = self._transaction.everyones("tenants")
        return sorted(tenant_id for tenant_id, _, row in rows if row.deleted_at is None)

    async def revision(self) -> str:
        """What the store was told."""
        return self._revision


class MemoryProjects:
    """Storage of projects."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: TenantScope, project: Project) -> None:
        """Store a new project.

        Raises:
            Conflict: the tenant has a project of this name.
        """
        self._transaction.require(scope.tenant_id)
        await self._transaction.lock("projects.name", scope.tenant_id, (project.name,))
        if any(row.name == project.name for row in self._live(scope)):
            raise Conflict(f"there is a project named {project.name!r} already", code="name_taken")
        if self._transaction.get("tenants", scope.tenant_id, ()) is None:
            raise Conflict("it refers to something that is not there", code="missing_reference")
        refer(self._transaction, scope.tenant_id, units=project.unit_id)
        await self._transaction.put("projects", scope.tenant_id, (project.id,), project)

    async def get(self, scope: TenantScope, project_id: UUID, *, deleted: bool = False) -> Project | None:
        """One project of the tenant; a deleted one only when `deleted` is True."""
        found: Project | None = self._transaction.get("projects", scope.tenant_id, (project_id,))
        return None if found is None or (found.deleted_at is not None and not deleted) else found

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Project]:
        """Projects of the tenant that are not deleted, newest first."""
        return newest_first(self._live(scope), after, limit)

    async def save(self, scope: TenantScope, project: Project) -> None:
        """Write a changed project back.

        Raises:
            Conflict: the tenant has another project of this name.
        """
        known = await self.get(scope, project.id, deleted=True)
        if known is None:
            return
        if project.deleted_at is None:
            await self._transaction.lock("projects.name", scope.tenant_id, (project.name,))
            if any(row.name == project.name and row.id != project.id for row in self._live(scope)):
                raise Conflict(f"there is a project named {project.name!r} already", code="name_taken")
        refer(self._transaction, scope.tenant_id, units=project.unit_id)
        kept = replace(project, tenant_id=known.tenant_id, created_at=known.created_at)
        await self._transaction.put("projects", scope.tenant_id, (project.id,), kept)

    async def named(self, scope: TenantScope, subject: Subject, limit: int) -> Sequence[Project]:
        """Projects of a deleted project or tenant that still have a name, up to `limit`."""
        field = "id" if subject.kind is SubjectKind.PROJECT else FIELDS[subject.kind]
        rows = [row for _, row in self._transaction.items("projects", scope.tenant_id) if row.name]
        return [row for row in rows if getattr(row, field) == subject.id][:limit]

    def _live(self, scope: TenantScope) -> Sequence[Project]:
        rows = self._transaction.items("projects", scope.tenant_id)
        return [row for _, row in rows if row.deleted_at is None]


class MemoryCollections:
    """Storage of collections."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: Scope, collection: Collection) -> None:
        """Store a new collection.

        Raises:
            Conflict: the project has a live collection of this name.
        """
        self._transaction.require(scope.tenant_id)
        await self._free_name(scope, collection)
        if self._transaction.get("projects", scope.tenant_id, (scope.project_id,)) is None:
            raise Conflict("it refers to something that is not there", code="missing_reference")
        await self._transaction.put("collections", scope.tenant_id, (collection.id,), collection)
        first = Index(
            id=collection.id,
            tenant_id=scope.tenant_id,
            project_id=scope.project_id,
            collection_id=collection.id,
            slot=0,
            state=IndexState.LIVE,
            model=collection.model,
            chunking=collection.chunking,
            created_at=collection.created_at,
            changed_at=collection.created_at,
        )
        await self._transaction.put("indexes", scope.tenant_id, (collection.id,), first)

    async def lock(self, scope: Scope, collection_id: UUID) -> Collection | None:
        """One collection that is not deleted, locked until the transaction ends."""
        await self._transaction.lock("collections", scope.tenant_id, (collection_id,))
        return await self.get(scope, collection_id)

    async def through(
        self, scope: Scope, collection_id: UUID, index: UUID | None, *, hold: bool = False
    ) -> Collection | None:
        """A collection as one of its open indexes sees it (None: its first); None when it or the index is gone.

        With `hold` no cut can come before the transaction ends, and `held` tells how long publishing has to wait.
        """
        collection = await (self.lock(scope, collection_id) if hold else self.get(scope, collection_id))
        found: Index | None = self._transaction.get("indexes", scope.tenant_id, (index or collection_id,))
        if collection is None or found is None or found.collection_id != collection_id or not found.open:
            return None
        seen = seen_through(collection, found)
        return replace(seen, held=max(timedelta(), self._left(scope, collection_id))) if hold else seen

    async def hold(self, scope: Scope, collection_id: UUID, period: timedelta, rest: timedelta) -> timedelta:
        """Let publishing into what is searched wait from the commit on; what is being published ends first."""
        if await self.lock(scope, collection_id) is None:
            return timedelta()
        left = self._left(scope, collection_id)
        if left > timedelta():
            return left
        if left > -rest:
            return timedelta()
        until = self._transaction.now() + period
        await self._transaction.put("holds", scope.tenant_id, (collection_id,), until)
        return period

    async def release(self, scope: Scope, collection_id: UUID) -> None:
        """End a hold, if there is one."""
        if self._transaction.get("holds", scope.tenant_id, (collection_id,)) is not None:
            await self.lock(scope, collection_id)
            await self._transaction.remove("holds", scope.tenant_id, (collection_id,))

    def _left(self, scope: Scope, collection_id: UUID) -> timedelta:
        """Until the end of the hold; less than nothing when it has ended by itself."""
        until: datetime | None = self._transaction.get("holds", scope.tenant_id, (collection_id,))
        return timedelta.min if until is None else until - self._transaction.now()

    async def cut(self, scope: Scope, collection: Collection, index: Index) -> bool:
        """Search `index` from now on instead of the one `collection` was read with; False when that has changed."""
        known = await self.lock(scope, collection.id)
        if known is None or known.index_id != collection.index_id:
            return False
        changed = replace(seen_through(known, index), live=True)
        await self._transaction.put("collections", scope.tenant_id, (collection.id,), changed)
        await self.release(scope, collection.id)
        return True

    async def get(self, scope: Scope, collection_id: UUID, *, deleted: bool = False) -> Collection | None:
        """One collection; a deleted one only when `deleted` is True."""
        found: Collection | None = self._transaction.get("collections", scope.tenant_id, (collection_id,))
        if found is None or found.project_id != scope.project_id:
            return None
        gone = found.deleted_at or room_gone(self._transaction, scope.tenant_id, scope.project_id)
        return None if gone is not None and not deleted else found

    async def get_many(self, scope: Scope, collection_ids: Sequence[UUID]) -> Sequence[Collection]:
        """Those that exist and are not deleted, oldest first."""
        found = [await self.get(scope, collection_id) for collection_id in dict.fromkeys(collection_ids)]
        return sorted((one for one in found if one is not None), key=lambda one: (one.created_at, one.id))

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Collection]:
        """Live collections of the project, newest first."""
        if room_gone(self._transaction, scope.tenant_id, scope.project_id) is not None:
            return []
        return newest_first([row for row in self._mine(scope) if row.deleted_at is None], after, limit)

    async def summary(self, scope: Scope, collection_id: UUID) -> CollectionSummary | None:
        """A collection with counts of its documents that are not deleted, and of the chunks that are searched."""
        found = await self.get(scope, collection_id)
        if found is None:
            return None
        documents: list[Document] = [
            row
            for _, _, row in self._transaction.everyones("documents")
            if row.tenant_id == scope.tenant_id and row.collection_id == collection_id and not row.deleted
        ]
        statistics = self._transaction.get("statistics", scope.tenant_id, (found.index_id,))
        return CollectionSummary(
            collection=found,
            documents=len(documents),
            indexed=sum(one.status is DocumentStatus.INDEXED for one in documents),
            failed=sum(one.status is DocumentStatus.FAILED for one in documents),
            chunks=statistics.chunks if statistics else 0,
        )

    async def named(self, scope: TenantScope, subject: Subject, limit: int) -> Sequence[Collection]:
        """Collections within a deleted collection, project or tenant that still have a name, up to `limit`."""
        field = "id" if subject.kind is SubjectKind.COLLECTION else FIELDS[subject.kind]
        rows = [row for _, row in self._transaction.items("collections", scope.tenant_id) if row.name]
        return [row for row in rows if getattr(row, field) == subject.id][:limit]

    async def save(self, scope: Scope, collection: Collection) -> None:
        """Write a changed collection back, except its model and index, which only `cut` changes.

        Raises:
            Conflict: the project has another live collection of this name.
        """
        known = await self.get(scope, collection.id, deleted=True)
        if known is None:
            return
        if collection.deleted_at is None:
            await self._free_name(scope, collection)
        kept = replace(collection, model=known.model, index=known.index, slot=known.slot, live=True)
        await self._transaction.put("collections", scope.tenant_id, (collection.id,), kept)

    async def _free_name(self, scope: Scope, collection: Collection) -> None:
        await self._transaction.lock("collections.name", scope.tenant_id, (scope.project_id, collection.name))
        for row in self._mine(scope):
            if row.deleted_at is None and row.name == collection.name and row.id != collection.id:
                raise Conflict(
                    f"there is a collection named {collection.name!r} in this project already", code="name_taken"
                )

    def _mine(self, scope: Scope) -> Sequence[Collection]:
        rows = self._transaction.items("collections", scope.tenant_id)
        return [row for _, row in rows if row.project_id == scope.project_id]
