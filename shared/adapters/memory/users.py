"""Users: outside all tenants, each behind a wall of their own."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.errors import Conflict
from shared.domain.roles import BuiltIn
from shared.domain.users import Belonging, Identity, User, UserScope


class MemoryUsers:
    """Storage of users, their passwords and what other parties know them by."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def enter(self, scope: UserScope) -> None:
        """Work for this user from here on: who they are was proven by other means than this database."""
        self._transaction.user_id = scope.user_id

    async def find(self, email_key: str) -> User | None:
        """Whose address this is; the transaction is theirs from then on."""
        return self._entered(next((row for row in self._everyone() if row.email_key == email_key), None))

    async def find_identity(self, issuer: str, subject: str) -> User | None:
        """Whom this issuer knows by this name; the transaction is theirs from then on."""
        identity = self._transaction.get("identities", None, (issuer, subject))
        return self._entered(None if identity is None else self._transaction.get("users", None, (identity.user_id,)))

    async def add(self, scope: UserScope, user: User, password_hash: str | None) -> None:
        """Store a new user; the transaction is theirs from then on.

        Raises:
            Conflict: somebody has the address; the transaction is over then.
        """
        await self.enter(scope)
        await self._free_email(user)
        await self._transaction.put("users", None, (scope.user_id,), user)
        if password_hash is not None:
            await self.set_password(scope, password_hash, user.created_at)

    async def get(self, scope: UserScope) -> User | None:
        """The user."""
        if not self._visible(scope.user_id):
            return None
        found: User | None = self._transaction.get("users", None, (scope.user_id,))
        return found

    async def lock(self, scope: UserScope) -> User | None:
        """The user, locked until the transaction ends."""
        if not self._own(scope):
            return None
        await self._transaction.lock("users", None, (scope.user_id,))
        return await self.get(scope)

    async def save(self, scope: UserScope, user: User) -> None:
        """Write the changed user back.

        Raises:
            Conflict: somebody else has the address; the transaction is over then.
        """
        known = await self.lock(scope)
        if known is not None:
            await self._free_email(user)
            kept = replace(user, id=known.id, created_at=known.created_at)
            await self._transaction.put("users", None, (scope.user_id,), kept)

    async def password(self, scope: UserScope) -> str | None:
        """The hash of the user's password; None when they have none."""
        if not self._own(scope):
            return None
        found: str | None = self._transaction.get("passwords", None, (scope.user_id,))
        return found

    async def set_password(self, scope: UserScope, password_hash: str, now: datetime) -> None:
        """Store another one in its place."""
        self._transaction.require_user(scope.user_id)
        await self._transaction.put("passwords", None, (scope.user_id,), password_hash)

    async def link(self, scope: UserScope, identity: Identity) -> None:
        """Let an issuer vouch for the user.

        Raises:
            Conflict: it vouches for another by that name; the transaction is over then.
        """
        self._transaction.require_user(scope.user_id)
        key = (identity.issuer, identity.subject)
        await self._transaction.lock("identities", None, key)
        if self._transaction.get("identities", None, key) is not None:
            raise Conflict("something with the same key exists already", code="already_exists")
        await self._transaction.put("identities", None, key, identity)

    async def identities(self, scope: UserScope) -> Sequence[Identity]:
        """Who vouches for the user, the oldest first."""
        rows = [row for _, row in self._transaction.items("identities", None) if row.user_id == scope.user_id]
        return sorted(rows, key=lambda row: row.created_at) if self._own(scope) else []

    async def unlink(self, scope: UserScope, issuer: str) -> int:
        """Let an issuer vouch for the user no more; returns by how many names it did."""
        found = [one for one in await self.identities(scope) if one.issuer == issuer]
        for one in found:
            await self._transaction.remove("identities", None, (one.issuer, one.subject))
        return len(found)

    async def belongings(self, scope: UserScope) -> Sequence[Belonging]:
        """The organisations the user belongs to, the oldest membership first; deleted ones are left out."""
        tenants = {tenant_id: row for tenant_id, _, row in self._transaction.everyones("tenants")}
        names = {(tenant_id, row.id): row.name for tenant_id, _, row in self._transaction.everyones("roles")}
        found = []
        for tenant_id, _, row in self._transaction.everyones("memberships"):
            if row.user_id == self._transaction.user_id and tenants[tenant_id].deleted_at is None:
                name = row.role.value if isinstance(row.role, BuiltIn) else names.get((tenant_id, row.role), "")
                tenant = tenants[tenant_id].name
                found.append(Belonging(tenant_id, tenant, row.role, name, row.created_at, row.suspended_at))
        return sorted(found, key=lambda one: (one.created_at, one.tenant_id))

    def _entered(self, user: User | None) -> User | None:
        if user is not None:
            self._transaction.user_id = user.id
        return user

    def _everyone(self) -> Sequence[User]:
        return [row for _, row in self._transaction.items("users", None)]

    def _own(self, scope: UserScope) -> bool:
        return scope.user_id == self._transaction.user_id

    def _visible(self, user_id: UUID) -> bool:
        tenant_id = self._transaction.tenant_id
        peer = tenant_id is not None and self._transaction.get("memberships", tenant_id, (user_id,)) is not None
        return peer or user_id == self._transaction.user_id

    async def _free_email(self, user: User) -> None:
        await self._transaction.lock("users.email", None, (user.email_key,))
        if any(row.email_key == user.email_key and row.id != user.id for row in self._everyone()):
            raise Conflict("somebody has this e-mail address already", code="email_taken")
