"""You: your account and the organisations you belong to."""

from uuid import UUID

from functions.users.schemas import BelongingList, BelongingOut, Goodbye, UserChange, UserEventPage, UserOut
from shared.runtime import joining, signing_in
from shared.runtime.auth import SignedIn, User
from shared.runtime.http import http_function
from shared.runtime.paging import Cursor, Limit
from shared.runtime.web import Response, Router
from shared.usecases.auth import history
from shared.usecases.users import me

router = Router()


@router.get("/users/me")
async def get_me(call: SignedIn) -> UserOut:
    """Your account."""
    return UserOut.model_validate(await me.get(call.scope, call.ports))


@router.patch("/users/me")
async def change_me(body: UserChange, call: SignedIn) -> UserOut:
    """Change your name."""
    return UserOut.model_validate(await me.rename(call.scope, call.ports, body.name))


@router.get("/users/me/organisations")
async def list_organisations(call: SignedIn) -> BelongingList:
    """The organisations you belong to."""
    found = await call.ports.users.belongings(call.scope)
    return BelongingList(items=[BelongingOut.model_validate(one) for one in found])


@router.delete("/users/me/organisations/{org_id}", status_code=204)
async def leave_organisation(org_id: UUID, user: User) -> Response:
    """Leave an organisation: your membership ends, with those in its units and projects and with your keys."""
    await joining.left(user, org_id)
    return Response(status_code=204)


@router.get("/users/me/events")
async def list_events(call: SignedIn, cursor: Cursor = None, limit: Limit = 50) -> UserEventPage:
    """What happened to your account, newest first: sign-ins and refusals, sessions, passwords. Kept for 180 days."""
    page = await history.list_events(call.scope, call.ports, cursor=cursor, limit=limit)
    return UserEventPage.model_validate(page)


@router.post("/users/me/disable", status_code=204)
async def disable_me(body: Goodbye, user: User) -> Response:
    """Close your account: no token and no key of yours is good any more."""
    await signing_in.disabled(user, body.password)
    return Response(status_code=204)


handler = http_function(router)
