"""Look at everything that waits in a project, and why."""

from datetime import timedelta

from shared.domain.backlog import Backlog
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.ingest.sweep import OUTBOX_SECONDS

MOST_LINES = 50
LONGEST = 20


async def waiting(scope: Scope, ports: Ports) -> Backlog:
    """Count what waits by step and reason, and name what has waited longest."""
    scope.require(Permission.HEALTH_READ)
    now = ports.clock.now()
    return Backlog(
        lines=await ports.backlog.lines(scope, now, MOST_LINES),
        longest=await ports.backlog.longest(scope, LONGEST),
        failed=await ports.backlog.failed(scope),
        deleting=await ports.backlog.deleting(scope),
        runs=await ports.ingestions.troubled(scope, LONGEST),
        unsent=await ports.backlog.unsent(scope, now - timedelta(seconds=OUTBOX_SECONDS)),
    )
