"""Requests and responses about organisations, their people, roles and units."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field

from shared.domain.members import Member
from shared.domain.pages import Page
from shared.domain.roles import PERMISSIONS, BuiltIn, Role
from shared.domain.tenants import Permission
from shared.domain.users import MAX_EMAIL
from shared.ports.audit import AuditFilter
from shared.runtime.schemas import Body, Out, ShownOnce
from shared.runtime.web import Query
from shared.usecases.invitations.invite import InvitationRequest
from shared.usecases.keys.manage import KeyRequest, Minted
from shared.usecases.service_accounts.manage import AccountRequest

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


class NewKey(Body):
    """A key to mint."""

    name: Name
    permissions: Permissions
    project_id: UUID | None = Field(default=None, description="the one project it works in; null: any")
    expires_at: AwareDatetime | None = Field(default=None, description="null: when the key it is made with does")

    def request(self) -> KeyRequest:
        """As the use case takes it."""
        return KeyRequest(self.name, self.permissions, self.project_id, self.expires_at)


class KeyOut(Out):
    """A key, never the key itself."""

    id: UUID
    prefix: str = Field(description="its beginning, to know it again by")
    name: str
    permissions: Annotated[list[Permission], BeforeValidator(sorted)] = Field(
        description="at the most: never more than whom it acts for holds"
    )
    project_id: UUID | None
    user_id: UUID | None = Field(description="the member it acts for")
    service_account_id: UUID | None
    created_by: str
    created_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="to within five minutes")


class KeySecretOut(KeyOut, ShownOnce):
    """A key with its secret, which is shown this once."""

    @classmethod
    def of(cls, minted: Minted) -> Self:
        """From the use case's answer."""
        return cls(**KeyOut.model_validate(minted.credential).model_dump(), secret=minted.secret)


class KeyPage(Out):
    """A page of keys; send `next` back as `cursor`."""

    items: list[KeyOut]
    next: str | None


class NewAccount(Body):
    """A service account to make."""

    name: Name
    description: Description = ""
    role: AnyRole
    project_id: UUID | None = Field(default=None, description="the one project it works in; null: any")

    def request(self) -> AccountRequest:
        """As the use case takes it."""
        return AccountRequest(self.name, self.description, self.role, self.project_id)


class AccountChange(Body):
    """What is to change; null or absent leaves a part as it is."""

    name: Name | None = None
    description: Description | None = None
    role: AnyRole | None = None


class AccountOut(Out):
    """A service account."""

    id: UUID
    name: str
    description: str
    role: AnyRole
    project_id: UUID | None
    created_by: str
    created_at: datetime
    disabled_at: datetime | None = Field(description="none of its keys is good while this is set")


class AccountPage(Out):
    """A page of service accounts; send `next` back as `cursor`."""

    items: list[AccountOut]
    next: str | None


class NewInvitation(Body):
    """Whom to ask, and what for."""

    email: Annotated[str, Field(min_length=3, max_length=MAX_EMAIL)]
    role: AnyRole | None = Field(description="null: none, for now")
    unit_id: UUID | None = Field(default=None, description="where the role is held; null: in the whole organisation")
    project_id: UUID | None = None

    def request(self) -> InvitationRequest:
        """As the use case takes it."""
        return InvitationRequest(self.email, self.role, self.unit_id, self.project_id)


class InvitationOut(Out):
    """An invitation, never its code."""

    id: UUID
    email: str
    role: AnyRole | None
    unit_id: UUID | None
    project_id: UUID | None
    invited_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: UUID | None
    revoked_at: datetime | None


class InvitationPage(Out):
    """A page of invitations; send `next` back as `cursor`."""

    items: list[InvitationOut]
    next: str | None


class Acceptance(Body):
    """The code that was mailed."""

    token: Annotated[str, Field(min_length=1, max_length=200)]


class JoinedOut(Out):
    """Where you belong now."""

    org_id: UUID
