"""Webhook endpoints and deliveries."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.statements import ID, PROJECT, TENANT, page_after
from shared.adapters.postgres.webhook_tables import webhook_deliveries, webhooks
from shared.domain.pages import After
from shared.domain.tenants import Scope
from shared.domain.webhooks import Attempt, Delivery, DeliveryState, Webhook
from shared.ports.webhooks import DueDelivery

W, D = webhooks.c, webhook_deliveries.c
MINE = (W.tenant_id == TENANT) & (W.project_id == PROJECT)
SENT = (D.tenant_id == TENANT) & (D.project_id == PROJECT)

ADD = insert(webhooks)
GET = select(webhooks).where(MINE & (W.id == ID))
# Rows that refer to it may still be written.
LOCK = GET.with_for_update(key_share=True)
LIST = select(webhooks).where(MINE & W.deleted_at.is_(None))
SAVE = update(webhooks).where(MINE & (W.id == ID))
LISTENING = (
    select(webhooks)
    .where(MINE & W.deleted_at.is_(None) & W.disabled_at.is_(None) & or_(W.all_runs, W.id == bindparam("named")))
    .order_by(W.id)
)
ADD_DELIVERY = insert(webhook_deliveries)
LOCK_DELIVERY = select(webhook_deliveries).where(SENT & (D.id == ID)).with_for_update()
SAVE_DELIVERY = update(webhook_deliveries).where(SENT & (D.id == ID))
DELIVERIES = select(webhook_deliveries).where(SENT & (D.webhook_id == bindparam("webhook")))
DUE = text("SELECT tenant_id, project_id, id FROM lambent_deliveries_due(:now, :most)")


class PgWebhooks:
    """Storage of endpoints and deliveries."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: Scope, webhook: Webhook) -> None:
        """Store a new endpoint."""
        values = {**_values(webhook), **_mine(scope), "id": webhook.id}
        await self._session.run(ADD, {**values, "created_by": webhook.created_by, "created_at": webhook.created_at})

    async def get(self, scope: Scope, webhook_id: UUID) -> Webhook | None:
        """One endpoint, a deleted one too."""
        return _webhook(await self._session.first(GET, _one(scope, webhook_id)))

    async def lock(self, scope: Scope, webhook_id: UUID) -> Webhook | None:
        """One endpoint, a deleted one too, locked until the transaction ends."""
        return _webhook(await self._session.first(LOCK, _one(scope, webhook_id)))

    async def list(self, scope: Scope, after: After | None, limit: int) -> Sequence[Webhook]:
        """Endpoints of the project that are not deleted, newest first."""
        statement, place = page_after(LIST, webhooks, after, limit)
        rows = await self._session.all(statement, {"tenant": scope.tenant_id, "project": scope.project_id, **place})
        return [one for row in rows if (one := _webhook(row))]

    async def save(self, scope: Scope, webhook: Webhook) -> None:
        """Write a changed endpoint back."""
        await self._session.run(SAVE.values(_values(webhook)), _one(scope, webhook.id))

    async def listening(self, scope: Scope, named: UUID | None) -> Sequence[Webhook]:
        """Enabled endpoints that are told of a run: those for all runs, and the one it names; by id."""
        parameters = {"tenant": scope.tenant_id, "project": scope.project_id, "named": named}
        return [one for row in await self._session.all(LISTENING, parameters) if (one := _webhook(row))]

    async def add_delivery(self, scope: Scope, delivery: Delivery) -> None:
        """Store a new delivery."""
        values = {
            **_mine(scope),
            **_delivery_values(delivery),
            "id": delivery.id,
            "webhook_id": delivery.webhook_id,
            "ingestion_id": delivery.ingestion_id,
            "kind": delivery.kind,
            "body": delivery.body,
            "created_at": delivery.created_at,
        }
        await self._session.run(ADD_DELIVERY, values)

    async def lock_delivery(self, scope: Scope, delivery_id: UUID) -> Delivery | None:
        """One delivery, locked until the transaction ends."""
        row = await self._session.first(LOCK_DELIVERY, _one(scope, delivery_id))
        return None if row is None else _delivery(row)

    async def save_delivery(self, scope: Scope, delivery: Delivery) -> None:
        """Write a changed delivery back."""
        await self._session.run(SAVE_DELIVERY.values(_delivery_values(delivery)), _one(scope, delivery.id))

    async def deliveries(self, scope: Scope, webhook_id: UUID, after: After | None, limit: int) -> Sequence[Delivery]:
        """Deliveries to an endpoint, newest first."""
        statement, place = page_after(DELIVERIES, webhook_deliveries, after, limit)
        parameters = {"tenant": scope.tenant_id, "project": scope.project_id, "webhook": webhook_id, **place}
        return [_delivery(row) for row in await self._session.all(statement, parameters)]

    async def due(self, now: datetime, limit: int) -> Sequence[DueDelivery]:
        """Across tenants: deliveries whose `due_at` has passed, the longest overdue first. Ids only."""
        return [DueDelivery(*row) for row in await self._session.all(DUE, {"now": now, "most": limit})]


def _mine(scope: Scope) -> dict[str, object]:
    return {"tenant_id": scope.tenant_id, "project_id": scope.project_id}


def _one(scope: Scope, id: UUID) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "project": scope.project_id, "of_id": id}


def _values(webhook: Webhook) -> dict[str, object]:
    return {
        "url": webhook.url,
        "description": webhook.description,
        "all_runs": webhook.all_runs,
        "secret_version": webhook.secret_version,
        "rotated_at": webhook.rotated_at,
        "failing_since": webhook.failing_since,
        "disabled_at": webhook.disabled_at,
        "disabled_reason": webhook.disabled_reason,
        "deleted_at": webhook.deleted_at,
    }


def _webhook(row: Row[Any] | None) -> Webhook | None:
    if row is None:
        return None
    return Webhook(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        url=row.url,
        description=row.description,
        all_runs=row.all_runs,
        created_by=row.created_by,
        created_at=row.created_at,
        secret_version=row.secret_version,
        rotated_at=row.rotated_at,
        failing_since=row.failing_since,
        disabled_at=row.disabled_at,
        disabled_reason=row.disabled_reason,
        deleted_at=row.deleted_at,
    )


def _delivery_values(delivery: Delivery) -> dict[str, object]:
    return {
        "state": delivery.state.value,
        "due_at": delivery.due_at,
        "lease": delivery.lease,
        "lease_until": delivery.lease_until,
        "tries": delivery.tries,
        "since": delivery.since,
        "attempts": [{**asdict(one), "at": one.at.isoformat()} for one in delivery.attempts],
        "finished_at": delivery.finished_at,
    }


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        webhook_id=row.webhook_id,
        ingestion_id=row.ingestion_id,
        kind=row.kind,
        body=row.body,
        created_at=row.created_at,
        state=DeliveryState(row.state),
        due_at=row.due_at,
        lease=row.lease,
        lease_until=row.lease_until,
        tries=row.tries,
        since=row.since,
        attempts=tuple(Attempt(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in row.attempts),
        finished_at=row.finished_at,
    )
