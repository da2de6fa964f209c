"""Rows of users and of what they sign in with: outside all tenants, each behind the wall of their own user.

`find…` and `enter` open the wall for the rest of the transaction: from then on it sees this user's rows.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.attempts import Lockout
from shared.domain.sessions import Ended, RefreshToken, UserSession
from shared.domain.tickets import Ticket, TicketKind
from shared.domain.tokens import Access, AccessClaims
from shared.domain.users import Belonging, Identity, User, UserScope


class Users(Protocol):
    """Storage of users, their passwords and what other parties know them by."""

    async def enter(self, scope: UserScope) -> None:
        """Work for this user from here on: who they are was proven by other means than this database."""
        ...

    async def find(self, email_key: str) -> User | None:
        """Whose address this is; the transaction is theirs from then on."""
        ...

    async def find_identity(self, issuer: str, subject: str) -> User | None:
        """Whom this issuer knows by this name; the transaction is theirs from then on."""
        ...

    async def add(self, scope: UserScope, user: User, password_hash: str | None) -> None:
        """Store a new user; the transaction is theirs from then on.

        Raises:
            Conflict: somebody has the address.
        """
        ...

    async def get(self, scope: UserScope) -> User | None:
        """The user."""
        ...

    async def lock(self, scope: UserScope) -> User | None:
        """The user, locked until the transaction ends."""
        ...

    async def save(self, scope: UserScope, user: User) -> None:
        """Write the changed user back.

        Raises:
            Conflict: somebody else has the address; the transaction is over then.
        """
        ...

    async def password(self, scope: UserScope) -> str | None:
        """The hash of the user's password; None when they have none."""
        ...

    async def set_password(self, scope: UserScope, password_hash: str, now: datetime) -> None:
        """Store another one in its place."""
        ...

    async def link(self, scope: UserScope, identity: Identity) -> None:
        """Let an issuer vouch for the user.

        Raises:
            Conflict: it vouches for another by that name; the transaction is over then.
        """
        ...

    async def identities(self, scope: UserScope) -> Sequence[Identity]:
        """Who vouches for the user, the oldest first."""
        ...

    async def unlink(self, scope: UserScope, issuer: str) -> int:
        """Let an issuer vouch for the user no more; returns by how many names it did."""
        ...

    async def belongings(self, scope: UserScope) -> Sequence[Belonging]:
        """The organisations the user belongs to, the oldest membership first; deleted ones are left out."""
        ...


class Sessions(Protocol):
    """Storage of sessions and their refresh tokens."""

    async def add(self, scope: UserScope, session: UserSession, token: RefreshToken) -> None:
        """Store a new session with its first token; long ended ones of the user are removed."""
        ...

    async def find(self, token_hash: str) -> tuple[UserSession, RefreshToken] | None:
        """The token with this hash and its session, locked: of two who show the same token one comes after the other.

        The transaction is its user's from then on.
        """
        ...

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
        ...

    async def enter(self, claims: AccessClaims, now: datetime) -> bool:
        """Work for a signed-in user outside all tenants; False when the session or the user is not good any more."""
        ...

    async def rotate(self, scope: UserScope, session: UserSession, used: RefreshToken, token: RefreshToken) -> None:
        """Write the session back, note that a token was used, and add the next."""
        ...

    async def get(self, scope: UserScope, session_id: UUID) -> UserSession | None:
        """One session of the user."""
        ...

    async def list(self, scope: UserScope, now: datetime) -> Sequence[UserSession]:
        """Sessions of the user that are live, newest first."""
        ...

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
        ...


class Tickets(Protocol):
    """Storage of tickets. What was put there can be taken by whoever shows the secret, and seen by nobody else."""

    async def put(self, ticket: Ticket) -> None:
        """Store a ticket; some that nobody took in time are removed."""
        ...

    async def take(self, kind: TicketKind, secret_hash: str, now: datetime) -> dict[str, object] | None:
        """The payload of a ticket that has not expired. It is gone from then on: of two who ask one gets it."""
        ...


class Attempts(Protocol):
    """Counters of failed guesses, shared by all functions. Keys name nobody (`attempt_key`)."""

    async def begin(self, key: str, lockout: Lockout, now: datetime) -> float:
        """Count a guess as failed before it is looked at, so that many at once are all counted.

        Returns:
            0 when it may be looked at; else the seconds to wait, and nothing was counted.
        """
        ...

    async def wait(self, key: str, now: datetime) -> float:
        """Seconds that the next guess has to wait; 0 when it has not."""
        ...

    async def succeeded(self, key: str, *, clear: bool) -> None:
        """The guess was right: take it back, or forget all failures."""
        ...
