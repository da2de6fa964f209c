"""Tickets: put in by the application, taken by whoever shows the secret."""

import json
from datetime import datetime

from sqlalchemy import text

from shared.adapters.postgres.engine import Session
from shared.domain.tickets import Ticket, TicketKind

PUT_TICKET = text(
    "INSERT INTO tickets (kind, secret_hash, payload, created_at, expires_at) "
    "VALUES (:kind, :secret_hash, CAST(:payload AS jsonb), :created_at, :expires_at)"
)
FORGET_TICKETS = text("SELECT lambent_forget_tickets(:now, 100)")
TAKE_TICKET = text("SELECT payload FROM lambent_take_ticket(:kind, :secret_hash, :now)")


class PgTickets:
    """Storage of tickets. What was put there can be taken by whoever shows the secret, and seen by nobody else."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, ticket: Ticket) -> None:
        """Store a ticket; some that nobody took in time are removed."""
        await self._session.run(FORGET_TICKETS, {"now": ticket.created_at})
        values = {
            "kind": ticket.kind.value,
            "secret_hash": ticket.secret_hash,
            "payload": json.dumps(ticket.payload),
            "created_at": ticket.created_at,
            "expires_at": ticket.expires_at,
        }
        await self._session.run(PUT_TICKET, values)

    async def take(self, kind: TicketKind, secret_hash: str, now: datetime) -> dict[str, object] | None:
        """The payload of a ticket that has not expired. It is gone from then on: of two who ask one gets it."""
        found: dict[str, object] | None = await self._session.scalar(
            TAKE_TICKET, {"kind": kind.value, "secret_hash": secret_hash, "now": now}
        )
        return found
