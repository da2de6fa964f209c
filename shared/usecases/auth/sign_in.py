"""Signing in and staying so. Known and unknown accounts get the same answer for the same work."""

from dataclasses import dataclass, replace
from uuid import UUID

from shared.domain.errors import Forbidden, LambentError, NotFound, Unauthenticated
from shared.domain.history import Happened
from shared.domain.sessions import (
    ACCESS_LIFE,
    TOKEN_PREFIX,
    Ended,
    RefreshToken,
    UserSession,
    session_end,
)
from shared.domain.tokens import AccessClaims
from shared.domain.users import User, UserScope, email_key
from shared.ports.ports import Ports
from shared.usecases.auth import guesses, history
from shared.usecases.auth.secrets import REFRESH, secret_hash

PASSWORD = "password"  # noqa: S105 - how one signed in, no secret


@dataclass(frozen=True, slots=True)
class Device:
    """Where a request comes from, as it says itself and as the platform knows."""

    client: str
    address: str


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of an account before its password is looked at; None and None: there is none."""

    user: User | None
    password_hash: str | None
    email_key: str
    """What was asked for."""


@dataclass(frozen=True, slots=True)
class Signed:
    """A sign-in: shown once."""

    user_id: UUID
    session_id: UUID
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds the access token is good for."""


async def look_up(ports: Ports, email: str, device: Device) -> Account:
    """Count the guess and find the account.

    Raises:
        RateLimited: too many guesses, at this account or from this address.
    """
    await guesses.count(ports, "sign_in", email_key(email), device.address)
    user = await ports.users.find(email_key(email))
    # Asked for whether there is a user or not: no id is everybody's nobody.
    stored = await ports.users.password(UserScope(user.id if user else ports.ids.new()))
    return Account(user, stored, email_key(email))


async def settle(
    ports: Ports, account: Account, good: bool, device: Device, again: str | None = None
) -> Signed | LambentError:
    """Begin a session when the password was right. A refusal is returned, so that what was counted stays counted.

    Args:
        ports: in another transaction than the account was found in.
        account: as it was found.
        good: whether the password was right.
        device: where it was typed.
        again: its hash by today's parameters, when it was stored by older ones.
    """
    user = await _still(ports, account) if good else None
    if user is None:
        await _note_refusal(ports, account, device)
        hint = "check both; lambent register makes an account"
        return Unauthenticated("no account has this address and this password", code="wrong_credentials", hint=hint)
    await guesses.right(ports, "sign_in", user.email_key, device.address)
    if again is not None:
        await ports.users.set_password(UserScope(user.id), again, ports.clock.now())
    if user.verified_at is None:
        return Forbidden("the address is not confirmed", code="email_not_verified", hint="use the code that was mailed")
    return await begin(ports, user.id, PASSWORD, device)


async def _note_refusal(ports: Ports, account: Account, device: Device) -> None:
    """The same is written for nobody, and forgotten soon: what takes longer would tell who has an account."""
    scope = UserScope(account.user.id if account.user else ports.ids.new(), address=device.address)
    await ports.users.enter(scope)
    wait = await guesses.wait(ports, "sign_in", account.email_key)
    action = Happened.LOCKED_OUT if wait else Happened.REFUSED
    nobody = account.user is None
    await history.note(
        ports, scope, action, client=device.client, nobody=nobody, method=PASSWORD, wait_seconds=round(wait)
    )


async def _still(ports: Ports, account: Account) -> User | None:
    """The user, if neither they nor the password were changed while it was looked at; the transaction is theirs."""
    if account.user is None:
        return None
    scope = UserScope(account.user.id)
    await ports.users.enter(scope)
    user = await ports.users.lock(scope)
    if user is None or user.disabled_at is not None:
        return None
    return user if await ports.users.password(scope) == account.password_hash else None


async def begin(ports: Ports, user_id: UUID, method: str, device: Device) -> Signed:
    """A new session; the transaction is its user's."""
    now = ports.clock.now()
    secret = TOKEN_PREFIX + ports.ids.secret()
    session = UserSession(
        id=ports.ids.new(),
        user_id=user_id,
        method=method,
        client=device.client[:200],
        address=device.address,
        created_at=now,
        used_at=now,
        expires_at=session_end(now, now),
    )
    scope = UserScope(user_id, session.id, device.address)
    await ports.sessions.add(scope, session, RefreshToken(user_id, session.id, secret_hash(secret), now))
    await history.note(ports, scope, Happened.SIGNED_IN, client=device.client, session_id=session.id, method=method)
    return _signed(ports, session, secret)


async def refresh(ports: Ports, token: str, device: Device) -> Signed | LambentError:
    """The next pair of tokens for a refresh token that was not used before.

    One that was ends its whole session, whoever shows it: one of two holders is a thief, and nobody knows which. There
    is no grace for two requests at once, because that is what a thief's looks like; a client refreshes one at a time.
    """
    refused = Unauthenticated("this refresh token is not good", code="invalid_refresh_token", hint="sign in again")
    if not REFRESH.fullmatch(token):
        return refused
    found = await ports.sessions.find(secret_hash(token))
    if found is None:
        return refused
    session, used = found
    scope, now = UserScope(session.user_id, session.id, device.address), ports.clock.now()
    if used.used_at is not None:
        if await ports.sessions.revoke(scope, Ended.REUSED, now, only=session.id):
            await history.note(ports, scope, Happened.REUSED, client=device.client, session_id=session.id)
        return refused
    user = await ports.users.get(scope)
    if not session.live(now) or user is None or user.disabled_at is not None:
        return refused
    secret = TOKEN_PREFIX + ports.ids.secret()
    going_on = replace(
        session, used_at=now, expires_at=session_end(session.created_at, now), address=device.address or session.address
    )
    following = RefreshToken(session.user_id, session.id, secret_hash(secret), now)
    await ports.sessions.rotate(scope, going_on, used, following)
    return _signed(ports, going_on, secret)


async def sign_out(scope: UserScope, ports: Ports, session_id: UUID | None = None) -> None:
    """End a session of one's own: the present one, or the one named.

    Raises:
        NotFound: there is no such session, or it is over.
    """
    reason = Ended.SIGNED_OUT if session_id is None else Ended.REVOKED
    ended = session_id or scope.session_id
    if not await ports.sessions.revoke(scope, reason, ports.clock.now(), only=ended):
        raise NotFound("no such session of yours", code="session_not_found")
    await history.note(ports, scope, Happened.SIGNED_OUT, session_id=ended, reason=reason.value)


async def sign_out_elsewhere(scope: UserScope, ports: Ports) -> int:
    """End every session but the present one; returns how many."""
    ended = await ports.sessions.revoke(scope, Ended.REVOKED, ports.clock.now(), keep=scope.session_id)
    if ended:
        await history.note(ports, scope, Happened.SIGNED_OUT, reason=Ended.REVOKED.value, others=ended)
    return ended


def _signed(ports: Ports, session: UserSession, secret: str) -> Signed:
    now = ports.clock.now()
    claims = AccessClaims(session.user_id, session.id, now, now + ACCESS_LIFE)
    return Signed(session.user_id, session.id, ports.tokens.issue(claims), secret, int(ACCESS_LIFE.total_seconds()))
