"""Coming in: register, sign in, stay so, sign out; passwords and sessions."""

from uuid import UUID

from functions.auth import address, providers
from functions.auth import schemas as s
from shared.runtime import signing_in
from shared.runtime.auth import SignedIn, User
from shared.runtime.http import http_function
from shared.runtime.web import Request, Response, Router
from shared.usecases.auth import sign_in
from shared.usecases.auth.register import Newcomer

router = Router(providers.router, address.router)


@router.post("/auth/register", status_code=202)
async def register(body: s.Registration, request: Request) -> s.Accepted:
    """Register. A code is mailed to the address; with it and the password the account is confirmed."""
    await signing_in.registered(Newcomer(**body.model_dump()), request)
    return s.Accepted()


@router.post("/auth/verify", status_code=201)
async def verify(body: s.Confirmation, request: Request) -> s.RegisteredOut:
    """Confirm a registration: makes the user, their organisation, and a project in it."""
    made = await signing_in.confirmed(body.token, body.password, request)
    return s.RegisteredOut(user_id=made.user.id, org_id=made.tenant_id, project_id=made.project_id)


@router.post("/auth/login")
async def login(body: s.Credentials, request: Request) -> s.SignedOut:
    """Sign in."""
    signed = await signing_in.signed_in(body.email, body.password, request)
    return s.SignedOut.model_validate(signed)


@router.post("/auth/refresh")
async def refresh(body: s.Refresh, request: Request) -> s.SignedOut:
    """Exchange a refresh token for the next pair. One that was used before ends the session."""
    signed = await signing_in.refreshed(body.refresh_token, request)
    return s.SignedOut.model_validate(signed)


@router.post("/auth/logout", status_code=204)
async def logout(call: SignedIn) -> Response:
    """Sign out: the session's tokens, the present one too, are good no more."""
    await sign_in.sign_out(call.scope, call.ports)
    return Response(status_code=204)


@router.post("/auth/password/forgot", status_code=202)
async def forgot_password(body: s.Forgotten, request: Request) -> s.Accepted:
    """Have a code mailed that sets another password."""
    await signing_in.forgotten(body.email, request)
    return s.Accepted()


@router.post("/auth/password/reset", status_code=204)
async def reset_password(body: s.Reset, request: Request) -> Response:
    """Set another password by a mailed code; every session ends."""
    await signing_in.reset(body.token, body.password, request)
    return Response(status_code=204)


@router.post("/auth/password/change", status_code=204)
async def change_password(body: s.Change, user: User) -> Response:
    """Set another password; every other session ends."""
    await signing_in.changed(user, body.present, body.password)
    return Response(status_code=204)


@router.get("/auth/sessions")
async def list_sessions(call: SignedIn) -> s.SessionList:
    """Where you are signed in, newest first."""
    found = await call.ports.sessions.list(call.scope, call.ports.clock.now())
    shown = [s.SessionOut.model_validate(one) for one in found]
    return s.SessionList(items=[one.model_copy(update={"present": one.id == call.scope.session_id}) for one in shown])


@router.delete("/auth/sessions")
async def revoke_other_sessions(call: SignedIn) -> s.Ended:
    """Sign out everywhere else."""
    return s.Ended(sessions=await sign_in.sign_out_elsewhere(call.scope, call.ports))


@router.delete("/auth/sessions/{session_id}", status_code=204)
async def revoke_session(session_id: UUID, call: SignedIn) -> Response:
    """Sign out somewhere."""
    await sign_in.sign_out(call.scope, call.ports, session_id)
    return Response(status_code=204)


handler = http_function(router)
