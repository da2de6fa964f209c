"""Members of org units: in each with a role that they hold in every project below it, or with none."""

from collections.abc import Sequence
from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.members import UnitMember
from shared.domain.roles import RoleRef
from shared.domain.tenants import Permission, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.members.manage import existing as existing_member
from shared.usecases.members.standing import require_gives, require_now, role_name
from shared.usecases.units.manage import existing


async def list_people(scope: TenantScope, ports: Ports, unit_id: UUID) -> Sequence[UnitMember]:
    """Members of a unit itself, the oldest first.

    Raises:
        NotFound: the organisation has no such unit.
    """
    scope.require(Permission.MEMBERS_READ)
    existing(await ports.units.get(scope, unit_id))
    return await ports.members.in_unit(scope, unit_id)


async def put(scope: TenantScope, ports: Ports, unit_id: UUID, user_id: UUID, role: RoleRef | None) -> UnitMember:
    """Make a member of the organisation one of a unit too, or give them another role there.

    Raises:
        NotFound: no such unit, member or role.
        Forbidden: the role they have there, or the one they are to have, may do more than the caller.
    """
    before = await _before(scope, ports, unit_id, user_id)
    held = await require_now(scope, ports, Permission.MEMBERS_WRITE)
    await require_gives(scope, ports, held, role, None if before is None else before.role)
    made = UnitMember(scope.tenant_id, unit_id, user_id, role, before.created_at if before else ports.clock.now())
    await ports.members.put_in_unit(scope, made)
    was, now = None if before is None else role_name(before.role), role_name(role)
    await note(scope, ports, "unit_member.put", user_id, unit_id=str(unit_id), before=was, after=now)
    return made


async def remove(scope: TenantScope, ports: Ports, unit_id: UUID, user_id: UUID) -> None:
    """Take a member out of a unit.

    Raises:
        NotFound: no such unit, or they are not in it.
        Forbidden: their role there may do more than the caller.
    """
    before = await _before(scope, ports, unit_id, user_id)
    if before is None:
        raise NotFound("no such member of this unit", code="member_not_found")
    held = await require_now(scope, ports, Permission.MEMBERS_WRITE)
    await require_gives(scope, ports, held, before.role)
    await ports.members.remove_from_unit(scope, unit_id, user_id)
    await note(scope, ports, "unit_member.removed", user_id, unit_id=str(unit_id), before=role_name(before.role))


async def _before(scope: TenantScope, ports: Ports, unit_id: UUID, user_id: UUID) -> UnitMember | None:
    scope.require(Permission.MEMBERS_WRITE)
    existing(await ports.units.get(scope, unit_id))
    existing_member(await ports.members.lock(scope, user_id))
    return next((one for one in await ports.members.units_of(scope, user_id) if one.unit_id == unit_id), None)
