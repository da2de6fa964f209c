"""The sweep of a deleted collection, project or tenant, one bounded step at a time.

A step gives some documents a tombstone and a receipt of their own and has them swept, as any deleted document is, in
their tenant's turn; never more than a few hundred wait at once. When none is left it removes what was counted over
collections, chats and keys, and forgets the names. Each step queues the next; the schedule starts again what stopped.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog

from shared.domain.indexes import IndexState, seen_through
from shared.domain.receipts import (
    BACKLOG,
    BATCH,
    PACE,
    PATIENCE,
    SETTLING,
    DeletionReceipt,
    Subject,
    SubjectKind,
    added,
)
from shared.domain.tenants import Permission, Scope, TenantScope, system_scope
from shared.ports.ports import Ports
from shared.usecases.deletion.sign import signed
from shared.usecases.outbox.send import send_erase, send_sweep

log = structlog.get_logger()

COLLECTIONS = 10
TERMS = 10_000
CHATS = 100
VECTORS = 2_000
EVENTS = 5_000


async def erase(scope: TenantScope, ports: Ports, receipt_id: UUID, step: int) -> None:
    """Do step `step` of a larger delete and queue the next. A step that was done already is not done again."""
    scope.require(Permission.DOCUMENTS_DELETE)
    receipt = await ports.receipts.lock(scope, receipt_id)
    if receipt is None or receipt.due_at is None or receipt.steps != step:
        log.info("erase.not_needed", receipt_id=str(receipt_id), step=step)
        return
    left = await ports.documents.unswept(scope, receipt.subject)
    if left.living and left.tombstoned < BACKLOG:
        taken = await _tombstone(scope, ports, receipt)
        await _continued(scope, ports, replace(receipt, documents=receipt.documents + taken), taken > 0)
    elif left.living or left.tombstoned:
        await _continued(scope, ports, receipt, False)
    else:
        removed = await _rest(scope, ports, receipt.subject)
        if any(removed.values()):
            await _continued(scope, ports, replace(receipt, removed=added(receipt.removed, removed)), True)
        else:
            await _finish(scope, ports, receipt)


async def restart(scope: TenantScope, ports: Ports, receipt_id: UUID) -> None:
    """A larger delete that nobody has taken further for too long: queue its next step again."""
    scope.require(Permission.DOCUMENTS_DELETE)
    receipt = await ports.receipts.lock(scope, receipt_id)
    now = ports.clock.now()
    if receipt is None or receipt.due_at is None or now < receipt.due_at:
        return
    log.warning("erase.restarted", receipt_id=str(receipt_id), step=receipt.steps)
    await ports.receipts.save(scope, replace(receipt, due_at=now + PATIENCE))
    await send_erase(scope, ports, receipt)


async def _tombstone(scope: TenantScope, ports: Ports, parent: DeletionReceipt) -> int:
    """Documents get a tombstone and a receipt of their own, and are swept by their own messages."""
    chosen = await ports.documents.tombstone(scope, parent.subject, parent.requested_at, BATCH)
    receipts = [
        DeletionReceipt(
            id=ports.ids.new(),
            tenant_id=scope.tenant_id,
            project_id=project_id,
            subject=Subject(SubjectKind.DOCUMENT, document_id),
            requested_by=parent.requested_by,
            requested_at=parent.requested_at,
            parent_id=parent.id,
        )
        for project_id, document_id in chosen
    ]
    await ports.receipts.save(scope, *receipts)
    for project_id, document_id in chosen:
        await send_sweep(system_scope(scope.tenant_id, project_id, "erase"), ports, document_id)
    log.info("erase.tombstoned", receipt_id=str(parent.id), documents=len(chosen))
    return len(chosen)


async def _rest(scope: TenantScope, ports: Ports, subject: Subject) -> Mapping[str, int]:
    """What is of no single document, some of it: how many rows went. Nothing went: nothing is left."""
    removed = {"statistics": 0, "collections": 0, "chats": 0, "projects": 0, "keys": 0}
    for collection in await ports.collections.named(scope, subject, COLLECTIONS):
        room = _room(scope, collection.project_id)
        indexes = [one for one in await ports.indexes.of(room, collection.id) if one.state is not IndexState.DROPPED]
        gone = sum([await ports.keywords.forget(room, one.id, TERMS) for one in indexes])
        removed["statistics"] += gone
        if gone == 0:
            for index in indexes:
                await ports.vectors.retire(room, seen_through(collection, index))
                await ports.indexes.save(room, replace(index, state=IndexState.DROPPED, changed_at=ports.clock.now()))
            await ports.indexes.ask(room, collection.id, [])
            deleted_at = collection.deleted_at or ports.clock.now()
            await ports.collections.save(room, replace(collection, name="", description="", deleted_at=deleted_at))
            removed["collections"] += 1
    removed["ingestions"] = await ports.ingestions.purge(scope, subject, EVENTS)
    removed["answers"] = await ports.idempotency.erase(scope, subject)
    if any(removed.values()) or subject.kind is SubjectKind.COLLECTION:
        return removed
    removed["chats"] = await ports.chats.purge(scope, subject, CHATS)
    removed["keys"] = await ports.keys.purge(scope, subject)
    removed["members"] = await ports.members.purge(scope, subject)
    if subject.kind is SubjectKind.TENANT:
        removed["vectors"] = await ports.vectors.wipe(scope, VECTORS)
        removed["cache"] = await ports.cache.wipe(scope, VECTORS)
    for project in await ports.projects.named(scope, subject, COLLECTIONS):
        deleted_at = project.deleted_at or ports.clock.now()
        await ports.projects.save(scope, replace(project, name="", deleted_at=deleted_at))
        removed["projects"] += 1
    return removed


async def _left(scope: TenantScope, ports: Ports, subject: Subject) -> Mapping[str, int]:
    """What is still there of what is of no single document. Documents were counted for their own receipts."""
    return {
        "answers": await ports.idempotency.left(scope, subject),
        "collections": len(await ports.collections.named(scope, subject, COLLECTIONS)),
        "projects": 0
        if subject.kind is SubjectKind.COLLECTION
        else len(await ports.projects.named(scope, subject, COLLECTIONS)),
    }


async def _finish(scope: TenantScope, ports: Ports, receipt: DeletionReceipt) -> None:
    now = ports.clock.now()
    settled = receipt.requested_at + SETTLING
    if now < settled:
        await _continued(scope, ports, receipt, False, wait=settled - now)
        return
    if receipt.subject.kind is SubjectKind.TENANT:
        known = await ports.tenants.get(scope)
        if known is not None:
            await ports.tenants.save(scope, replace(known, name=""))
    totals = await ports.receipts.totals(scope, receipt.id)
    remaining = added(totals.remaining, await _left(scope, ports, receipt.subject))
    if any(remaining.values()):
        await _continued(scope, ports, replace(receipt, remaining=remaining), False)
        return
    done = replace(
        receipt,
        documents=totals.documents,
        removed=added(receipt.removed, totals.removed),
        remaining=remaining,
        completed_at=now,
        due_at=None,
    )
    await ports.receipts.save(scope, await signed(ports, done))
    log.info(
        "erase.ended",
        receipt_id=str(receipt.id),
        kind=receipt.subject.kind.value,
        documents=done.documents,
        removed=dict(done.removed),
        remaining=dict(done.remaining),
    )


async def _continued(
    scope: TenantScope, ports: Ports, receipt: DeletionReceipt, at_once: bool, *, wait: timedelta = PACE
) -> None:
    """Note the step and queue the next."""
    pause = timedelta() if at_once else wait
    following = replace(receipt, steps=receipt.steps + 1, due_at=ports.clock.now() + pause + PATIENCE)
    await ports.receipts.save(scope, following)
    await send_erase(scope, ports, following, delay=pause)


def _room(scope: TenantScope, project_id: UUID) -> Scope:
    return system_scope(scope.tenant_id, project_id, "erase")
