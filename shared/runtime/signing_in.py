"""What takes longer than a transaction should: passwords are hashed between two, mail is sent after the last.

What was counted stays counted and what was revoked stays revoked, though the answer is a refusal: use cases return such
refusals, and they are raised here, behind the commit.
"""

from shared import bootstrap
from shared.domain.errors import LambentError
from shared.domain.history import Happened
from shared.domain.users import User, UserScope, check_password, clean_email, email_key
from shared.runtime.named import address_seen
from shared.runtime.rates import counted
from shared.runtime.transactions import transaction
from shared.runtime.web import Request
from shared.usecases.auth import address, guesses, history, password, register, sign_in
from shared.usecases.auth.register import Newcomer, Registered
from shared.usecases.auth.sign_in import Device, Signed
from shared.usecases.projects.bootstrap import founding_scope
from shared.usecases.users import me


def device(request: Request) -> Device:
    """Where a request comes from, and what it calls itself."""
    client = request.headers.get("User-Agent", "").encode("ascii", "replace").decode()
    return Device(client, address_seen(request))


async def registered(newcomer: Newcomer, request: Request) -> None:
    """Note a registration and write to the address."""
    async with transaction(None) as ports:
        await counted(request, ports)
        await guesses.count(ports, "register", email_key(newcomer.email), address_seen(request))
    powers = bootstrap.powers()
    hashed = await powers.passwords.hash(newcomer.password)
    async with transaction(None) as ports:
        mail = await register.ask(ports, newcomer, hashed)
    await powers.mailer.send(mail)


async def confirmed(token: str, secret: str, request: Request) -> Registered:
    """Make the user whose registration was confirmed."""
    scope = founding_scope(bootstrap.powers().ids.new())
    async with transaction(scope) as ports:
        await counted(request, ports)
        return await register.confirm(scope, ports, token, secret)


async def signed_in(email: str, secret: str, request: Request) -> Signed:
    """Sign in by password."""
    where = device(request)
    async with transaction(None) as ports:
        await counted(request, ports)
        account = await sign_in.look_up(ports, email, where)
    passwords = bootstrap.powers().passwords
    good = await passwords.matches(secret, account.password_hash)
    # The one moment at which a password hashed by older parameters is at hand.
    again = await passwords.hash(secret) if good and passwords.stale(account.password_hash or "") else None
    async with transaction(None) as ports:
        outcome = await sign_in.settle(ports, account, good, where, again)
    return given(outcome)


async def refreshed(token: str, request: Request) -> Signed:
    """Go on with a session."""
    async with transaction(None) as ports:
        await counted(request, ports)
        outcome = await sign_in.refresh(ports, token, device(request))
    return given(outcome)


async def forgotten(email: str, request: Request) -> None:
    """Write to somebody who forgot their password."""
    clean_email(email)
    async with transaction(None) as ports:
        await counted(request, ports)
        await guesses.count(ports, "forgot", email_key(email), address_seen(request))
    async with transaction(None) as ports:
        mail = await password.forgot(ports, email)
    await bootstrap.powers().mailer.send(mail)


async def reset(token: str, secret: str, request: Request) -> None:
    """Set another password by a mailed token."""
    check_password(secret)
    async with transaction(None) as ports:
        # Before the work of a hash, not after it.
        await counted(request, ports)
    powers = bootstrap.powers()
    hashed = await powers.passwords.hash(secret)
    async with transaction(None) as ports:
        mail = await password.reset(ports, token, hashed, address_seen(request))
    await powers.mailer.send(mail)


async def changed(scope: UserScope, before: str, after: str) -> None:
    """Set another password in place of one that is shown."""
    stored = await shown(scope, before)
    check_password(after)
    powers = bootstrap.powers()
    hashed = await powers.passwords.hash(after)
    async with transaction(None) as ports:
        await ports.users.enter(scope)
        mail = await password.change(scope, ports, stored, hashed)
    await powers.mailer.send(mail)


async def moving(scope: UserScope, email: str, secret: str) -> None:
    """Write to the address that a user who shows their password wants to have."""
    clean_email(email)
    stored = await shown(scope, secret)
    async with transaction(None) as ports:
        await guesses.count(ports, "email_change", email_key(email), scope.address)
    async with transaction(None) as ports:
        await ports.users.enter(scope)
        mail = await address.ask(scope, ports, email, stored)
    await bootstrap.powers().mailer.send(mail)


async def moved(scope: UserScope, token: str) -> User:
    """Take another address by a mailed token, and tell the old one."""
    async with transaction(None) as ports:
        await ports.users.enter(scope)
        user, mail = await address.confirm(scope, ports, token)
    await bootstrap.powers().mailer.send(mail)
    return user


async def disabled(scope: UserScope, secret: str) -> None:
    """Close the account of somebody who shows their password."""
    await shown(scope, secret)
    async with transaction(None) as ports:
        await ports.users.enter(scope)
        await me.disable(scope, ports)


async def shown(scope: UserScope, secret: str) -> str | None:
    """The stored password of a signed-in user who shows it: what they hold is more than a token.

    Raises:
        Forbidden: it is another one.
        RateLimited: too many guesses.
    """
    async with transaction(None) as ports:
        await ports.users.enter(scope)
        _, stored = await password.present(scope, ports)
    if not await bootstrap.powers().passwords.matches(secret, stored):
        async with transaction(None) as ports:
            await ports.users.enter(scope)
            await history.note(ports, scope, Happened.PASSWORD_REFUSED, session_id=scope.session_id)
        raise password.wrong_password()
    return stored


def given[Wanted](outcome: Wanted | LambentError) -> Wanted:
    """What a use case answers, or the refusal it returned, now that it is committed."""
    if isinstance(outcome, LambentError):
        raise outcome
    return outcome
