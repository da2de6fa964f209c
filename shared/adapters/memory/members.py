"""Memberships in a tenant, its units and its projects."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from shared.adapters.memory.references import own_role, refer
from shared.adapters.memory.rights import rights
from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.errors import Conflict
from shared.domain.members import Member, Membership, ProjectMember, UnitMember
from shared.domain.pages import After
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.roles import BuiltIn
from shared.domain.tenants import Permission, TenantScope


class MemoryMembers:
    """Storage of memberships in the tenant, its units and its projects."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: TenantScope, membership: Membership) -> None:
        """Store a new membership.

        Raises:
            Conflict: the user is a member already; the transaction is over then.
        """
        self._transaction.require(scope.tenant_id)
        key = (membership.user_id,)
        await self._transaction.lock("memberships", scope.tenant_id, key)
        if self._transaction.get("memberships", scope.tenant_id, key) is not None:
            raise Conflict("something with the same key exists already", code="already_exists")
        if self._transaction.get("users", None, key) is None:
            raise Conflict("it refers to something that is not there", code="missing_reference")
        refer(self._transaction, scope.tenant_id, roles=own_role(membership.role))
        await self._transaction.put("memberships", scope.tenant_id, key, membership)

    async def get(self, scope: TenantScope, user_id: UUID) -> Member | None:
        """One member, a suspended one too."""
        found: Membership | None = self._transaction.get("memberships", scope.tenant_id, (user_id,))
        return None if found is None else Member(found, self._transaction.get("users", None, (user_id,)))

    async def lock(self, scope: TenantScope, user_id: UUID) -> Member | None:
        """One member, locked until the transaction ends."""
        if await self.get(scope, user_id) is None:
            return None
        await self._transaction.lock("memberships", scope.tenant_id, (user_id,))
        return await self.get(scope, user_id)

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Member]:
        """Members, newest first; a place in the order is the membership's time and the user's id."""
        rows: list[Membership] = [row for _, row in self._transaction.items("memberships", scope.tenant_id)]
        rows.sort(key=lambda row: (row.created_at, row.user_id), reverse=True)
        kept = [row for row in rows if after is None or (row.created_at, row.user_id) < (after.at, after.id)][:limit]
        return [Member(row, self._transaction.get("users", None, (row.user_id,))) for row in kept]

    async def save(self, scope: TenantScope, membership: Membership) -> None:
        """Write a changed membership back."""
        known = await self.lock(scope, membership.user_id)
        if known is not None:
            refer(self._transaction, scope.tenant_id, roles=own_role(membership.role))
            kept = replace(membership, created_at=known.membership.created_at)
            await self._transaction.put("memberships", scope.tenant_id, (membership.user_id,), kept)

    async def remove(self, scope: TenantScope, user_id: UUID) -> bool:
        """Remove a membership, with those in units and projects and with the member's keys; False: there is none."""
        if not await self._transaction.remove("memberships", scope.tenant_id, (user_id,)):
            return False
        for table in ("unit_members", "project_members", "keys"):
            await self._drop(scope, table, user_id=user_id)
        return True

    async def owners(self, scope: TenantScope) -> Sequence[UUID]:
        """Owners of the tenant who are not suspended, locked until the transaction ends: the last one must stay."""
        for key, row in sorted(self._transaction.items("memberships", scope.tenant_id)):
            if _owns(row):
                await self._transaction.lock("memberships", scope.tenant_id, key)
        rows = [row for _, row in self._transaction.items("memberships", scope.tenant_id)]
        return sorted(row.user_id for row in rows if _owns(row))

    async def put_in_unit(self, scope: TenantScope, member: UnitMember) -> None:
        """Store or change a member of a unit.

        Raises:
            Conflict: no such unit, member or role; the transaction is over then.
        """
        self._transaction.require(scope.tenant_id)
        refer(
            self._transaction,
            scope.tenant_id,
            units=member.unit_id,
            memberships=member.user_id,
            roles=own_role(member.role),
        )
        key = (member.unit_id, member.user_id)
        known = self._transaction.get("unit_members", scope.tenant_id, key)
        kept = member if known is None else replace(known, role=member.role)
        await self._transaction.put("unit_members", scope.tenant_id, key, kept)

    async def in_unit(self, scope: TenantScope, unit_id: UUID) -> Sequence[UnitMember]:
        """Members of a unit, the oldest first."""
        rows = [row for _, row in self._transaction.items("unit_members", scope.tenant_id) if row.unit_id == unit_id]
        return sorted(rows, key=lambda row: (row.created_at, row.user_id))

    async def remove_from_unit(self, scope: TenantScope, unit_id: UUID, user_id: UUID) -> bool:
        """Take a member out of a unit; False: they are not in it."""
        return await self._transaction.remove("unit_members", scope.tenant_id, (unit_id, user_id))

    async def put_in_project(self, scope: TenantScope, member: ProjectMember) -> None:
        """Store or change a member's role in a project.

        Raises:
            Conflict: no such project, member or role; the transaction is over then.
        """
        self._transaction.require(scope.tenant_id)
        refer(
            self._transaction,
            scope.tenant_id,
            projects=member.project_id,
            memberships=member.user_id,
            roles=own_role(member.role),
        )
        key = (member.project_id, member.user_id)
        known = self._transaction.get("project_members", scope.tenant_id, key)
        kept = member if known is None else replace(known, role=member.role)
        await self._transaction.put("project_members", scope.tenant_id, key, kept)

    async def in_project(self, scope: TenantScope, project_id: UUID) -> Sequence[ProjectMember]:
        """Who has a role in a project itself, the oldest first."""
        rows = [row for _, row in self._transaction.items("project_members", scope.tenant_id)]
        return sorted(
            (row for row in rows if row.project_id == project_id), key=lambda row: (row.created_at, row.user_id)
        )

    async def remove_from_project(self, scope: TenantScope, project_id: UUID, user_id: UUID) -> bool:
        """Take a member's role in a project; False: there is none."""
        return await self._transaction.remove("project_members", scope.tenant_id, (project_id, user_id))

    async def units_of(self, scope: TenantScope, user_id: UUID) -> Sequence[UnitMember]:
        """Units that a member belongs to."""
        rows = [row for _, row in self._transaction.items("unit_members", scope.tenant_id) if row.user_id == user_id]
        return sorted(rows, key=lambda row: (row.created_at, row.unit_id))

    async def rights(self, scope: TenantScope, user_id: UUID, project_id: UUID | None) -> frozenset[Permission]:
        """All that a member may do in a project, or, None, in the tenant as a whole; empty for who is suspended."""
        return rights(self._transaction, scope.tenant_id, user_id, project_id)

    async def purge(self, scope: TenantScope, subject: Subject) -> int:
        """Remove what a deleted project or tenant knew of people; returns how many rows."""
        if subject.kind is SubjectKind.PROJECT:
            tables = ("project_members", "invitations", "service_accounts")
            return sum([await self._drop(scope, table, project_id=subject.id) for table in tables])
        if subject.kind is not SubjectKind.TENANT:
            return 0
        gone = sum([await self._drop(scope, table) for table in ("invitations", "service_accounts", "memberships")])
        for table in ("unit_members", "project_members"):
            await self._drop(scope, table)
        for key, row in list(self._transaction.items("projects", scope.tenant_id)):
            if row.unit_id is not None:
                await self._transaction.put("projects", scope.tenant_id, key, replace(row, unit_id=None))
                gone += 1
        return gone + sum([await self._drop(scope, table) for table in ("roles", "units")])

    async def _drop(self, scope: TenantScope, table: str, **fields: Any) -> int:
        rows = list(self._transaction.items(table, scope.tenant_id))
        doomed = [key for key, row in rows if all(getattr(row, name) == value for name, value in fields.items())]
        for key in doomed:
            await self._transaction.remove(table, scope.tenant_id, key)
        return len(doomed)


def _owns(row: Membership) -> bool:
    return row.role is BuiltIn.OWNER and row.suspended_at is None
