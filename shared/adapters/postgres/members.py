"""Memberships in a tenant, its units and its projects."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, delete, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.member_tables import memberships, project_members, unit_members
from shared.adapters.postgres.role_refs import read_role, role_values
from shared.adapters.postgres.statements import ID, PROJECT, TENANT
from shared.adapters.postgres.user_tables import users
from shared.domain.members import Member, Membership, ProjectMember, UnitMember
from shared.domain.pages import After
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.roles import BuiltIn, held
from shared.domain.tenants import Permission, TenantScope
from shared.domain.users import User

M, N, J, U = memberships.c, unit_members.c, project_members.c, users.c
WHO: BindParameter[Any] = bindparam("who")
ADD = insert(memberships)
WITH_USER = (
    select(memberships, U.email, U.name, U.created_at.label("user_since"), U.verified_at, U.disabled_at)
    .join(users, U.user_id == M.user_id)
    .where(M.tenant_id == TENANT)
)
GET = WITH_USER.where(M.user_id == WHO)
LOCK = GET.with_for_update(of=memberships, key_share=True)
LIST = WITH_USER.order_by(M.created_at.desc(), M.user_id.desc()).limit(bindparam("most"))
BEFORE = tuple_(M.created_at, M.user_id) < tuple_(
    bindparam("after_at", type_=M.created_at.type), bindparam("after_id", type_=M.user_id.type)
)
SAVE = update(memberships).where((M.tenant_id == TENANT) & (M.user_id == WHO))
REMOVE = delete(memberships).where((M.tenant_id == TENANT) & (M.user_id == WHO))
OWNERS = (
    select(M.user_id)
    .where((M.tenant_id == TENANT) & (M.role == BuiltIn.OWNER.value) & M.suspended_at.is_(None))
    .order_by(M.user_id)
    .with_for_update(key_share=True)
)


def _put(table: Any, *key: str) -> Any:
    """Insert a row, or give the one that is there another role."""
    made = insert(table)
    roles_of = {"role": made.excluded.role, "role_id": made.excluded.role_id}
    return made.on_conflict_do_update(index_elements=["tenant_id", *key], set_=roles_of)


PUT_IN_UNIT = _put(unit_members, "unit_id", "user_id")
IN_UNIT = select(unit_members).where((N.tenant_id == TENANT) & (N.unit_id == ID)).order_by(N.created_at, N.user_id)
UNITS_OF = select(unit_members).where((N.tenant_id == TENANT) & (N.user_id == WHO)).order_by(N.created_at, N.unit_id)
REMOVE_FROM_UNIT = delete(unit_members).where((N.tenant_id == TENANT) & (N.unit_id == ID) & (N.user_id == WHO))
PUT_IN_PROJECT = _put(project_members, "project_id", "user_id")
IN_PROJECT = (
    select(project_members).where((J.tenant_id == TENANT) & (J.project_id == PROJECT)).order_by(J.created_at, J.user_id)
)
REMOVE_FROM_PROJECT = delete(project_members).where(
    (J.tenant_id == TENANT) & (J.project_id == PROJECT) & (J.user_id == WHO)
)
RIGHTS = text("SELECT roles, permissions FROM lambent_rights(:tenant, :who, :project)")
PURGES = {
    SubjectKind.PROJECT: (
        "DELETE FROM project_members WHERE tenant_id = :tenant AND project_id = :subject",
        "DELETE FROM invitations WHERE tenant_id = :tenant AND project_id = :subject",
        "DELETE FROM service_accounts WHERE tenant_id = :tenant AND project_id = :subject",
    ),
    SubjectKind.TENANT: (
        "DELETE FROM invitations WHERE tenant_id = :tenant",
        "DELETE FROM service_accounts WHERE tenant_id = :tenant",
        "DELETE FROM memberships WHERE tenant_id = :tenant",
        "DELETE FROM roles WHERE tenant_id = :tenant",
        "UPDATE projects SET unit_id = NULL WHERE tenant_id = :tenant AND unit_id IS NOT NULL",
        "DELETE FROM units WHERE tenant_id = :tenant",
    ),
}
"""What refers to others comes before them; what is in units and projects goes with the membership."""


class PgMembers:
    """Storage of memberships in the tenant, its units and its projects."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: TenantScope, membership: Membership) -> None:
        """Store a new membership.

        Raises:
            Conflict: the user is a member already; the transaction is over then.
        """
        values = {
            **role_values(membership.role),
            "tenant_id": scope.tenant_id,
            "user_id": membership.user_id,
            "created_at": membership.created_at,
            "suspended_at": membership.suspended_at,
        }
        await self._session.run(ADD, values)

    async def get(self, scope: TenantScope, user_id: UUID) -> Member | None:
        """One member, a suspended one too."""
        return _member(await self._session.first(GET, {"tenant": scope.tenant_id, "who": user_id}))

    async def lock(self, scope: TenantScope, user_id: UUID) -> Member | None:
        """One member, locked until the transaction ends."""
        return _member(await self._session.first(LOCK, {"tenant": scope.tenant_id, "who": user_id}))

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Member]:
        """Members, newest first; a place in the order is the membership's time and the user's id."""
        parameters: dict[str, object] = {"tenant": scope.tenant_id, "most": limit}
        statement = LIST
        if after is not None:
            statement = LIST.where(BEFORE)
            parameters |= {"after_at": after.at, "after_id": after.id}
        return [one for row in await self._session.all(statement, parameters) if (one := _member(row))]

    async def save(self, scope: TenantScope, membership: Membership) -> None:
        """Write a changed membership back."""
        changed = {**role_values(membership.role), "suspended_at": membership.suspended_at}
        await self._session.run(SAVE.values(changed), {"tenant": scope.tenant_id, "who": membership.user_id})

    async def remove(self, scope: TenantScope, user_id: UUID) -> bool:
        """Remove a membership, with those in units and projects and with the member's keys; False: there is none."""
        return (await self._session.run(REMOVE, {"tenant": scope.tenant_id, "who": user_id})).rowcount > 0

    async def owners(self, scope: TenantScope) -> Sequence[UUID]:
        """Owners of the tenant who are not suspended, locked until the transaction ends: the last one must stay."""
        return [row.user_id for row in await self._session.all(OWNERS, {"tenant": scope.tenant_id})]

    async def put_in_unit(self, scope: TenantScope, member: UnitMember) -> None:
        """Store or change a member of a unit.

        Raises:
            Conflict: no such unit, member or role; the transaction is over then.
        """
        values = {
            **role_values(member.role),
            "tenant_id": scope.tenant_id,
            "unit_id": member.unit_id,
            "user_id": member.user_id,
            "created_at": member.created_at,
        }
        await self._session.run(PUT_IN_UNIT, values)

    async def in_unit(self, scope: TenantScope, unit_id: UUID) -> Sequence[UnitMember]:
        """Members of a unit, the oldest first."""
        rows = await self._session.all(IN_UNIT, {"tenant": scope.tenant_id, "of_id": unit_id})
        return [_unit_member(row) for row in rows]

    async def remove_from_unit(self, scope: TenantScope, unit_id: UUID, user_id: UUID) -> bool:
        """Take a member out of a unit; False: they are not in it."""
        where = {"tenant": scope.tenant_id, "of_id": unit_id, "who": user_id}
        return (await self._session.run(REMOVE_FROM_UNIT, where)).rowcount > 0

    async def put_in_project(self, scope: TenantScope, member: ProjectMember) -> None:
        """Store or change a member's role in a project.

        Raises:
            Conflict: no such project, member or role; the transaction is over then.
        """
        values = {
            **role_values(member.role),
            "tenant_id": scope.tenant_id,
            "project_id": member.project_id,
            "user_id": member.user_id,
            "created_at": member.created_at,
        }
        await self._session.run(PUT_IN_PROJECT, values)

    async def in_project(self, scope: TenantScope, project_id: UUID) -> Sequence[ProjectMember]:
        """Who has a role in a project itself, the oldest first."""
        rows = await self._session.all(IN_PROJECT, {"tenant": scope.tenant_id, "project": project_id})
        return [
            ProjectMember(row.tenant_id, row.project_id, row.user_id, role, row.created_at)
            for row in rows
            if (role := read_role(row)) is not None
        ]

    async def remove_from_project(self, scope: TenantScope, project_id: UUID, user_id: UUID) -> bool:
        """Take a member's role in a project; False: there is none."""
        where = {"tenant": scope.tenant_id, "project": project_id, "who": user_id}
        return (await self._session.run(REMOVE_FROM_PROJECT, where)).rowcount > 0

    async def units_of(self, scope: TenantScope, user_id: UUID) -> Sequence[UnitMember]:
        """Units that a member belongs to."""
        rows = await self._session.all(UNITS_OF, {"tenant": scope.tenant_id, "who": user_id})
        return [_unit_member(row) for row in rows]

    async def rights(self, scope: TenantScope, user_id: UUID, project_id: UUID | None) -> frozenset[Permission]:
        """All that a member may do in a project, or, None, in the tenant as a whole; empty for who is suspended."""
        where = {"tenant": scope.tenant_id, "who": user_id, "project": project_id}
        row = await self._session.first(RIGHTS, where)
        return held(row.roles, row.permissions)

    async def purge(self, scope: TenantScope, subject: Subject) -> int:
        """Remove what a deleted project or tenant knew of people; returns how many rows."""
        where = {"tenant": scope.tenant_id, "subject": subject.id}
        return sum([(await self._session.run(text(sql), where)).rowcount for sql in PURGES.get(subject.kind, ())])


def _member(row: Any) -> Member | None:
    if row is None:
        return None
    membership = Membership(row.tenant_id, row.user_id, read_role(row), row.created_at, row.suspended_at)
    user = User(row.user_id, row.email, row.name, row.user_since, row.verified_at, row.disabled_at)
    return Member(membership, user)


def _unit_member(row: Any) -> UnitMember:
    return UnitMember(row.tenant_id, row.unit_id, row.user_id, read_role(row), row.created_at)
