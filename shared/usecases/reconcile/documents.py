"""Compare documents with what the stores have of them, some at a time: nothing is missing, nothing lingers.

Vectors that are gone are put again from the tenant's own cache; what the cache does not know is told by a metric and a
line at level error, for a person to process the document again. What a later version that failed or was overtaken left
behind is removed. Keyword statistics count what is served, and nothing else. A file that is gone is told of.
"""

from dataclasses import replace
from uuid import UUID

import structlog

from shared.domain.chunks import ChunkVector
from shared.domain.documents import Document, Generation
from shared.domain.errors import NotFound
from shared.domain.indexes import IndexState, seen_through
from shared.domain.retrying import KEPT
from shared.domain.tenants import Permission, Scope
from shared.ports.blobs import Bucket
from shared.ports.ports import Ports
from shared.usecases.reconcile.stores import GUARD

log = structlog.get_logger()

UPLOAD_GONE = "the uploaded file is gone from the object store: it is searched as before, but cannot be read again"


async def reconcile_document(scope: Scope, ports: Ports, document_id: UUID) -> bool:
    """Look after one indexed document; True when something was wrong with it."""
    scope.require(Permission.DOCUMENTS_PROCESS)
    document = await ports.documents.lock(scope, document_id)
    if document is None or document.deleted or document.committed_generation is None:
        return False
    wrong = [await look(scope, ports, document) for look in (_lingering, _missing, _miscounted, _without_upload)]
    return any(wrong)


async def _lingering(scope: Scope, ports: Ports, document: Document) -> bool:
    """Remove what generations that came to nothing, or are no longer served, have left."""
    before = ports.clock.now() - KEPT
    dead = {
        one.number: one.index or document.collection_id
        for one in await ports.documents.generations(scope, document.id)
        if one.number not in (document.committed_generation, document.standby_generation)
        and one.terminal
        and one.finished_at is not None
        and one.finished_at <= before
    }
    collection = await ports.collections.get(scope, document.collection_id)
    if not dead or collection is None:
        return False
    indexes = [one for one in await ports.indexes.of(scope, collection.id) if one.state is not IndexState.DROPPED]
    left = [
        id
        for index in indexes
        for id in await ports.vectors.ids(scope, seen_through(collection, index), document.id)
        if id.generation in dead
    ]
    chunks = [number for number in sorted(dead) if await ports.chunks.list(scope, document.id, number, limit=1)]
    hashes = await ports.chunks.hashes(scope, document.id) if chunks else []
    for number in chunks:
        await ports.chunks.replace(scope, dead[number], document.id, number, [])
    await ports.cache.delete_unused(scope, hashes)
    if left:
        await ports.vectors.drop(scope, left)
    if left or chunks:
        ports.meter.add("store_orphans", 1)
        log.warning("reconcile.lingering", document_id=str(document.id), generations=chunks, vectors=len(left))
    return bool(left or chunks)


async def _missing(scope: Scope, ports: Ports, document: Document) -> bool:
    """Put vectors again that are not there."""
    served = await ports.documents.generation(scope, document.id, document.committed_generation or 0)
    latest = await ports.documents.generation(scope, document.id, document.latest_generation)
    collection = await ports.collections.get(scope, document.collection_id)
    if served is None or latest is None or collection is None or not _settled(served, latest, ports):
        return False
    there = set(await ports.vectors.ids(scope, collection, document.id))
    if sum(id.generation == served.number for id in there) >= served.counts.chunks:
        return False
    chunks = await ports.chunks.list(scope, document.id, served.number)
    lost = [chunk for chunk in chunks if chunk.id not in there]
    known = await ports.cache.get(scope, collection.model.name, sorted({chunk.content_hash for chunk in lost}))
    again = [ChunkVector(chunk.id, known[chunk.content_hash]) for chunk in lost if chunk.content_hash in known]
    await ports.vectors.put(scope, collection, again)
    ports.meter.add("store_entries_missing", len(lost))
    log.error("reconcile.missing", document_id=str(document.id), vectors=len(lost), repaired=len(again))
    return True


async def _miscounted(scope: Scope, ports: Ports, document: Document) -> bool:
    """Count into each index what it serves of the document, and out what it does not."""
    wrong = False
    generations = await ports.documents.generations(scope, document.id)
    for index in await ports.indexes.of(scope, document.collection_id):
        if not index.open:
            continue
        counted = set(await ports.keywords.counted(scope, index.id, document.id))
        # In its place there may still be what an index before it has served, which is being removed.
        own = {one.number for one in generations if (one.index or document.collection_id) == index.id}
        served = own & {document.committed_in(index.slot)}
        if counted == served:
            continue
        wrong = True
        for number in sorted(counted - served):
            await ports.keywords.publish(scope, index.id, document.id, add=None, remove=number)
        for number in sorted(served - counted):
            await ports.keywords.publish(scope, index.id, document.id, add=number, remove=None)
        ports.meter.add("statistics_wrong", 1)
        log.error("reconcile.miscounted", document_id=str(document.id), counted=sorted(counted), served=sorted(served))
    return wrong


async def _without_upload(scope: Scope, ports: Ports, document: Document) -> bool:
    """Tell of a file that is gone: what is searched is whole, but nobody can download it or read it again."""
    served = await ports.documents.generation(scope, document.id, document.committed_generation or 0)
    if served is None or not served.source.version_id:
        return False
    try:
        await ports.blobs.head(Bucket.UPLOADS, served.source.key, version_id=served.source.version_id)
    except NotFound:
        if UPLOAD_GONE not in served.warnings:
            await ports.documents.save_generation(scope, replace(served, warnings=(*served.warnings, UPLOAD_GONE)))
        ports.meter.add("uploads_missing", 1)
        log.error("reconcile.upload_missing", document_id=str(document.id), generation=served.number)
        return True
    return False


def _settled(served: Generation, latest: Generation, ports: Ports) -> bool:
    """Whether nothing is on its way, and the store has had time to show what was published last."""
    at = latest.finished_at
    return latest.terminal and served.finished_at is not None and at is not None and at <= ports.clock.now() - GUARD
