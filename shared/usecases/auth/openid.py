"""Signing in through another party (OpenID Connect): who comes in by it, and as whom.

Whoever a provider vouches for is the user it was linked to: issuer and subject together, never an address alone. For
somebody who comes for the first time the address decides, and only one that the provider says is proven:

- of nobody here: a new user, whose address is proven by it, and who belongs to no organisation yet;
- of a user here, who has proven it too: theirs, if the provider speaks for the address' domain, because whoever runs a
  domain's sign-in can read its mail anyway. If it does not, they sign in as before and link it themselves: an address
  may have changed hands since the provider looked, and no provider's mistake opens accounts of everybody else's domain.

Nothing exists here before an address is proven, so no account can have been planted that waits for its owner.
"""

from dataclasses import dataclass
from uuid import UUID

from shared.domain.errors import Conflict, Forbidden, Invalid, LambentError, NotFound, Unauthenticated
from shared.domain.history import Happened
from shared.domain.labels import CONTROL, MAX_NAME
from shared.domain.openid import Endpoints, Provider, Vouched, authorization_url
from shared.domain.tickets import LIFE, Ticket, TicketKind
from shared.domain.users import Identity, User, UserScope, clean_email, email_key
from shared.ports.ports import Ports
from shared.usecases.auth import history, sign_in
from shared.usecases.auth.secrets import MAILED, secret_hash
from shared.usecases.auth.sign_in import Device, Signed

KIND = TicketKind.OIDC_SIGN_IN


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in under way at another party."""

    authorization_url: str
    state: str
    """Comes back with the code, through the address bar."""
    binding: str
    """Stays with whoever began: a code that somebody else was sent back with is nothing to them, nor theirs to him."""
    expires_in: int
    """Seconds until it must have come back."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What was noted when a sign-in was begun."""

    nonce: str
    verifier: str
    redirect_uri: str
    linking: UserScope | None
    """Who, signed in already, wants to come in by this provider too."""


def redirect_of(provider: Provider, redirect_uri: str) -> str:
    """The address people are sent back to, if it is one of the provider's to the letter.

    Raises:
        Invalid: it is not.
    """
    if redirect_uri not in provider.redirect_uris:
        hint = "it is compared to the letter with redirect_uris of the provider"
        raise Invalid("nobody is sent back to this address", code="invalid_redirect_uri", hint=hint)
    return redirect_uri


async def begin(
    ports: Ports, provider: Provider, endpoints: Endpoints, redirect_uri: str, linking: UserScope | None = None
) -> Begun:
    """Note a sign-in and say where to go.

    Args:
        ports: in a transaction.
        provider: who is to vouch.
        endpoints: the provider's.
        redirect_uri: where to come back to.
        linking: a signed-in user who wants to come in this way too; None to sign in.
    """
    now, ids = ports.clock.now(), ports.ids
    state, binding, nonce, verifier = ids.secret(), ids.secret(), ids.secret(), ids.secret()
    payload = {
        "provider": provider.name,
        "nonce": nonce,
        "verifier": verifier,
        "redirect_uri": redirect_uri,
        "user": None if linking is None else str(linking.user_id),
        "session": None if linking is None else str(linking.session_id),
    }
    await ports.tickets.put(Ticket(KIND, _key(state, binding), payload, now, now + LIFE[KIND]))
    url = authorization_url(
        endpoints.authorization, provider, redirect_uri=redirect_uri, state=state, nonce=nonce, verifier=verifier
    )
    return Begun(url, state, binding, int(LIFE[KIND].total_seconds()))


async def resume(ports: Ports, provider: Provider, state: str, binding: str) -> Pending | LambentError:
    """What was noted of a sign-in: once. A refusal is returned, so that what was taken stays taken."""
    refused = Unauthenticated(
        "no such sign-in is under way: it came back already, took too long, or was begun elsewhere",
        code="invalid_state",
        hint="begin the sign-in again",
    )
    if not (MAILED.fullmatch(state) and MAILED.fullmatch(binding)):
        return refused
    payload = await ports.tickets.take(KIND, _key(state, binding), ports.clock.now())
    if payload is None or payload["provider"] != provider.name:
        return refused
    user, session = payload["user"], payload["session"]
    return Pending(
        nonce=str(payload["nonce"]),
        verifier=str(payload["verifier"]),
        redirect_uri=str(payload["redirect_uri"]),
        linking=None if user is None else UserScope(UUID(str(user)), UUID(str(session))),
    )


def check_sender(provider: Provider, endpoints: Endpoints, issuer: str | None) -> None:
    """See that it is the provider itself that sent somebody back (RFC 9207).

    Args:
        provider: who was asked.
        endpoints: the provider's.
        issuer: the parameter `iss` that came back; None when there was none.

    Raises:
        Unauthenticated: it was another one, or one that says who it is did not.
    """
    if issuer != provider.issuer and (issuer is not None or endpoints.names_itself):
        hint = "begin the sign-in again"
        raise Unauthenticated("another party than the one that was asked answers", code="wrong_issuer", hint=hint)


async def settle(
    ports: Ports, vouched: Vouched, provider: Provider, linking: UserScope | None, device: Device
) -> Signed | LambentError:
    """Begin a session for whom a provider vouches. What is refused to a known user is returned, so that it stays noted.

    Args:
        ports: in a transaction.
        vouched: what the provider says, as far as it is believed.
        provider: who says so.
        linking: the user who wants to come in this way too; None when nobody is signed in.
        device: where they are.

    Raises:
        Forbidden: the provider does not say enough to make an account.
        Conflict: somebody else comes in this way.
    """
    known = await ports.users.find_identity(vouched.issuer, vouched.subject)
    if linking is not None:
        user = await _own(ports, known, linking)
    else:
        found = known or await _first_time(ports, vouched, provider, device)
        if isinstance(found, LambentError):
            return found
        user = found
    scope = UserScope(user.id, address=device.address)
    locked = await ports.users.lock(scope)
    if locked is None or locked.disabled_at is not None:
        await _note_refusal(ports, user, vouched, device, "closed")
        return Forbidden("this account is closed", code="user_disabled")
    if known is None:
        await ports.users.link(scope, Identity(user.id, vouched.issuer, vouched.subject, ports.clock.now()))
        await history.note(ports, scope, Happened.LINKED, client=device.client, method=vouched.issuer)
    return await sign_in.begin(ports, user.id, vouched.issuer, device)


async def unlink(scope: UserScope, ports: Ports, provider: Provider) -> None:
    """Come in by a provider no more.

    Raises:
        NotFound: they do not.
        Conflict: it is the only way in that they have.
    """
    await ports.users.lock(scope)
    known = await ports.users.identities(scope)
    if provider.issuer not in {one.issuer for one in known}:
        raise NotFound("you do not come in by this provider", code="identity_not_found")
    if await ports.users.password(scope) is None and all(one.issuer == provider.issuer for one in known):
        hint = "set a password first: have it reset by mail"
        raise Conflict("it is the only way in that you have", code="last_way_in", hint=hint)
    await ports.users.unlink(scope, provider.issuer)
    await history.note(ports, scope, Happened.UNLINKED, session_id=scope.session_id, method=provider.issuer)


async def _own(ports: Ports, known: User | None, linking: UserScope) -> User:
    if known is not None and known.id != linking.user_id:
        hint = "sign out, and sign in by it"
        raise Conflict("somebody else comes in by this identity already", code="identity_taken", hint=hint)
    await ports.users.enter(linking)
    user = await ports.users.lock(linking)
    session = None if linking.session_id is None else await ports.sessions.get(linking, linking.session_id)
    if user is None or session is None or not session.live(ports.clock.now()):
        raise Unauthenticated("the session that began this is over", code="invalid_state", hint="sign in again")
    return user


async def _first_time(ports: Ports, vouched: Vouched, provider: Provider, device: Device) -> User | LambentError:
    if not vouched.email:
        hint = "prove the address there, and see that the provider is asked for the scope email"
        raise Forbidden(f"{provider.name} does not say that an address is yours", code="email_not_verified", hint=hint)
    address, own = clean_email(vouched.email), provider.speaks_for(vouched.email)
    if provider.email_domains and not own:
        raise Forbidden(f"{provider.name} does not speak for addresses like yours", code="email_domain_refused")
    user = await ports.users.find(email_key(address))
    if user is None:
        now = ports.clock.now()
        user = User(ports.ids.new(), address, _name(vouched.name) or address.partition("@")[0], now, verified_at=now)
        scope = UserScope(user.id, address=device.address)
        await ports.users.add(scope, user, None)
        await history.note(ports, scope, Happened.CREATED, client=device.client, method=vouched.issuer)
    elif not own or user.verified_at is None:
        hint = "sign in as before, and link this provider to your account"
        await _note_refusal(ports, user, vouched, device, "not_linked")
        return Conflict("this address has an account already", code="account_exists", hint=hint)
    return user


async def _note_refusal(ports: Ports, user: User, vouched: Vouched, device: Device, reason: str) -> None:
    scope = UserScope(user.id, address=device.address)
    await history.note(ports, scope, Happened.REFUSED, client=device.client, method=vouched.issuer, reason=reason)


def _key(state: str, binding: str) -> str:
    return secret_hash(f"{state}.{binding}")


def _name(said: str) -> str:
    """What a provider calls somebody, without what a name here may not hold."""
    return CONTROL.sub("", said).strip()[:MAX_NAME].strip()
