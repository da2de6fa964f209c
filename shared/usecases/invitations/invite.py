"""Ask somebody, known by their address, to join: with a role in the organisation, in a unit, in a project, or none."""

from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from shared.domain.errors import Conflict, Invalid, NotFound
from shared.domain.members import Invitation
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.roles import RoleRef
from shared.domain.tenants import Permission, TenantScope
from shared.domain.users import clean_email
from shared.ports.mailer import Mail
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.auth.mails import invited
from shared.usecases.auth.secrets import secret_hash
from shared.usecases.members.standing import require_gives, require_now, role_name
from shared.usecases.projects.manage import existing as existing_project
from shared.usecases.units.manage import existing as existing_unit

LIFE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class InvitationRequest:
    """An invitation as it is asked for.

    Raises:
        Invalid: no address, two places, or a project without a role.
    """

    email: str
    role: RoleRef | None
    unit_id: UUID | None = None
    project_id: UUID | None = None

    def __post_init__(self) -> None:
        clean_email(self.email)
        if self.unit_id is not None and self.project_id is not None:
            raise Invalid("a role is held in a unit or in a project, not in both", code="invalid_invitation")
        if self.project_id is not None and self.role is None:
            raise Invalid("whoever is asked into a project needs a role there", code="invalid_invitation")


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation, and the message that carries its secret."""

    invitation: Invitation
    mail: Mail


async def invite(scope: TenantScope, ports: Ports, wanted: InvitationRequest) -> Invited:
    """Note an invitation; the secret is in the message alone.

    Raises:
        NotFound: no such role, unit or project.
        Forbidden: the role may do more than the caller.
    """
    scope.require(Permission.MEMBERS_WRITE)
    await require_gives(scope, ports, await require_now(scope, ports, Permission.MEMBERS_WRITE), wanted.role)
    if wanted.unit_id is not None:
        existing_unit(await ports.units.get(scope, wanted.unit_id))
    if wanted.project_id is not None:
        await existing_project(scope, ports, wanted.project_id)
    tenant = await ports.tenants.get(scope)
    if tenant is None:
        raise NotFound("no such organisation", code="tenant_not_found")
    now, secret = ports.clock.now(), ports.ids.secret()
    made = Invitation(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        email=clean_email(wanted.email),
        role=wanted.role,
        unit_id=wanted.unit_id,
        project_id=wanted.project_id,
        invited_by=str(scope.principal),
        created_at=now,
        expires_at=now + LIFE,
    )
    await ports.invitations.add(scope, made, secret_hash(secret))
    await note(scope, ports, "invitation.made", made.id, project_id=made.project_id, role=role_name(made.role))
    return Invited(made, invited(made.email, tenant.name, secret))


async def renew(scope: TenantScope, ports: Ports, invitation_id: UUID) -> Invited | None:
    """Give an open invitation another secret, and write it again; None when it is not open any more."""
    scope.require(Permission.MEMBERS_WRITE)
    known, tenant = await ports.invitations.lock(scope, invitation_id), await ports.tenants.get(scope)
    if known is None or tenant is None or not known.open(ports.clock.now()):
        return None
    secret = ports.ids.secret()
    await ports.invitations.renew(scope, known.id, secret_hash(secret))
    return Invited(known, invited(known.email, tenant.name, secret))


async def list_invitations(scope: TenantScope, ports: Ports, *, cursor: str | None, limit: int) -> Page[Invitation]:
    """Invitations, newest first, accepted, revoked and expired ones too."""
    scope.require(Permission.MEMBERS_READ)
    listing = fingerprint("invitations", scope.tenant_id)
    after = decode_cursor(cursor, listing) if cursor else None
    rows = await ports.invitations.list(scope, after, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))


async def revoke(scope: TenantScope, ports: Ports, invitation_id: UUID) -> None:
    """Take an invitation back. Twice is once.

    Raises:
        NotFound: none of the organisation's.
        Conflict: it was accepted: remove the member instead.
    """
    scope.require(Permission.MEMBERS_WRITE)
    known = await ports.invitations.lock(scope, invitation_id)
    if known is None:
        raise NotFound("no such invitation", code="invitation_not_found")
    if known.accepted_at is not None:
        raise Conflict("it was accepted already", code="invitation_accepted", hint="remove the member instead")
    if known.revoked_at is None:
        await ports.invitations.save(scope, replace(known, revoked_at=ports.clock.now()))
        await note(scope, ports, "invitation.revoked", known.id, project_id=known.project_id)
