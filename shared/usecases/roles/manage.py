"""Roles of an organisation's own: sets of permissions that their maker holds."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.labels import clean_name
from shared.domain.roles import Role, require_within
from shared.domain.tenants import Permission, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.members.standing import held_now


async def create(
    scope: TenantScope, ports: Ports, *, name: str, description: str, permissions: frozenset[Permission]
) -> Role:
    """Make a role.

    Raises:
        Forbidden: it may do more than the caller.
        Conflict: there is one of this name.
        Invalid: it holds nothing, or something that nobody can be given.
    """
    scope.require(Permission.ROLES_WRITE)
    require_within(await held_now(scope, ports), permissions)
    made = Role(ports.ids.new(), scope.tenant_id, clean_name(name), description, permissions, ports.clock.now())
    await ports.roles.add(scope, made)
    await note(scope, ports, "role.created", made.id, after=_written(made))
    return made


async def list_roles(scope: TenantScope, ports: Ports) -> Sequence[Role]:
    """Roles of the organisation's own, by name."""
    scope.require(Permission.ROLES_READ)
    return await ports.roles.list(scope)


async def get(scope: TenantScope, ports: Ports, role_id: UUID) -> Role:
    """One of them.

    Raises:
        NotFound: the organisation has no such role.
    """
    scope.require(Permission.ROLES_READ)
    return _existing(await ports.roles.get(scope, role_id))


async def change(
    scope: TenantScope,
    ports: Ports,
    role_id: UUID,
    *,
    name: str | None,
    description: str | None,
    permissions: frozenset[Permission] | None,
) -> Role:
    """Change a role, and with it what everybody may do who has it; None leaves a part as it is.

    Raises:
        NotFound: the organisation has no such role.
        Forbidden: it may, or would, do more than the caller.
        Conflict: there is another of this name.
        Invalid: it would hold nothing, or something that nobody can be given.
    """
    scope.require(Permission.ROLES_WRITE)
    known = _existing(await ports.roles.get(scope, role_id))
    changed = replace(
        known,
        name=known.name if name is None else clean_name(name),
        description=known.description if description is None else description,
        permissions=known.permissions if permissions is None else permissions,
    )
    require_within(await held_now(scope, ports), known.permissions | changed.permissions)
    await ports.roles.save(scope, changed)
    await note(scope, ports, "role.changed", role_id, before=_written(known), after=_written(changed))
    return changed


async def delete(scope: TenantScope, ports: Ports, role_id: UUID) -> None:
    """Delete a role that nobody has and no invitation offers.

    Raises:
        NotFound: the organisation has no such role.
        Forbidden: it may do more than the caller.
        Conflict: somebody has it.
    """
    scope.require(Permission.ROLES_WRITE)
    known = _existing(await ports.roles.get(scope, role_id))
    require_within(await held_now(scope, ports), known.permissions)
    await ports.roles.remove(scope, role_id)
    await note(scope, ports, "role.deleted", role_id, before=_written(known))


def _written(role: Role) -> dict[str, object]:
    return {"name": role.name, "permissions": sorted(role.permissions)}


def _existing(found: Role | None) -> Role:
    if found is None:
        raise NotFound("no such role", code="role_not_found")
    return found
