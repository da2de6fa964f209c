"""Deliver to a webhook: take the delivery, call without a transaction open, write down what came of it.

At least once: a worker that dies between the call and its record leaves the delivery to be tried again, under the same
id.
"""

from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from shared.domain.errors import Rejected, Unavailable
from shared.domain.events import DeliveryMessage
from shared.domain.tenants import Permission, Scope
from shared.domain.webhooks import (
    ID_HEADER,
    PATIENCE,
    SIGNATURE_HEADER,
    Attempt,
    Delivery,
    DeliveryState,
    Webhook,
    after_failure,
    began_attempt,
    failed,
    given_up,
    secret_of,
    signature,
    succeeded,
)
from shared.ports.meter import Unit
from shared.ports.ports import Ports, Powers
from shared.ports.webhooks import DueDelivery
from shared.usecases.outbox.send import send_delivery

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Taken:
    """A delivery this worker holds, and whom it goes to."""

    delivery: Delivery
    webhook: Webhook
    token: UUID
    """No two attempts share one."""


async def take(scope: Scope, ports: Ports, message: DeliveryMessage) -> Taken | None:
    """Take the delivery for an attempt.

    None when there is nothing to do: delivered, given up, taken by another, or the message is an old one.
    """
    scope.require(Permission.DOCUMENTS_PROCESS)
    delivery = await ports.webhooks.lock_delivery(scope, message.delivery_id)
    now = ports.clock.now()
    if delivery is None or delivery.state is not DeliveryState.PENDING or delivery.tries != message.tries:
        log.info("webhook.not_needed")
        return None
    if delivery.lease_until is not None and now < delivery.lease_until:
        log.info("webhook.leased")
        return None
    webhook = await ports.webhooks.get(scope, delivery.webhook_id)
    if webhook is None or not webhook.enabled:
        why = "the endpoint was deleted" if webhook is None or webhook.deleted_at else "the endpoint is disabled"
        await ports.webhooks.save_delivery(scope, given_up(delivery, why, now))
        return None
    token = ports.ids.new()
    held = began_attempt(delivery, token, now)
    await ports.webhooks.save_delivery(scope, held)
    return Taken(held, webhook, token)


async def call(powers: Powers, taken: Taken) -> Attempt:
    """Make the call, signed for this moment; whatever comes of it is an attempt."""
    now = powers.clock.now()
    secrets = [secret_of(powers.webhook_key, taken.webhook.id, version) for version in taken.webhook.versions(now)]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Lambent-Webhooks/1",
        ID_HEADER: str(taken.delivery.id),
        SIGNATURE_HEADER: signature(secrets, taken.delivery.body, now),
    }
    started = powers.clock.monotonic()
    status, error = None, ""
    try:
        reply = await powers.egress.post(taken.webhook.url, taken.delivery.body.encode(), headers)
    except (Rejected, Unavailable) as problem:
        error = problem.detail
    else:
        status = reply.status
        error = "" if 200 <= status < 300 else f"it answered {status}"
    spent = int((powers.clock.monotonic() - started) * 1000)
    powers.meter.add("webhook_ms", spent, Unit.MILLISECONDS)
    return Attempt(now, status, error, spent)


async def record(scope: Scope, ports: Ports, taken: Taken, attempt: Attempt, jitter: float) -> None:
    """Write down what came of an attempt, unless somebody else has the delivery by now.

    Args:
        scope: the worker's.
        ports: in a fresh transaction.
        taken: what the worker held.
        attempt: what came of it.
        jitter: uniformly random, 0 to 1.
    """
    delivery = await ports.webhooks.lock_delivery(scope, taken.delivery.id)
    if delivery is None or delivery.lease != taken.token:
        log.warning("webhook.fenced")
        return
    webhook = await ports.webhooks.lock(scope, delivery.webhook_id)
    if not attempt.error:
        await ports.webhooks.save_delivery(scope, succeeded(delivery, attempt))
        if webhook is not None and webhook.failing_since is not None:
            await ports.webhooks.save(scope, replace(webhook, failing_since=None))
        ports.meter.add("webhooks_delivered", 1)
        log.info("webhook.delivered", status=attempt.status, ms=attempt.milliseconds, tries=delivery.tries)
        return
    changed = webhook and after_failure(webhook, attempt.status, attempt.at)
    if changed is not None and changed != webhook:
        await ports.webhooks.save(scope, changed)
    ended = failed(delivery, attempt, jitter, last=changed is None or not changed.enabled)
    await ports.webhooks.save_delivery(scope, ended)
    ports.meter.add("webhooks_failed", 1)
    log.warning("webhook.failed", status=attempt.status, error=attempt.error, state=ended.state, tries=ended.tries)


async def queue_again(scope: Scope, ports: Ports, due: DueDelivery) -> None:
    """A delivery whose time has come, or whose message or worker was lost: queue it."""
    scope.require(Permission.DOCUMENTS_PROCESS)
    delivery = await ports.webhooks.lock_delivery(scope, due.id)
    now = ports.clock.now()
    if delivery is None or delivery.due_at is None or now < delivery.due_at:
        return
    await ports.webhooks.save_delivery(scope, replace(delivery, due_at=now + PATIENCE))
    await send_delivery(scope, ports, delivery.id, delivery.tries)
