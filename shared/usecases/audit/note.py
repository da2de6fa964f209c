"""Write down who did what: in the transaction that does it, so that neither is there without the other."""

from uuid import UUID

from shared.domain.audit import AuditEvent
from shared.domain.tenants import TenantScope
from shared.ports.ports import Ports


async def note(
    scope: TenantScope,
    ports: Ports,
    action: str,
    subject: object,
    *,
    project_id: UUID | None = None,
    **details: object,
) -> None:
    """Add an event to the trail.

    Args:
        scope: who does it, and from where.
        ports: in the transaction that does it.
        action: the thing and what happens to it: `member.removed`.
        subject: the thing's id.
        project_id: where, when it happens in one project.
        details: what else there is to say, `before` and `after`; values that JSON can carry, never a secret.
    """
    event = AuditEvent(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        at=ports.clock.now(),
        action=action,
        actor=str(scope.principal),
        subject_kind=action.partition(".")[0],
        subject_id=str(subject),
        project_id=project_id,
        address=scope.address,
        details=details,
    )
    await ports.audit.add(scope, event)
