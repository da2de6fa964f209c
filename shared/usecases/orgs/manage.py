"""Organisations as things: look at one, rename it."""

from dataclasses import replace
from uuid import UUID

from shared.domain.errors import NotFound
from shared.domain.labels import clean_name
from shared.domain.tenants import Permission, Tenant, TenantScope
from shared.ports.ports import Ports
from shared.usecases.audit.note import note


async def get(scope: TenantScope, ports: Ports) -> Tenant:
    """The caller's organisation."""
    scope.require(Permission.ORGS_READ)
    return await _own(scope, ports)


async def rename(scope: TenantScope, ports: Ports, name: str) -> Tenant:
    """Give it another name."""
    scope.require(Permission.ORGS_WRITE)
    known = await _own(scope, ports)
    changed = replace(known, name=clean_name(name))
    await ports.tenants.save(scope, changed)
    await note(scope, ports, "org.renamed", known.id, before=known.name, after=changed.name)
    return changed


async def _own(scope: TenantScope, ports: Ports) -> Tenant:
    found = await ports.tenants.get(scope)
    if found is None or found.deleted_at is not None:
        raise not_found()
    return found


def not_found() -> NotFound:
    """The answer about any organisation that is not the caller's, whether there is one or not."""
    return NotFound("no such organisation", code="tenant_not_found")


def require_own(scope: TenantScope, tenant_id: UUID) -> None:
    """See that an organisation is the caller's.

    Raises:
        NotFound: it is another's, or none.
    """
    if tenant_id != scope.tenant_id:
        raise not_found()
