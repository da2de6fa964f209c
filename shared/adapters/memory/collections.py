"""Tenants, projects, keys and collections."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.collections import Collection, CollectionSummary
from shared.domain.documents import Document, DocumentStatus
from shared.domain.errors import Conflict
from shared.domain.pages import After
from shared.domain.tenants import Credential, Project, Scope, TenantScope


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
            await self._transaction.put("tenants", tenant_id, (), (name, now))

    async def ids(self) -> Sequence[UUID]:
        """Every tenant's id."""
        return sorted(tenant_id for tenant_id, _, _ in self._transaction.everyones("tenants"))

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
        if any(row.name == project.name for _, row in self._transaction.items("projects", scope.tenant_id)):
            raise Conflict(f"there is a project named {project.name!r} already", code="name_taken")
        if self._transaction.get("tenants", scope.tenant_id, ()) is None:
            raise Conflict("it refers to something that is not there", code="missing_reference")
        await self._transaction.put("projects", scope.tenant_id, (project.id,), project)

    async def get(self, scope: TenantScope, project_id: UUID) -> Project | None:
        """One project of the tenant."""
        found: Project | None = self._transaction.get("projects", scope.tenant_id, (project_id,))
        return found

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Project]:
        """Projects of the tenant, newest first."""
        return newest_first([row for _, row in self._transaction.items("projects", scope.tenant_id)], after, limit)


class MemoryKeys:
    """Storage of API keys."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: TenantScope, credential: Credential, secret_hash: str, now: datetime) -> None:
        """Store a new key by the hash of its secret."""
        if any(key == (secret_hash,) for _, key, _ in self._transaction.everyones("keys")):
            raise Conflict("something with the same key exists already", code="already_exists")
        await self._transaction.put("keys", scope.tenant_id, (secret_hash,), credential)

    async def authenticate(self, secret_hash: str, now: datetime) -> Credential | None:
        """The key with this hash, whoever's it is, whether valid or not.

        The transaction is in its tenant's context from then on.
        """
        for tenant_id, key, row in self._transaction.everyones("keys"):
            if key == (secret_hash,):
                self._transaction.tenant_id = tenant_id
                credential: Credential = row
                return credential
        return None


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

    async def get(self, scope: Scope, collection_id: UUID, *, deleted: bool = False) -> Collection | None:
        """One collection; a deleted one only when `deleted` is True."""
        found: Collection | None = self._transaction.get("collections", scope.tenant_id, (collection_id,))
        if found is None or found.project_id != scope.project_id or (found.deleted_at and not deleted):
            return None
        return found

    async def get_many(self, scope: Scope, collection_ids: Sequence[UUID]) -> Sequence[Collection]:
        """Those that exist and are not deleted, oldest first."""
        found = [await self.get(scope, collection_id) for collection_id in dict.fromkeys(collection_ids)]
        return sorted((one for one in found if one is not None), key=lambda one: (one.created_at, one.id))

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Collection]:
        """Live collections of the project, newest first."""
        return newest_first([row for row in self._mine(scope) if row.deleted_at is None], after, limit)

    async def summary(self, scope: Scope, collection_id: UUID) -> CollectionSummary | None:
        """A collection with counts of its documents that are not deleted, and of the chunks that are searched."""
        found = await self.get(scope, collection_id)
        if found is None:
            return None
        documents: list[Document] = [
            row
            for _, row in self._transaction.items("documents", scope.tenant_id)
            if row.collection_id == collection_id and not row.deleted
        ]
        statistics = self._transaction.get("statistics", scope.tenant_id, (collection_id,))
        return CollectionSummary(
            collection=found,
            documents=len(documents),
            indexed=sum(one.status is DocumentStatus.INDEXED for one in documents),
            failed=sum(one.status is DocumentStatus.FAILED for one in documents),
            chunks=statistics.chunks if statistics else 0,
        )

    async def save(self, scope: Scope, collection: Collection) -> None:
        """Write a changed collection back.

        Raises:
            Conflict: the project has another live collection of this name.
        """
        if await self.get(scope, collection.id, deleted=True) is None:
            return
        if collection.deleted_at is None:
            await self._free_name(scope, collection)
        await self._transaction.put("collections", scope.tenant_id, (collection.id,), collection)

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
