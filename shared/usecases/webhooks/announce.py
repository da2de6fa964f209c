"""An ingestion has completed: write down whom to tell, in the transaction in which it did."""

import json
from uuid import UUID

from shared.domain.ingestions import Happening, IngestionView, progress_of
from shared.domain.tenants import Scope
from shared.domain.webhooks import PATIENCE, Delivery, payload
from shared.ports.ports import Ports
from shared.usecases.outbox.send import send_delivery


async def announce(scope: Scope, ports: Ports, ingestion_id: UUID) -> None:
    """Queue a delivery to each endpoint that is told of this run. Once for each completion: a retry brings another."""
    run = await ports.ingestions.get(scope, ingestion_id)
    listening = await ports.webhooks.listening(scope, run.webhook_id) if run else ()
    if run is None or not listening:
        return
    now = ports.clock.now()
    view = IngestionView(run, progress_of(run, await ports.ingestions.tallies(scope, run.id)))
    for webhook in listening:
        id = ports.ids.new()
        body = json.dumps(payload(id, Happening.COMPLETED, view, now), ensure_ascii=False, separators=(",", ":"))
        delivery = Delivery(
            id=id,
            tenant_id=scope.tenant_id,
            project_id=scope.project_id,
            webhook_id=webhook.id,
            ingestion_id=run.id,
            kind=Happening.COMPLETED,
            body=body,
            created_at=now,
            due_at=now + PATIENCE,
        )
        await ports.webhooks.add_delivery(scope, delivery)
        await send_delivery(scope, ports, id, delivery.tries)
