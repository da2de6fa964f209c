"""What somebody holds at this moment, and so can give: nobody gives more than they hold."""

from uuid import UUID

from shared.domain.errors import Forbidden, NotFound
from shared.domain.roles import PERMISSIONS, BuiltIn, RoleRef, require_within
from shared.domain.tenants import KEY_PERMISSIONS, Credential, Permission, Principal, PrincipalKind, TenantScope
from shared.ports.ports import Ports

NOTHING: frozenset[Permission] = frozenset()


async def acting_key(scope: TenantScope, ports: Ports) -> Credential | None:
    """The API key that the caller came with; None for a person who is signed in."""
    if scope.principal.kind is not PrincipalKind.API_KEY:
        return None
    return await ports.keys.get(scope, UUID(scope.principal.id))


async def held_now(scope: TenantScope, ports: Ports, project_id: UUID | None = None) -> frozenset[Permission]:
    """What the caller holds now in a project or, None, in the organisation.

    The door found out when the request came in. Behind a lock it may be less: whoever held it before may have changed
    the caller's own role.
    """
    return scope.permissions & await held_by(scope, ports, scope.principal, project_id)


async def require_now(
    scope: TenantScope, ports: Ports, permission: Permission, project_id: UUID | None = None
) -> frozenset[Permission]:
    """See that the caller still has a permission, there or in the organisation, behind a lock; returns all they hold.

    Raises:
        Forbidden: they have lost it since the request came in.
    """
    held = await held_now(scope, ports, project_id)
    if permission not in held:
        raise Forbidden(f"this credential lacks the permission {permission}")
    return held


async def held_by(
    scope: TenantScope, ports: Ports, principal: Principal, project_id: UUID | None = None
) -> frozenset[Permission]:
    """What a member, or an API key, holds now in a project or, None, in the organisation."""
    if principal.kind is PrincipalKind.USER:
        return await ports.members.rights(scope, UUID(principal.id), project_id)
    if principal.kind is not PrincipalKind.API_KEY:
        return KEY_PERMISSIONS
    key = await ports.keys.get(scope, UUID(principal.id))
    if key is None or not key.valid(ports.clock.now()):
        return NOTHING
    if key.user_id is not None:
        return key.permissions & await ports.members.rights(scope, key.user_id, project_id)
    if key.service_account_id is not None:
        return key.permissions & await _held_by_account(scope, ports, key.service_account_id, project_id)
    return key.permissions


async def _held_by_account(
    scope: TenantScope, ports: Ports, account_id: UUID, project_id: UUID | None
) -> frozenset[Permission]:
    account = await ports.service_accounts.get(scope, account_id)
    if account is None or account.disabled_at is not None or account.project_id not in (None, project_id):
        return NOTHING
    return await permissions_of(scope, ports, account.role)


async def permissions_of(scope: TenantScope, ports: Ports, role: RoleRef | None) -> frozenset[Permission]:
    """What a role may do; None: nothing.

    Raises:
        NotFound: the organisation has no such role.
    """
    if role is None:
        return NOTHING
    if isinstance(role, BuiltIn):
        return PERMISSIONS[role]
    found = await ports.roles.get(scope, role)
    if found is None:
        raise NotFound("no such role", code="role_not_found")
    return found.permissions


async def require_gives(scope: TenantScope, ports: Ports, giver: frozenset[Permission], *roles: RoleRef | None) -> None:
    """See that whoever holds `giver` may give, or take away, these roles.

    Raises:
        NotFound: the organisation has no such role.
        Forbidden: one may do more than they may.
    """
    for role in roles:
        require_within(giver, await permissions_of(scope, ports, role))


def role_name(role: RoleRef | None) -> str | None:
    """A role as the trail writes it."""
    return None if role is None else str(role)
