"""Another password: forgotten and reset, or changed."""

import hashlib
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.domain.errors import Forbidden
from shared.domain.history import Happened
from shared.domain.sessions import Ended
from shared.domain.tickets import LIFE, Ticket, TicketKind
from shared.domain.users import User, UserScope, email_key
from shared.ports.mailer import Mail
from shared.ports.ports import Ports
from shared.usecases.auth import guesses, history, mails
from shared.usecases.auth.secrets import bad_token, mailed_hash, secret_hash


def reset_ticket(user_id: UUID, address: str, stored: str | None, secret: str, now: datetime) -> Ticket:
    """A ticket that sets another password in place of the present one, as long as the account has this address."""
    payload = {"user": str(user_id), "instead_of": mark(address, stored)}
    return Ticket(TicketKind.RESET, secret_hash(secret), payload, now, now + LIFE[TicketKind.RESET])


async def forgot(ports: Ports, email: str) -> Mail:
    """Somebody forgot their password; returns what the address is written, whether it has an account or not."""
    now, secret = ports.clock.now(), ports.ids.secret()
    user = await ports.users.find(email_key(email))
    # For nobody it is done too, with a ticket that leads nowhere.
    scope = UserScope(user.id if user else ports.ids.new())
    stored = await ports.users.password(scope)
    await ports.tickets.put(reset_ticket(scope.user_id, email_key(email), stored, secret, now))
    return mails.unknown(email.strip()) if user is None else mails.reset(user.email, secret)


async def reset(ports: Ports, token: str, password_hash: str, address: str = "") -> Mail:
    """Set another password by a mailed token, and sign the user out everywhere; returns what they are written.

    Raises:
        Invalid: the token is not good, or the password was changed since.
    """
    now = ports.clock.now()
    payload = await ports.tickets.take(TicketKind.RESET, mailed_hash(token), now)
    if payload is None:
        raise bad_token()
    scope = UserScope(UUID(str(payload["user"])), address=address)
    await ports.users.enter(scope)
    user = await ports.users.lock(scope)
    if (
        user is None
        or user.disabled_at is not None
        or payload["instead_of"] != mark(user.email_key, await ports.users.password(scope))
    ):
        raise bad_token()
    if user.verified_at is None:
        user = replace(user, verified_at=now)
        await ports.users.save(scope, user)
    await ports.users.set_password(scope, password_hash, now)
    await ports.sessions.revoke(scope, Ended.CREDENTIALS_CHANGED, now)
    await history.note(ports, scope, Happened.PASSWORD_RESET)
    await guesses.right(ports, "sign_in", user.email_key, "")
    return mails.changed(user.email)


async def present(scope: UserScope, ports: Ports) -> tuple[User, str | None]:
    """The user and their present password's hash, after the guess at it was counted.

    Raises:
        RateLimited: too many guesses.
    """
    user = await ports.users.get(scope)
    if user is None:
        raise Forbidden("there is no such user any more")
    await guesses.count(ports, "sign_in", user.email_key, "")
    return user, await ports.users.password(scope)


async def change(scope: UserScope, ports: Ports, before: str | None, password_hash: str) -> Mail:
    """Set another password and sign the user out everywhere else; the present one was shown and is right.

    Raises:
        Forbidden: it was changed meanwhile.
    """
    now = ports.clock.now()
    user = await ports.users.lock(scope)
    if user is None or await ports.users.password(scope) != before:
        raise wrong_password()
    await ports.users.set_password(scope, password_hash, now)
    await ports.sessions.revoke(scope, Ended.CREDENTIALS_CHANGED, now, keep=scope.session_id)
    await history.note(ports, scope, Happened.PASSWORD_CHANGED, session_id=scope.session_id)
    await guesses.right(ports, "sign_in", user.email_key, "")
    return mails.changed(user.email)


def wrong_password() -> Forbidden:
    """The answer to a signed-in user whose password is another one."""
    return Forbidden("this is not your password", code="wrong_password")


def mark(address: str, stored: str | None) -> str:
    """What tells whether an account still has the address and the password that it had."""
    return hashlib.sha256(f"{address}\n{stored or ''}".encode()).hexdigest()
