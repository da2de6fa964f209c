"""From a credential to a scope: the one way in.

Authorisation is a dependency of each route, never a guess from the path.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import structlog

from shared import bootstrap
from shared.domain.errors import Forbidden, Invalid, NotFound
from shared.domain.tenants import (
    OF_EVERY_PROJECT,
    Authenticated,
    Credential,
    Permission,
    Principal,
    PrincipalKind,
    Scope,
    TenantScope,
)
from shared.domain.users import UserScope
from shared.ports.ports import Ports, Powers
from shared.runtime.named import PROJECT_HEADER, address_seen, goes_ahead, named, project_archived, unauthenticated
from shared.runtime.rates import counted
from shared.runtime.routes import ROUTES, Access
from shared.runtime.transactions import transaction
from shared.runtime.web import ATTEMPT, Depends, Request
from shared.usecases.projects.bootstrap import KEY_PREFIX, founding_scope, key_hash

if TYPE_CHECKING:
    from shared.runtime.idempotency import Attempt

KEY = re.compile(rf"^{KEY_PREFIX}[A-Za-z0-9_-]{{43}}$")

TOKEN = re.compile(r"^eyJ[A-Za-z0-9_.-]{100,900}$")
"""What an access token looks like from afar; whether it is one is found out by what reads it."""


@dataclass(frozen=True, slots=True)
class Call:
    """An authorised request within one open transaction."""

    scope: Scope
    ports: Ports


@dataclass(frozen=True, slots=True)
class TenantCall:
    """An authorised request that concerns the tenant as a whole, within one open transaction."""

    scope: TenantScope
    ports: Ports
    afterwards: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """What is to be done behind the commit, before the answer: mail is sent."""


@dataclass(frozen=True, slots=True)
class Caller:
    """An authorised request that opens its own transactions, because something slow happens between them."""

    scope: Scope
    powers: Powers
    attempt: "Attempt | None" = None
    """Of a request with an idempotency key: its last transaction is to keep the answer."""

    def transaction(self) -> AbstractAsyncContextManager[Ports]:
        """A transaction in this caller's scope."""
        return transaction(self.scope)


@dataclass(frozen=True, slots=True)
class UserCall:
    """A signed-in user's request about themselves, outside all organisations, within one open transaction."""

    scope: UserScope
    ports: Ports


@dataclass(frozen=True, slots=True)
class FoundingCall(UserCall):
    """A signed-in user's request that makes an organisation, within one open transaction of both."""

    founding: TenantScope


def presented(request: Request) -> str:
    """The secret in the Authorization header, by its shape alone: what is no credential never reaches the database.

    Raises:
        Unauthenticated: missing or malformed.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != "bearer" or not (KEY.match(secret) or TOKEN.match(secret)):
        raise unauthenticated()
    return secret


async def authenticate(
    ports: Ports, secret: str, project_id: UUID | None = None, *, whole: bool = False, ahead: bool = False
) -> Authenticated:
    """The credential of a presented secret, with what it may do in a project or, `whole`, on the tenant.

    Raises:
        Unauthenticated: in the same words whether it is missing, malformed, unknown, revoked or expired.
    """
    now = ports.clock.now()
    found = await ports.keys.authenticate(key_hash(secret), now, project_id=project_id, whole=whole, ahead=ahead)
    if found is None or not found.credential.valid(now):
        raise unauthenticated()
    known = found.credential
    principal = f"{PrincipalKind.API_KEY}:{known.id}"
    structlog.contextvars.bind_contextvars(tenant_id=str(known.tenant_id), principal=principal)
    return found


def project_of(found: Authenticated, wanted: str) -> UUID:
    """Which project the request works in.

    A key made for one project works there; one that may also make projects can name any other of its tenant by header.

    Args:
        found: the key, as it is for the project that is named.
        wanted: the header.

    Raises:
        Invalid: the key is for the whole tenant and no project is named, or the header is no id.
        NotFound: the named project is not one this key may use.
        Forbidden: the project is in the archive.
    """
    known = found.credential
    if wanted and named(wanted) is None:
        raise Invalid("the header Lambent-Project is not a project id", code="invalid_project")
    if not wanted and known.project_id is None:
        raise Invalid(
            "this key may use several projects: say which",
            code="project_required",
            hint="send the header Lambent-Project: <id>",
        )
    elsewhere = known.confined and found.project_id != known.project_id
    if found.project_id is None or elsewhere or not known.permissions:
        raise NotFound("no such project for this key", code="project_not_found")
    if found.archived_at is not None:
        raise project_archived()
    return found.project_id


def on_tenant(known: Credential, wanted: UUID | None) -> frozenset[Permission]:
    """What a key may do on its organisation, or on one project of it as a whole.

    Args:
        known: the key.
        wanted: the project in the path.

    Raises:
        NotFound: the key is for another project, for which this one is as good as none.
    """
    if not known.confined or wanted == known.project_id:
        return known.permissions
    if wanted is not None:
        raise NotFound("no such project", code="project_not_found")
    return known.permissions - OF_EVERY_PROJECT


async def call(request: Request) -> AsyncIterator[Call]:
    """Dependency: authenticate, authorise, and keep one transaction open around the operation."""
    secret = presented(request)
    async with transaction(None) as ports:
        scope = await _project_scope(request, ports, secret)
        await _once(request, ports, scope)
        yield Call(scope, ports)


async def tenant_call(request: Request) -> AsyncIterator[TenantCall]:
    """Dependency: as `call`, for routes that concern the whole tenant."""
    secret = presented(request)
    async with transaction(None) as ports:
        scope = await _tenant_scope(request, ports, secret)
        _authorise(request, scope)
        await _once(request, ports, scope)
        made = TenantCall(scope, ports)
        yield made
    for work in made.afterwards:
        await work()


async def caller(request: Request) -> Caller:
    """Dependency: authenticate and authorise; the operation opens its own transactions."""
    secret = presented(request)
    async with transaction(None) as ports:
        scope = await _project_scope(request, ports, secret)
        attempt = await _once(request, ports, scope, several=True)
    return Caller(scope, bootstrap.powers(), attempt)


async def user_call(request: Request) -> AsyncIterator[UserCall]:
    """Dependency: a signed-in user, for routes about themselves; a key is nobody's self."""
    async with transaction(None) as ports:
        scope = await _user_scope(request, ports)
        await _once(request, ports, scope)
        yield UserCall(scope, ports)


async def founder(request: Request) -> AsyncIterator[FoundingCall]:
    """Dependency: as `user_call`, with the scope of an organisation that is to be."""
    founding = founding_scope(bootstrap.powers().ids.new())
    async with transaction(founding) as ports:
        scope = await _user_scope(request, ports)
        await _once(request, ports, scope)
        yield FoundingCall(scope, ports, founding)


async def user(request: Request) -> UserScope:
    """Dependency: as `user_call`, for operations that open their own transactions."""
    async with transaction(None) as ports:
        return await _user_scope(request, ports)


async def _once(
    request: Request, ports: Ports, scope: TenantScope | UserScope, *, several: bool = False
) -> "Attempt | None":
    """Claim the key of a request that has one, before anything is done.

    Args:
        request: once its credential is known and good.
        ports: of the transaction that found that out.
        scope: whose key it is.
        several: what is done is done in other transactions.
    """
    attempt: Attempt | None = request.scope.get(ATTEMPT)
    if attempt is not None:
        await attempt.begin(request, ports, scope, several=several)
    return attempt


async def _user_scope(request: Request, ports: Ports) -> UserScope:
    secret = presented(request)
    if KEY.match(secret):
        hint = "sign in, and send the access token"
        raise Forbidden("this route is for users, not for keys", code="user_required", hint=hint)
    if ROUTES[(request.method, request.scope["route"].path)] is not Access.SIGNED_IN:
        raise RuntimeError("a route that asks for a permission asks for it in a scope")
    from shared.runtime.signed_in import user_scope

    return await user_scope(request, ports, secret)


async def _tenant_scope(request: Request, ports: Ports, secret: str) -> TenantScope:
    if not KEY.match(secret):
        from shared.runtime.signed_in import tenant_scope

        return await tenant_scope(request, ports, secret)
    await counted(request, ports, secret_hash=key_hash(secret))
    known = (await authenticate(ports, secret, whole=True, ahead=goes_ahead(request))).credential
    permissions = on_tenant(known, named(request.path_params.get("project_id", "")))
    if not permissions:
        raise Forbidden("whoever this credential acts for has no rights in the organisation any more")
    return TenantScope(known.tenant_id, _principal(known), permissions, address=address_seen(request))


async def _project_scope(request: Request, ports: Ports, secret: str) -> Scope:
    if not KEY.match(secret):
        from shared.runtime.signed_in import project_scope

        scope = await project_scope(request, ports, secret)
        _authorise(request, scope)
        return scope
    wanted = request.headers.get(PROJECT_HEADER, "")
    await counted(request, ports, secret_hash=key_hash(secret))
    found = await authenticate(ports, secret, named(wanted), ahead=goes_ahead(request))
    project_id, known = project_of(found, wanted), found.credential
    scope = Scope(
        known.tenant_id,
        _principal(known),
        known.permissions,
        project_id,
        readers=found.readers,
        address=address_seen(request),
    )
    _authorise(request, scope)
    return scope


def _authorise(request: Request, scope: TenantScope) -> None:
    permission = ROUTES[(request.method, request.scope["route"].path)]
    if not isinstance(permission, Permission):
        raise RuntimeError("a route without a permission must not ask for a scope")
    scope.require(permission)


def _principal(known: Credential) -> Principal:
    return Principal(PrincipalKind.API_KEY, str(known.id))


Authorised = Annotated[Call, Depends(call, scope="function")]
AuthorisedTenant = Annotated[TenantCall, Depends(tenant_call, scope="function")]
SignedIn = Annotated[UserCall, Depends(user_call, scope="function")]
User = Annotated[UserScope, Depends(user, scope="function")]
AuthorisedCaller = Annotated[Caller, Depends(caller, scope="function")]
Founder = Annotated[FoundingCall, Depends(founder, scope="function")]
