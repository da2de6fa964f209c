"""API keys: mint, list, look at, revoke.

A key acts for somebody: for the member who minted it, for a service account, or, as the first key of a deployment does,
for the organisation itself. What it mints acts for the same. It holds no more than its maker held then, and when it is
used no more than its owner holds at that moment.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.errors import Conflict, Invalid, NotFound
from shared.domain.labels import clean_name
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.roles import require_within
from shared.domain.tenants import KEY_PERMISSIONS, Credential, Permission, PrincipalKind, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.keys.limits import expiry_for, room_for
from shared.usecases.members.standing import acting_key, permissions_of, require_now
from shared.usecases.projects.bootstrap import KEY_PREFIX, key_hash

SHOWN = len(KEY_PREFIX) + 6
"""So much of a key is kept for its owner to know it again; more than 200 bits of it are not."""


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """A key as it is asked for."""

    name: str
    permissions: frozenset[Permission]
    project_id: UUID | None = None
    """The one project it works in; None: any of the organisation's."""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Minted:
    """A key and its secret, which is shown this once."""

    credential: Credential
    secret: str


async def mint(scope: TenantScope, ports: Ports, wanted: KeyRequest) -> Minted:
    """A key that acts for whom the caller does.

    Raises:
        Forbidden: it would hold more, or live longer, than the caller's own credential.
        NotFound: no such project.
        Invalid: it would hold nothing, or would have expired.
    """
    scope.require(Permission.KEYS_WRITE)
    maker = await acting_key(scope, ports)
    require_within(await require_now(scope, ports, Permission.KEYS_WRITE), wanted.permissions)
    user_id = UUID(scope.principal.id) if scope.principal.kind is PrincipalKind.USER else None
    owner = (user_id, None) if maker is None else (maker.user_id, maker.service_account_id)
    return await _minted(scope, ports, wanted, maker, owner)


async def mint_for_account(scope: TenantScope, ports: Ports, account_id: UUID, wanted: KeyRequest) -> Minted:
    """A key that acts for a service account.

    Raises:
        NotFound: no such account or project.
        Forbidden: it would hold more than the account or the caller, or live longer than the caller's key.
        Conflict: the account is disabled.
        Invalid: it would hold nothing, or would have expired.
    """
    scope.require(Permission.SERVICE_ACCOUNTS_WRITE)
    scope.require(Permission.KEYS_WRITE)
    account = await ports.service_accounts.get(scope, account_id)
    if account is None:
        raise NotFound("no such service account", code="service_account_not_found")
    if account.disabled_at is not None:
        raise Conflict("the service account is disabled", code="service_account_disabled")
    held = await require_now(scope, ports, Permission.SERVICE_ACCOUNTS_WRITE)
    require_within(held & await permissions_of(scope, ports, account.role), wanted.permissions)
    if account.project_id is not None and wanted.project_id not in (None, account.project_id):
        raise NotFound("no such project for this service account", code="project_not_found")
    tied = KeyRequest(wanted.name, wanted.permissions, wanted.project_id or account.project_id, wanted.expires_at)
    return await _minted(scope, ports, tied, await acting_key(scope, ports), (None, account_id))


async def list_keys(
    scope: TenantScope, ports: Ports, *, owner: UUID | None, cursor: str | None, limit: int
) -> Page[Credential]:
    """Keys of the organisation, newest first; of those who do not manage members only the caller's own.

    Args:
        scope: the caller's.
        ports: in an open transaction.
        owner: those of one member or service account; None: all that the caller may see.
        cursor: of the page before.
        limit: rows a page.
    """
    scope.require(Permission.KEYS_READ)
    if Permission.MEMBERS_WRITE not in scope.permissions:
        own = await _own(scope, ports)
        if owner not in (None, own):
            return Page((), None)
        owner = own
    listing = fingerprint("keys", scope.tenant_id, owner)
    after = decode_cursor(cursor, listing) if cursor else None
    rows = await ports.keys.list(scope, after, limit + 1, owner=owner)
    return page_of(rows, limit, listing, _place)


async def get(scope: TenantScope, ports: Ports, key_id: UUID) -> Credential:
    """One key.

    Raises:
        NotFound: none of the organisation's, or not the caller's to see.
    """
    scope.require(Permission.KEYS_READ)
    return await _visible(scope, ports, key_id)


async def revoke(scope: TenantScope, ports: Ports, key_id: UUID) -> None:
    """End a key, from this moment on. Twice is once.

    Raises:
        NotFound: none of the organisation's, or not the caller's to see.
    """
    scope.require(Permission.KEYS_WRITE)
    known = await _visible(scope, ports, key_id)
    if await ports.keys.revoke(scope, key_id, ports.clock.now()):
        await note(scope, ports, "key.revoked", key_id, project_id=known.project_id, name=known.name)


async def _minted(
    scope: TenantScope,
    ports: Ports,
    wanted: KeyRequest,
    maker: Credential | None,
    owner: tuple[UUID | None, UUID | None],
) -> Minted:
    if not wanted.permissions or not wanted.permissions <= KEY_PERMISSIONS:
        raise Invalid("a key needs permissions that keys can have", code="invalid_permissions")
    now, secret = ports.clock.now(), KEY_PREFIX + ports.ids.secret()
    made = Credential(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=await room_for(scope, ports, maker, wanted.project_id),
        name=clean_name(wanted.name),
        permissions=wanted.permissions,
        expires_at=expiry_for(maker, wanted.expires_at, now),
        revoked_at=None,
        prefix=secret[:SHOWN],
        created_by=str(scope.principal),
        created_at=now,
        user_id=owner[0],
        service_account_id=owner[1],
    )
    await ports.keys.add(scope, made, key_hash(secret), now)
    await note(scope, ports, "key.minted", made.id, project_id=made.project_id, after=_written(made))
    return Minted(made, secret)


def _place(key: Credential) -> After:
    if key.created_at is None:
        raise ValueError("a stored key has the time it was made at")
    return After(key.created_at, key.id)


def _written(key: Credential) -> dict[str, object]:
    return {
        "name": key.name,
        "permissions": sorted(key.permissions),
        "expires_at": None if key.expires_at is None else key.expires_at.isoformat(),
        "service_account_id": None if key.service_account_id is None else str(key.service_account_id),
    }


async def _own(scope: TenantScope, ports: Ports) -> UUID:
    """Whose keys are the caller's own. The organisation's own keys are nobody's: there are none of that key's."""
    maker = await acting_key(scope, ports)
    if maker is None:
        return UUID(scope.principal.id)
    return maker.user_id or maker.service_account_id or maker.id


async def _visible(scope: TenantScope, ports: Ports, key_id: UUID) -> Credential:
    found = await ports.keys.get(scope, key_id)
    if found is not None and Permission.MEMBERS_WRITE not in scope.permissions:
        own = await _own(scope, ports)
        found = found if own in (found.user_id, found.service_account_id, found.id) else None
    if found is None:
        raise NotFound("no such key", code="key_not_found")
    return found
