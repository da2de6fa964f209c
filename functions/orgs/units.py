"""Org units: the tree, and who belongs to each."""

from uuid import UUID

from functions.orgs import schemas as s
from shared.runtime.orgs import AuthorisedOrg
from shared.runtime.web import Response, Router
from shared.usecases.units import manage, people

router = Router()


@router.post("/orgs/{org_id}/units", status_code=201)
async def create_unit(body: s.NewUnit, call: AuthorisedOrg) -> s.UnitOut:
    """Make a unit at the top of the tree or in another unit."""
    return s.UnitOut.model_validate(await manage.create(call.scope, call.ports, **body.model_dump()))


@router.get("/orgs/{org_id}/units")
async def list_units(call: AuthorisedOrg) -> s.UnitList:
    """Every unit, by name; `parent_id` makes the tree."""
    return s.UnitList.model_validate({"items": await manage.list_units(call.scope, call.ports)})


@router.get("/orgs/{org_id}/units/{unit_id}")
async def get_unit(unit_id: UUID, call: AuthorisedOrg) -> s.UnitOut:
    """One unit."""
    return s.UnitOut.model_validate(await manage.get(call.scope, call.ports, unit_id))


@router.patch("/orgs/{org_id}/units/{unit_id}")
async def rename_unit(unit_id: UUID, body: s.UnitChange, call: AuthorisedOrg) -> s.UnitOut:
    """Give a unit another name."""
    return s.UnitOut.model_validate(await manage.rename(call.scope, call.ports, unit_id, body.name))


@router.post("/orgs/{org_id}/units/{unit_id}/move")
async def move_unit(unit_id: UUID, body: s.UnitMove, call: AuthorisedOrg) -> s.UnitOut:
    """Put a unit, with all below it, into another one. Whoever has a role there has it in this one from then on."""
    return s.UnitOut.model_validate(await manage.move(call.scope, call.ports, unit_id, body.parent_id))


@router.delete("/orgs/{org_id}/units/{unit_id}", status_code=204)
async def delete_unit(unit_id: UUID, call: AuthorisedOrg) -> Response:
    """Delete a unit in which neither units nor projects lie."""
    await manage.delete(call.scope, call.ports, unit_id)
    return Response(status_code=204)


@router.get("/orgs/{org_id}/units/{unit_id}/members")
async def list_unit_members(unit_id: UUID, call: AuthorisedOrg) -> s.UnitMemberList:
    """Members of the unit itself, the oldest first."""
    return s.UnitMemberList.model_validate({"items": await people.list_people(call.scope, call.ports, unit_id)})


@router.put("/orgs/{org_id}/units/{unit_id}/members/{user_id}")
async def put_unit_member(unit_id: UUID, user_id: UUID, body: s.MemberChange, call: AuthorisedOrg) -> s.UnitMemberOut:
    """Put a member into the unit, with a role in every project below it or with none."""
    return s.UnitMemberOut.model_validate(await people.put(call.scope, call.ports, unit_id, user_id, body.role))


@router.delete("/orgs/{org_id}/units/{unit_id}/members/{user_id}", status_code=204)
async def remove_unit_member(unit_id: UUID, user_id: UUID, call: AuthorisedOrg) -> Response:
    """Take a member out of the unit."""
    await people.remove(call.scope, call.ports, unit_id, user_id)
    return Response(status_code=204)
