"""Webhook endpoints and deliveries."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.errors import Conflict
from shared.domain.pages import After
from shared.domain.tenants import Scope
from shared.domain.webhooks import Delivery, Webhook
from shared.ports.webhooks import DueDelivery


class MemoryWebhooks:
    """Storage of endpoints and deliveries."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: Scope, webhook: Webhook) -> None:
        """Store a new endpoint."""
        self._transaction.require(scope.tenant_id)
        if self._transaction.get("projects", scope.tenant_id, (scope.project_id,)) is None:
            raise Conflict("it refers to something that is not there", code="missing_reference")
        await self._transaction.put("webhooks", scope.tenant_id, (webhook.id,), webhook)

    async def get(self, scope: Scope, webhook_id: UUID) -> Webhook | None:
        """One endpoint, a deleted one too."""
        row: Webhook | None = self._transaction.get("webhooks", scope.tenant_id, (webhook_id,))
        return row if row is not None and row.project_id == scope.project_id else None

    async def lock(self, scope: Scope, webhook_id: UUID) -> Webhook | None:
        """One endpoint, a deleted one too, locked until the transaction ends."""
        if await self.get(scope, webhook_id) is None:
            return None
        await self._transaction.lock("webhooks", scope.tenant_id, (webhook_id,))
        return await self.get(scope, webhook_id)

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Webhook]:
        """Endpoints of the project that are not deleted, newest first."""
        live = [row for row in self._mine(scope) if row.deleted_at is None]
        rows = sorted(live, key=lambda row: (row.created_at, row.id), reverse=True)
        return [row for row in rows if after is None or (row.created_at, row.id) < (after.at, after.id)][:limit]

    async def save(self, scope: Scope, webhook: Webhook) -> None:
        """Write a changed endpoint back."""
        if await self.lock(scope, webhook.id) is not None:
            await self._transaction.put("webhooks", scope.tenant_id, (webhook.id,), webhook)

    async def listening(self, scope: Scope, named: UUID | None) -> Sequence[Webhook]:
        """Enabled endpoints that are told of a run: those for all runs, and the one it names; by id."""
        rows = [row for row in self._mine(scope) if row.enabled and (row.all_runs or row.id == named)]
        return sorted(rows, key=lambda row: row.id)

    async def add_delivery(self, scope: Scope, delivery: Delivery) -> None:
        """Store a new delivery."""
        self._transaction.require(scope.tenant_id)
        run = self._transaction.get("ingestions", scope.tenant_id, (delivery.ingestion_id,))
        if run is None or await self.get(scope, delivery.webhook_id) is None:
            raise Conflict("it refers to something that is not there", code="missing_reference")
        await self._transaction.put("webhook_deliveries", scope.tenant_id, (delivery.id,), delivery)

    async def lock_delivery(self, scope: Scope, delivery_id: UUID) -> Delivery | None:
        """One delivery, locked until the transaction ends."""
        if self._delivery(scope, delivery_id) is None:
            return None
        await self._transaction.lock("webhook_deliveries", scope.tenant_id, (delivery_id,))
        return self._delivery(scope, delivery_id)

    async def save_delivery(self, scope: Scope, delivery: Delivery) -> None:
        """Write a changed delivery back."""
        if await self.lock_delivery(scope, delivery.id) is not None:
            await self._transaction.put("webhook_deliveries", scope.tenant_id, (delivery.id,), delivery)

    async def deliveries(self, scope: Scope, webhook_id: UUID, after: After | None, limit: int) -> Sequence[Delivery]:
        """Deliveries to an endpoint, newest first."""
        rows: list[Delivery] = [
            row
            for _, row in self._transaction.items("webhook_deliveries", scope.tenant_id)
            if row.project_id == scope.project_id and row.webhook_id == webhook_id
        ]
        rows.sort(key=lambda row: (row.created_at, row.id), reverse=True)
        return [row for row in rows if after is None or (row.created_at, row.id) < (after.at, after.id)][:limit]

    async def due(self, now: datetime, limit: int) -> Sequence[DueDelivery]:
        """Across tenants: deliveries whose `due_at` has passed, the longest overdue first. Ids only."""
        everyone: list[Delivery] = [row for _, _, row in self._transaction.everyones("webhook_deliveries")]
        rows = sorted((row.due_at, row.id, row) for row in everyone if row.due_at is not None and row.due_at <= now)
        return [DueDelivery(row.tenant_id, row.project_id, row.id) for _, _, row in rows[:limit]]

    def _mine(self, scope: Scope) -> Sequence[Webhook]:
        rows: Sequence[Webhook] = [row for _, row in self._transaction.items("webhooks", scope.tenant_id)]
        return [row for row in rows if row.project_id == scope.project_id]

    def _delivery(self, scope: Scope, delivery_id: UUID) -> Delivery | None:
        row: Delivery | None = self._transaction.get("webhook_deliveries", scope.tenant_id, (delivery_id,))
        return row if row is not None and row.project_id == scope.project_id else None
