"""Service accounts: actors that are no persons, and sign in by API keys alone."""

from dataclasses import dataclass, replace
from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.labels import clean_name
from shared.domain.members import ServiceAccount
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.roles import RoleRef
from shared.domain.tenants import Permission, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note
from shared.usecases.keys.limits import room_for
from shared.usecases.members.standing import acting_key, require_gives, require_now, role_name


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """A service account as it is asked for."""

    name: str
    description: str
    role: RoleRef
    project_id: UUID | None = None
    """The one project it works in; None: any of the organisation's."""


async def create(scope: TenantScope, ports: Ports, wanted: AccountRequest) -> ServiceAccount:
    """Make an account with a role, in one project or in all.

    Raises:
        NotFound: no such role or project.
        Forbidden: the role may do more than the caller.
        Conflict: there is one of this name.
    """
    scope.require(Permission.SERVICE_ACCOUNTS_WRITE)
    await _require_gives(scope, ports, wanted.role)
    made = ServiceAccount(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=await room_for(scope, ports, await acting_key(scope, ports), wanted.project_id),
        name=clean_name(wanted.name),
        description=wanted.description,
        role=wanted.role,
        created_by=str(scope.principal),
        created_at=ports.clock.now(),
    )
    await ports.service_accounts.add(scope, made)
    await _note(scope, ports, "service_account.created", made, after=_written(made))
    return made


async def list_accounts(scope: TenantScope, ports: Ports, *, cursor: str | None, limit: int) -> Page[ServiceAccount]:
    """Accounts, newest first, disabled ones too."""
    scope.require(Permission.SERVICE_ACCOUNTS_READ)
    listing = fingerprint("service accounts", scope.tenant_id)
    after = decode_cursor(cursor, listing) if cursor else None
    rows = await ports.service_accounts.list(scope, after, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))


async def get(scope: TenantScope, ports: Ports, account_id: UUID) -> ServiceAccount:
    """One account.

    Raises:
        NotFound: the organisation has no such account.
    """
    scope.require(Permission.SERVICE_ACCOUNTS_READ)
    return await _existing(scope, ports, account_id)


async def change(
    scope: TenantScope,
    ports: Ports,
    account_id: UUID,
    *,
    name: str | None,
    description: str | None,
    role: RoleRef | None,
) -> ServiceAccount:
    """Change an account, and with its role what its keys may do; None leaves a part as it is.

    Raises:
        NotFound: no such account or role.
        Forbidden: the role it has, or is to have, may do more than the caller.
        Conflict: there is another of this name.
    """
    known = await _held(scope, ports, account_id, role)
    changed = replace(
        known,
        name=known.name if name is None else clean_name(name),
        description=known.description if description is None else description,
        role=known.role if role is None else role,
    )
    await ports.service_accounts.save(scope, changed)
    await _note(scope, ports, "service_account.changed", known, before=_written(known), after=_written(changed))
    return changed


async def disable(scope: TenantScope, ports: Ports, account_id: UUID) -> ServiceAccount:
    """Make all its keys worthless until it is enabled again. Twice is once.

    Raises:
        NotFound: no such account.
        Forbidden: it may do more than the caller.
    """
    known = await _held(scope, ports, account_id)
    if known.disabled_at is not None:
        return known
    changed = replace(known, disabled_at=ports.clock.now())
    await ports.service_accounts.save(scope, changed)
    await _note(scope, ports, "service_account.disabled", known)
    return changed


async def enable(scope: TenantScope, ports: Ports, account_id: UUID) -> ServiceAccount:
    """Let its keys be good again. Twice is once.

    Raises:
        NotFound: no such account.
        Forbidden: it may do more than the caller.
    """
    known = await _held(scope, ports, account_id)
    if known.disabled_at is None:
        return known
    changed = replace(known, disabled_at=None)
    await ports.service_accounts.save(scope, changed)
    await _note(scope, ports, "service_account.enabled", known)
    return changed


async def delete(scope: TenantScope, ports: Ports, account_id: UUID) -> None:
    """Delete an account with its keys.

    Raises:
        NotFound: no such account.
        Forbidden: it may do more than the caller.
    """
    known = await _held(scope, ports, account_id)
    await ports.service_accounts.remove(scope, account_id)
    await _note(scope, ports, "service_account.deleted", known, before=_written(known))


async def _held(scope: TenantScope, ports: Ports, account_id: UUID, role: RoleRef | None = None) -> ServiceAccount:
    scope.require(Permission.SERVICE_ACCOUNTS_WRITE)
    known = await _existing(scope, ports, account_id)
    await _require_gives(scope, ports, known.role, role)
    await room_for(scope, ports, await acting_key(scope, ports), known.project_id)
    return known


async def _require_gives(scope: TenantScope, ports: Ports, *roles: RoleRef | None) -> None:
    held = await require_now(scope, ports, Permission.SERVICE_ACCOUNTS_WRITE)
    await require_gives(scope, ports, held, *roles)


async def _existing(scope: TenantScope, ports: Ports, account_id: UUID) -> ServiceAccount:
    found = await ports.service_accounts.get(scope, account_id)
    if found is None:
        raise NotFound("no such service account", code="service_account_not_found")
    return found


async def _note(scope: TenantScope, ports: Ports, action: str, account: ServiceAccount, **details: object) -> None:
    await note(scope, ports, action, account.id, project_id=account.project_id, **details)


def _written(account: ServiceAccount) -> dict[str, object]:
    return {"name": account.name, "role": role_name(account.role)}
