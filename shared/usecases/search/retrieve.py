"""Find the chunks that speak of a question."""

from collections.abc import Sequence
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

STALE_FACTOR = 3
"""Over-fetch for a store without a read gate of its own: it may return older generations and deleted documents for a
while.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """A query with its vector (None when the vector leg does not run) and what embedding it took."""

    query: SearchQuery
    vector: Sequence[float] | None
    model: str
    embed_ms: float


async def embed_question(powers: Powers, query: SearchQuery) -> Question:
    """The slow part, before any transaction is open."""
    if query.mode is SearchMode.KEYWORD:
        return Question(query, None, powers.embedder.model.name, 0.0)
    started = powers.clock.monotonic()
    embedded = await powers.embedder.embed([query.text], Purpose.QUERY)
    spent = (powers.clock.monotonic() - started) * 1000
    powers.meter.add("model_ms", spent, Unit.MILLISECONDS, kind="embedding")
    powers.meter.add("model_tokens", embedded.tokens, kind="embedding")
    return Question(query, embedded.vectors[0], powers.embedder.model.name, spent)


async def retrieve(scope: Scope, ports: Ports, question: Question) -> SearchResult:
    """Both legs, fused, through the read gate.

    Raises:
        NotFound: a collection that is not in this project.
        Conflict: a collection embedded by another model than this deployment's.
    """
    scope.require(Permission.SEARCH_QUERY)
    query, clock = question.query, ports.clock
    collections = await collections_of(scope, ports, query.collection_ids)
    if question.vector is not None:
        _same_model(collections, question.model)
    times: dict[str, float] = {"embed": question.embed_ms}
    document_ids = await _filtered(scope, ports, query)
    started = clock.monotonic()
    vector = await _vector_leg(scope, ports, collections, question, document_ids)
    times["vector"], started = _since(clock, started)
    keyword = await _keyword_leg(scope, ports, query)
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
    log.info("search.answered", hits=len(hits), vector=len(vector), keyword=len(keyword), ms=round(total, 2))
    return SearchResult(tuple(hits), {name: round(value, 3) for name, value in times.items()}, question.model)


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
) -> Sequence[LegHit]:
    if question.vector is None:
        return []
    return await ports.vectors.query(
        scope, collections, question.vector, LEG_DEPTH, filter=question.query.filter, document_ids=document_ids
    )


async def _keyword_leg(scope: Scope, ports: Ports, query: SearchQuery) -> Sequence[LegHit]:
    terms = [] if query.mode is SearchMode.VECTOR else ports.analyser.query_terms(query.text)
    if not terms:
        return []
    return await ports.keywords.query(scope, query.collection_ids, terms, LEG_DEPTH, filter=query.filter)


def _weight(query: SearchQuery) -> float:
    if query.mode is SearchMode.HYBRID:
        return query.vector_weight
    return 1.0 if query.mode is SearchMode.VECTOR else 0.0


def _same_model(collections: Sequence[Collection], model: str) -> None:
    for collection in collections:
        if collection.model.name != model:
            raise Conflict(
                f"collection {collection.name!r} is embedded by {collection.model.name}, this deployment by {model}",
                code="model_mismatch",
                hint="search it by keyword, or process it again with the present model",
            )


def _since(clock: Clock, started: float) -> tuple[float, float]:
    now = clock.monotonic()
    return (now - started) * 1000, now
