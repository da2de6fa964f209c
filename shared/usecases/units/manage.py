"""The tree of org units: make, rename, move and delete units.

Who has a role in a unit has it in every project below. So whoever moves something gives it to the people of the place
it comes to: they can do that as far as they hold those roles' permissions themselves.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.labels import clean_name
from shared.domain.members import Unit
from shared.domain.tenants import Permission, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.members.standing import require_gives, require_now


async def create(scope: TenantScope, ports: Ports, *, name: str, parent_id: UUID | None) -> Unit:
    """Make a unit at the top of the tree or in another unit.

    Raises:
        NotFound: no such unit to put it in.
        Conflict: the place has one of this name, or is too deep.
    """
    scope.require(Permission.UNITS_WRITE)
    if parent_id is not None:
        existing(await ports.units.get(scope, parent_id))
    made = Unit(ports.ids.new(), scope.tenant_id, parent_id, clean_name(name), ports.clock.now())
    await ports.units.add(scope, made)
    await note(scope, ports, "unit.created", made.id, after=_written(made))
    return made


async def list_units(scope: TenantScope, ports: Ports) -> Sequence[Unit]:
    """Every unit, by name; `parent_id` makes the tree."""
    scope.require(Permission.UNITS_READ)
    return await ports.units.list(scope)


async def get(scope: TenantScope, ports: Ports, unit_id: UUID) -> Unit:
    """One unit.

    Raises:
        NotFound: the organisation has no such unit.
    """
    scope.require(Permission.UNITS_READ)
    return existing(await ports.units.get(scope, unit_id))


async def rename(scope: TenantScope, ports: Ports, unit_id: UUID, name: str) -> Unit:
    """Give a unit another name.

    Raises:
        NotFound: the organisation has no such unit.
        Conflict: its place has another of this name.
    """
    scope.require(Permission.UNITS_WRITE)
    known = existing(await ports.units.get(scope, unit_id))
    return await _saved(scope, ports, known, replace(known, name=clean_name(name)), "unit.renamed")


async def move(scope: TenantScope, ports: Ports, unit_id: UUID, parent_id: UUID | None) -> Unit:
    """Put a unit, with all below it, into another one; None: to the top of the tree.

    Raises:
        NotFound: the organisation has no such unit.
        Forbidden: people of the new place would get roles in it that may do more than the caller.
        Conflict: it would lie within itself or too deep, or the place has one of this name.
    """
    scope.require(Permission.UNITS_WRITE)
    known = existing(await ports.units.get(scope, unit_id))
    await require_placing(scope, ports, Permission.UNITS_WRITE, parent_id)
    return await _saved(scope, ports, known, replace(known, parent_id=parent_id), "unit.moved")


async def delete(scope: TenantScope, ports: Ports, unit_id: UUID) -> None:
    """Delete a unit in which neither units nor projects lie. Its people stay members of the organisation.

    Raises:
        NotFound: the organisation has no such unit.
        Conflict: something lies in it.
    """
    scope.require(Permission.UNITS_WRITE)
    known = existing(await ports.units.get(scope, unit_id))
    await ports.units.remove(scope, unit_id)
    await note(scope, ports, "unit.deleted", unit_id, before=_written(known))


async def require_placing(
    scope: TenantScope, ports: Ports, permission: Permission, unit_id: UUID | None, project_id: UUID | None = None
) -> None:
    """See that the caller may put something into a unit: whoever has a role there gets it in what is put there.

    Args:
        scope: the caller's.
        ports: in an open transaction.
        permission: what putting it there takes.
        unit_id: where to; None: nowhere.
        project_id: what, when it is a project.

    Raises:
        NotFound: the organisation has no such unit.
        Forbidden: somebody would get more than the caller holds.
    """
    held = await require_now(scope, ports, permission, project_id)
    if unit_id is None:
        return
    above = await ports.units.above(scope, unit_id)
    if not above:
        raise NotFound("no such unit", code="unit_not_found")
    for unit in above:
        roles = {member.role for member in await ports.members.in_unit(scope, unit.id)}
        await require_gives(scope, ports, held, *roles)


def existing(found: Unit | None) -> Unit:
    """The unit.

    Raises:
        NotFound: there is none.
    """
    if found is None:
        raise NotFound("no such unit", code="unit_not_found")
    return found


async def _saved(scope: TenantScope, ports: Ports, known: Unit, changed: Unit, action: str) -> Unit:
    await ports.units.save(scope, changed)
    await note(scope, ports, action, known.id, before=_written(known), after=_written(changed))
    return changed


def _written(unit: Unit) -> dict[str, object]:
    return {"name": unit.name, "parent_id": None if unit.parent_id is None else str(unit.parent_id)}
