"""Tenants, projects and keys."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg.sql import SQL
from sqlalchemy import bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.models import api_keys, projects, tenants
from shared.adapters.postgres.names import named
from shared.adapters.postgres.statements import ID, TENANT, page_after, within
from shared.domain.errors import Conflict
from shared.domain.pages import After
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.tenants import Authenticated, Credential, Permission, Project, Tenant, TenantScope

ENSURE_TENANT = insert(tenants).on_conflict_do_nothing()
THE_TENANT = select(tenants.c.tenant_id, tenants.c.name, tenants.c.created_at, tenants.c.deleted_at).where(
    tenants.c.tenant_id == TENANT
)
SAVE_TENANT = update(tenants).where(tenants.c.tenant_id == TENANT)
TENANT_IDS = text("SELECT tenant_id FROM lambent_tenants()")
REVISION = text("SELECT version_num FROM alembic_version")
MIGRATED = text("SELECT to_regclass('alembic_version') IS NOT NULL")


class PgTenants:
    """Storage of tenants."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def ensure(self, tenant_id: UUID, name: str, now: datetime) -> None:
        """Store the tenant unless it is there."""
        await self._session.run(ENSURE_TENANT, {"tenant_id": tenant_id, "name": name, "created_at": now})

    async def get(self, scope: TenantScope) -> Tenant | None:
        """The scope's tenant, deleted or not."""
        row = await self._session.first(THE_TENANT, {"tenant": scope.tenant_id})
        return None if row is None else Tenant(*row)

    async def save(self, scope: TenantScope, tenant: Tenant) -> None:
        """Write the changed tenant back."""
        changed = {"name": tenant.name, "deleted_at": tenant.deleted_at}
        await self._session.run(SAVE_TENANT.values(changed), {"tenant": scope.tenant_id})

    async def ids(self) -> Sequence[UUID]:
        """Ids of the tenants that are not deleted."""
        return [row[0] for row in await self._session.all(TENANT_IDS)]

    async def revision(self) -> str:
        """The migration the database is at; '' when it was never migrated."""
        if not await self._session.scalar(MIGRATED):
            return ""
        return await self._session.scalar(REVISION) or ""


P = projects.c
NOT_DELETED = P.deleted_at.is_(None)
ADD_PROJECT = (
    insert(projects)
    .on_conflict_do_nothing(index_elements=[P.tenant_id, P.name], index_where=NOT_DELETED)
    .returning(P.id)
)
EVERY_PROJECT = select(P.id, P.tenant_id, P.name, P.created_at, P.deleted_at, P.unit_id, P.archived_at).where(
    P.tenant_id == TENANT
)
PROJECTS = EVERY_PROJECT.where(NOT_DELETED)
PROJECT = EVERY_PROJECT.where(P.id == ID)
SAVE_PROJECT = update(projects).where((P.tenant_id == TENANT) & (P.id == ID))
NAMED = {
    SubjectKind.PROJECT: P.id == bindparam("subject"),
    SubjectKind.TENANT: P.tenant_id == bindparam("subject"),
}


class PgProjects:
    """Storage of projects."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: TenantScope, project: Project) -> None:
        """Store a new project.

        Raises:
            Conflict: the tenant has a project of this name.
        """
        values = {
            "tenant_id": scope.tenant_id,
            "id": project.id,
            "name": project.name,
            "created_at": project.created_at,
            "unit_id": project.unit_id,
            "archived_at": project.archived_at,
        }
        if await self._session.first(ADD_PROJECT, values) is None:
            raise Conflict(f"there is a project named {project.name!r} already", code="name_taken")

    async def get(self, scope: TenantScope, project_id: UUID, *, deleted: bool = False) -> Project | None:
        """One project of the tenant; a deleted one only when `deleted` is True."""
        statement = PROJECT if deleted else PROJECT.where(NOT_DELETED)
        row = await self._session.first(statement, {"tenant": scope.tenant_id, "of_id": project_id})
        return None if row is None else Project(*row)

    async def save(self, scope: TenantScope, project: Project) -> None:
        """Write a changed project back.

        Raises:
            Conflict: the tenant has another project of this name; the transaction is over then.
        """
        changed = {
            "name": project.name,
            "deleted_at": project.deleted_at,
            "unit_id": project.unit_id,
            "archived_at": project.archived_at,
        }
        where = {"tenant": scope.tenant_id, "of_id": project.id}
        await named(self._session, SAVE_PROJECT.values(changed), where, "project", project.name)

    async def named(self, scope: TenantScope, subject: Subject, limit: int) -> Sequence[Project]:
        """Projects of a deleted project or tenant that still have a name, up to `limit`."""
        named = EVERY_PROJECT.where(NAMED[subject.kind] & (P.name != text("''"))).limit(bindparam("most"))
        where = {"tenant": scope.tenant_id, "subject": subject.id, "most": limit}
        return [Project(*row) for row in await self._session.all(named, where)]

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Project]:
        """Projects of the tenant that are not deleted, newest first."""
        statement, place = page_after(PROJECTS, projects, after, limit)
        return [Project(*row) for row in await self._session.all(statement, {"tenant": scope.tenant_id, **place})]


K = api_keys.c
ADD_KEY = insert(api_keys)
KEYS = select(api_keys).where(K.tenant_id == TENANT)
REVOKE_KEY = (
    update(api_keys)
    .where((K.tenant_id == TENANT) & (K.id == ID) & K.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
PURGE_KEYS = "DELETE FROM api_keys WHERE tenant_id = :tenant AND {within}"
# The function is the clerk's: it sees every tenant's keys. What it finds sets the context for the rest of the
# transaction.
AUTHENTICATE = SQL("SELECT * FROM lambent_enter_with_key({}, {}, {}, ")


@lru_cache(256)
def _asked(secret_hash: str, project_id: UUID | None, whole: bool) -> str:
    """The statement up to the time. Quoting is slow, and a process is asked by the same few keys again and again."""
    return AUTHENTICATE.format(secret_hash, project_id, whole).as_string()


class PgKeys:
    """Storage of API keys."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: TenantScope, credential: Credential, secret_hash: str, now: datetime) -> None:
        """Store a new key by the hash of its secret."""
        values = {
            "tenant_id": scope.tenant_id,
            "id": credential.id,
            "project_id": credential.project_id,
            "name": credential.name,
            "secret_hash": secret_hash,
            "permissions": sorted(credential.permissions),
            "created_at": now,
            "expires_at": credential.expires_at,
            "revoked_at": credential.revoked_at,
            "prefix": credential.prefix,
            "created_by": credential.created_by,
            "user_id": credential.user_id,
            "service_account_id": credential.service_account_id,
            "last_used_at": credential.last_used_at,
        }
        await self._session.run(ADD_KEY, values)

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
        # Usually what a request begins with: it travels with BEGIN.
        question = _asked(secret_hash, project_id, whole)
        return await self._session.stand(question, now, _authenticated, ahead=ahead)

    async def get(self, scope: TenantScope, key_id: UUID) -> Credential | None:
        """One key of the tenant, with the permissions it was made with."""
        row = await self._session.first(KEYS.where(K.id == ID), {"tenant": scope.tenant_id, "of_id": key_id})
        return None if row is None else _credential(row)

    async def list(
        self, scope: TenantScope, after: After | None, limit: int, *, owner: UUID | None = None
    ) -> Sequence[Credential]:
        """Keys of the tenant, newest first; with `owner` those of one member or service account."""
        wanted = KEYS if owner is None else KEYS.where((K.user_id == owner) | (K.service_account_id == owner))
        statement, place = page_after(wanted, api_keys, after, limit)
        return [_credential(row) for row in await self._session.all(statement, {"tenant": scope.tenant_id, **place})]

    async def revoke(self, scope: TenantScope, key_id: UUID, now: datetime) -> bool:
        """End a key; False: there is none, or it was ended before."""
        where = {"tenant": scope.tenant_id, "of_id": key_id, "now": now}
        return (await self._session.run(REVOKE_KEY, where)).rowcount > 0

    async def purge(self, scope: TenantScope, subject: Subject) -> int:
        """Remove the keys of a deleted project or tenant; returns how many."""
        purge = text(PURGE_KEYS.format(within=within(subject)))
        return (await self._session.run(purge, {"tenant": scope.tenant_id, "subject": subject.id})).rowcount


PERMISSIONS = {permission.value: permission for permission in Permission}


def _authenticated(row: Any) -> Authenticated:
    credential = _credential(row)
    if row.owned:
        from shared.domain.roles import held

        live = credential.permissions & held(row.held_roles, row.held_permissions)
        credential = replace(credential, permissions=live)
    readers = frozenset(filter(None, row.readers.split(",")))
    return Authenticated(credential, row.room, row.room_archived_at, readers)


def _credential(row: Any) -> Credential:
    return Credential(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        name=row.name,
        # A permission of a newer version of the code is one this version cannot grant.
        permissions=frozenset(PERMISSIONS[name] for name in row.permissions if name in PERMISSIONS),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        prefix=row.prefix,
        created_by=row.created_by,
        created_at=row.created_at,
        user_id=row.user_id,
        service_account_id=row.service_account_id,
        last_used_at=row.last_used_at,
    )
