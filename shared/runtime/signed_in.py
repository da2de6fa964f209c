"""From an access token to a scope. Loaded when the first token comes: what reads one is heavy."""

from uuid import UUID

import structlog

from shared.domain.errors import Forbidden, Invalid, LambentError, NotFound
from shared.domain.roles import held
from shared.domain.tenants import Permission, Principal, PrincipalKind, Scope, TenantScope
from shared.domain.tokens import Access, AccessClaims
from shared.domain.users import UserScope
from shared.ports.ports import Ports
from shared.runtime.named import (
    ORG_HEADER,
    PROJECT_HEADER,
    address_seen,
    goes_ahead,
    named,
    project_archived,
    unauthenticated,
)
from shared.runtime.rates import counted
from shared.runtime.web import Request


async def project_scope(request: Request, ports: Ports, token: str) -> Scope:
    """What a signed-in user may do in the project that the request names, or else in the only one there is.

    Raises:
        Unauthenticated: the token, its session or its user is not good.
        Invalid: it does not say where, and there are several.
        NotFound: no such organisation or project, or the user may do nothing in it.
        Forbidden: the user belongs nowhere, or the project is in the archive.
    """
    claims, found = await _found(request, ports, token, whole=False)
    wanted = request.headers.get(PROJECT_HEADER, "")
    tenant_id, permissions = _held(request, found)
    if found.project_id is None and not wanted:
        raise Invalid(
            "you may use several projects, or there is none: say which",
            code="project_required",
            hint=f"send the header {PROJECT_HEADER}: <id>",
        )
    if found.project_id is None or not permissions:
        raise NotFound("no such project of yours", code="project_not_found")
    if found.archived_at is not None:
        raise project_archived()
    return Scope(
        tenant_id,
        _principal(claims),
        permissions,
        found.project_id,
        readers=found.readers,
        address=address_seen(request),
    )


async def tenant_scope(request: Request, ports: Ports, token: str) -> TenantScope:
    """What a signed-in user may do in the organisation as a whole.

    Raises:
        Unauthenticated, Invalid, NotFound, Forbidden: as `project_scope`.
    """
    claims, found = await _found(request, ports, token, whole=True)
    tenant_id, permissions = _held(request, found)
    if not permissions:
        raise Forbidden("you have no rights in the organisation as a whole, only in parts of it")
    return TenantScope(tenant_id, _principal(claims), permissions, address=address_seen(request))


async def user_scope(request: Request, ports: Ports, token: str) -> UserScope:
    """A signed-in user outside all organisations.

    Raises:
        Unauthenticated: the token, its session or its user is not good.
    """
    claims = _claims(ports, token)
    await counted(request, ports, user_id=claims.user_id)
    if not await ports.sessions.enter(claims, ports.clock.now()):
        raise unauthenticated()
    structlog.contextvars.bind_contextvars(principal=str(_principal(claims)))
    return UserScope(claims.user_id, claims.session_id, address_seen(request))


def _claims(ports: Ports, token: str) -> AccessClaims:
    claims = ports.tokens.read(token, ports.clock.now())
    if claims is None:
        raise unauthenticated()
    return claims


async def _found(request: Request, ports: Ports, token: str, *, whole: bool) -> tuple[AccessClaims, Access]:
    claims = _claims(ports, token)
    org, project = (named(request.headers.get(header, "")) for header in (ORG_HEADER, PROJECT_HEADER))
    # Of a user who belongs to several the path says which; what it names is compared with what is found.
    org = org or named(request.path_params.get("org_id", ""))
    await counted(request, ports, user_id=claims.user_id, tenant_id=org)
    now, ahead = ports.clock.now(), goes_ahead(request)
    found = await ports.sessions.access(claims, now, org=org, project=project, whole=whole, ahead=ahead)
    if found is None:
        raise unauthenticated()
    structlog.contextvars.bind_contextvars(tenant_id=str(found.tenant_id), principal=str(_principal(claims)))
    for header, id in ((ORG_HEADER, org), (PROJECT_HEADER, project)):
        if request.headers.get(header) and id is None:
            raise Invalid(f"the header {header} is not an id", code="invalid_header")
    return claims, found


def _held(request: Request, found: Access) -> tuple[UUID, frozenset[Permission]]:
    if found.tenant_id is None:
        raise _nowhere(request, found)
    return found.tenant_id, held(found.roles, found.permissions)


def _nowhere(request: Request, found: Access) -> LambentError:
    if request.headers.get(ORG_HEADER) or request.path_params.get("org_id"):
        return NotFound("no such organisation of yours", code="tenant_not_found")
    if request.headers.get(PROJECT_HEADER):
        return NotFound("no such project of yours", code="project_not_found")
    if not found.organisations:
        return Forbidden("you belong to no organisation", code="no_organisation", hint="ask to be invited, or make one")
    hint = f"send the header {ORG_HEADER}: <id>, or name a project"
    return Invalid("you belong to several organisations: say which", code="organisation_required", hint=hint)


def _principal(claims: AccessClaims) -> Principal:
    return Principal(PrincipalKind.USER, str(claims.user_id))
