"""Invitations: ask somebody to join, take it back, join."""

from uuid import UUID

from functions.orgs import schemas as s
from shared.runtime import joining
from shared.runtime.auth import SignedIn
from shared.runtime.named import address_seen
from shared.runtime.orgs import AuthorisedOrg
from shared.runtime.paging import Cursor, Limit
from shared.runtime.web import Request, Response, Router
from shared.usecases.invitations import accept, invite

router = Router()


@router.post("/orgs/{org_id}/invitations", status_code=201)
async def create_invitation(body: s.NewInvitation, call: AuthorisedOrg) -> s.InvitationOut:
    """Ask somebody to join, by mail, with no role that may do more than you. The code is in the mail alone."""
    return s.InvitationOut.model_validate(await joining.invited(call, body.request()))


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
async def accept_invitation(body: s.Acceptance, call: SignedIn, request: Request) -> s.JoinedOut:
    """Join by the code that was mailed to your address; it is good once."""
    return s.JoinedOut(org_id=await accept.accept(call.scope, call.ports, body.token, address_seen(request)))
