"""Users: outside all tenants, each behind a wall of their own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.role_refs import read_role
from shared.adapters.postgres.user_tables import identities, passwords, users
from shared.domain.errors import Conflict
from shared.domain.users import Belonging, Identity, User, UserScope

WHO: BindParameter[Any] = bindparam("who")
ENTER = text("SELECT set_config('lambent.user', :who, true)")
# The function is the clerk's: it sees every user. Whom it finds sets the context for the rest of the transaction.
FIND = "SELECT u.user_id, set_config('lambent.user', CAST(u.user_id AS text), true) AS context FROM"
OF_EMAIL = text(f"{FIND} lambent_user_of_email(:wanted) u")
OF_IDENTITY = text(f"{FIND} lambent_user_of_identity(:issuer, :subject) u")

U = users.c
# Peers can be seen too: a condition beside the wall.
USER = select(users).where(U.user_id == WHO)
LOCK_USER = USER.with_for_update(key_share=True)
ADD_USER = insert(users)
SAVE_USER = update(users).where(U.user_id == WHO)
PASSWORD = select(passwords.c.hash).where(passwords.c.user_id == WHO)
_NEW_PASSWORD = insert(passwords)
SET_PASSWORD = _NEW_PASSWORD.on_conflict_do_update(
    index_elements=[passwords.c.user_id],
    set_={"hash": _NEW_PASSWORD.excluded.hash, "changed_at": _NEW_PASSWORD.excluded.changed_at},
)
LINK = insert(identities)
IDENTITIES = select(identities).where(identities.c.user_id == WHO).order_by(identities.c.created_at)
UNLINK = delete(identities).where(identities.c.user_id == WHO, identities.c.issuer == bindparam("by"))
BELONGINGS = text(
    "SELECT tenant_id, name, role, role_id, role_name, created_at, suspended_at FROM lambent_belongings()"
)


class PgUsers:
    """Storage of users, their passwords and what other parties know them by."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def enter(self, scope: UserScope) -> None:
        """Work for this user from here on: who they are was proven by other means than this database."""
        await self._session.run(ENTER, {"who": str(scope.user_id)})

    async def find(self, email_key: str) -> User | None:
        """Whose address this is; the transaction is theirs from then on."""
        return await self._found(await self._session.scalar(OF_EMAIL, {"wanted": email_key}))

    async def find_identity(self, issuer: str, subject: str) -> User | None:
        """Whom this issuer knows by this name; the transaction is theirs from then on."""
        where = {"issuer": issuer, "subject": subject}
        return await self._found(await self._session.scalar(OF_IDENTITY, where))

    async def add(self, scope: UserScope, user: User, password_hash: str | None) -> None:
        """Store a new user; the transaction is theirs from then on.

        Raises:
            Conflict: somebody has the address; the transaction is over then.
        """
        await self.enter(scope)
        values = {**_values(user), "user_id": scope.user_id, "created_at": user.created_at}
        await _unless_taken(self._session, ADD_USER, values)
        if password_hash is not None:
            await self.set_password(scope, password_hash, user.created_at)

    async def get(self, scope: UserScope) -> User | None:
        """The user."""
        return read_user(await self._session.first(USER, {"who": scope.user_id}))

    async def lock(self, scope: UserScope) -> User | None:
        """The user, locked until the transaction ends."""
        return read_user(await self._session.first(LOCK_USER, {"who": scope.user_id}))

    async def save(self, scope: UserScope, user: User) -> None:
        """Write the changed user back.

        Raises:
            Conflict: somebody else has the address; the transaction is over then.
        """
        await _unless_taken(self._session, SAVE_USER.values(_values(user)), {"who": scope.user_id})

    async def password(self, scope: UserScope) -> str | None:
        """The hash of the user's password; None when they have none."""
        found: str | None = await self._session.scalar(PASSWORD, {"who": scope.user_id})
        return found

    async def set_password(self, scope: UserScope, password_hash: str, now: datetime) -> None:
        """Store another one in its place."""
        await self._session.run(SET_PASSWORD, {"user_id": scope.user_id, "hash": password_hash, "changed_at": now})

    async def link(self, scope: UserScope, identity: Identity) -> None:
        """Let an issuer vouch for the user.

        Raises:
            Conflict: it vouches for another by that name; the transaction is over then.
        """
        values = {
            "user_id": scope.user_id,
            "issuer": identity.issuer,
            "subject": identity.subject,
            "created_at": identity.created_at,
        }
        await self._session.run(LINK, values)

    async def identities(self, scope: UserScope) -> Sequence[Identity]:
        """Who vouches for the user, the oldest first."""
        rows = await self._session.all(IDENTITIES, {"who": scope.user_id})
        return [Identity(row.user_id, row.issuer, row.subject, row.created_at) for row in rows]

    async def unlink(self, scope: UserScope, issuer: str) -> int:
        """Let an issuer vouch for the user no more; returns by how many names it did."""
        return (await self._session.run(UNLINK, {"who": scope.user_id, "by": issuer})).rowcount

    async def belongings(self, scope: UserScope) -> Sequence[Belonging]:
        """The organisations the user belongs to, the oldest membership first; deleted ones are left out."""
        return [
            Belonging(
                tenant_id=row.tenant_id,
                name=row.name,
                role=read_role(row),
                role_name=row.role or row.role_name or "",
                created_at=row.created_at,
                suspended_at=row.suspended_at,
            )
            for row in await self._session.all(BELONGINGS)
        ]

    async def _found(self, user_id: UUID | None) -> User | None:
        # Asked for whether there is one or not, so that the answer takes as long.
        return read_user(await self._session.first(USER, {"who": user_id}))


async def _unless_taken(session: Session, statement: Any, parameters: dict[str, object]) -> None:
    try:
        await session.run(statement, parameters)
    except Conflict as error:
        raise Conflict("somebody has this e-mail address already", code="email_taken") from error


def _values(user: User) -> dict[str, object]:
    return {
        "email": user.email,
        "email_key": user.email_key,
        "name": user.name,
        "verified_at": user.verified_at,
        "disabled_at": user.disabled_at,
    }


def read_user(row: Any) -> User | None:
    """A user of a row of `users`, or None."""
    if row is None:
        return None
    return User(row.user_id, row.email, row.name, row.created_at, row.verified_at, row.disabled_at)
