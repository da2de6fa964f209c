"""Nothing stays behind.

Remove what a document no longer needs from every store, ask every store again, and write the receipt.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from shared.domain.chunks import ChunkId
from shared.domain.collections import Collection
from shared.domain.documents import PARTS_PREFIX, WORK_PREFIXES, Document, DocumentStatus, GenerationState, advance
from shared.domain.indexes import IndexState, seen_through
from shared.domain.receipts import Subject, SubjectKind, added
from shared.domain.tenants import Permission, Scope
from shared.ports.blobs import Bucket
from shared.ports.ports import Ports
from shared.usecases.deletion.sign import signed
from shared.usecases.happenings.tell import ended
from shared.usecases.outbox.send import send_sweep

log = structlog.get_logger()

SLOW = timedelta(seconds=60)
"""Until a store that still tells of what was deleted is asked again."""

OUTBOX_SECONDS = 15
"""A message unsent for this long was left behind by a door that died after its commit."""


async def sweep_document(scope: Scope, ports: Ports, document_id: UUID) -> None:
    """Remove everything of a deleted document, or what older generations left of a living one.

    Repeating it changes nothing.

    A deleted document's receipt says what went and what was left when every store was asked again; it is complete, and
    the document `deleted`, only when that is nothing.
    """
    scope.require(Permission.DOCUMENTS_DELETE)
    document = await ports.documents.lock(scope, document_id)
    if document is None:
        log.info("sweep.unknown", document_id=str(document_id))
        return
    collection = await ports.collections.get(scope, document.collection_id, deleted=True)
    if collection is None:
        log.error("sweep.no_collection", document_id=str(document_id))
        return
    if document.tombstoned_at is not None:
        await _deleted(scope, ports, document, collection)
        return
    await _parts(scope, ports, document)
    if document.gone_with is None:
        removed = await _outdated(scope, ports, document, collection)
        log.info("document.swept", document_id=str(document_id), **removed)


async def _parts(scope: Scope, ports: Ports, document: Document) -> None:
    """Remove the parts of a long file once it is read, or given up."""
    generations = await ports.documents.generations(scope, document.id)
    if not any(generation.state is GenerationState.EXTRACTING for generation in generations):
        removed = await ports.blobs.delete_prefix(Bucket.WORK, f"{PARTS_PREFIX}{document.tenant_id}/{document.id}/")
        log.info("document.parts_swept", document_id=str(document.id), parts=removed)


async def _deleted(scope: Scope, ports: Ports, document: Document, collection: Collection) -> None:
    now = ports.clock.now()
    for generation in await ports.documents.generations(scope, document.id):
        if not generation.terminal:
            overtaken = advance(generation, GenerationState.SUPERSEDED, now, due=None)
            await ports.documents.save_generation(scope, overtaken)
            await ended(scope, ports, document, overtaken)
    places = _places(document)
    hashes = await ports.chunks.hashes(scope, document.id)
    indexes = await ports.indexes.of(scope, collection.id)
    seen = [seen_through(collection, one) for one in indexes if one.state is not IndexState.DROPPED]
    citations = await ports.chats.redact(scope, document.id)
    said = Subject(SubjectKind.DOCUMENT, document.id)
    answers = await ports.idempotency.erase(scope, said)
    removed = {"citations": citations, "answers": answers, **await _everything(scope, ports, document, seen)}
    for store, bucket, prefix in places:
        removed[store] = removed.get(store, 0) + await ports.blobs.delete_prefix(bucket, prefix)
    remaining = {
        "chunks": await ports.chunks.count(scope, document.id),
        "keywords": sum([await ports.keywords.count(scope, one.index_id, document.id) for one in seen]),
        "vectors": sum([len(await ports.vectors.ids(scope, one, document.id)) for one in seen]),
        "cache": await ports.cache.count_unused(scope, hashes),
        "citations": await ports.chats.citing(scope, document.id),
        "answers": await ports.idempotency.left(scope, said),
    }
    for store, bucket, prefix in places:
        remaining[store] = remaining.get(store, 0) + await ports.blobs.count_prefix(bucket, prefix)
    await _receipt(scope, ports, document, removed, remaining)


def _places(document: Document) -> list[tuple[str, Bucket, str]]:
    """Where objects of the document may be: the name on the receipt, the bucket, the prefix."""
    own = f"{document.tenant_id}/{document.id}/"
    return [("uploads", Bucket.UPLOADS, own), *(("work", Bucket.WORK, prefix + own) for prefix in WORK_PREFIXES)]


async def _receipt(
    scope: Scope, ports: Ports, document: Document, removed: Mapping[str, int], remaining: Mapping[str, int]
) -> None:
    receipt = await ports.receipts.get(scope, document.id)
    if receipt is None:
        log.error("sweep.no_receipt", document_id=str(document.id))
        return
    now = ports.clock.now()
    empty = not any(remaining.values())
    quiet = empty and not any(removed.values())
    since = receipt.quiet_since if quiet and receipt.quiet_since is not None else now
    # Zero right after a delete proves nothing of a store that lists late: it is asked again when it must know.
    clean = empty and now >= since + ports.vectors.lag
    counted = replace(
        receipt,
        removed=added(receipt.removed, removed),
        remaining=dict(remaining),
        completed_at=(receipt.completed_at or now) if clean else None,
        quiet_since=since,
        signature=receipt.signature if clean and quiet else None,
    )
    if clean and counted.signature is None:
        counted = await signed(ports, counted)
    await ports.receipts.save(scope, counted)
    if clean:
        await _forget(scope, ports, document, now)
    else:
        # A store that is slow to forget leaves the document `deleting`: the schedule comes back to it too.
        await ports.documents.save(scope, replace(document, swept_at=None, status=DocumentStatus.DELETING))
        await send_sweep(scope, ports, document.id, delay=since + ports.vectors.lag - now if empty else SLOW)
    log.info(
        "document.deleted" if clean else "document.deleting",
        document_id=str(document.id),
        remaining=dict(remaining),
        removed=dict(counted.removed),
    )


async def _forget(scope: Scope, ports: Ports, document: Document, now: datetime) -> None:
    """Keep the tombstone, and of the document only what tells that it was there: no name, no text, no label."""
    for generation in await ports.documents.generations(scope, document.id):
        bare = replace(generation, title="", content_hash="", warnings=())
        if bare != generation:
            await ports.documents.save_generation(scope, bare)
    await ports.documents.save(
        scope,
        replace(
            document,
            swept_at=now,
            status=DocumentStatus.DELETED,
            name="",
            path="",
            title="",
            language="",
            tags=(),
            metadata={},
            content_hash="",
        ),
    )


async def _outdated(scope: Scope, ports: Ports, document: Document, collection: Collection) -> dict[str, int]:
    """What older generations left in each index."""
    hashes = await ports.chunks.hashes(scope, document.id)
    known = await listed_late(scope, ports, document)
    vectors = chunks = 0
    for index in await ports.indexes.of(scope, collection.id):
        keep = document.committed_in(index.slot)
        if index.open and keep is not None:
            seen = seen_through(collection, index)
            late = known.get(index.id, ())
            vectors += await ports.vectors.delete(scope, seen, document.id, keep=keep, known=late)
            chunks += await ports.chunks.delete_from(scope, index.id, document.id, keep=keep)
    return {"vectors": vectors, "chunks": chunks, "cache": await ports.cache.delete_unused(scope, hashes)}


async def listed_late(scope: Scope, ports: Ports, document: Document) -> Mapping[UUID, Sequence[ChunkId]]:
    """Of each index, ids of vectors that a store which lists late may have and not list yet."""
    known: dict[UUID, list[ChunkId]] = defaultdict(list)
    if ports.vectors.lag:
        made_for = {
            one.number: one.index or document.collection_id
            for one in await ports.documents.generations(scope, document.id)
        }
        for id in await ports.chunks.ids(scope, document.id):
            known[made_for[id.generation]].append(id)
    return known


async def _everything(scope: Scope, ports: Ports, document: Document, seen: Sequence[Collection]) -> dict[str, int]:
    hashes = await ports.chunks.hashes(scope, document.id)
    known = await listed_late(scope, ports, document)
    vectors = [
        await ports.vectors.delete(scope, one, document.id, keep=None, known=known.get(one.index_id, ()))
        for one in seen
    ]
    return {
        "keywords": sum([await ports.keywords.discard(scope, one.index_id, document.id) for one in seen]),
        "vectors": sum(vectors),
        "chunks": await ports.chunks.delete(scope, document.id),
        "cache": await ports.cache.delete_unused(scope, hashes),
    }
