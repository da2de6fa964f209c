"""Roles: the built-in ones, and an organisation's own."""

from uuid import UUID

from functions.orgs import schemas as s
from shared.runtime.orgs import AuthorisedOrg
from shared.runtime.web import Response, Router
from shared.usecases.roles import manage

router = Router()


@router.post("/orgs/{org_id}/roles", status_code=201)
async def create_role(body: s.NewRole, call: AuthorisedOrg) -> s.RoleOut:
    """Make a role: a set of permissions, none that you do not hold yourself."""
    return s.RoleOut.of(await manage.create(call.scope, call.ports, **body.model_dump()))


@router.get("/orgs/{org_id}/roles")
async def list_roles(call: AuthorisedOrg) -> s.RoleList:
    """List the built-in roles, and the organisation's own by name."""
    return s.RoleList.of(await manage.list_roles(call.scope, call.ports))


@router.get("/orgs/{org_id}/roles/{role_id}")
async def get_role(role_id: UUID, call: AuthorisedOrg) -> s.RoleOut:
    """One of the organisation's own."""
    return s.RoleOut.of(await manage.get(call.scope, call.ports, role_id))


@router.patch("/orgs/{org_id}/roles/{role_id}")
async def change_role(role_id: UUID, body: s.RoleChange, call: AuthorisedOrg) -> s.RoleOut:
    """Change a role, and with it what everybody may do who has it."""
    return s.RoleOut.of(await manage.change(call.scope, call.ports, role_id, **body.model_dump()))


@router.delete("/orgs/{org_id}/roles/{role_id}", status_code=204)
async def delete_role(role_id: UUID, call: AuthorisedOrg) -> Response:
    """Delete a role that nobody has and no invitation offers."""
    await manage.delete(call.scope, call.ports, role_id)
    return Response(status_code=204)
