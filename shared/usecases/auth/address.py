"""Another e-mail address: proven by a mailed code before it is anything, and the old one is told."""

from dataclasses import replace
from uuid import UUID

from shared.domain.errors import Conflict, Forbidden
from shared.domain.history import Happened
from shared.domain.sessions import Ended
from shared.domain.tickets import LIFE, Ticket, TicketKind
from shared.domain.users import User, UserScope, clean_email, email_key
from shared.ports.mailer import Mail
from shared.ports.ports import Ports
from shared.usecases.auth import history, mails
from shared.usecases.auth.password import mark
from shared.usecases.auth.secrets import bad_token, mailed_hash, secret_hash

KIND = TicketKind.EMAIL_CHANGE


async def ask(scope: UserScope, ports: Ports, email: str, stored: str | None) -> Mail:
    """Note that a user wants another address; returns what that one is written.

    Somebody else's is answered the same for the same work, with a code that leads nowhere and is sent to nobody.

    Args:
        scope: who has shown their password.
        ports: in a transaction of theirs.
        email: the address they want.
        stored: the hash of the password that was shown.

    Raises:
        Invalid: it is no address.
        Conflict: it is theirs.
        Forbidden: they are gone.
    """
    address, secret, now = clean_email(email), ports.ids.secret(), ports.clock.now()
    user = await ports.users.get(scope)
    if user is None:
        raise Forbidden("there is no such user any more")
    if address == user.email:
        raise Conflict("this is your address already", code="same_email")
    payload = {"user": str(user.id), "email": address, "instead_of": mark(user.email_key, stored)}
    await ports.tickets.put(Ticket(KIND, secret_hash(secret), payload, now, now + LIFE[KIND]))
    # The transaction is another user's from here on, if there is one.
    other = await ports.users.find(email_key(address))
    return mails.move(address, secret) if other is None or other.id == user.id else mails.not_moved(address)


async def confirm(scope: UserScope, ports: Ports, token: str) -> tuple[User, Mail]:
    """Take the address whose code is shown, and sign the user out everywhere else; returns what the old one is told.

    Raises:
        Invalid: the code is not good, or is another user's, or address or password were changed since.
        Conflict: somebody has the address by now.
    """
    now = ports.clock.now()
    payload = await ports.tickets.take(KIND, mailed_hash(token), now)
    if payload is None or UUID(str(payload["user"])) != scope.user_id:
        raise bad_token()
    user = await ports.users.lock(scope)
    if user is None or payload["instead_of"] != mark(user.email_key, await ports.users.password(scope)):
        raise bad_token()
    changed = replace(user, email=str(payload["email"]), verified_at=now)
    await ports.users.save(scope, changed)
    await ports.sessions.revoke(scope, Ended.CREDENTIALS_CHANGED, now, keep=scope.session_id)
    await history.note(
        ports, scope, Happened.MOVED, session_id=scope.session_id, before=user.email, after=changed.email
    )
    return changed, mails.moved(user.email, changed.email)
