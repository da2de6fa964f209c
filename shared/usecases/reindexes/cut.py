"""Cut over from one index to the other, and back.

A cut needs a moment in which the index has all that is searched. Where uploads leave none, publishing into the searched
index is held, what is missing is begun at once, and whoever asked for the cut asks again until it has come: after a few
seconds mostly. Correctness rests on none of this: the cut itself looks, while it holds the collection.
"""

from dataclasses import replace
from uuid import UUID

import structlog

from shared.domain.collections import Collection
from shared.domain.errors import Conflict, NotFound
from shared.domain.indexes import HOLD, REST, RETENTION, Index, IndexState, Progress, begin_on, used_up
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.reindexes.build import build
from shared.usecases.reindexes.start import give_up

log = structlog.get_logger()

CAN_FOLLOW = (IndexState.READY, IndexState.RETIRED)
FAILED_HINT = "retry or delete those that failed, or promote despite failures: they are not found then"


async def promote(scope: Scope, ports: Ports, index_id: UUID, *, despite_failures: bool = False) -> Index:
    """Search this index from now on. Promoting what is searched already changes nothing.

    While something searched is on its way into it, it comes back as it was and publishing is held for it: promote it
    again, until it is live.

    Args:
        scope: the caller's.
        ports: in a transaction.
        index_id: which.
        despite_failures: also when documents failed in it: they are not found any more, until a retry brings them in.

    Raises:
        NotFound: no such reindex.
        Conflict: it is not ready, does not come in step with what is searched, or its model is not configured.
    """
    scope.require(Permission.COLLECTIONS_WRITE)
    await _follow(scope, ports, index_id)
    collection, index = await _held(scope, ports, index_id)
    if index.id == collection.index_id:
        return index
    if index.state not in CAN_FOLLOW:
        raise Conflict(
            f"this reindex is {index.state.value}",
            code="not_ready",
            hint="its status tells what is missing" if index.open else "start another one",
        )
    return await _cut(scope, ports, collection, index, despite_failures=despite_failures)


async def rollback(scope: Scope, ports: Ports, index_id: UUID) -> Index:
    """Undo a reindex: give it up before the cut, search the index before it after the cut. Twice is once.

    While something searched is on its way into the index before, it comes back live and publishing is held: ask again.

    Raises:
        NotFound: no such reindex.
        Conflict: the index before is gone, or does not come in step with what is searched.
    """
    scope.require(Permission.COLLECTIONS_WRITE)
    await _follow(scope, ports, index_id)
    collection, index = await _held(scope, ports, index_id)
    if index.state in (IndexState.BUILDING, IndexState.READY):
        await give_up(scope, ports, index, ports.clock.now())
        await ports.collections.release(scope, collection.id)
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


async def _follow(scope: Scope, ports: Ports, index_id: UUID) -> None:
    """Begin what the index beside the searched one lacks, if that may be cut over to.

    Before anything is locked that publishing locks too: it holds a document when it comes for the collection.
    """
    # A cut moves every document, also those that whoever cuts may not read.
    await ports.access.everything()
    known = await ports.indexes.get(scope, index_id)
    collection = None if known is None else await ports.collections.get(scope, known.collection_id)
    live = None if collection is None else await ports.indexes.get(scope, collection.index_id)
    for one in await ports.indexes.of(scope, live.collection_id) if live else []:
        if one.state in CAN_FOLLOW and live and (await ports.indexes.progress(scope, one, live)).missing:
            await build(scope, ports, one.id, hurried=True)


async def _held(scope: Scope, ports: Ports, index_id: UUID) -> tuple[Collection, Index]:
    """The index and its collection as they are now; nothing is published, begun or cut until the transaction ends."""
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
        await _await_missing(scope, ports, collection, index, progress, despite_failures=despite_failures)
        return index
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


async def _await_missing(
    scope: Scope,
    ports: Ports,
    collection: Collection,
    index: Index,
    progress: Progress,
    *,
    despite_failures: bool,
) -> None:
    """Hold publishing for the documents that are on their way.

    Raises:
        Conflict: waiting cannot help, or did not.
    """
    spent = begin_on(index.spent, ports.clock.now())
    hint = ""
    if not progress.missing or (progress.failed and not despite_failures):
        hint = FAILED_HINT
    elif not progress.in_flight and used_up(index.budget, spent):
        hint = "its budget of this day is used up"
    elif not await ports.collections.hold(scope, collection.id, HOLD, REST):
        hint = f"publishing waited for them in vain: try again in {REST.total_seconds():.0f} s"
    if hint:
        behind = progress.documents - progress.in_step
        failed = f"; {progress.failed} of them failed there" if progress.failed else ""
        raise Conflict(
            f"{behind} of {progress.documents} searched documents are not in this index as they are now{failed}",
            code="not_in_step",
            hint=hint,
        )
    log.info("reindex.held", index_id=str(index.id), missing=progress.missing)
