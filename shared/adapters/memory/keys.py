"""API keys."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from shared.adapters.memory.access import names, role_name
from shared.adapters.memory.references import refer
from shared.adapters.memory.rights import of_role, rights
from shared.adapters.memory.rows_transaction import Key, Transaction
from shared.adapters.memory.tombstones import is_within, room_gone
from shared.domain.access import Reader, ReaderKind
from shared.domain.errors import Conflict
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.tenants import Authenticated, Credential, Permission, TenantScope

NOTED = timedelta(minutes=5)
"""How exactly the last use of a key is known."""


class MemoryKeys:
    """Storage of API keys."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: TenantScope, credential: Credential, secret_hash: str, now: datetime) -> None:
        """Store a new key by the hash of its secret."""
        if any(key == (secret_hash,) for _, key, _ in self._transaction.everyones("keys")):
            raise Conflict("something with the same key exists already", code="already_exists")
        self._transaction.require(scope.tenant_id)
        refer(
            self._transaction,
            scope.tenant_id,
            projects=credential.project_id,
            memberships=credential.user_id,
            service_accounts=credential.service_account_id,
        )
        await self._transaction.put("keys", scope.tenant_id, (secret_hash,), replace(credential, created_at=now))

    async def authenticate(
        self,
        secret_hash: str,
        now: datetime,
        *,
        project_id: UUID | None = None,
        whole: bool = False,
        ahead: bool = False,
    ) -> Authenticated | None:
        """The key with this hash, whoever's it is, whether valid or not; revoked with its project, tenant or owner.

        Its permissions are those that it has and that its owner has now. The transaction is in its tenant's context
        from then on; that it was used is noted now and then.

        Args:
            secret_hash: of the key.
            now: the time.
            project_id: where it wants to work; None: in its own project.
            whole: it wants to work on the tenant itself, in no project.
            ahead: nothing is nearer than what is so now.
        """
        for tenant_id, key, row in self._transaction.everyones("keys"):
            if key == (secret_hash,):
                self._transaction.tenant_id = tenant_id
                await self._note(key, row, now)
                return self._authenticated(row, project_id, whole)
        return None

    def _authenticated(self, row: Credential, project_id: UUID | None, whole: bool) -> Authenticated:
        wanted = project_id or row.project_id
        project = None if wanted is None else self._transaction.get("projects", row.tenant_id, (wanted,))
        live = None if project is None or project.deleted_at is not None else project.id
        gone = row.revoked_at or room_gone(self._transaction, row.tenant_id, row.project_id) or self._owner_gone(row)
        held = self._held(row, None if whole or project is None else project.id)
        permissions = row.permissions if held is None else row.permissions & held
        archived_at = None if project is None else project.archived_at
        self._transaction.admitted = self._readers(row, live)
        return Authenticated(
            replace(row, revoked_at=gone, permissions=permissions), live, archived_at, self._transaction.admitted
        )

    def _readers(self, row: Credential, project_id: UUID | None) -> frozenset[str]:
        """The names by which access lists admit whoever the key acts for; of nobody's key its own."""
        if row.user_id is not None:
            return names(self._transaction, row.tenant_id, row.user_id, project_id)
        if row.service_account_id is None:
            return frozenset({Reader(ReaderKind.KEY, str(row.id)).name})
        account = self._transaction.get("service_accounts", row.tenant_id, (row.service_account_id,))
        if account.disabled_at is not None or account.project_id not in (None, project_id):
            return frozenset()
        own = Reader(ReaderKind.SERVICE_ACCOUNT, str(account.id))
        return frozenset({own.name, role_name(account.role).name})

    def _owner_gone(self, row: Credential) -> datetime | None:
        moments: list[datetime | None] = []
        if row.user_id is not None:
            user = self._transaction.get("users", None, (row.user_id,))
            membership = self._transaction.get("memberships", row.tenant_id, (row.user_id,))
            moments += [user.disabled_at, membership.suspended_at]
        if row.service_account_id is not None:
            account = self._transaction.get("service_accounts", row.tenant_id, (row.service_account_id,))
            moments.append(account.disabled_at)
        return next((moment for moment in moments if moment is not None), None)

    def _held(self, row: Credential, project_id: UUID | None) -> frozenset[Permission] | None:
        """What the key's owner may do there; None: it has none."""
        if row.user_id is not None:
            return rights(self._transaction, row.tenant_id, row.user_id, project_id)
        if row.service_account_id is None:
            return None
        account = self._transaction.get("service_accounts", row.tenant_id, (row.service_account_id,))
        if account.project_id not in (None, project_id):
            return frozenset()
        return of_role(self._transaction, row.tenant_id, account.role)

    async def _note(self, key: Key, row: Credential, now: datetime) -> None:
        stale = row.last_used_at is None or row.last_used_at < now - NOTED
        if stale and row.valid(now) and self._transaction.free("keys", row.tenant_id, key):
            await self._transaction.put("keys", row.tenant_id, key, replace(row, last_used_at=now))

    async def get(self, scope: TenantScope, key_id: UUID) -> Credential | None:
        """One key of the tenant, with the permissions it was made with."""
        return next((row for _, row in self._mine(scope) if row.id == key_id), None)

    async def list(
        self, scope: TenantScope, after: After | None, limit: int, *, owner: UUID | None = None
    ) -> Sequence[Credential]:
        """Keys of the tenant, newest first; with `owner` those of one member or service account."""
        rows = [row for _, row in self._mine(scope) if owner in (None, row.user_id, row.service_account_id)]
        rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
        return [row for row in rows if after is None or (row.created_at, row.id) < (after.at, after.id)][:limit]

    async def revoke(self, scope: TenantScope, key_id: UUID, now: datetime) -> bool:
        """End a key; False: there is none, or it was ended before."""
        for key, row in self._mine(scope):
            if row.id == key_id and row.revoked_at is None:
                await self._transaction.put("keys", scope.tenant_id, key, replace(row, revoked_at=now))
                return True
        return False

    def _mine(self, scope: TenantScope) -> Sequence[tuple[Key, Credential]]:
        return [*self._transaction.items("keys", scope.tenant_id)]

    async def purge(self, scope: TenantScope, subject: Subject) -> int:
        """Remove the keys of a deleted project or tenant; returns how many."""
        rows = list(self._transaction.items("keys", scope.tenant_id))
        doomed = [key for key, row in rows if is_within(row, subject)]
        for key in doomed:
            await self._transaction.remove("keys", scope.tenant_id, key)
        return len(doomed)
