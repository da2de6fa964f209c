"""The audit trail."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.member_tables import audit_events
from shared.adapters.postgres.statements import TENANT
from shared.domain.audit import AuditEvent
from shared.domain.pages import After
from shared.domain.tenants import TenantScope
from shared.ports.audit import AuditFilter

E = audit_events.c
ADD = insert(audit_events)
LIST = select(audit_events).where(E.tenant_id == TENANT).order_by(E.at.desc(), E.id.desc()).limit(bindparam("most"))


class PgAudit:
    """Storage of audit events: they are added and read, nothing else."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: TenantScope, *events: AuditEvent) -> None:
        """Store events."""
        if events:
            await self._session.run(ADD, [_values(scope, event) for event in events])

    async def list(
        self, scope: TenantScope, wanted: AuditFilter, after: After | None, limit: int
    ) -> Sequence[AuditEvent]:
        """Events of the tenant, newest first; a place in the order is `at` and the id."""
        statement = LIST.where(*_conditions(wanted))
        parameters: dict[str, object] = {"tenant": scope.tenant_id, "most": limit}
        if after is not None:
            place = tuple_(bindparam("after_at", type_=E.at.type), bindparam("after_id", type_=E.id.type))
            statement = statement.where(tuple_(E.at, E.id) < place)
            parameters |= {"after_at": after.at, "after_id": after.id}
        return [_event(row) for row in await self._session.all(statement, parameters)]


def _conditions(wanted: AuditFilter) -> list[Any]:
    found: list[Any] = []
    if wanted.action:
        found.append(or_(E.action == wanted.action, E.action.startswith(f"{wanted.action}.", autoescape=True)))
    named = ("actor", "subject_kind", "subject_id")
    found += [E[name] == value for name in named if (value := getattr(wanted, name))]
    if wanted.project_id is not None:
        found.append(E.project_id == wanted.project_id)
    if wanted.since is not None:
        found.append(E.at >= wanted.since)
    if wanted.until is not None:
        found.append(E.at < wanted.until)
    return found


def _values(scope: TenantScope, event: AuditEvent) -> dict[str, object]:
    return {
        "tenant_id": scope.tenant_id,
        "id": event.id,
        "at": event.at,
        "action": event.action,
        "actor": event.actor,
        "subject_kind": event.subject_kind,
        "subject_id": event.subject_id,
        "project_id": event.project_id,
        "address": event.address,
        "details": dict(event.details),
    }


def _event(row: Any) -> AuditEvent:
    return AuditEvent(
        id=row.id,
        tenant_id=row.tenant_id,
        at=row.at,
        action=row.action,
        actor=row.actor,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        project_id=row.project_id,
        address=row.address,
        details=row.details,
    )
