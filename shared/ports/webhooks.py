"""Rows of webhook endpoints and of what was sent to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.pages import After
from shared.domain.tenants import Scope
from shared.domain.webhooks import Delivery, Webhook


@dataclass(frozen=True, slots=True)
class DueDelivery:
    """A delivery that nobody attempts, named well enough to open its tenant's scope."""

    tenant_id: UUID
    project_id: UUID
    id: UUID


class Webhooks(Protocol):
    """Storage of endpoints and deliveries, inside the current transaction and the scope's project.

    Whoever locks both locks the delivery first.
    """

    async def add(self, scope: Scope, webhook: Webhook) -> None:
        """Store a new endpoint."""
        ...

    async def get(self, scope: Scope, webhook_id: UUID) -> Webhook | None:
        """One endpoint, a deleted one too."""
        ...

    async def lock(self, scope: Scope, webhook_id: UUID) -> Webhook | None:
        """One endpoint, a deleted one too, locked until the transaction ends."""
        ...

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Webhook]:
        """Endpoints of the project that are not deleted, newest first."""
        ...

    async def save(self, scope: Scope, webhook: Webhook) -> None:
        """Write a changed endpoint back."""
        ...

    async def listening(self, scope: Scope, named: UUID | None) -> Sequence[Webhook]:
        """Enabled endpoints that are told of a run: those for all runs, and the one it names; by id."""
        ...

    async def add_delivery(self, scope: Scope, delivery: Delivery) -> None:
        """Store a new delivery."""
        ...

    async def lock_delivery(self, scope: Scope, delivery_id: UUID) -> Delivery | None:
        """One delivery, locked until the transaction ends."""
        ...

    async def save_delivery(self, scope: Scope, delivery: Delivery) -> None:
        """Write a changed delivery back."""
        ...

    async def deliveries(self, scope: Scope, webhook_id: UUID, after: After | None, limit: int) -> Sequence[Delivery]:
        """Deliveries to an endpoint, newest first."""
        ...

    async def due(self, now: datetime, limit: int) -> Sequence[DueDelivery]:
        """Across tenants: deliveries whose `due_at` has passed, the longest overdue first. Ids only."""
        ...
