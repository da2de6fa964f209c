"""Rows of who belongs to an organisation: members, roles, org units, invitations, service accounts."""

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from shared.domain.members import Invitation, Member, Membership, ProjectMember, ServiceAccount, Unit, UnitMember
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.roles import Role
from shared.domain.tenants import Permission, TenantScope


class Members(Protocol):
    """Storage of memberships in the tenant, its units and its projects."""

    async def add(self, scope: TenantScope, membership: Membership) -> None:
        """Store a new membership.

        Raises:
            Conflict: the user is a member already; the transaction is over then.
        """
        ...

    async def get(self, scope: TenantScope, user_id: UUID) -> Member | None:
        """One member, a suspended one too."""
        ...

    async def lock(self, scope: TenantScope, user_id: UUID) -> Member | None:
        """One member, locked until the transaction ends."""
        ...

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Member]:
        """Members, newest first; a place in the order is the membership's time and the user's id."""
        ...

    async def save(self, scope: TenantScope, membership: Membership) -> None:
        """Write a changed membership back."""
        ...

    async def remove(self, scope: TenantScope, user_id: UUID) -> bool:
        """Remove a membership, with those in units and projects and with the member's keys; False: there is none."""
        ...

    async def owners(self, scope: TenantScope) -> Sequence[UUID]:
        """Owners of the tenant who are not suspended, locked until the transaction ends: the last one must stay."""
        ...

    async def put_in_unit(self, scope: TenantScope, member: UnitMember) -> None:
        """Store or change a member of a unit.

        Raises:
            Conflict: no such unit, member or role; the transaction is over then.
        """
        ...

    async def in_unit(self, scope: TenantScope, unit_id: UUID) -> Sequence[UnitMember]:
        """Members of a unit, the oldest first."""
        ...

    async def remove_from_unit(self, scope: TenantScope, unit_id: UUID, user_id: UUID) -> bool:
        """Take a member out of a unit; False: they are not in it."""
        ...

    async def put_in_project(self, scope: TenantScope, member: ProjectMember) -> None:
        """Store or change a member's role in a project.

        Raises:
            Conflict: no such project, member or role; the transaction is over then.
        """
        ...

    async def in_project(self, scope: TenantScope, project_id: UUID) -> Sequence[ProjectMember]:
        """Who has a role in a project itself, the oldest first."""
        ...

    async def remove_from_project(self, scope: TenantScope, project_id: UUID, user_id: UUID) -> bool:
        """Take a member's role in a project; False: there is none."""
        ...

    async def units_of(self, scope: TenantScope, user_id: UUID) -> Sequence[UnitMember]:
        """Units that a member belongs to."""
        ...

    async def rights(self, scope: TenantScope, user_id: UUID, project_id: UUID | None) -> frozenset[Permission]:
        """All that a member may do in a project, or, None, in the tenant as a whole; empty for who is suspended."""
        ...

    async def purge(self, scope: TenantScope, subject: Subject) -> int:
        """Remove what a deleted project or tenant knew of people; returns how many rows."""
        ...


class Roles(Protocol):
    """Storage of an organisation's own roles."""

    async def add(self, scope: TenantScope, role: Role) -> None:
        """Store a new role.

        Raises:
            Conflict: there is one of this name; the transaction is over then.
        """
        ...

    async def get(self, scope: TenantScope, role_id: UUID) -> Role | None:
        """One role."""
        ...

    async def list(self, scope: TenantScope) -> Sequence[Role]:
        """Roles by name."""
        ...

    async def save(self, scope: TenantScope, role: Role) -> None:
        """Write a changed role back.

        Raises:
            Conflict: there is another of this name; the transaction is over then.
        """
        ...

    async def remove(self, scope: TenantScope, role_id: UUID) -> bool:
        """Remove a role; False: there is none.

        Raises:
            Conflict: somebody has it; the transaction is over then.
        """
        ...


class Units(Protocol):
    """Storage of the tree of org units."""

    async def add(self, scope: TenantScope, unit: Unit) -> None:
        """Store a new unit.

        Raises:
            Conflict: its place has one of this name, or there is no such place; the transaction is over then.
        """
        ...

    async def get(self, scope: TenantScope, unit_id: UUID) -> Unit | None:
        """One unit."""
        ...

    async def list(self, scope: TenantScope) -> Sequence[Unit]:
        """Every unit, by name."""
        ...

    async def above(self, scope: TenantScope, unit_id: UUID) -> Sequence[Unit]:
        """A unit and all it lies in, itself first."""
        ...

    async def save(self, scope: TenantScope, unit: Unit) -> None:
        """Write a renamed or moved unit back. Moves within a tenant come one after the other.

        Raises:
            Conflict: it would lie within itself, or its place has one of this name; the transaction is over then.
        """
        ...

    async def remove(self, scope: TenantScope, unit_id: UUID) -> bool:
        """Remove a unit; False: there is none.

        Raises:
            Conflict: units or projects lie in it; the transaction is over then.
        """
        ...


class Invitations(Protocol):
    """Storage of invitations."""

    async def add(self, scope: TenantScope, invitation: Invitation, token_hash: str) -> None:
        """Store a new invitation by the hash of its secret."""
        ...

    async def get(self, scope: TenantScope, invitation_id: UUID) -> Invitation | None:
        """One invitation."""
        ...

    async def lock(self, scope: TenantScope, invitation_id: UUID) -> Invitation | None:
        """One invitation, locked until the transaction ends."""
        ...

    async def find(self, token_hash: str) -> Invitation | None:
        """The invitation with this secret, whoever's it is, open or not, locked until the transaction ends.

        The transaction is in its tenant's context from then on.
        """
        ...

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Invitation]:
        """Invitations, newest first."""
        ...

    async def save(self, scope: TenantScope, invitation: Invitation) -> None:
        """Write back whether it was accepted, by whom, whether it was revoked, and when it expires."""
        ...

    async def renew(self, scope: TenantScope, invitation_id: UUID, token_hash: str) -> None:
        """Put another secret in place of the one it has, by its hash."""
        ...


class ServiceAccounts(Protocol):
    """Storage of service accounts."""

    async def add(self, scope: TenantScope, account: ServiceAccount) -> None:
        """Store a new account.

        Raises:
            Conflict: there is one of this name, or no such role or project; the transaction is over then.
        """
        ...

    async def get(self, scope: TenantScope, account_id: UUID) -> ServiceAccount | None:
        """One account, a disabled one too."""
        ...

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[ServiceAccount]:
        """Accounts, newest first."""
        ...

    async def save(self, scope: TenantScope, account: ServiceAccount) -> None:
        """Write a changed account back.

        Raises:
            Conflict: there is another of this name; the transaction is over then.
        """
        ...

    async def remove(self, scope: TenantScope, account_id: UUID) -> bool:
        """Remove an account with its keys; False: there is none."""
        ...
