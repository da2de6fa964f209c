"""Messages that leave with the change that causes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.adapters.memory.turns import in_turn
from shared.domain.errors import Conflict
from shared.domain.events import Outgoing
from shared.domain.tenants import TenantScope


@dataclass(frozen=True, slots=True)
class Kept:
    """A message and when it was added."""

    message: Outgoing
    added_at: datetime


class MemoryOutbox:
    """Storage of messages not yet sent."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._added: list[Outgoing] = []

    async def add(self, scope: TenantScope, message: Outgoing, now: datetime) -> None:
        """Keep the message with the transaction."""
        if self._transaction.get("outbox", scope.tenant_id, (message.id,)) is not None:
            raise Conflict("something with the same key exists already", code="already_exists")
        await self._transaction.put("outbox", scope.tenant_id, (message.id,), Kept(message, now))
        self._added.append(message)

    def added(self) -> Sequence[Outgoing]:
        """What this transaction added, for the door to send after the commit."""
        return tuple(self._added)

    async def left_behind(self, before: datetime, limit: int) -> Sequence[Outgoing]:
        """Across tenants: messages added before `before` and still unsent, locked.

        In turns of the tenants, oldest first; rows locked by others are passed over.
        """
        rows: dict[tuple[datetime, UUID], Kept] = {
            (row.added_at, row.message.id): row
            for tenant_id, key, row in self._transaction.everyones("outbox")
            if row.added_at < before and self._transaction.free("outbox", tenant_id, key)
        }
        tenants = {row.message.id: tenant_id for tenant_id, _, row in self._transaction.everyones("outbox")}
        chosen = in_turn((tenants[place[1]], place) for place in rows)[:limit]
        for tenant_id, place in chosen:
            await self._transaction.lock("outbox", tenant_id, (place[1],))
        return [rows[place].message for _, place in chosen]

    async def sent(self, ids: Sequence[UUID]) -> None:
        """Forget messages that were sent, whichever tenant's."""
        gone = {(id,) for id in ids}
        for tenant_id, key, _ in list(self._transaction.everyones("outbox")):
            if key in gone:
                await self._transaction.remove("outbox", tenant_id, key, everyones=True)
