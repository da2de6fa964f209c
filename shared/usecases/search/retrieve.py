"""Find the chunks that speak of a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from shared.domain.collections import Collection
from shared.domain.errors import Conflict, NotFound
from shared.domain.filters import Filter
from shared.domain.search import LEG_DEPTH, LegHit, SearchHit, SearchMode, SearchQuery, SearchResult, fuse
from shared.domain.tenants import Permission, Scope
from shared.ports.clock import Clock
from shared.ports.embedder import Purpose
from shared.ports.meter import Unit
from shared.ports.ports import Ports, Powers

log = structlog.get_logger()

MAX_FILTERED_DOCUMENTS = 1000
"""For a vector store that cannot filter by itself: this many documents are named to it, and a filter that matches more
is refused there.
"""

DEEPER, DEEPEST = 10, 10_000
"""By how much more a store without a read gate is asked for when too little of what it named may be read, and the
most it can be asked for.
"""

STALE_FACTOR = 3
"""Over-fetch for a store without a read gate of its own: it may return older generations and deleted documents for a
while.
"""


class ModelNeeded(Exception):
    """A collection is embedded by a model that the question has no vector of yet.

    `models` are those of all collections asked, `missing` the ones without a vector.
    """

    def __init__(self, models: Mapping[UUID, str], missing: Sequence[str]) -> None:
        super().__init__(", ".join(missing))
        self.models = models
        self.missing = missing


@dataclass(frozen=True, slots=True)
class Question:
    """A query with its vector by each model it was embedded with, and what that took.

    Which model a collection is searched by is known once it is read, in the transaction; a model is asked outside of
    it. So a question is embedded by the model it will most likely be asked with, and asked again with others if need
    be.
    """

    query: SearchQuery
    vectors: Mapping[str, Sequence[float]]
    embed_ms: float = 0.0


async def embed_question(powers: Powers, query: SearchQuery, models: Sequence[str] = ()) -> Question:
    """The slow part, before any transaction is open; by the present model unless others are named.

    Raises:
        Conflict: this deployment has not one of the models.
    """
    if query.mode is SearchMode.KEYWORD:
        return Question(query, {})
    return await embed_further(powers, Question(query, {}), models or [powers.embedder.model.name])


async def embed_further(powers: Powers, question: Question, models: Sequence[str]) -> Question:
    """The question with vectors of these models too."""
    started = powers.clock.monotonic()
    vectors = dict(question.vectors)
    for model in models:
        embedded = await powers.embedders.of(model).embed([question.query.text], Purpose.QUERY)
        vectors[model] = embedded.vectors[0]
        powers.meter.add("model_tokens", embedded.tokens, kind="embedding")
    spent = (powers.clock.monotonic() - started) * 1000
    powers.meter.add("model_ms", spent, Unit.MILLISECONDS, kind="embedding")
    return Question(question.query, vectors, question.embed_ms + spent)


async def retrieve(
    scope: Scope, ports: Ports, question: Question, through: Sequence[Collection] | None = None
) -> SearchResult:
    """Both legs, fused, through the read gate.

    The indexes are settled by the first statement, and every further one names them: a cut in between changes nothing
    for this search.

    Args:
        scope: who asks.
        ports: in a transaction.
        question: with its vectors.
        through: the collections as seen through the indexes to search; None: those that are live.

    Raises:
        NotFound: a collection that is not in this project.
        ModelNeeded: a collection's index has another model than those the question is embedded by.
    """
    scope.require(Permission.SEARCH_QUERY)
    query, clock = question.query, ports.clock
    collections = through or await collections_of(scope, ports, query.collection_ids)
    models = sorted({one.model.name for one in collections})
    if query.mode is not SearchMode.KEYWORD and (missing := [one for one in models if one not in question.vectors]):
        raise ModelNeeded({one.id: one.model.name for one in collections}, missing)
    times: dict[str, float] = {"embed": question.embed_ms}
    document_ids = await _filtered(scope, ports, query)
    started = clock.monotonic()
    vector = await _vector_leg(scope, ports, collections, question, document_ids)
    times["vector"], started = _since(clock, started)
    keyword = await _keyword_leg(scope, ports, query, collections)
    times["keyword"], started = _since(clock, started)
    fused = fuse(vector, keyword, fusion=query.fusion, vector_weight=_weight(query))
    visible = await ports.chunks.visible(scope, [hit.id for hit in fused[: query.limit * STALE_FACTOR]])
    hits = [
        SearchHit(visible[hit.id], hit.score, hit.vector_score, hit.keyword_score)
        for hit in fused
        if hit.id in visible and visible[hit.id].collection_id in query.collection_ids
    ][: query.limit]
    times["gate"], _ = _since(clock, started)
    total = sum(times.values())
    ports.meter.add("search_ms", total, Unit.MILLISECONDS)
    log.info("search.answered", hits=len(hits), vector=sum(map(len, vector)), keyword=len(keyword), ms=round(total, 2))
    return SearchResult(tuple(hits), {name: round(value, 3) for name, value in times.items()}, ", ".join(models))


async def collections_of(scope: Scope, ports: Ports, collection_ids: Sequence[UUID]) -> Sequence[Collection]:
    """The named collections of this project.

    Raises:
        NotFound: naming the first that is not there.
    """
    found = {collection.id: collection for collection in await ports.collections.get_many(scope, list(collection_ids))}
    for collection_id in collection_ids:
        if collection_id not in found:
            raise NotFound(f"no collection {collection_id} in this project", code="collection_not_found")
    return list(found.values())


async def _filtered(scope: Scope, ports: Ports, query: SearchQuery) -> Sequence[UUID] | None:
    filter: Filter | None = query.filter
    if filter is None or ports.vectors.filters or query.mode is SearchMode.KEYWORD:
        return None
    ids = await ports.documents.matching_ids(scope, query.collection_ids, filter, MAX_FILTERED_DOCUMENTS + 1)
    if len(ids) > MAX_FILTERED_DOCUMENTS:
        raise Conflict(
            f"the filter matches more than {MAX_FILTERED_DOCUMENTS} documents, which this vector store cannot be told",
            code="filter_too_broad",
            hint="narrow the filter, or search by keyword",
        )
    return ids


async def _vector_leg(
    scope: Scope,
    ports: Ports,
    collections: Sequence[Collection],
    question: Question,
    document_ids: Sequence[UUID] | None,
) -> list[Sequence[LegHit]]:
    """One list for each model: scores of two models cannot be compared."""
    if question.query.mode is SearchMode.KEYWORD:
        return []
    return [
        await _nearest(
            scope,
            ports,
            [one for one in collections if one.model.name == model],
            question.vectors[model],
            question.query.filter,
            document_ids,
        )
        for model in sorted({one.model.name for one in collections})
    ]


async def _nearest(
    scope: Scope,
    ports: Ports,
    collections: Sequence[Collection],
    vector: Sequence[float],
    filter: Filter | None,
    document_ids: Sequence[UUID] | None,
) -> Sequence[LegHit]:
    """The leg of one model. A store without a read gate is asked for more until enough of it may be read."""
    depth = LEG_DEPTH
    while True:
        found = await ports.vectors.query(scope, collections, vector, depth, filter=filter, document_ids=document_ids)
        if ports.vectors.filters:
            return found
        living = await ports.documents.living(scope, sorted({hit.id.document_id for hit in found}))
        kept = [hit for hit in found if hit.id.document_id in living]
        if len(kept) >= LEG_DEPTH or len(found) < depth or depth >= DEEPEST:
            return kept[:LEG_DEPTH]
        depth = min(depth * DEEPER, DEEPEST)


async def _keyword_leg(
    scope: Scope, ports: Ports, query: SearchQuery, collections: Sequence[Collection]
) -> Sequence[LegHit]:
    terms = [] if query.mode is SearchMode.VECTOR else ports.analyser.query_terms(query.text)
    if not terms:
        return []
    indexes = [one.index_id for one in collections]
    return await ports.keywords.query(scope, indexes, terms, LEG_DEPTH, filter=query.filter)


def _weight(query: SearchQuery) -> float:
    if query.mode is SearchMode.HYBRID:
        return query.vector_weight
    return 1.0 if query.mode is SearchMode.VECTOR else 0.0


def _since(clock: Clock, started: float) -> tuple[float, float]:
    now = clock.monotonic()
    return (now - started) * 1000, now
