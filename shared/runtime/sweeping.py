"""The scheduled sweep: everything overdue, whichever tenant's, each thing in a transaction of its own."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog

from shared import bootstrap
from shared.domain.errors import LambentError
from shared.domain.events import EraseMessage, SweepMessage
from shared.domain.tenants import (
    Permission,
    Principal,
    PrincipalKind,
    Scope,
    TenantScope,
    system_scope,
    system_tenant,
)
from shared.ports.documents import DueGeneration
from shared.ports.ports import Ports
from shared.ports.webhooks import DueDelivery
from shared.runtime.logging import bound
from shared.runtime.reconciling import reconcile_some
from shared.runtime.transactions import relay, transaction
from shared.usecases.admissions.line import admit
from shared.usecases.deletion.erase import erase, restart
from shared.usecases.ingest.outages import note
from shared.usecases.ingest.rescue import rescue
from shared.usecases.ingest.sweep import OUTBOX_SECONDS, sweep_document
from shared.usecases.webhooks.deliver import queue_again

log = structlog.get_logger()

BATCH = 200
ANSWERS = 10_000
"""Kept answers that are forgotten in one run, when they are old enough."""
BUDGET_SECONDS = 80.0
"""The schedule comes again in a minute; what is left then is found again."""


async def sweep_everything() -> None:
    """Send messages left behind, let in whose turn has come, rescue overdue generations,
    queue deliveries again, sweep deleted documents.

    What is overdue comes in turns of the tenants, so that one tenant's many do not keep the others waiting.
    """
    powers = bootstrap.powers()
    until = powers.clock.monotonic() + BUDGET_SECONDS
    async with bootstrap.transaction(None) as ports:
        await note(ports)
    sent = await send_left_behind()
    admitted = await _let_in()
    async with bootstrap.transaction(None) as ports:
        overdue = list(await ports.documents.due(powers.clock.now(), BATCH))
        deleted = list(await ports.documents.tombstoned(BATCH))
        stopped = list(await ports.receipts.due(powers.clock.now(), BATCH))
        undelivered = list(await ports.webhooks.due(powers.clock.now(), BATCH))
        await ports.rates.purge(powers.clock.now())
        await ports.idempotency.purge(powers.clock.now(), ANSWERS)
    rescued = await _each(overdue, until, rescue)
    restarted = await _restart(stopped, until)
    queued = await _each(undelivered, until, queue_again)
    swept = await _each(deleted, until, lambda scope, ports, due: sweep_document(scope, ports, due.document_id))
    if powers.clock.monotonic() < until:
        await reconcile_some()
    log.info(
        "sweep.ended",
        messages=sent,
        admitted=admitted,
        overdue=len(overdue),
        rescued=rescued,
        restarted=restarted,
        deliveries=queued,
        deleted=len(deleted),
        swept=swept,
    )


async def sweep_one(message: SweepMessage | EraseMessage) -> None:
    """Sweep one document, or do one step of a larger delete."""
    if isinstance(message, SweepMessage):
        scope = system_scope(message.tenant_id, message.project_id, "sweep")
        async with transaction(scope) as ports:
            await sweep_document(scope, ports, message.document_id)
        return
    tenant = erasing_scope(message.tenant_id)
    async with transaction(tenant) as ports:
        await erase(tenant, ports, message.receipt_id, message.step)


def erasing_scope(tenant_id: UUID) -> TenantScope:
    """What the sweep of a larger delete may do, in the whole of one tenant."""
    return TenantScope(tenant_id, Principal(PrincipalKind.SYSTEM, "sweep"), frozenset({Permission.DOCUMENTS_DELETE}))


async def _restart(stopped: Sequence[tuple[UUID, UUID]], until: float) -> int:
    """Start larger deletes again that nobody took further; one that fails does not stop the others."""
    done = 0
    for tenant_id, receipt_id in stopped:
        if bootstrap.powers().clock.monotonic() > until:
            break
        scope = erasing_scope(tenant_id)
        with bound(tenant_id=tenant_id, receipt_id=receipt_id):
            try:
                async with transaction(scope) as ports:
                    await restart(scope, ports, receipt_id)
                done += 1
            except LambentError as error:
                log.warning("sweep.failed", code=error.code, error=error.detail)
    return done


async def send_left_behind() -> int:
    """Send outbox messages whose door died between its commit and the send; returns how many."""
    before = bootstrap.powers().clock.now() - timedelta(seconds=OUTBOX_SECONDS)
    async with bootstrap.transaction(None) as ports:
        waiting = list(await ports.outbox.left_behind(before, BATCH))
    return await relay(waiting)


async def _let_in() -> int:
    """Move the lines of tenants none of whose documents is in progress any more; returns how many were let in."""
    async with bootstrap.transaction(None) as ports:
        tenants = list(await ports.admissions.waiting(BATCH))
    admitted = 0
    for tenant_id in tenants:
        scope = system_tenant(tenant_id, "sweep")
        try:
            async with transaction(scope) as ports:
                admitted += await admit(scope, ports)
        except LambentError as error:
            log.warning("sweep.failed", tenant_id=str(tenant_id), code=error.code, error=error.detail)
    return admitted


async def _each[Item: DueGeneration | DueDelivery](
    items: list[Item], until: float, handle: Callable[[Scope, Ports, Item], Awaitable[None]]
) -> int:
    """Handle each in its tenant's scope; one that fails is logged and does not stop the others.

    Returns how many were handled.
    """
    done = 0
    for item in items:
        if bootstrap.powers().clock.monotonic() > until:
            log.warning("sweep.out_of_time", left=len(items) - done)
            break
        scope = system_scope(item.tenant_id, item.project_id, "sweep")
        about = {"document_id": item.document_id} if isinstance(item, DueGeneration) else {"delivery_id": item.id}
        with bound(tenant_id=item.tenant_id, **about):
            try:
                async with transaction(scope) as ports:
                    await handle(scope, ports, item)
                done += 1
            except LambentError as error:
                log.warning("sweep.failed", code=error.code, error=error.detail)
    return done
