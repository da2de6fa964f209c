"""Members of an organisation: look at them, change their role, suspend and remove them.

Every change takes the locks of all owners first and in one order, so that of two owners who demote each other one
stays; then it asks once more what the caller may do.
"""

from dataclasses import replace
from uuid import UUID

from shared.domain.errors import Conflict, NotFound
from shared.domain.members import Member, Membership
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.roles import BuiltIn, RoleRef
from shared.domain.tenants import Permission, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.members.standing import require_gives, require_now, role_name


async def list_members(scope: TenantScope, ports: Ports, *, cursor: str | None, limit: int) -> Page[Member]:
    """Members, newest first, suspended ones too."""
    scope.require(Permission.MEMBERS_READ)
    listing = fingerprint("members", scope.tenant_id)
    rows = await ports.members.list(scope, decode_cursor(cursor, listing) if cursor else None, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.membership.created_at, row.user.id))


async def get(scope: TenantScope, ports: Ports, user_id: UUID) -> Member:
    """One member.

    Raises:
        NotFound: no member of the organisation.
    """
    scope.require(Permission.MEMBERS_READ)
    return existing(await ports.members.get(scope, user_id))


async def change_role(scope: TenantScope, ports: Ports, user_id: UUID, role: RoleRef | None) -> Member:
    """Give a member another role; None: only what units and projects give.

    Raises:
        NotFound: no such member or role.
        Forbidden: the role they have, or the one they are to have, may do more than the caller.
        Conflict: they are the last owner.
    """
    known, owners = await _held(scope, ports, user_id, role)
    if role is not BuiltIn.OWNER:
        _another_owner(owners, user_id)
    changed = replace(known.membership, role=role)
    await ports.members.save(scope, changed)
    before, after = role_name(known.membership.role), role_name(role)
    await note(scope, ports, "member.role_changed", user_id, before=before, after=after)
    return replace(known, membership=changed)


async def suspend(scope: TenantScope, ports: Ports, user_id: UUID) -> Member:
    """Take all rights from a member, and from their keys, until they are reinstated. Twice is once.

    Raises:
        NotFound: no such member.
        Forbidden: they may do more than the caller.
        Conflict: they are the last owner.
    """
    known, owners = await _held(scope, ports, user_id)
    if known.membership.suspended_at is not None:
        return known
    _another_owner(owners, user_id)
    changed = replace(known.membership, suspended_at=ports.clock.now())
    return await _saved(scope, ports, known, changed, "member.suspended")


async def reinstate(scope: TenantScope, ports: Ports, user_id: UUID) -> Member:
    """Give a suspended member back what they held. Twice is once.

    Raises:
        NotFound: no such member.
        Forbidden: they would be able to do more than the caller.
    """
    known, _ = await _held(scope, ports, user_id)
    if known.membership.suspended_at is None:
        return known
    return await _saved(scope, ports, known, replace(known.membership, suspended_at=None), "member.reinstated")


async def remove(scope: TenantScope, ports: Ports, user_id: UUID) -> None:
    """End a membership, with those in units and projects and with the member's keys.

    Raises:
        NotFound: no such member.
        Forbidden: they may do more than the caller.
        Conflict: they are the last owner.
    """
    known, owners = await _held(scope, ports, user_id)
    _another_owner(owners, user_id)
    await ports.members.remove(scope, user_id)
    await note(scope, ports, "member.removed", user_id, before=role_name(known.membership.role))


async def leave(scope: TenantScope, ports: Ports, user_id: UUID) -> None:
    """End a membership of one's own, a suspended one too, as `remove` does.

    Args:
        scope: the organisation, as whoever leaves.
        ports: in a transaction of it.
        user_id: who leaves.

    Raises:
        NotFound: they are no member.
        Conflict: they are the last owner.
    """
    owners = list(await ports.members.owners(scope))
    known = await ports.members.lock(scope, user_id)
    if known is None:
        raise NotFound("no such organisation of yours", code="tenant_not_found")
    _another_owner(owners, user_id)
    await ports.members.remove(scope, user_id)
    await note(scope, ports, "member.left", user_id, before=role_name(known.membership.role))


def existing(found: Member | None) -> Member:
    """The member.

    Raises:
        NotFound: there is none.
    """
    if found is None:
        raise NotFound("no such member of this organisation", code="member_not_found")
    return found


async def _held(
    scope: TenantScope, ports: Ports, user_id: UUID, role: RoleRef | None = None
) -> tuple[Member, list[UUID]]:
    """The member and the owners, locked; the caller may still change members, this one and to that role."""
    scope.require(Permission.MEMBERS_WRITE)
    owners = list(await ports.members.owners(scope))
    known = existing(await ports.members.lock(scope, user_id))
    held = await require_now(scope, ports, Permission.MEMBERS_WRITE)
    await require_gives(scope, ports, held, known.membership.role, role)
    return known, owners


def _another_owner(owners: list[UUID], user_id: UUID) -> None:
    if owners == [user_id]:
        raise Conflict(
            "this is the organisation's last owner", code="last_owner", hint="make somebody else an owner first"
        )


async def _saved(scope: TenantScope, ports: Ports, known: Member, changed: Membership, action: str) -> Member:
    await ports.members.save(scope, changed)
    await note(scope, ports, action, known.user.id)
    return replace(known, membership=changed)
