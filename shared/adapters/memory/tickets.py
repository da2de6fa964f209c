"""Tickets: put in by whoever makes them, taken by whoever shows the secret."""

import json
from datetime import datetime

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.errors import Conflict
from shared.domain.tickets import Ticket, TicketKind


class MemoryTickets:
    """Storage of tickets. What was put there can be taken by whoever shows the secret, and seen by nobody else."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def put(self, ticket: Ticket) -> None:
        """Store a ticket; some that nobody took in time are removed."""
        for key, row in list(self._transaction.items("tickets", None)):
            if row.expires_at <= ticket.created_at and self._transaction.free("tickets", None, key):
                await self._transaction.remove("tickets", None, key)
        key = (ticket.kind, ticket.secret_hash)
        if self._transaction.get("tickets", None, key) is not None:
            raise Conflict("something with the same key exists already", code="already_exists")
        await self._transaction.put("tickets", None, key, ticket)

    async def take(self, kind: TicketKind, secret_hash: str, now: datetime) -> dict[str, object] | None:
        """The payload of a ticket that has not expired. It is gone from then on: of two who ask one gets it."""
        await self._transaction.lock("tickets", None, (kind, secret_hash))
        ticket: Ticket | None = self._transaction.get("tickets", None, (kind, secret_hash))
        if ticket is None or ticket.expires_at <= now:
            return None
        await self._transaction.remove("tickets", None, (kind, secret_hash))
        payload: dict[str, object] = json.loads(json.dumps(ticket.payload))
        return payload
