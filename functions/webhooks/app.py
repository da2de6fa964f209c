"""Webhooks: endpoints that are told when an ingestion has completed, and what was sent to them."""

from uuid import UUID

from functions.webhooks import schemas as s
from shared.runtime.auth import Authorised
from shared.runtime.http import http_function
from shared.runtime.paging import Cursor, Limit
from shared.runtime.web import Response, Router
from shared.usecases.webhooks import manage

router = Router()


@router.post("/webhooks", status_code=201)
async def create_webhook(body: s.NewWebhook, call: Authorised) -> s.WebhookSecretOut:
    """Make an endpoint. Its secret is in this answer and nowhere else."""
    return s.WebhookSecretOut.of(await manage.create(call.scope, call.ports, **body.model_dump()))


@router.get("/webhooks")
async def list_webhooks(call: Authorised, cursor: Cursor = None, limit: Limit = 50) -> s.WebhookPage:
    """List endpoints, newest first."""
    page = await manage.list_webhooks(call.scope, call.ports, cursor=cursor, limit=limit)
    return s.WebhookPage.model_validate(page)


@router.get("/webhooks/{webhook_id}")
async def get_webhook(webhook_id: UUID, call: Authorised) -> s.WebhookOut:
    """One endpoint: whether it is told anything, and if not, why."""
    return s.WebhookOut.model_validate(await manage.get(call.scope, call.ports, webhook_id))


@router.delete("/webhooks/{webhook_id}", status_code=204)
async def delete_webhook(webhook_id: UUID, call: Authorised) -> Response:
    """Delete it; deliveries on their way end there."""
    await manage.delete(call.scope, call.ports, webhook_id)
    return Response(status_code=204)


@router.post("/webhooks/{webhook_id}/rotate")
async def rotate_secret(webhook_id: UUID, call: Authorised) -> s.WebhookSecretOut:
    """Give it another secret; both sign for a day. The new one is in this answer and nowhere else."""
    return s.WebhookSecretOut.of(await manage.rotate(call.scope, call.ports, webhook_id))


@router.post("/webhooks/{webhook_id}/enable")
async def enable_webhook(webhook_id: UUID, call: Authorised) -> s.WebhookOut:
    """Tell it again after it was disabled."""
    return s.WebhookOut.model_validate(await manage.enable(call.scope, call.ports, webhook_id))


@router.get("/webhooks/{webhook_id}/deliveries")
async def list_deliveries(
    webhook_id: UUID, call: Authorised, cursor: Cursor = None, limit: Limit = 50
) -> s.DeliveryPage:
    """What was sent to it, newest first, with every attempt."""
    page = await manage.list_deliveries(call.scope, call.ports, webhook_id, cursor=cursor, limit=limit)
    return s.DeliveryPage.model_validate(page)


@router.post("/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
async def redeliver(webhook_id: UUID, delivery_id: UUID, call: Authorised) -> s.DeliveryOut:
    """Send it once more, with the id and the body it had."""
    return s.DeliveryOut.model_validate(await manage.redeliver(call.scope, call.ports, webhook_id, delivery_id))


handler = http_function(router)
