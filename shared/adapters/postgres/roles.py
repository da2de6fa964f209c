"""Roles of an organisation's own."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.member_tables import roles
from shared.adapters.postgres.names import named
from shared.adapters.postgres.statements import ID, TENANT
from shared.domain.errors import Conflict
from shared.domain.roles import Role, known
from shared.domain.tenants import TenantScope

R = roles.c
ADD_ROLE = insert(roles)
ROLES = select(roles).where(R.tenant_id == TENANT)
SAVE_ROLE = update(roles).where((R.tenant_id == TENANT) & (R.id == ID))
REMOVE_ROLE = delete(roles).where((R.tenant_id == TENANT) & (R.id == ID))


class PgRoles:
    """Storage of an organisation's own roles."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: TenantScope, role: Role) -> None:
        """Store a new role.

        Raises:
            Conflict: there is one of this name; the transaction is over then.
        """
        values = {**_role_row(role), "tenant_id": scope.tenant_id, "id": role.id, "created_at": role.created_at}
        await named(self._session, ADD_ROLE, values, "role", role.name)

    async def get(self, scope: TenantScope, role_id: UUID) -> Role | None:
        """One role."""
        row = await self._session.first(ROLES.where(R.id == ID), {"tenant": scope.tenant_id, "of_id": role_id})
        return None if row is None else _role(row)

    async def list(self, scope: TenantScope) -> Sequence[Role]:
        """Roles by name."""
        return [_role(row) for row in await self._session.all(ROLES.order_by(R.name), {"tenant": scope.tenant_id})]

    async def save(self, scope: TenantScope, role: Role) -> None:
        """Write a changed role back.

        Raises:
            Conflict: there is another of this name; the transaction is over then.
        """
        where = {"tenant": scope.tenant_id, "of_id": role.id}
        await named(self._session, SAVE_ROLE.values(_role_row(role)), where, "role", role.name)

    async def remove(self, scope: TenantScope, role_id: UUID) -> bool:
        """Remove a role; False: there is none.

        Raises:
            Conflict: somebody has it; the transaction is over then.
        """
        where = {"tenant": scope.tenant_id, "of_id": role_id}
        try:
            return (await self._session.run(REMOVE_ROLE, where)).rowcount > 0
        except Conflict as error:
            raise Conflict("somebody still has this role", code="role_in_use") from error


def _role_row(role: Role) -> dict[str, object]:
    return {"name": role.name, "description": role.description, "permissions": sorted(role.permissions)}


def _role(row: Any) -> Role:
    return Role(row.id, row.tenant_id, row.name, row.description, known(row.permissions), row.created_at)
