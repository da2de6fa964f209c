"""What happened to users' accounts."""

from collections.abc import Sequence

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.history import UserEvent
from shared.domain.pages import After
from shared.domain.users import UserScope


class MemoryHistory:
    """Storage of events: they are added and read, and gone when they expire; nothing else."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: UserScope, event: UserEvent) -> None:
        """Store an event of the transaction's user, who need not exist; some that expired, of anybody, are removed."""
        self._transaction.require_user(scope.user_id)
        for key, row in list(self._transaction.items("history", None)):
            if row.expires_at <= event.at and self._transaction.free("history", None, key):
                await self._transaction.remove("history", None, key)
        await self._transaction.put("history", None, (scope.user_id, event.id), event)

    async def list(self, scope: UserScope, after: After | None, limit: int) -> Sequence[UserEvent]:
        """Events of the user, newest first; a place in the order is `at` and the id."""
        if scope.user_id != self._transaction.user_id:
            return []
        rows: list[UserEvent] = [
            row for (user_id, _), row in self._transaction.items("history", None) if user_id == scope.user_id
        ]
        rows.sort(key=lambda row: (row.at, row.id), reverse=True)
        return [row for row in rows if after is None or (row.at, row.id) < (after.at, after.id)][:limit]
