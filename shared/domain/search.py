"""Questions to the index and what comes back; how two ranked lists become one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.domain.chunks import Chunk, ChunkId
from shared.domain.errors import Invalid
from shared.domain.filters import Filter


class Fusion(StrEnum):
    """How the legs' lists are merged."""

    CONVEX = "convex"
    RRF = "rrf"


class SearchMode(StrEnum):
    """Which legs run."""

    HYBRID = "hybrid"
    VECTOR = "vector"
    KEYWORD = "keyword"


MAX_LIMIT = 100
LEG_DEPTH = 100
"""How many hits each leg brings to the fusion."""
RRF_K = 60


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """One search.

    Raises:
        Invalid: empty or over-long text, no collection, limit outside 1-100, weight outside 0-1.
    """

    text: str
    collection_ids: tuple[UUID, ...]
    limit: int = 10
    mode: SearchMode = SearchMode.HYBRID
    fusion: Fusion = Fusion.CONVEX
    vector_weight: float = 0.5
    filter: Filter | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise Invalid("the query is empty", code="empty_query", hint="send some words to look for")
        if len(self.text) > 4000:
            raise Invalid(f"the query has {len(self.text)} characters; 4000 at most", code="query_too_long")
        if not self.collection_ids:
            raise Invalid("a search names at least one collection", code="no_collection")
        if not 1 <= self.limit <= MAX_LIMIT:
            raise Invalid(f"limit {self.limit} is outside 1-{MAX_LIMIT}", code="invalid_limit")
        if not 0.0 <= self.vector_weight <= 1.0:
            raise Invalid("vector_weight is outside 0-1", code="invalid_weight")


@dataclass(frozen=True, slots=True)
class LegHit:
    """One chunk found by one leg; a higher score is better."""

    id: ChunkId
    score: float


@dataclass(frozen=True, slots=True)
class FusedHit:
    """One chunk after fusion, with what each leg said (None: the leg did not find it)."""

    id: ChunkId
    score: float
    vector_score: float | None
    keyword_score: float | None


@dataclass(frozen=True, slots=True)
class VisibleChunk:
    """A chunk that passed the read gate: its generation is the committed one and its document is not deleted."""

    chunk: Chunk
    collection_id: UUID
    document_name: str
    document_title: str
    media_type: str
    tags: tuple[str, ...]
    metadata: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One result: the chunk, where it is from, and why it is here."""

    source: VisibleChunk
    score: float
    vector_score: float | None
    keyword_score: float | None


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Hits, best first, and the milliseconds of each step."""

    hits: tuple[SearchHit, ...]
    milliseconds: Mapping[str, float]
    model: str


def fuse(
    vector: Sequence[Sequence[LegHit]], keyword: Sequence[LegHit], *, fusion: Fusion, vector_weight: float
) -> list[FusedHit]:
    """Merge two ranked lists, best first; ties are broken by chunk id, so equal input gives equal output.

    CONVEX scales each leg's scores to 0-1 by its own minimum and maximum and adds them by weight (Bruch et al. 2023,
    arXiv 2210.11934); a chunk one leg did not find counts 0 there. RRF adds weight / (60 + rank) (Cormack et al. 2009).
    A leg of weight 0 adds nothing but keeps its chunks in the list. The vector leg may be several lists, one for each
    embedding model, no chunk in two: each is scaled by itself.
    """
    scale = _ranks if fusion is Fusion.RRF else _min_max
    by_vector = {id: scaled for hits in vector for id, scaled in scale(hits).items()}
    by_keyword = scale(keyword)
    raw_vector = {hit.id: hit.score for hits in vector for hit in hits}
    raw_keyword = {hit.id: hit.score for hit in keyword}
    fused = [
        FusedHit(
            id=id,
            score=vector_weight * by_vector.get(id, 0.0) + (1 - vector_weight) * by_keyword.get(id, 0.0),
            vector_score=raw_vector.get(id),
            keyword_score=raw_keyword.get(id),
        )
        for id in raw_vector.keys() | raw_keyword.keys()
    ]
    return sorted(fused, key=lambda hit: (-hit.score, str(hit.id)))


def _min_max(hits: Sequence[LegHit]) -> dict[ChunkId, float]:
    if not hits:
        return {}
    low, high = min(hit.score for hit in hits), max(hit.score for hit in hits)
    if high == low:
        return {hit.id: 1.0 for hit in hits}
    return {hit.id: (hit.score - low) / (high - low) for hit in hits}


def _ranks(hits: Sequence[LegHit]) -> dict[ChunkId, float]:
    return {hit.id: 1.0 / (RRF_K + rank) for rank, hit in enumerate(hits, start=1)}
