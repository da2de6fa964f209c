"""Members of an organisation."""

from uuid import UUID

from functions.orgs import schemas as s
from shared.runtime.orgs import AuthorisedOrg
from shared.runtime.paging import Cursor, Limit
from shared.runtime.web import Response, Router
from shared.usecases.members import manage

router = Router()


@router.get("/orgs/{org_id}/members")
async def list_members(call: AuthorisedOrg, cursor: Cursor = None, limit: Limit = 50) -> s.MemberPage:
    """List members, newest first, suspended ones too."""
    return s.MemberPage.of(await manage.list_members(call.scope, call.ports, cursor=cursor, limit=limit))


@router.get("/orgs/{org_id}/members/{user_id}")
async def get_member(user_id: UUID, call: AuthorisedOrg) -> s.MemberOut:
    """One member."""
    return s.MemberOut.of(await manage.get(call.scope, call.ports, user_id))


@router.patch("/orgs/{org_id}/members/{user_id}")
async def change_role(user_id: UUID, body: s.MemberChange, call: AuthorisedOrg) -> s.MemberOut:
    """Give a member another role. Nobody gives, or takes away, more than they hold; the last owner stays one."""
    return s.MemberOut.of(await manage.change_role(call.scope, call.ports, user_id, body.role))


@router.post("/orgs/{org_id}/members/{user_id}/suspend")
async def suspend_member(user_id: UUID, call: AuthorisedOrg) -> s.MemberOut:
    """Take all rights from a member, and from their keys, until they are reinstated."""
    return s.MemberOut.of(await manage.suspend(call.scope, call.ports, user_id))


@router.post("/orgs/{org_id}/members/{user_id}/reinstate")
async def reinstate_member(user_id: UUID, call: AuthorisedOrg) -> s.MemberOut:
    """Give a suspended member back what they held."""
    return s.MemberOut.of(await manage.reinstate(call.scope, call.ports, user_id))


@router.delete("/orgs/{org_id}/members/{user_id}", status_code=204)
async def remove_member(user_id: UUID, call: AuthorisedOrg) -> Response:
    """End a membership, with those in units and projects and with the member's keys."""
    await manage.remove(call.scope, call.ports, user_id)
    return Response(status_code=204)
