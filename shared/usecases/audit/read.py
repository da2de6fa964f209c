"""Read the trail of who did what."""

from dataclasses import astuple

from shared.domain.audit import AuditEvent
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.tenants import Permission, TenantScope
from shared.ports.audit import AuditFilter
from shared.ports.ports import Ports


async def list_events(
    scope: TenantScope, ports: Ports, wanted: AuditFilter, *, cursor: str | None, limit: int
) -> Page[AuditEvent]:
    """A page of events of the organisation, newest first."""
    scope.require(Permission.AUDIT_READ)
    listing = fingerprint("audit", scope.tenant_id, *astuple(wanted))
    after = decode_cursor(cursor, listing) if cursor else None
    rows = await ports.audit.list(scope, wanted, after, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.at, row.id))
