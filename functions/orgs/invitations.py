"""Invitations: ask somebody to join, take it back, join."""

from uuid import UUID

from functions.orgs import schemas as s
from shared.runtime import joining
from shared.runtime.auth import User
from shared.runtime.orgs import AuthorisedOrg, OrgScope
from shared.runtime.paging import Cursor, Limit
from shared.runtime.web import Request, Response, Router
from shared.usecases.invitations import invite

router = Router()


@router.post("/orgs/{org_id}/invitations", status_code=201)
async def create_invitation(body: s.NewInvitation, scope: OrgScope) -> s.InvitationOut:
    """Ask somebody to join, by mail, with no role that may do more than you. The code is in the mail alone."""
    return s.InvitationOut.model_validate(await joining.invited(scope, body.request()))


@router.get("/orgs/{org_id}/invitations")
async def list_invitations(call: AuthorisedOrg, cursor: Cursor = None, limit: Limit = 50) -> s.InvitationPage:
    """List invitations, newest first, accepted, revoked and expired ones too."""
    page = await invite.list_invitations(call.scope, call.ports, cursor=cursor, limit=limit)
    return s.InvitationPage.model_validate(page)


@router.delete("/orgs/{org_id}/invitations/{invitation_id}", status_code=204)
async def revoke_invitation(invitation_id: UUID, call: AuthorisedOrg) -> Response:
    """Take an invitation back."""
    await invite.revoke(call.scope, call.ports, invitation_id)
    return Response(status_code=204)


@router.post("/orgs/accept")
async def accept_invitation(body: s.Acceptance, user: User, request: Request) -> s.JoinedOut:
    """Join by the code that was mailed to your address; it is good once."""
    return s.JoinedOut(org_id=await joining.joined(user, body.token, request))
