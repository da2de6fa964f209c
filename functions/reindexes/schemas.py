"""Requests and responses about reindexes."""

from typing import Self
from uuid import UUID

from shared.domain.chunks import ChunkMethod
from shared.domain.reindexing import Plan
from shared.runtime.schemas import Out


class SettingsOut(Out):
    """How an index is made."""

    model: str
    dimensions: int
    method: ChunkMethod
    size: int
    overlap: int


class PlanOut(Out):
    """What is stale: counts of searched documents. One document may be stale in several ways."""

    collection_id: UUID
    name: str
    present: SettingsOut
    target: SettingsOut
    documents: int
    stale: int
    model: int
    chunking: int
    reader: int
    pipeline: int
    chunks: int
    tokens: int
    reasons: list[str]
    needed: bool

    @classmethod
    def of(cls, found: Plan) -> Self:
        """From the domain's plan."""
        counts = found.staleness
        return cls(
            collection_id=found.collection_id,
            name=found.name,
            present=_settings(found, target=False),
            target=_settings(found, target=True),
            documents=counts.documents,
            stale=counts.stale,
            model=counts.model,
            chunking=counts.chunking,
            reader=counts.reader,
            pipeline=counts.pipeline,
            chunks=counts.chunks,
            tokens=found.tokens,
            reasons=list(counts.reasons),
            needed=found.needed,
        )


def _settings(found: Plan, *, target: bool) -> SettingsOut:
    model = found.target_model if target else found.model
    chunking = found.target_chunking if target else found.chunking
    return SettingsOut(
        model=model.name,
        dimensions=model.dimensions,
        method=chunking.method,
        size=chunking.size,
        overlap=chunking.overlap,
    )
