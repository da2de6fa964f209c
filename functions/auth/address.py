"""Your e-mail address."""

from functions.auth import schemas as s
from shared.runtime import signing_in
from shared.runtime.auth import User
from shared.runtime.web import Router

router = Router()


@router.post("/auth/email/change", status_code=202)
async def change_email(body: s.Move, user: User) -> s.Accepted:
    """Have a code mailed to another address of yours. Until it is confirmed nothing changes."""
    await signing_in.moving(user, body.email, body.password)
    return s.Accepted()


@router.post("/auth/email/confirm")
async def confirm_email(body: s.Moved, user: User) -> s.MovedOut:
    """Take the address that the code was mailed to; every other session ends, and the old address is told."""
    return s.MovedOut.model_validate(await signing_in.moved(user, body.token))
