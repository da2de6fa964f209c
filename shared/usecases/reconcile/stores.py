"""Compare what the stores list with the rows, some of it at a time: nothing is in a store that no row knows of.

What belongs to no document of the tenant is removed; what belongs to a deleted one that was swept already is swept
again, which counts it. Documents have their row before anything of them is in a store, and the row stays for ever, so
an entry without a row is nobody's; only what is young is left alone, because a store may tell of it before the
database's answer has arrived.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from shared.domain.documents import WORK_PREFIXES
from shared.domain.tenants import Permission, TenantScope, system_scope
from shared.ports.blobs import Bucket
from shared.ports.ports import Ports
from shared.usecases.outbox.send import send_sweep

log = structlog.get_logger()

PAGE = 500
GUARD = timedelta(hours=1)
"""What is younger belongs to work in flight, perhaps."""
FOLDERS = ((Bucket.UPLOADS, ""), *((Bucket.WORK, prefix) for prefix in WORK_PREFIXES))


async def reconcile_objects(scope: TenantScope, ports: Ports, bucket: Bucket, folder: str) -> int:
    """A page of the tenant's objects in one folder; returns of how many documents something was too much."""
    scope.require(Permission.DOCUMENTS_DELETE)
    name, prefix = f"objects/{bucket}/{folder}{scope.tenant_id}", f"{folder}{scope.tenant_id}/"
    found, following = await ports.blobs.listed(bucket, prefix, after=await ports.cursors.get(name), limit=PAGE)
    now = ports.clock.now()
    old = (one.key.removeprefix(prefix).partition("/")[0] for one in found if one.at <= now - GUARD)
    unknown, swept = await _too_much(scope, ports, _ids(old))
    for document_id in unknown:
        gone = await ports.blobs.delete_prefix(bucket, f"{prefix}{document_id}/")
        log.warning("reconcile.orphans", store=f"{bucket}/{folder}", document_id=str(document_id), removed=gone)
    await ports.cursors.put(name, following, now)
    return len(unknown) + swept


async def reconcile_vectors(scope: TenantScope, ports: Ports) -> int:
    """A page of the tenant's vectors; returns of how many documents something was too much."""
    scope.require(Permission.DOCUMENTS_DELETE)
    name, now = f"vectors/{scope.tenant_id}", ports.clock.now()
    found, following = await ports.vectors.listed(scope, await ports.cursors.get(name), PAGE)
    old = {id.document_id for id in found if _made(id.document_id) <= now - GUARD}
    unknown, swept = await _too_much(scope, ports, sorted(old))
    orphans = [id for id in found if id.document_id in unknown]
    if orphans:
        await ports.vectors.drop(scope, orphans)
        log.warning("reconcile.orphans", store="vectors", removed=len(orphans))
    await ports.cursors.put(name, following, now)
    return len(unknown) + swept


async def reconcile_cache(scope: TenantScope, ports: Ports) -> int:
    """A page of the vectors the tenant has had made; returns how many nobody has a text for any more.

    A text is cut before it is embedded, so there is none that is young.
    """
    scope.require(Permission.DOCUMENTS_DELETE)
    name = f"cache/{scope.tenant_id}"
    found = await ports.cache.listed(scope, await ports.cursors.get(name), PAGE)
    gone = await ports.cache.delete_unused(scope, found)
    await ports.cursors.put(name, found[-1] if len(found) == PAGE else "", ports.clock.now())
    if gone:
        ports.meter.add("store_orphans", gone)
        log.warning("reconcile.orphans", store="cache", removed=gone)
    return gone


async def reconcile_statistics(scope: TenantScope, ports: Ports) -> int:
    """The totals of the tenant's keyword indexes; returns how many did not add up."""
    scope.require(Permission.DOCUMENTS_DELETE)
    wrong = await ports.keywords.recount(scope)
    if wrong:
        ports.meter.add("statistics_wrong", wrong)
        log.error("reconcile.statistics", indexes=wrong)
    return wrong


async def _too_much(scope: TenantScope, ports: Ports, document_ids: list[UUID]) -> tuple[set[UUID], int]:
    """Those without a row; and how many others are swept already and will be swept again."""
    known = await ports.documents.swept(scope, document_ids)
    swept = {document_id: project_id for document_id, (project_id, done) in known.items() if done}
    for document_id, project_id in swept.items():
        await send_sweep(system_scope(scope.tenant_id, project_id, "reconcile"), ports, document_id)
        log.warning("reconcile.swept_again", document_id=str(document_id))
    unknown = {document_id for document_id in document_ids if document_id not in known}
    if unknown or swept:
        ports.meter.add("store_orphans", len(unknown) + len(swept))
    return unknown, len(swept)


def _ids(texts: Iterable[str]) -> list[UUID]:
    """The document ids among folder names; what is none of ours is left alone, since nobody knows what it is."""
    found = set()
    for text in texts:
        try:
            found.add(UUID(text))
        except ValueError:
            log.warning("reconcile.strange_key", folder=text[:64])
    return sorted(found)


def _made(document_id: UUID) -> datetime:
    """When an id was made (version 7: 48 bits of Unix milliseconds)."""
    return datetime.fromtimestamp((document_id.int >> 80) / 1000, UTC)
