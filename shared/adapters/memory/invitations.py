"""Invitations."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from shared.adapters.memory.references import own_role, refer
from shared.adapters.memory.rows_transaction import Transaction
from shared.adapters.memory.tombstones import tenant_gone
from shared.domain.errors import Conflict
from shared.domain.members import Invitation
from shared.domain.pages import After
from shared.domain.tenants import TenantScope


class MemoryInvitations:
    """Storage of invitations."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: TenantScope, invitation: Invitation, token_hash: str) -> None:
        """Store a new invitation by the hash of its secret."""
        self._transaction.require(scope.tenant_id)
        refer(
            self._transaction,
            scope.tenant_id,
            roles=own_role(invitation.role),
            units=invitation.unit_id,
            projects=invitation.project_id,
        )
        if self._transaction.get("invitations.tokens", None, (token_hash,)) is not None:
            raise Conflict("something with the same key exists already", code="already_exists")
        await self._transaction.put("invitations.tokens", None, (token_hash,), (scope.tenant_id, invitation.id))
        await self._transaction.put("invitations", scope.tenant_id, (invitation.id,), invitation)

    async def get(self, scope: TenantScope, invitation_id: UUID) -> Invitation | None:
        """One invitation."""
        found: Invitation | None = self._transaction.get("invitations", scope.tenant_id, (invitation_id,))
        return found

    async def lock(self, scope: TenantScope, invitation_id: UUID) -> Invitation | None:
        """One invitation, locked until the transaction ends."""
        if await self.get(scope, invitation_id) is None:
            return None
        await self._transaction.lock("invitations", scope.tenant_id, (invitation_id,))
        return await self.get(scope, invitation_id)

    async def find(self, token_hash: str) -> Invitation | None:
        """The invitation with this secret, whoever's it is, open or not, locked until the transaction ends.

        The transaction is in its tenant's context from then on.
        """
        tenant_id, invitation_id = self._transaction.get("invitations.tokens", None, (token_hash,)) or (None, None)
        before, self._transaction.tenant_id = self._transaction.tenant_id, tenant_id or self._transaction.tenant_id
        if tenant_id is None or tenant_gone(self._transaction, tenant_id) is not None:
            self._transaction.tenant_id = before
            return None
        await self._transaction.lock("invitations", tenant_id, (invitation_id,))
        found: Invitation | None = self._transaction.get("invitations", tenant_id, (invitation_id,))
        return found

    async def list(self, scope: TenantScope, after: After | None, limit: int) -> Sequence[Invitation]:
        """Invitations, newest first."""
        rows: list[Invitation] = [row for _, row in self._transaction.items("invitations", scope.tenant_id)]
        rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
        return [row for row in rows if after is None or (row.created_at, row.id) < (after.at, after.id)][:limit]

    async def save(self, scope: TenantScope, invitation: Invitation) -> None:
        """Write back whether it was accepted, by whom, whether it was revoked, and when it expires."""
        known = await self.lock(scope, invitation.id)
        if known is not None:
            kept = replace(
                known,
                expires_at=invitation.expires_at,
                accepted_at=invitation.accepted_at,
                accepted_by=invitation.accepted_by,
                revoked_at=invitation.revoked_at,
            )
            await self._transaction.put("invitations", scope.tenant_id, (invitation.id,), kept)

    async def renew(self, scope: TenantScope, invitation_id: UUID, token_hash: str) -> None:
        """Put another secret in place of the one it has, by its hash."""
        whose = (scope.tenant_id, invitation_id)
        for key, row in list(self._transaction.items("invitations.tokens", None)):
            if row == whose:
                await self._transaction.remove("invitations.tokens", None, key)
                await self._transaction.put("invitations.tokens", None, (token_hash,), whose)
