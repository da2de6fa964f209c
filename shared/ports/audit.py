"""Rows of the audit trail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.audit import AuditEvent
from shared.domain.pages import After
from shared.domain.tenants import TenantScope


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which events; '' and None: whatever they are."""

    action: str = ""
    """An action, or the thing before the dot."""
    actor: str = ""
    subject_kind: str = ""
    subject_id: str = ""
    project_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class Audit(Protocol):
    """Storage of audit events: they are added and read, nothing else."""

    async def add(self, scope: TenantScope, *events: AuditEvent) -> None:
        """Store events."""
        ...

    async def list(
        self, scope: TenantScope, wanted: AuditFilter, after: After | None, limit: int
    ) -> Sequence[AuditEvent]:
        """Events of the tenant, newest first; a place in the order is `at` and the id."""
        ...
