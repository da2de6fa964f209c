"""Sessions and their refresh tokens."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from psycopg.sql import SQL
from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.user_tables import refresh_tokens, sessions
from shared.adapters.postgres.users import FIND, WHO
from shared.domain.sessions import Ended, RefreshToken, UserSession
from shared.domain.tokens import Access, AccessClaims
from shared.domain.users import UserScope

# The functions are the clerk's: they see every user and every tenant. What they find sets the context.
ACCESS = SQL("SELECT * FROM lambent_enter_as({}, {}, {}, {}, {}, ")
SIGNED_IN = SQL(
    "SELECT s.user_id, set_config('lambent.user', s.user_id::text, true) AS context FROM lambent_session({}, {}, {}) s"
)
OF_TOKEN = text(f"{FIND} lambent_user_of_token(:wanted) u")
S, R = sessions.c, refresh_tokens.c
ADD_SESSION = insert(sessions)
SESSION = select(sessions).where((S.user_id == WHO) & (S.id == bindparam("of_id")))
LOCK_SESSION = SESSION.with_for_update(key_share=True)
LIVE = (S.user_id == WHO) & S.revoked_at.is_(None)
LIST_SESSIONS = (
    select(sessions).where(LIVE & (S.expires_at > bindparam("now"))).order_by(S.created_at.desc(), S.id.desc())
)
SAVE_SESSION = update(sessions).where((S.user_id == WHO) & (S.id == bindparam("of_id")))
FORGET_SESSIONS = delete(sessions).where((S.user_id == WHO) & (S.expires_at < bindparam("before")))
ADD_TOKEN = insert(refresh_tokens)
TOKEN = select(refresh_tokens).where((R.user_id == WHO) & (R.token_hash == bindparam("of_hash")))
USE_TOKEN = (
    update(refresh_tokens)
    .where((R.user_id == WHO) & (R.token_hash == bindparam("of_hash")))
    .values(used_at=bindparam("now"))
)
KEPT = timedelta(days=30)
"""How long an ended session is remembered, so that a token of it is known as one that was used."""


class PgSessions:
    """Storage of sessions and their refresh tokens."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: UserScope, session: UserSession, token: RefreshToken) -> None:
        """Store a new session with its first token; long ended ones of the user are removed."""
        await self._session.run(FORGET_SESSIONS, {"who": scope.user_id, "before": session.created_at - KEPT})
        values = {
            **_session_values(session),
            "user_id": scope.user_id,
            "id": session.id,
            "method": session.method,
            "client": session.client,
            "created_at": session.created_at,
        }
        await self._session.run(ADD_SESSION, values)
        await self._session.run(ADD_TOKEN, _token_values(scope, token))

    async def find(self, token_hash: str) -> tuple[UserSession, RefreshToken] | None:
        """The token with this hash and its session, locked: of two who show the same token one comes after the other.

        The transaction is its user's from then on.
        """
        user_id = await self._session.scalar(OF_TOKEN, {"wanted": token_hash})
        known = await self._session.first(TOKEN, {"who": user_id, "of_hash": token_hash})
        if known is None:
            return None
        locked = await self._session.first(LOCK_SESSION, {"who": user_id, "of_id": known.session_id})
        # Read again: whoever held the session may have used the token.
        token = await self._session.first(TOKEN, {"who": user_id, "of_hash": token_hash})
        if locked is None or token is None:
            return None
        return _session(locked), RefreshToken(
            token.user_id, token.session_id, token.token_hash, token.created_at, token.used_at
        )

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
            ahead: what was found last time in this process will do until the transaction's first statement, or its
                end, has asked; `StandingChanged` comes from there when it is not so any more.
        """
        # As with a key it is what a request begins with: it travels with BEGIN.
        asked = _asked(claims.user_id, claims.session_id, org, project, whole)
        return await self._session.stand(asked, now, _access, ahead=ahead)

    async def enter(self, claims: AccessClaims, now: datetime) -> bool:
        """Work for a signed-in user outside all tenants; False when the session or the user is not good any more."""
        asked = SIGNED_IN.format(claims.user_id, claims.session_id, now)
        return await self._session.begin(asked.as_string()) is not None

    async def rotate(self, scope: UserScope, session: UserSession, used: RefreshToken, token: RefreshToken) -> None:
        """Write the session back, note that a token was used, and add the next."""
        where = {"who": scope.user_id, "of_id": session.id}
        await self._session.run(SAVE_SESSION.values(_session_values(session)), where)
        await self._session.run(USE_TOKEN, {"who": scope.user_id, "of_hash": used.token_hash, "now": token.created_at})
        await self._session.run(ADD_TOKEN, _token_values(scope, token))

    async def get(self, scope: UserScope, session_id: UUID) -> UserSession | None:
        """One session of the user."""
        row = await self._session.first(SESSION, {"who": scope.user_id, "of_id": session_id})
        return None if row is None else _session(row)

    async def list(self, scope: UserScope, now: datetime) -> Sequence[UserSession]:
        """Sessions of the user that are live, newest first."""
        rows = await self._session.all(LIST_SESSIONS, {"who": scope.user_id, "now": now})
        return [_session(row) for row in rows]

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
        where = LIVE
        if only is not None:
            where &= S.id == only
        if keep is not None:
            where &= S.id != keep
        ended = update(sessions).where(where).values(revoked_at=now, revoked_reason=reason.value)
        return (await self._session.run(ended, {"who": scope.user_id})).rowcount


@lru_cache(256)
def _asked(who: UUID, family: UUID, org: UUID | None, project: UUID | None, whole: bool) -> str:
    """The statement up to the time. Quoting is slow, and a process is asked by the same few users again and again."""
    return ACCESS.format(who, family, org, project, whole).as_string()


def _access(row: Any) -> Access:
    return Access(
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        archived_at=row.archived_at,
        organisations=row.organisations,
        roles=tuple(row.roles or ()),
        permissions=tuple(row.permissions or ()),
        readers=frozenset(filter(None, row.names.split(","))),
    )


def _session_values(session: UserSession) -> dict[str, object]:
    return {
        "address": session.address,
        "used_at": session.used_at,
        "expires_at": session.expires_at,
        "revoked_at": session.revoked_at,
        "revoked_reason": session.revoked_reason,
    }


def _session(row: Any) -> UserSession:
    return UserSession(
        id=row.id,
        user_id=row.user_id,
        method=row.method,
        client=row.client,
        address=row.address,
        created_at=row.created_at,
        used_at=row.used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_reason=row.revoked_reason,
    )


def _token_values(scope: UserScope, token: RefreshToken) -> dict[str, object]:
    return {
        "user_id": scope.user_id,
        "token_hash": token.token_hash,
        "session_id": token.session_id,
        "created_at": token.created_at,
        "used_at": token.used_at,
    }
