"""How often each route may be asked: all of it, in tables; and how a door counts and tells.

Addresses are those that API Gateway saw (`requestContext.identity.sourceIp`), never what a header says. API Gateway's
own throttle is the wall around all of this.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from uuid import UUID

from starlette.types import Scope

from shared.domain.errors import RateLimited
from shared.domain.rates import Limit, Part, Standing
from shared.ports.ports import Ports
from shared.ports.rates import Asker
from shared.runtime.web import Request

type Limits = Mapping[Part, Limit]

MINUTE, HOUR = 60, 3600
KINDS: Mapping[str, Limits] = {
    "read": {
        Part.ADDRESS: Limit(3000, MINUTE),
        Part.PRINCIPAL: Limit(1500, MINUTE),
        Part.TENANT: Limit(6000, MINUTE),
    },
    "write": {
        Part.ADDRESS: Limit(1200, MINUTE),
        Part.PRINCIPAL: Limit(600, MINUTE),
        Part.TENANT: Limit(3000, MINUTE),
    },
    # A form to send a file with; a folder of thousands is one ingestion.
    "upload": {
        Part.ADDRESS: Limit(1200, MINUTE),
        Part.PRINCIPAL: Limit(1000, MINUTE),
        Part.TENANT: Limit(3000, MINUTE),
    },
    # What makes a model work.
    "ask": {Part.ADDRESS: Limit(300, MINUTE), Part.PRINCIPAL: Limit(120, MINUTE), Part.TENANT: Limit(1200, MINUTE)},
    # What makes a secret, or takes away what cannot be had back.
    "grave": {Part.ADDRESS: Limit(60, MINUTE), Part.PRINCIPAL: Limit(30, MINUTE), Part.TENANT: Limit(120, MINUTE)},
    # What anybody may try without being known.
    "sign_in": {Part.ADDRESS: Limit(20, MINUTE)},
    "register": {Part.ADDRESS: Limit(20, HOUR)},
    "reset": {Part.ADDRESS: Limit(10, HOUR)},
}
"""What is granted, by the sort of request. Each sort is counted apart."""
KIND_OF: Mapping[tuple[str, str], str] = {
    ("POST", "/api/v1/auth/register"): "register",
    ("POST", "/api/v1/auth/verify"): "sign_in",
    ("POST", "/api/v1/auth/login"): "sign_in",
    ("POST", "/api/v1/auth/refresh"): "sign_in",
    ("POST", "/api/v1/auth/oidc/{provider}/start"): "sign_in",
    ("POST", "/api/v1/auth/oidc/{provider}/callback"): "sign_in",
    ("POST", "/api/v1/auth/oidc/{provider}/link"): "grave",
    ("POST", "/api/v1/auth/password/forgot"): "reset",
    ("POST", "/api/v1/auth/password/reset"): "reset",
    ("POST", "/api/v1/auth/password/change"): "grave",
    ("POST", "/api/v1/auth/email/change"): "grave",
    ("POST", "/api/v1/auth/email/confirm"): "grave",
    ("POST", "/api/v1/users/me/disable"): "grave",
    ("POST", "/api/v1/documents"): "upload",
    ("POST", "/api/v1/documents/{document_id}/versions"): "upload",
    ("POST", "/api/v1/search"): "ask",
    ("POST", "/api/v1/chats/{chat_id}/messages"): "ask",
    ("POST", "/api/v1/streams/chats/{chat_id}/messages"): "ask",
    ("DELETE", "/api/v1/projects/{project_id}"): "grave",
    ("DELETE", "/api/v1/orgs/{org_id}"): "grave",
    ("POST", "/api/v1/orgs"): "grave",
    ("POST", "/api/v1/orgs/accept"): "grave",
    ("POST", "/api/v1/orgs/{org_id}/invitations"): "grave",
    ("POST", "/api/v1/orgs/{org_id}/keys"): "grave",
    ("POST", "/api/v1/orgs/{org_id}/service-accounts/{account_id}/keys"): "grave",
    ("POST", "/api/v1/webhooks"): "grave",
    ("POST", "/api/v1/webhooks/{webhook_id}/rotate"): "grave",
}
"""Routes that are neither an ordinary read (GET) nor an ordinary write (everything else)."""
HEADERS = {
    "RateLimit-Policy": 'How often may be asked, by whom it is counted: `"principal";q=600;w=60` is 600 in a minute.',
    "RateLimit": 'Where you are with the limit you are closest to: `"principal";r=12;t=30` leaves 12, all in 30 s.',
}
"""draft-ietf-httpapi-ratelimit-headers-11."""
STANDINGS = "lambent.standings"


def kind_of(method: str, path: str) -> str:
    """The sort of request that a route takes."""
    return KIND_OF.get((method, path), "read" if method == "GET" else "write")


async def counted(
    request: Request,
    ports: Ports,
    *,
    secret_hash: str = "",
    user_id: UUID | None = None,
    tenant_id: UUID | None = None,
) -> None:
    """Count a request and refuse it when somebody it is counted for is at a limit.

    Costs no round trip: it travels with the transaction's first statement, and is kept whatever becomes of the rest.

    Args:
        request: the request, whose route is known.
        ports: of a transaction that has not begun.
        secret_hash: of an API key.
        user_id: a user whose token was verified.
        tenant_id: the organisation such a user names.

    Raises:
        RateLimited: here, or from the transaction's first statement.
    """
    factor = ports.rate_factor
    if not factor:
        return
    kind = kind_of(request.method, request.scope["route"].path)
    limits = [(part, scaled(limit, factor)) for part, limit in KINDS[kind].items()]
    now = ports.clock.now()

    def known(standings: Sequence[Standing]) -> None:
        request.scope[STANDINGS] = headers(standings, now)
        if not all(standing.granted for standing in standings):
            raise refused(standings, now)

    asker = Asker(kind, address_of(request), secret_hash, user_id, tenant_id)
    await ports.rates.along(asker, limits, now, known)


@lru_cache(64)
def scaled(limit: Limit, factor: float) -> Limit:
    """The limit as this deployment has it."""
    return Limit(max(1, round(limit.requests * factor)), limit.seconds)


def address_of(request: Request) -> str:
    """Where a request comes from; of IPv6 the network, because a customer has the whole of it."""
    client = request.scope.get("client")
    return network_of(client[0]) if client and client[0] else "unknown"


@lru_cache(256)
def network_of(host: str) -> str:
    """Who an address is counted as."""
    try:
        address = ip_address(host)
    except ValueError:
        return "unknown"
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"


def headers(standings: Sequence[Standing], now: datetime) -> Sequence[tuple[bytes, bytes]]:
    """What a response says of them: every policy, and the standing that is closest to its end."""
    if not standings:
        return ()
    left = [one.remaining(now) for one in standings]
    least = min(range(len(left)), key=lambda place: left[place] / standings[place].limit.requests)
    nearest = standings[least]
    waits = round((nearest.counted.opened - now).total_seconds()) + nearest.limit.seconds
    standing = f'"{nearest.part}";r={left[least]};t={max(1, waits)}'
    policy = policies(tuple((one.part, one.limit) for one in standings))
    return (b"ratelimit-policy", policy), (b"ratelimit", standing.encode())


@lru_cache(64)
def policies(limits: tuple[tuple[Part, Limit], ...]) -> bytes:
    """The limits as a header names them."""
    return ", ".join(f'"{part}";q={limit.requests};w={limit.seconds}' for part, limit in limits).encode()


def refused(standings: Sequence[Standing], now: datetime) -> RateLimited:
    """The refusal, with the longest wait."""
    longest = max(standings, key=lambda one: one.wait(now))
    seconds = max(1.0, longest.wait(now))
    whose = {Part.ADDRESS: "this address", Part.PRINCIPAL: "this credential", Part.TENANT: "this organisation"}
    detail = f"too many requests from {whose[longest.part]}: {longest.limit.requests} in {longest.limit.seconds} s"
    return RateLimited(detail, seconds=seconds, hint=f"try again in {seconds:.0f} s")


def told(scope: Scope) -> Sequence[tuple[bytes, bytes]]:
    """The headers of a request's standing, if it was counted."""
    found: Sequence[tuple[bytes, bytes]] = scope.get(STANDINGS, ())
    return found
