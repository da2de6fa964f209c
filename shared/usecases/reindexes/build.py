"""Keep the two indexes of a collection in step: what one has and the other lacks is made for it, within a budget.

Nothing is remembered between runs: what is behind is found by comparing what is committed, so an upload, a delete, a
crash or a second run need no care of their own.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog

from shared.domain.collections import Collection
from shared.domain.documents import Generation, GenerationState
from shared.domain.indexes import IN_FLIGHT, YIELD_FROM, Index, IndexState, Spent, allowance, begin_on, seen_through
from shared.domain.reindexing import CHARACTERS_PER_TOKEN
from shared.domain.tenants import Scope
from shared.ports.ports import Ports
from shared.usecases.documents.process import begin
from shared.usecases.documents.upload import recipe_of

log = structlog.get_logger()

CATCH_UP = 200
"""Documents begun at once for what is searched, or for what publishing waits for."""
BUILT = frozenset({IndexState.BUILDING, IndexState.READY, IndexState.RETIRED})


async def build(scope: Scope, ports: Ports, index_id: UUID, *, hurried: bool = False) -> int:
    """Begin what the index lacks, as much as its budget allows; returns how many documents.

    First comes what is searched: an upload that was on its way when the index was cut over is committed to the one it
    was made for, and made for the searched one from there.

    Args:
        scope: the system's, or of whoever cuts over.
        ports: in a transaction.
        index_id: which.
        hurried: publishing waits, or is about to: more at once, ahead of the line and of what is being uploaded.
    """
    index = await ports.indexes.get(scope, index_id, lock=True)
    if index is None or index.state not in BUILT:
        return 0
    collection = await ports.collections.get(scope, index.collection_id)
    live = None if collection is None else await ports.indexes.get(scope, collection.index_id)
    if collection is None or live is None or live.id == index.id:
        return 0
    for generation in await ports.indexes.behind(scope, live, index, CATCH_UP):
        await _mirror(scope, ports, collection, generation)
    if not hurried and await ports.indexes.busy(scope, index) >= YIELD_FROM:
        log.info("reindex.yields", index_id=str(index.id))
        return 0
    return await _fill(scope, ports, collection, index, live, hurried=hurried)


async def _fill(scope: Scope, ports: Ports, collection: Collection, index: Index, live: Index, *, hurried: bool) -> int:
    now = ports.clock.now()
    spent = begin_on(index.spent, now)
    in_flight = await ports.indexes.under_way(scope, index)
    at_once = CATCH_UP if hurried else IN_FLIGHT
    documents, tokens = allowance(index.budget, spent, in_flight=in_flight, at_once=at_once)
    behind = await ports.indexes.behind(scope, index, live, documents) if documents else []
    chosen = _affordable(behind, spent, tokens)
    seen = seen_through(collection, index)
    begun = [one for one in chosen if await _mirror(scope, ports, seen, one, at_once=hurried)]
    if begun:
        used = Spent(spent.day, spent.documents + len(begun), spent.tokens + sum(map(_tokens, begun)))
        await ports.indexes.save(scope, replace(index, spent=used))
        log.info("reindex.begun", index_id=str(index.id), documents=len(begun))
    return len(begun)


def _affordable(behind: Sequence[Generation], spent: Spent, tokens: int | None) -> list[Generation]:
    """As many as the tokens are enough for; a document that no day's budget is enough for is begun first on a day."""
    if tokens is None:
        return list(behind)
    chosen: list[Generation] = []
    left = tokens
    for one in behind:
        cost = _tokens(one)
        alone = not spent.tokens and not chosen
        if cost > left and not (alone and tokens > 0):
            break
        chosen.append(one)
        left -= cost
    return chosen


def _tokens(generation: Generation) -> int:
    return generation.counts.characters // CHARACTERS_PER_TOKEN


async def _mirror(scope: Scope, ports: Ports, seen: Collection, made: Generation, *, at_once: bool = False) -> bool:
    """Begin the document's generation for the index that the collection is seen through; False when it is gone."""
    document = await ports.documents.lock(scope, made.document_id)
    if document is None or document.deleted or document.committed_in(made.slot) != made.number:
        return False
    # Text is kept as long as the document; the same reader would only read it again.
    state = GenerationState.CHUNKING if made.recipe.reader == recipe_of(seen).reader else GenerationState.EXTRACTING
    await begin(scope, ports, document, seen, made, state, at_once=at_once)
    return True
