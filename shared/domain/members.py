"""Who belongs to an organisation, where in it, and as what."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.roles import RoleRef
from shared.domain.users import User


@dataclass(frozen=True, slots=True)
class Membership:
    """A user belongs to an organisation."""

    tenant_id: UUID
    user_id: UUID
    role: RoleRef | None
    """Held in every project; None: only what units and projects give."""
    created_at: datetime
    suspended_at: datetime | None = None
    """Nothing that the user holds here counts, and no key of theirs."""


@dataclass(frozen=True, slots=True)
class Member:
    """A membership with its user."""

    membership: Membership
    user: User


@dataclass(frozen=True, slots=True)
class UnitMember:
    """A member belongs to an org unit."""

    tenant_id: UUID
    unit_id: UUID
    user_id: UUID
    role: RoleRef | None
    """Held in every project of the unit and of those below it; None: belongs to it, no more."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProjectMember:
    """A member has a role in a project."""

    tenant_id: UUID
    project_id: UUID
    user_id: UUID
    role: RoleRef
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """An org unit: one place in an organisation's tree."""

    id: UUID
    tenant_id: UUID
    parent_id: UUID | None
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """An actor that is no person. It signs in by API keys alone."""

    id: UUID
    tenant_id: UUID
    project_id: UUID | None
    """The one project it works in; None: any of the organisation's."""
    name: str
    description: str
    role: RoleRef
    created_by: str
    created_at: datetime
    disabled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody, known by their address, is asked to join."""

    id: UUID
    tenant_id: UUID
    email: str
    role: RoleRef | None
    unit_id: UUID | None
    """Where the role is to be held: in a unit, in a project, or, neither, in the whole organisation."""
    project_id: UUID | None
    invited_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None = None
    accepted_by: UUID | None = None
    revoked_at: datetime | None = None

    def open(self, now: datetime) -> bool:
        """True while it can be accepted."""
        return self.accepted_at is None and self.revoked_at is None and now < self.expires_at
