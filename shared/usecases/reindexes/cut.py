"""Cut over from one index to the other, and back."""

from dataclasses import replace
from uuid import UUID

import structlog

from shared.domain.collections import Collection
from shared.domain.errors import Conflict, NotFound
from shared.domain.indexes import RETENTION, Index, IndexState
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.reindexes.start import give_up

log = structlog.get_logger()

FAILED_HINT = "retry or delete those that failed, or promote despite failures: they are not found then"


async def promote(scope: Scope, ports: Ports, index_id: UUID, *, despite_failures: bool = False) -> Index:
    """Search this index from now on. Promoting what is searched already changes nothing.

    Args:
        scope: the caller's.
        ports: in a transaction.
        index_id: which.
        despite_failures: also when documents failed in it: they are not found any more, until a retry brings them in.

    Raises:
        NotFound: no such reindex.
        Conflict: it is not ready, not in step with what is searched, or its model is not configured.
    """
    scope.require(Permission.COLLECTIONS_WRITE)
    collection, index = await _held(scope, ports, index_id)
    if index.id == collection.index_id:
        return index
    if index.state not in (IndexState.READY, IndexState.RETIRED):
        raise Conflict(
            f"this reindex is {index.state.value}",
            code="not_ready",
            hint="its status tells what is missing" if index.open else "start another one",
        )
    return await _cut(scope, ports, collection, index, despite_failures=despite_failures)


async def rollback(scope: Scope, ports: Ports, index_id: UUID) -> Index:
    """Undo a reindex: give it up before the cut, search the index before it after the cut. Twice is once.

    Raises:
        NotFound: no such reindex.
        Conflict: the index before is gone, or not in step with what is searched.
    """
    scope.require(Permission.COLLECTIONS_WRITE)
    collection, index = await _held(scope, ports, index_id)
    if index.state in (IndexState.BUILDING, IndexState.READY):
        await give_up(scope, ports, index, ports.clock.now())
    elif index.id == collection.index_id:
        kept = [one for one in await ports.indexes.of(scope, collection.id) if one.state is IndexState.RETIRED]
        # Back means back: from an index that was gone back to, it does not go forth again.
        if not kept or (kept[0].created_at, kept[0].id) > (index.created_at, index.id):
            raise Conflict(
                "no earlier index is kept, so there is nothing to go back to",
                code="nothing_kept",
                hint="start a reindex with the earlier model and cut",
            )
        await _cut(scope, ports, collection, kept[0])
    return await ports.indexes.get(scope, index.id) or index


async def _held(scope: Scope, ports: Ports, index_id: UUID) -> tuple[Collection, Index]:
    """The index and its collection as they are now; nothing is published, begun or cut until the transaction ends."""
    # A cut moves every document, also those that whoever cuts may not read.
    await ports.access.everything()
    known = await ports.indexes.get(scope, index_id)
    collection = None if known is None else await ports.collections.lock(scope, known.collection_id)
    index = None if collection is None else await ports.indexes.get(scope, index_id, lock=True)
    if collection is None or index is None:
        raise NotFound("no such reindex in this project", code="reindex_not_found")
    return collection, index


async def _cut(
    scope: Scope, ports: Ports, collection: Collection, index: Index, *, despite_failures: bool = False
) -> Index:
    ports.embedders.of(index.model.name)
    live = await ports.indexes.get(scope, collection.index_id, lock=True)
    if live is None:
        raise Conflict("the searched index has no record", code="no_live_index")
    progress = await ports.indexes.progress(scope, index, live)
    if not (progress.whole or (despite_failures and progress.settled)):
        missing = progress.documents - progress.in_step
        failed = f"; {progress.failed} of them failed there" if progress.failed else ""
        raise Conflict(
            f"{missing} of {progress.documents} searched documents are not in this index as they are now{failed}",
            code="not_in_step",
            hint=FAILED_HINT if progress.failed else "they are on their way: try again soon",
        )
    now = ports.clock.now()
    if not await ports.collections.cut(scope, collection, index):
        raise Conflict("the collection was cut over meanwhile", code="cut_meanwhile", hint="look at its status")
    # The old one first: the place of an open index is taken by one at a time.
    kept = replace(
        live,
        state=IndexState.RETIRED,
        chunking=collection.chunking,
        changed_at=now,
        expires_at=now + RETENTION,
    )
    await ports.indexes.save(scope, kept)
    cut = replace(index, state=IndexState.LIVE, changed_at=now, expires_at=None, problem="")
    await ports.indexes.save(scope, cut)
    restated = await ports.indexes.restate(scope, cut)
    ports.meter.add("indexes_cut", 1)
    ids = {"collection_id": str(collection.id), "index_id": str(index.id), "before": str(live.id)}
    log.info("reindex.cut", **ids, restated=restated)
    return cut
