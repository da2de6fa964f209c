"""Tenants, projects and keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.models import api_keys, projects, tenants
from shared.adapters.postgres.statements import ID, TENANT, page_after
from shared.domain.errors import Conflict
from shared.domain.pages import After
from shared.domain.tenants import Credential, Permission, Project, TenantScope

ENSURE_TENANT = insert(tenants).on_conflict_do_nothing()
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

    async def ids(self) -> Sequence[UUID]:
        """Every tenant's id."""
        return [row[0] for row in await self._session.all(TENANT_IDS)]

    async def revision(self) -> str:
        """The migration the database is at; '' when it was never migrated."""
        if not await self._session.scalar(MIGRATED):
            return ""
        return await self._session.scalar(REVISION) or ""


ADD_PROJECT = insert(projects).on_conflict_do_nothing(index_elements=["tenant_id", "name"]).returning(projects.c.id)
PROJECTS = select(projects.c.id, projects.c.tenant_id, projects.c.name, projects.c.created_at).where(
    projects.c.tenant_id == TENANT
)
PROJECT = PROJECTS.where(projects.c.id == ID)


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
        }
        if await self._session.first(ADD_PROJECT, values) is None:
            raise Conflict(f"there is a project named {project.name!r} already", code="name_taken")

    async def get(self, scope: TenantScope, project_id: UUID) -> Project | None:
        """One project of the tenant."""
        row = await self._session.first(PROJECT, {"tenant": scope.tenant_id, "of_id": project_id})
        return None if row is None else Project(*row)

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Project]:
        """Projects of the tenant, newest first."""
        statement, place = page_after(PROJECTS, projects, after, limit)
        return [Project(*row) for row in await self._session.all(statement, {"tenant": scope.tenant_id, **place})]


ADD_KEY = insert(api_keys)
# The function is the clerk's: it sees every tenant's keys. What it finds sets the context for the rest of the
# transaction.
AUTHENTICATE = text(
    "SELECT k.*, set_config('lambent.tenant', k.tenant_id::text, true) AS context FROM lambent_key(:secret_hash) k"
)


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
        }
        await self._session.run(ADD_KEY, values)

    async def authenticate(self, secret_hash: str, now: datetime) -> Credential | None:
        """The key with this hash, whoever's it is, whether valid or not.

        The transaction is in its tenant's context from then on.
        """
        row = await self._session.first(AUTHENTICATE, {"secret_hash": secret_hash})
        return None if row is None else _credential(row)


def _credential(row: Row[Any]) -> Credential:
    # A permission of a newer version of the code is one this version cannot grant.
    known = {permission.value for permission in Permission}
    return Credential(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        name=row.name,
        permissions=frozenset(Permission(name) for name in row.permissions if name in known),
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
