"""What happened to users' accounts."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from shared.adapters.postgres.engine import Session
from shared.domain.history import UserEvent
from shared.domain.pages import After
from shared.domain.users import UserScope

FORGET = text("SELECT lambent_forget_user_events(:now, 100)")
ADD = text(
    "INSERT INTO user_events (user_id, id, at, action, address, client, session_id, details, expires_at) "
    "VALUES (:user_id, :id, :at, :action, :address, :client, :session_id, CAST(:details AS jsonb), :expires_at)"
)
COLUMNS = "user_id, id, at, action, address, client, session_id, details, expires_at"
# A second condition beside the wall.
OWN = f"SELECT {COLUMNS} FROM user_events WHERE user_id = :who"
ORDER = "ORDER BY at DESC, id DESC LIMIT :most"
LIST = text(f"{OWN} {ORDER}")
LIST_AFTER = text(f"{OWN} AND (at, id) < (:at, :id) {ORDER}")


class PgHistory:
    """Storage of events: they are added and read, and gone when they expire; nothing else."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: UserScope, event: UserEvent) -> None:
        """Store an event of the transaction's user, who need not exist; some that expired, of anybody, are removed."""
        await self._session.run(FORGET, {"now": event.at})
        values = {
            "user_id": scope.user_id,
            "id": event.id,
            "at": event.at,
            "action": event.action,
            "address": event.address,
            "client": event.client,
            "session_id": event.session_id,
            "details": json.dumps(event.details),
            "expires_at": event.expires_at,
        }
        await self._session.run(ADD, values)

    async def list(self, scope: UserScope, after: After | None, limit: int) -> Sequence[UserEvent]:
        """Events of the user, newest first; a place in the order is `at` and the id."""
        given: dict[str, object] = {"who": scope.user_id, "most": limit}
        if after is None:
            rows = await self._session.all(LIST, given)
        else:
            rows = await self._session.all(LIST_AFTER, {**given, "at": after.at, "id": after.id})
        return [_event(row) for row in rows]


def _event(row: Any) -> UserEvent:
    return UserEvent(
        row.id,
        row.user_id,
        row.at,
        row.action,
        row.address,
        row.expires_at,
        row.client,
        row.session_id,
        row.details,
    )
