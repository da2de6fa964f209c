"""Requests and responses about organisations, their people, roles and units."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.domain.members import Member
from shared.domain.pages import Page
from shared.domain.roles import PERMISSIONS, BuiltIn, Role
from shared.domain.tenants import Permission
from shared.ports.audit import AuditFilter
from shared.runtime.schemas import Body, Out
from shared.runtime.web import Query

Name = Annotated[str, Field(min_length=1, max_length=255)]
Description = Annotated[str, Field(max_length=1000)]
AnyRole = Annotated[BuiltIn | UUID, Field(description="a built-in role by name, or one of your own by id")]
Permissions = Annotated[frozenset[Permission], Field(min_length=1, max_length=len(Permission))]
Said = Annotated[str, Query(max_length=200)]


class OrgOut(Out):
    """An organisation."""

    id: UUID
    name: str
    created_at: datetime


class OrgChange(Body):
    """Another name."""

    name: Name


class MemberChange(Body):
    """The role that a member is to have; null: none here, only what other places give."""

    role: AnyRole | None


class MemberOut(Out):
    """A member."""

    user_id: UUID
    email: str
    name: str
    role: AnyRole | None
    created_at: datetime
    suspended_at: datetime | None = Field(description="nothing that they hold counts while this is set")

    @classmethod
    def of(cls, member: Member) -> Self:
        """From the use case's answer."""
        user, held = member.user, member.membership
        return cls(
            user_id=user.id,
            email=user.email,
            name=user.name,
            role=held.role,
            created_at=held.created_at,
            suspended_at=held.suspended_at,
        )


class MemberPage(Out):
    """A page of members; send `next` back as `cursor`."""

    items: list[MemberOut]
    next: str | None

    @classmethod
    def of(cls, page: Page[Member]) -> Self:
        """From the use case's answer."""
        return cls(items=[MemberOut.of(one) for one in page.items], next=page.next)


class NewRole(Body):
    """A role to make."""

    name: Name
    description: Description = ""
    permissions: Permissions


class RoleChange(Body):
    """What is to change; null or absent leaves a part as it is."""

    name: Name | None = None
    description: Description | None = None
    permissions: Permissions | None = None


class RoleOut(Out):
    """A role of the organisation's own."""

    id: UUID
    name: str
    description: str
    permissions: list[Permission]
    created_at: datetime

    @classmethod
    def of(cls, role: Role) -> Self:
        """From the use case's answer."""
        return cls(
            id=role.id,
            name=role.name,
            description=role.description,
            permissions=sorted(role.permissions),
            created_at=role.created_at,
        )


class BuiltInOut(Out):
    """A role that every organisation has."""

    name: BuiltIn
    permissions: list[Permission]


class RoleList(Out):
    """Every role."""

    built_in: list[BuiltInOut]
    items: list[RoleOut]

    @classmethod
    def of(cls, roles: Sequence[Role]) -> Self:
        """From the use case's answer."""
        built_in = [BuiltInOut(name=name, permissions=sorted(held)) for name, held in PERMISSIONS.items()]
        return cls(built_in=built_in, items=[RoleOut.of(role) for role in roles])


class NewUnit(Body):
    """A unit to make."""

    name: Name
    parent_id: UUID | None = Field(default=None, description="the unit it lies in; null: at the top")


class UnitChange(Body):
    """Another name."""

    name: Name


class UnitMove(Body):
    """Another place."""

    parent_id: UUID | None = Field(description="the unit it is to lie in; null: at the top")


class UnitOut(Out):
    """An org unit."""

    id: UUID
    parent_id: UUID | None
    name: str
    created_at: datetime


class UnitList(Out):
    """Every unit."""

    items: list[UnitOut]


class UnitMemberOut(Out):
    """A member of a unit."""

    user_id: UUID
    role: AnyRole | None
    created_at: datetime


class UnitMemberList(Out):
    """Members of a unit."""

    items: list[UnitMemberOut]


class Wanted:
    """Which events are asked for."""

    def __init__(
        self,
        action: Annotated[Said, Query(description="`member.removed`, or `member` for whatever happens to one")] = "",
        actor: Annotated[Said, Query(description="`user:<id>`, `api_key:<id>`")] = "",
        subject_kind: Said = "",
        subject_id: Said = "",
        project_id: UUID | None = None,
        since: Annotated[AwareDatetime | None, Query(description="from then on")] = None,
        until: Annotated[AwareDatetime | None, Query(description="before then")] = None,
    ) -> None:
        """From the query."""
        self._filter = AuditFilter(action, actor, subject_kind, subject_id, project_id, since, until)

    def filter(self) -> AuditFilter:
        """As the use case takes it."""
        return self._filter


class AuditEventOut(Out):
    """Something that somebody did."""

    id: UUID
    at: datetime
    action: str
    actor: str
    subject_kind: str
    subject_id: str
    project_id: UUID | None
    address: str = Field(description="the IP address that the request came from")
    details: Mapping[str, Any]


class AuditPage(Out):
    """A page of events; send `next` back as `cursor`."""

    items: list[AuditEventOut]
    next: str | None
