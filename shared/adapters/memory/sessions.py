"""Sessions and their refresh tokens."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.adapters.memory.access import names
from shared.adapters.memory.rights import rights
from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.sessions import Ended, RefreshToken, UserSession
from shared.domain.tokens import Access, AccessClaims
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

    async def access(
        self,
        claims: AccessClaims,
        now: datetime,
        *,
        org: UUID | None,
        project: UUID | None,
        whole: bool,
        ahead: bool = False,
    ) -> Access | None:
        """What a signed-in user holds where they want to work; None when the session or the user is not good any more.

        The transaction is the user's, and in the tenant's context, from then on.

        Args:
            claims: of a token that was verified.
            now: the time.
            org: the organisation they named; None: the project's, or else their only one.
            project: the project they named; None: the organisation's only one.
            whole: they want to work on the tenant itself, in no project.
            ahead: nothing is nearer than what is so now.
        """
        if not await self.enter(claims, now):
            return None
        mine = self._organisations(claims.user_id)
        tenant_id = self._chosen(mine, org, project)
        if tenant_id is None:
            return Access(None, None, None, len(mine), (), ())
        self._transaction.tenant_id = tenant_id
        rooms = [row for _, row in self._transaction.items("projects", tenant_id) if row.deleted_at is None]
        if project is not None:
            rooms = [row for row in rooms if row.id == project]
        else:
            rooms = [row for row in rooms if row.archived_at is None and not whole]
        room = rooms[0] if len(rooms) == 1 else None
        where = None if whole or room is None else room.id
        held = rights(self._transaction, tenant_id, claims.user_id, where)
        self._transaction.admitted = names(self._transaction, tenant_id, claims.user_id, where)
        return Access(
            tenant_id,
            None if room is None else room.id,
            None if room is None else room.archived_at,
            len(mine),
            (),
            tuple(sorted(held)),
            self._transaction.admitted,
        )

    def _organisations(self, user_id: UUID) -> Sequence[UUID]:
        gone = {tenant_id for tenant_id, _, row in self._transaction.everyones("tenants") if row.deleted_at is not None}
        return [
            tenant_id
            for tenant_id, _, row in self._transaction.everyones("memberships")
            if row.user_id == user_id and row.suspended_at is None and tenant_id not in gone
        ]

    def _chosen(self, mine: Sequence[UUID], org: UUID | None, project: UUID | None) -> UUID | None:
        if org is not None:
            return org if org in mine else None
        if project is not None:
            found = [tenant_id for tenant_id, key, _ in self._transaction.everyones("projects") if key == (project,)]
            return next((tenant_id for tenant_id in found if tenant_id in mine), None)
        return mine[0] if len(mine) == 1 else None

    async def enter(self, claims: AccessClaims, now: datetime) -> bool:
        """Work for a signed-in user outside all tenants; False when the session or the user is not good any more."""
        user = self._transaction.get("users", None, (claims.user_id,))
        session = self._transaction.get("sessions", None, (claims.session_id,))
        good = user is not None and user.disabled_at is None and session is not None and session.live(now)
        if not good or session.user_id != claims.user_id:
            return False
        self._transaction.user_id = claims.user_id
        return True

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
