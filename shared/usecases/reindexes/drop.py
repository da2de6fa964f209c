"""Remove an index that nobody searches any more."""

from dataclasses import replace
from uuid import UUID

import structlog

from shared.domain.documents import GenerationState, advance
from shared.domain.indexes import IndexState, seen_through
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.ingest.stage import save
from shared.usecases.ingest.sweep import listed_late

log = structlog.get_logger()

BATCH = 50
TERMS = 10_000


async def drop(scope: Scope, ports: Ports, index_id: UUID) -> bool:
    """Stop what is under way for a dropping index and sweep some of its documents; True when nothing is left.

    Repeating it changes nothing.
    """
    scope.require(Permission.DOCUMENTS_DELETE)
    index = await ports.indexes.get(scope, index_id, lock=True)
    if index is None or index.state is not IndexState.DROPPING:
        return True
    collection = await ports.collections.get(scope, index.collection_id, deleted=True)
    if collection is None:
        return True
    now = ports.clock.now()
    under_way = await ports.indexes.generations(scope, index, BATCH)
    for generation in under_way:
        # Whoever works on it is fenced off: its results are not written.
        found = await ports.documents.lock_with(scope, generation.document_id, generation.number)
        if found is not None and not found[1].terminal:
            await save(scope, ports, found[0], advance(found[1], GenerationState.SUPERSEDED, now, due=None))
    seen = seen_through(collection, index)
    left = await ports.indexes.remains(scope, index, BATCH)
    for document_id in left:
        document = await ports.documents.lock(scope, document_id)
        late = {} if document is None else await listed_late(scope, ports, document)
        hashes = await ports.chunks.hashes(scope, document_id)
        await ports.vectors.delete(scope, seen, document_id, keep=None, known=late.get(index.id, ()))
        await ports.indexes.forget(scope, index, document_id)
        await ports.keywords.discard(scope, index.id, document_id)
        await ports.chunks.delete_from(scope, index.id, document_id, keep=None)
        await ports.cache.delete_unused(scope, hashes)
    if under_way or left:
        log.info("reindex.dropping", index_id=str(index_id), stopped=len(under_way), swept=len(left))
        return False
    if await ports.keywords.forget(scope, index.id, TERMS) > TERMS:
        return False
    await ports.vectors.retire(scope, seen)
    await ports.indexes.save(scope, replace(index, state=IndexState.DROPPED, changed_at=now))
    log.info("reindex.dropped", index_id=str(index_id))
    return True
