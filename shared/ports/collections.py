"""Rows of projects, keys and collections."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from shared.domain.collections import Collection, CollectionSummary
from shared.domain.indexes import Index
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.tenants import Authenticated, Credential, Project, Scope, Tenant, TenantScope


class Projects(Protocol):
    """Storage of projects."""

    async def add(self, scope: TenantScope, project: Project) -> None:
        """Store a new project.

        Raises:
            Conflict: the tenant has a project of this name.
        """
        ...

    async def get(self, scope: TenantScope, project_id: UUID, *, deleted: bool = False) -> Project | None:
        """One project of the tenant; a deleted one only when `deleted` is True."""
        ...

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Project]:
        """Projects of the tenant that are not deleted, newest first."""
        ...

    async def save(self, scope: TenantScope, project: Project) -> None:
        """Write a changed project back.

        Raises:
            Conflict: the tenant has another project of this name.
        """
        ...

    async def named(self, scope: TenantScope, subject: Subject, limit: int) -> Sequence[Project]:
        """Projects of a deleted project or tenant that still have a name, up to `limit`."""
        ...


class Keys(Protocol):
    """Storage of API keys."""

    async def add(self, scope: TenantScope, credential: Credential, secret_hash: str, now: datetime) -> None:
        """Store a new key by the hash of its secret."""
        ...

    async def authenticate(
        self,
        secret_hash: str,
        now: datetime,
        *,
        project_id: UUID | None = None,
        whole: bool = False,
        ahead: bool = False,
    ) -> Authenticated | None:
        """The key with this hash, whoever's it is, whether valid or not; revoked with its project, tenant or owner.

        Its permissions are those that it has and that its owner has now. The transaction is in its tenant's context
        from then on; that it was used is noted now and then.

        Args:
            secret_hash: of the key.
            now: the time.
            project_id: where it wants to work; None: in its own project.
            whole: it wants to work on the tenant itself, in no project.
            ahead: what was found last time in this process will do until the transaction's first statement, or its
                end, has asked; `StandingChanged` comes from there when it is not so any more.
        """
        ...

    async def get(self, scope: TenantScope, key_id: UUID) -> Credential | None:
        """One key of the tenant, with the permissions it was made with."""
        ...

    async def list(
        self, scope: TenantScope, after: After | None, limit: int, *, owner: UUID | None = None
    ) -> Sequence[Credential]:
        """Keys of the tenant, newest first; with `owner` those of one member or service account."""
        ...

    async def revoke(self, scope: TenantScope, key_id: UUID, now: datetime) -> bool:
        """End a key; False: there is none, or it was ended before."""
        ...

    async def purge(self, scope: TenantScope, subject: Subject) -> int:
        """Remove the keys of a deleted project or tenant; returns how many."""
        ...


class Tenants(Protocol):
    """Storage of tenants (organisations)."""

    async def ensure(self, tenant_id: UUID, name: str, now: datetime) -> None:
        """Store the tenant unless it is there."""
        ...

    async def get(self, scope: TenantScope) -> Tenant | None:
        """The scope's tenant, deleted or not."""
        ...

    async def save(self, scope: TenantScope, tenant: Tenant) -> None:
        """Write the changed tenant back."""
        ...

    async def revision(self) -> str:
        """The version of the database's shape; '' when it was never migrated."""
        ...

    async def ids(self) -> Sequence[UUID]:
        """Ids of the tenants that are not deleted, for schedules that visit each in its own scope."""
        ...


class Collections(Protocol):
    """Storage of collections."""

    async def add(self, scope: Scope, collection: Collection) -> None:
        """Store a new collection.

        Raises:
            Conflict: the project has a live collection of this name.
        """
        ...

    async def get(self, scope: Scope, collection_id: UUID, *, deleted: bool = False) -> Collection | None:
        """One collection; a deleted one only when `deleted` is True."""
        ...

    async def lock(self, scope: Scope, collection_id: UUID) -> Collection | None:
        """One collection that is not deleted, locked until the transaction ends."""
        ...

    async def through(
        self, scope: Scope, collection_id: UUID, index: UUID | None, *, hold: bool = False
    ) -> Collection | None:
        """A collection as one of its open indexes sees it (None: its first); None when it or the index is gone.

        With `hold` no cut can come before the transaction ends, and `held` tells how long publishing has to wait.
        """
        ...

    async def hold(self, scope: Scope, collection_id: UUID, period: timedelta, rest: timedelta) -> timedelta:
        """Let publishing into what is searched wait from the commit on; what is being published ends first.

        Measured by the database's clock. A hold that goes on is not made longer.

        Args:
            scope: the caller's.
            collection_id: which.
            period: for so long, unless it is cut over or released before.
            rest: the least time since the last hold ended by itself.

        Returns:
            For how long it is held now; zero when the last hold ended by itself a shorter while ago than `rest`, or
            there is no such collection.
        """
        ...

    async def release(self, scope: Scope, collection_id: UUID) -> None:
        """End a hold, if there is one."""
        ...

    async def cut(self, scope: Scope, collection: Collection, index: Index) -> bool:
        """Search `index` from now on instead of the one `collection` was read with; False when that has changed.

        It ends a hold.
        """
        ...

    async def get_many(self, scope: Scope, collection_ids: Sequence[UUID]) -> Sequence[Collection]:
        """Those that exist and are not deleted."""
        ...

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Collection]:
        """Live collections of the project, newest first."""
        ...

    async def summary(self, scope: Scope, collection_id: UUID) -> CollectionSummary | None:
        """A collection with counts of its documents and chunks."""
        ...

    async def named(self, scope: TenantScope, subject: Subject, limit: int) -> Sequence[Collection]:
        """Collections within a deleted collection, project or tenant that still have a name, up to `limit`."""
        ...

    async def save(self, scope: Scope, collection: Collection) -> None:
        """Write a changed collection back, except its model and index, which only `cut` changes.

        Raises:
            Conflict: the project has another live collection of this name.
        """
        ...
