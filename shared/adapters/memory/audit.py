"""The audit trail."""

from collections.abc import Sequence

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.audit import AuditEvent
from shared.domain.errors import Conflict
from shared.domain.pages import After
from shared.domain.tenants import TenantScope
from shared.ports.audit import AuditFilter


class MemoryAudit:
    """Storage of audit events: they are added and read, nothing else."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: TenantScope, *events: AuditEvent) -> None:
        """Store events."""
        for event in events:
            if self._transaction.get("audit", scope.tenant_id, (event.id,)) is not None:
                raise Conflict("something with the same key exists already", code="already_exists")
            await self._transaction.put("audit", scope.tenant_id, (event.id,), event)

    async def list(
        self, scope: TenantScope, wanted: AuditFilter, after: After | None, limit: int
    ) -> Sequence[AuditEvent]:
        """Events of the tenant, newest first; a place in the order is `at` and the id."""
        rows: list[AuditEvent] = [row for _, row in self._transaction.items("audit", scope.tenant_id)]
        rows.sort(key=lambda row: (row.at, row.id), reverse=True)
        kept = [row for row in rows if after is None or (row.at, row.id) < (after.at, after.id)]
        return [row for row in kept if _wanted(row, wanted)][:limit]


def _wanted(row: AuditEvent, wanted: AuditFilter) -> bool:
    return (
        (not wanted.action or row.action == wanted.action or row.action.startswith(f"{wanted.action}."))
        and all(getattr(wanted, name) in ("", getattr(row, name)) for name in ("actor", "subject_kind", "subject_id"))
        and wanted.project_id in (None, row.project_id)
        and (wanted.since is None or row.at >= wanted.since)
        and (wanted.until is None or row.at < wanted.until)
    )
