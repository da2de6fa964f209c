"""The first tenant, project and key of a deployment: someone must be able to come in."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from shared.domain.labels import clean_name
from shared.domain.tenants import (
    KEY_PERMISSIONS,
    Credential,
    Permission,
    Principal,
    PrincipalKind,
    Project,
    TenantScope,
)
from shared.ports.ports import Ports

KEY_PREFIX = "lam_"


@dataclass(frozen=True, slots=True)
class Owner:
    """What the one who sets up a deployment is given, once: the key is stored as a hash only."""

    tenant_id: UUID
    project_id: UUID
    api_key: str


def founding_scope(tenant_id: UUID) -> TenantScope:
    """The scope of a deployment's own set-up; no request ever has it."""
    permissions = frozenset({Permission.PROJECTS_READ, Permission.PROJECTS_WRITE})
    return TenantScope(tenant_id, Principal(PrincipalKind.SYSTEM, "bootstrap"), permissions)


async def found(scope: TenantScope, ports: Ports, *, tenant: str, project: str) -> Owner:
    """Make a tenant with one project and a key that may do everything in it.

    Args:
        scope: from `founding_scope`, with the id the new tenant is to have.
        ports: in a transaction of that tenant.
        tenant: its name.
        project: its first project's name.
    """
    now = ports.clock.now()
    await ports.tenants.ensure(scope.tenant_id, clean_name(tenant, "tenant"), now)
    first = Project(ports.ids.new(), scope.tenant_id, clean_name(project, "project"), now)
    await ports.projects.add(scope, first)
    secret = KEY_PREFIX + ports.ids.secret()
    owner = Credential(ports.ids.new(), scope.tenant_id, first.id, "owner", KEY_PERMISSIONS, None, None)
    await ports.keys.add(scope, owner, key_hash(secret), now)
    return Owner(scope.tenant_id, first.id, secret)


def key_hash(secret: str) -> str:
    """How a key is stored and found: SHA-256, hexadecimal. A key has 256 random bits, so nothing slower is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()
