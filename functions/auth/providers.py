"""Coming in by another party (OpenID Connect)."""

from functions.auth import schemas as s
from shared.runtime import vouching
from shared.runtime.auth import SignedIn, User
from shared.runtime.web import Request, Response, Router

router = Router()


@router.get("/auth/providers")
async def list_providers() -> s.ProviderList:
    """Other parties by which one may sign in here (OpenID Connect)."""
    return s.ProviderList(items=[s.ProviderOut.model_validate(one) for one in vouching.providers().values()])


@router.post("/auth/oidc/{provider}/start")
async def begin_oidc(provider: s.ProviderName, body: s.Beginning, request: Request) -> s.BegunOut:
    """Begin to sign in by another party: keep `binding`, go to the address, and finish with what you come back with."""
    return s.BegunOut.model_validate(await vouching.begun(provider, body.redirect_uri, request))


@router.post("/auth/oidc/{provider}/link")
async def link_oidc(provider: s.ProviderName, body: s.Linking, user: User) -> s.BegunOut:
    """Begin to come in by another party too. Goes on as a sign-in does."""
    return s.BegunOut.model_validate(await vouching.linking(provider, body.redirect_uri, user, body.password))


@router.delete("/auth/oidc/{provider}/link", status_code=204)
async def unlink_oidc(provider: s.ProviderName, user: User) -> Response:
    """Come in by another party no more; not when it is the only way in that you have."""
    await vouching.unlinked(provider, user)
    return Response(status_code=204)


@router.get("/auth/identities")
async def list_identities(call: SignedIn) -> s.IdentityList:
    """By which other parties you come in, and as whom they know you, the oldest first."""
    found = await call.ports.users.identities(call.scope)
    return s.IdentityList(items=[s.IdentityOut.model_validate(one) for one in found])


@router.post("/auth/oidc/{provider}/callback")
async def finish_oidc(provider: s.ProviderName, body: s.Return, request: Request) -> s.SignedOut:
    """Sign in by the code that another party sent you back with."""
    signed = await vouching.finished(provider, body.code, body.state, body.binding, body.iss, request)
    return s.SignedOut.model_validate(signed)
