"""Service accounts."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from shared.adapters.memory.references import own_role, refer
from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.errors import Conflict
from shared.domain.members import ServiceAccount
from shared.domain.pages import After
from shared.domain.tenants import TenantScope


class MemoryServiceAccounts:
    """Storage of service accounts."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: TenantScope, account: ServiceAccount) -> None:
        """Store a new account.

        Raises:
            Conflict: there is one of this name, or no such role or project; the transaction is over then.
        """
        self._transaction.require(scope.tenant_id)
        refer(self._transaction, scope.tenant_id, roles=own_role(account.role), projects=account.project_id)
        await self._free_name(scope, account)
        await self._transaction.put("service_accounts", scope.tenant_id, (account.id,), account)

    async def get(self, scope: TenantScope, account_id: UUID) -> ServiceAccount | None:
        """One account, a disabled one too."""
        found: ServiceAccount | None = self._transaction.get("service_accounts", scope.tenant_id, (account_id,))
        return found

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[ServiceAccount]:
        """Accounts, newest first."""
        rows: list[ServiceAccount] = [row for _, row in self._transaction.items("service_accounts", scope.tenant_id)]
        rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
        return [row for row in rows if after is None or (row.created_at, row.id) < (after.at, after.id)][:limit]

    async def save(self, scope: TenantScope, account: ServiceAccount) -> None:
        """Write a changed account back.

        Raises:
            Conflict: there is another of this name; the transaction is over then.
        """
        known = await self.get(scope, account.id)
        if known is not None:
            refer(self._transaction, scope.tenant_id, roles=own_role(account.role))
            await self._free_name(scope, account)
            kept = replace(
                account, project_id=known.project_id, created_by=known.created_by, created_at=known.created_at
            )
            await self._transaction.put("service_accounts", scope.tenant_id, (account.id,), kept)

    async def remove(self, scope: TenantScope, account_id: UUID) -> bool:
        """Remove an account with its keys; False: there is none."""
        for key, row in list(self._transaction.items("keys", scope.tenant_id)):
            if row.service_account_id == account_id:
                await self._transaction.remove("keys", scope.tenant_id, key)
        return await self._transaction.remove("service_accounts", scope.tenant_id, (account_id,))

    async def _free_name(self, scope: TenantScope, account: ServiceAccount) -> None:
        await self._transaction.lock("service_accounts.name", scope.tenant_id, (account.name,))
        for row in await self.list(scope, None, 1_000_000):
            if row.name == account.name and row.id != account.id:
                raise Conflict(f"there is a service account named {account.name!r} already", code="name_taken")
