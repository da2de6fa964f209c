"""Join an organisation: by a mailed secret, once, in time, and only as the person whose address it was sent to."""

from dataclasses import replace
from uuid import UUID

from shared.domain.errors import Conflict, Forbidden
from shared.domain.members import Invitation, Membership, ProjectMember, UnitMember
from shared.domain.tenants import Permission, Principal, PrincipalKind, TenantScope
from shared.domain.users import UserScope, email_key
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.auth.secrets import bad_token, mailed_hash
from shared.usecases.members.standing import held_by, permissions_of, role_name


async def accept(user: UserScope, ports: Ports, token: str, address: str) -> UUID:
    """Become a member; who is one gets the role in the unit or project beside what they have.

    Args:
        user: who is signed in.
        ports: in a transaction of theirs; it is the organisation's too from then on.
        token: as mailed.
        address: the IP address it came from.

    Returns:
        The organisation's id.

    Raises:
        Invalid: the token is not good, for whatever reason, or was sent to somebody else.
        Forbidden: whoever invited them may not give that role any more, or their membership is suspended.
        Conflict: they are a member already, and the invitation gives nothing else.
    """
    person = await ports.users.get(user)
    found = await ports.invitations.find(mailed_hash(token))
    now = ports.clock.now()
    if person is None or person.verified_at is None or found is None or not found.open(now):
        raise bad_token()
    if email_key(found.email) != person.email_key:
        raise bad_token()
    scope = TenantScope(found.tenant_id, user.principal, frozenset({Permission.ORGS_READ}), address=address)
    await _require_still_given(scope, ports, found)
    await ports.invitations.save(scope, replace(found, accepted_at=now, accepted_by=user.user_id))
    await _join(scope, ports, user.user_id, found)
    role, place = role_name(found.role), {"invitation_id": str(found.id)}
    if found.unit_id is not None:
        place["unit_id"] = str(found.unit_id)
    await note(scope, ports, "member.joined", user.user_id, project_id=found.project_id, after=role, **place)
    return found.tenant_id


async def _join(scope: TenantScope, ports: Ports, user_id: UUID, found: Invitation) -> None:
    now = ports.clock.now()
    placed = found.unit_id is not None or found.project_id is not None
    known = await ports.members.lock(scope, user_id)
    if known is None:
        role = None if placed else found.role
        await ports.members.add(scope, Membership(scope.tenant_id, user_id, role, now))
    elif known.membership.suspended_at is not None:
        raise Forbidden("your membership is suspended", code="membership_suspended")
    elif not placed:
        raise Conflict("you are a member already", code="already_member", hint="ask for another role instead")
    if found.unit_id is not None:
        await ports.members.put_in_unit(scope, UnitMember(scope.tenant_id, found.unit_id, user_id, found.role, now))
    if found.project_id is not None and found.role is not None:
        made = ProjectMember(scope.tenant_id, found.project_id, user_id, found.role, now)
        await ports.members.put_in_project(scope, made)


async def _require_still_given(scope: TenantScope, ports: Ports, found: Invitation) -> None:
    """What somebody gave away who holds it no more is not given."""
    kind, _, id = found.invited_by.partition(":")
    held = await held_by(scope, ports, Principal(PrincipalKind(kind), id))
    if Permission.MEMBERS_WRITE not in held or not await permissions_of(scope, ports, found.role) <= held:
        raise Forbidden(
            "whoever invited you may not do so any more", code="invitation_void", hint="ask for another one"
        )
