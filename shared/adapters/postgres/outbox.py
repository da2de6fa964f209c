"""Messages that leave with the database change that causes them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.lookup import Lookup
from shared.adapters.postgres.models import outbox
from shared.domain.events import Outgoing, Queue
from shared.domain.tenants import TenantScope

ADD = Lookup(insert(outbox), [column.name for column in outbox.columns])
LEFT_BEHIND = text("SELECT id, queue, message_group, body, delay_seconds FROM lambent_left_behind(:before, :most)")
# Its commit is not waited for: what a crash brings back is sent again, and consumers take no message twice.
SENT = "SELECT set_config('synchronous_commit', 'off', true), lambent_sent('{{{}}}'::uuid[])"


class PgOutbox:
    """Storage of messages not yet sent."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._added: list[Outgoing] = []

    async def add(self, scope: TenantScope, message: Outgoing, now: datetime) -> None:
        """Keep the message with the transaction."""
        values = {
            "tenant_id": scope.tenant_id,
            "id": message.id,
            "queue": message.queue.value,
            "message_group": message.group,
            "body": message.body,
            "delay_seconds": message.delay_seconds,
            "added_at": now,
        }
        self._session.later(ADD, values)
        self._added.append(message)

    def added(self) -> Sequence[Outgoing]:
        """What this transaction added, for the door to send after the commit."""
        return tuple(self._added)

    async def left_behind(self, before: datetime, limit: int) -> Sequence[Outgoing]:
        """Across tenants: messages added before `before` and still unsent, locked.

        In turns of the tenants, oldest first; rows locked by others are passed over.
        """
        rows = await self._session.all(LEFT_BEHIND, {"before": before, "most": limit})
        return [Outgoing(row.id, Queue(row.queue), row.message_group, row.body, row.delay_seconds) for row in rows]

    async def sent(self, ids: Sequence[UUID]) -> None:
        """Forget messages that were sent, whichever tenant's; in a transaction that does nothing else."""
        if ids:
            self._session.plainly(SENT.format(",".join(str(UUID(int=id.int)) for id in ids)))
