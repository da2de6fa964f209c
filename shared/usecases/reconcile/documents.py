"""Compare documents with what the stores have of them, some at a time: nothing is missing, nothing lingers.

Vectors that are gone are put again from the tenant's own cache; what the cache does not know is told by a metric and a
line at level error, for a person to process the document again. What a later version that failed or was overtaken left
behind is removed.
"""

from uuid import UUID

import structlog

from shared.domain.chunks import ChunkVector
from shared.domain.documents import Document, Generation, GenerationState
from shared.domain.indexes import IndexState, seen_through
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.reconcile.stores import GUARD

log = structlog.get_logger()

DEAD = frozenset({GenerationState.FAILED, GenerationState.SUPERSEDED})


async def reconcile_document(scope: Scope, ports: Ports, document_id: UUID) -> bool:
    """Look after one indexed document; True when something was wrong with it."""
    scope.require(Permission.DOCUMENTS_PROCESS)
    document = await ports.documents.lock(scope, document_id)
    if document is None or document.deleted or document.committed_generation is None:
        return False
    lingering = await _lingering(scope, ports, document)
    return await _missing(scope, ports, document) or lingering


async def _lingering(scope: Scope, ports: Ports, document: Document) -> bool:
    """Remove what later generations that came to nothing have left."""
    before = ports.clock.now() - GUARD
    dead = {
        one.number: one.index or document.collection_id
        for one in await ports.documents.generations(scope, document.id)
        if one.number not in (document.committed_generation, document.standby_generation)
        and one.state in DEAD
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
    for number in chunks:
        await ports.chunks.replace(scope, dead[number], document.id, number, [])
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


def _settled(served: Generation, latest: Generation, ports: Ports) -> bool:
    """Whether nothing is on its way, and the store has had time to show what was published last."""
    at = latest.finished_at
    return latest.terminal and served.finished_at is not None and at is not None and at <= ports.clock.now() - GUARD
