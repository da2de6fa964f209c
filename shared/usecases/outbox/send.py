"""Put work on the queues, through the outbox."""

import json
import math
from datetime import datetime, timedelta
from uuid import UUID

from shared.domain.documents import Document, Generation
from shared.domain.events import (
    DeliveryMessage,
    EraseMessage,
    ExtractMessage,
    GenerationMessage,
    IngestionAction,
    IngestionMessage,
    Message,
    Outgoing,
    Queue,
    SweepMessage,
    body_of,
)
from shared.domain.ingestion import STATE_QUEUES
from shared.domain.receipts import DeletionReceipt
from shared.domain.tenants import Scope, TenantScope
from shared.ports.ports import Ports

MAX_DELAY = timedelta(seconds=900)
"""SQS holds a message back 15 minutes at the most."""


async def send_step(
    scope: TenantScope,
    ports: Ports,
    document: Document,
    generation: Generation,
    *,
    delay: timedelta = timedelta(),
    granted: int = 0,
) -> None:
    """Queue the step that the generation's state waits for.

    Args:
        scope: of the tenant, whose group the message is in.
        ports: in the transaction that changes the generation.
        document: the generation's.
        generation: as it is being stored.
        delay: how long the queue holds the message back.
        granted: requests to a model set aside for it.
    """
    queue = STATE_QUEUES[generation.state]
    if queue is Queue.INGEST_EXTRACT:
        await send_extract(scope, ports, document, generation, delay=delay)
        return
    message = GenerationMessage(
        tenant_id=generation.tenant_id,
        project_id=generation.project_id,
        document_id=generation.document_id,
        generation=generation.number,
        sent_at=ports.clock.now(),
        stage=queue,
        granted=granted,
    )
    await _send(scope, ports, queue, message, delay)


async def send_extract(
    scope: TenantScope, ports: Ports, document: Document, generation: Generation, *, delay: timedelta = timedelta()
) -> None:
    """Queue the reading of a generation's upload."""
    message = ExtractMessage(
        tenant_id=generation.tenant_id,
        project_id=generation.project_id,
        document_id=generation.document_id,
        generation=generation.number,
        sent_at=ports.clock.now(),
        key=generation.source.key,
        version_id=generation.source.version_id,
        name=document.name,
        media_type=document.media_type,
    )
    await _send(scope, ports, Queue.INGEST_EXTRACT, message, delay)


async def send_sweep(scope: Scope, ports: Ports, document_id: UUID, *, delay: timedelta = timedelta()) -> None:
    """Queue the removal of what a document no longer needs."""
    message = SweepMessage(
        tenant_id=scope.tenant_id, project_id=scope.project_id, document_id=document_id, sent_at=ports.clock.now()
    )
    await _send(scope, ports, Queue.SWEEP, message, delay)


async def send_ingestion(
    scope: Scope,
    ports: Ports,
    ingestion_id: UUID,
    action: IngestionAction,
    *,
    asked_at: datetime,
    after: UUID | None = None,
    rounds: int = 0,
    delay: timedelta = timedelta(),
) -> None:
    """Queue something to be done to the documents of a run."""
    message = IngestionMessage(
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        ingestion_id=ingestion_id,
        action=action,
        sent_at=ports.clock.now(),
        asked_at=asked_at,
        after=after,
        rounds=rounds,
    )
    await _send(scope, ports, Queue.STEER_INGESTION, message, delay)


async def send_erase(
    scope: TenantScope, ports: Ports, receipt: DeletionReceipt, *, delay: timedelta = timedelta()
) -> None:
    """Queue the next step of a larger delete."""
    message = EraseMessage(
        tenant_id=scope.tenant_id, receipt_id=receipt.id, step=receipt.steps, sent_at=ports.clock.now()
    )
    await _send(scope, ports, Queue.SWEEP, message, delay)


async def send_delivery(scope: Scope, ports: Ports, delivery_id: UUID, tries: int) -> None:
    """Queue an attempt at a delivery that has had so many."""
    message = DeliveryMessage(
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        delivery_id=delivery_id,
        tries=tries,
        sent_at=ports.clock.now(),
    )
    await _send(scope, ports, Queue.DELIVER_WEBHOOK, message, timedelta())


async def _send(scope: TenantScope, ports: Ports, queue: Queue, message: Message, delay: timedelta) -> None:
    outgoing = Outgoing(
        id=ports.ids.new(),
        queue=queue,
        group=str(scope.tenant_id),
        body=json.dumps(body_of(message), separators=(",", ":")),
        # Upwards: a message that comes early comes in vain.
        delay_seconds=math.ceil(min(delay, MAX_DELAY).total_seconds()),
    )
    await ports.outbox.add(scope, outgoing, ports.clock.now())
