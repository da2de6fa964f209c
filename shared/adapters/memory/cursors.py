"""Where work that is done a little at a time goes on."""

from datetime import datetime

from shared.adapters.memory.rows_transaction import Transaction


class MemoryCursors:
    """Places by name."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def get(self, name: str) -> str:
        """The place; '' at the beginning."""
        found: str | None = self._transaction.get("cursors", None, (name,))
        return found or ""

    async def now(self) -> datetime:
        """The database's time."""
        return self._transaction.now()

    async def put(self, name: str, place: str, now: datetime) -> None:
        """Remember the place."""
        await self._transaction.put("cursors", None, (name,), place)
