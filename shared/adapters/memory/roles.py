"""Roles of an organisation's own."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from shared.adapters.memory.references import own_role
from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.errors import Conflict
from shared.domain.roles import Role
from shared.domain.tenants import TenantScope

HOLDERS = ("memberships", "unit_members", "project_members", "service_accounts", "invitations")


class MemoryRoles:
    """Storage of an organisation's own roles."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: TenantScope, role: Role) -> None:
        """Store a new role.

        Raises:
            Conflict: there is one of this name; the transaction is over then.
        """
        self._transaction.require(scope.tenant_id)
        await self._free_name(scope, role)
        await self._transaction.put("roles", scope.tenant_id, (role.id,), role)

    async def get(self, scope: TenantScope, role_id: UUID) -> Role | None:
        """One role."""
        found: Role | None = self._transaction.get("roles", scope.tenant_id, (role_id,))
        return found

    async def list(self, scope: TenantScope) -> Sequence[Role]:
        """Roles by name."""
        return sorted((row for _, row in self._transaction.items("roles", scope.tenant_id)), key=lambda row: row.name)

    async def save(self, scope: TenantScope, role: Role) -> None:
        """Write a changed role back.

        Raises:
            Conflict: there is another of this name; the transaction is over then.
        """
        known = await self.get(scope, role.id)
        if known is not None:
            await self._free_name(scope, role)
            kept = replace(role, created_at=known.created_at)
            await self._transaction.put("roles", scope.tenant_id, (role.id,), kept)

    async def remove(self, scope: TenantScope, role_id: UUID) -> bool:
        """Remove a role; False: there is none.

        Raises:
            Conflict: somebody has it; the transaction is over then.
        """
        for table in HOLDERS:
            if any(own_role(row.role) == role_id for _, row in self._transaction.items(table, scope.tenant_id)):
                raise Conflict("somebody still has this role", code="role_in_use")
        return await self._transaction.remove("roles", scope.tenant_id, (role_id,))

    async def _free_name(self, scope: TenantScope, role: Role) -> None:
        await self._transaction.lock("roles.name", scope.tenant_id, (role.name,))
        for row in await self.list(scope):
            if row.name == role.name and row.id != role.id:
                raise Conflict(f"there is a role named {role.name!r} already", code="name_taken")
