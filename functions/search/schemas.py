"""Requests and responses of searches."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field

from shared.domain.filters import parse_filter
from shared.domain.search import MAX_LIMIT, Fusion, SearchHit, SearchMode, SearchQuery, SearchResult
from shared.runtime.schemas import Body, Out


class SearchIn(Body):
    """A search."""

    query: str = Field(max_length=4000)
    collection_ids: list[UUID] = Field(min_length=1, max_length=20)
    limit: int = Field(default=10, ge=1, le=MAX_LIMIT)
    mode: SearchMode = SearchMode.HYBRID
    fusion: Fusion = Fusion.CONVEX
    vector_weight: float = Field(default=0.5, ge=0, le=1, description="0 = keywords only, 1 = vectors only")
    filter: dict[str, Any] | None = Field(default=None, description="a filter on tags, metadata, document or date")

    def domain(self) -> SearchQuery:
        """The domain's query."""
        return SearchQuery(
            text=self.query,
            collection_ids=tuple(dict.fromkeys(self.collection_ids)),
            limit=self.limit,
            mode=self.mode,
            fusion=self.fusion,
            vector_weight=self.vector_weight,
            filter=None if self.filter is None else parse_filter(self.filter),
        )


class HitOut(Out):
    """One chunk found: `text` is characters `start` to `end` of the document's text."""

    chunk_id: str
    document_id: UUID
    document_name: str
    document_title: str
    version: int
    collection_id: UUID
    text: str
    start: int
    end: int
    page_first: int | None
    page_last: int | None
    heading_path: list[str]
    kind: str
    score: float
    vector_score: float | None
    keyword_score: float | None
    tags: list[str]
    metadata: dict[str, Any]

    @classmethod
    def of(cls, hit: SearchHit) -> Self:
        """From the domain's hit."""
        chunk, source = hit.source.chunk, hit.source
        return cls(
            chunk_id=str(chunk.id),
            document_id=chunk.id.document_id,
            document_name=source.document_name,
            document_title=source.document_title,
            version=chunk.id.generation,
            collection_id=source.collection_id,
            text=chunk.text,
            start=chunk.start,
            end=chunk.end,
            page_first=chunk.page_first,
            page_last=chunk.page_last,
            heading_path=list(chunk.heading_path),
            kind=chunk.kind,
            score=hit.score,
            vector_score=hit.vector_score,
            keyword_score=hit.keyword_score,
            tags=list(source.tags),
            metadata=dict(source.metadata),
        )


class SearchOut(Out):
    """Hits, best first, with the milliseconds of each step."""

    hits: list[HitOut]
    milliseconds: dict[str, float]
    model: str

    @classmethod
    def of(cls, result: SearchResult) -> Self:
        """From the domain's result."""
        return cls(
            hits=[HitOut.of(hit) for hit in result.hits], milliseconds=dict(result.milliseconds), model=result.model
        )
