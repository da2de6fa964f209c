"""Who has a role in a project itself. Roles held in the organisation and in units above count beside it."""

from collections.abc import Sequence
from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.members import ProjectMember
from shared.domain.roles import RoleRef
from shared.domain.tenants import Permission, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.members.manage import existing as existing_member
from shared.usecases.members.standing import require_gives, require_now, role_name
from shared.usecases.projects.manage import existing


async def list_people(scope: TenantScope, ports: Ports, project_id: UUID) -> Sequence[ProjectMember]:
    """Who has a role in the project itself, the oldest first.

    Raises:
        NotFound: none of the tenant's projects.
    """
    scope.require(Permission.MEMBERS_READ)
    await existing(scope, ports, project_id)
    return await ports.members.in_project(scope, project_id)


async def put(scope: TenantScope, ports: Ports, project_id: UUID, user_id: UUID, role: RoleRef) -> ProjectMember:
    """Give a member of the organisation a role in the project, or another one.

    Raises:
        NotFound: no such project, member or role.
        Forbidden: the role they have there, or the one they are to have, may do more than the caller.
    """
    before = await _before(scope, ports, project_id, user_id)
    held = await require_now(scope, ports, Permission.MEMBERS_WRITE, project_id)
    await require_gives(scope, ports, held, role, None if before is None else before.role)
    made = ProjectMember(scope.tenant_id, project_id, user_id, role, before.created_at if before else ports.clock.now())
    await ports.members.put_in_project(scope, made)
    was, now = None if before is None else role_name(before.role), role_name(role)
    await note(scope, ports, "project_member.put", user_id, project_id=project_id, before=was, after=now)
    return made


async def remove(scope: TenantScope, ports: Ports, project_id: UUID, user_id: UUID) -> None:
    """Take a member's role in the project.

    Raises:
        NotFound: no such project, or they have no role in it.
        Forbidden: their role there may do more than the caller.
    """
    before = await _before(scope, ports, project_id, user_id)
    if before is None:
        raise NotFound("no such member of this project", code="member_not_found")
    held = await require_now(scope, ports, Permission.MEMBERS_WRITE, project_id)
    await require_gives(scope, ports, held, before.role)
    await ports.members.remove_from_project(scope, project_id, user_id)
    was = role_name(before.role)
    await note(scope, ports, "project_member.removed", user_id, project_id=project_id, before=was)


async def _before(scope: TenantScope, ports: Ports, project_id: UUID, user_id: UUID) -> ProjectMember | None:
    scope.require(Permission.MEMBERS_WRITE)
    await existing(scope, ports, project_id)
    existing_member(await ports.members.lock(scope, user_id))
    return next((one for one in await ports.members.in_project(scope, project_id) if one.user_id == user_id), None)
