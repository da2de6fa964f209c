"""Sessions and their refresh tokens."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.sessions import Ended, RefreshToken, UserSession
from shared.domain.users import UserScope

KEPT = timedelta(days=30)


class MemorySessions:
    """Storage of sessions and their refresh tokens."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: UserScope, session: UserSession, token: RefreshToken) -> None:
        """Store a new session with its first token; long ended ones of the user are removed."""
        self._transaction.require_user(scope.user_id)
        for one in self._mine(scope):
            if one.expires_at < session.created_at - KEPT:
                await self._forget(one)
        await self._transaction.put("sessions", None, (session.id,), session)
        await self._transaction.put("refresh_tokens", None, (token.token_hash,), token)

    async def find(self, token_hash: str) -> tuple[UserSession, RefreshToken] | None:
        """The token with this hash and its session, locked: of two who show the same token one comes after the other.

        The transaction is its user's from then on.
        """
        known: RefreshToken | None = self._transaction.get("refresh_tokens", None, (token_hash,))
        if known is None:
            return None
        self._transaction.user_id = known.user_id
        await self._transaction.lock("sessions", None, (known.session_id,))
        session = self._transaction.get("sessions", None, (known.session_id,))
        token = self._transaction.get("refresh_tokens", None, (token_hash,))
        return None if session is None or token is None else (session, token)

    async def rotate(self, scope: UserScope, session: UserSession, used: RefreshToken, token: RefreshToken) -> None:
        """Write the session back, note that a token was used, and add the next."""
        self._transaction.require_user(scope.user_id)
        known = self._transaction.get("sessions", None, (session.id,))
        kept = replace(session, method=known.method, client=known.client, created_at=known.created_at)
        await self._transaction.put("sessions", None, (session.id,), kept)
        spent = replace(used, used_at=token.created_at)
        await self._transaction.put("refresh_tokens", None, (used.token_hash,), spent)
        await self._transaction.put("refresh_tokens", None, (token.token_hash,), token)

    async def get(self, scope: UserScope, session_id: UUID) -> UserSession | None:
        """One session of the user."""
        return next((row for row in self._mine(scope) if row.id == session_id), None)

    async def list(self, scope: UserScope, now: datetime) -> Sequence[UserSession]:
        """Sessions of the user that are live, newest first."""
        live = [row for row in self._mine(scope) if row.live(now)]
        return sorted(live, key=lambda row: (row.created_at, row.id), reverse=True)

    async def revoke(
        self,
        scope: UserScope,
        reason: Ended,
        now: datetime,
        *,
        only: UUID | None = None,
        keep: UUID | None = None,
    ) -> int:
        """End sessions of the user that are not: one, or all but one, or all. Returns how many."""
        ended = 0
        for row in sorted(self._mine(scope), key=lambda row: row.id):
            if row.revoked_at is None and only in (None, row.id) and row.id != keep:
                await self._transaction.lock("sessions", None, (row.id,))
                known = self._transaction.get("sessions", None, (row.id,))
                if known is not None and known.revoked_at is None:
                    over = replace(known, revoked_at=now, revoked_reason=reason.value)
                    await self._transaction.put("sessions", None, (row.id,), over)
                    ended += 1
        return ended

    def _mine(self, scope: UserScope) -> Sequence[UserSession]:
        if scope.user_id != self._transaction.user_id:
            return []
        return [row for _, row in self._transaction.items("sessions", None) if row.user_id == scope.user_id]

    async def _forget(self, session: UserSession) -> None:
        await self._transaction.remove("sessions", None, (session.id,))
        for key, row in list(self._transaction.items("refresh_tokens", None)):
            if row.session_id == session.id:
                await self._transaction.remove("refresh_tokens", None, key)
