"""Rows of indexes, to and from domain values."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from shared.domain.chunks import Chunking, ChunkMethod
from shared.domain.collections import EmbeddingModel
from shared.domain.indexes import Budget, Index, IndexState, Score, Scores, Spent


def index_values(index: Index) -> dict[str, object]:
    """A whole row but for the tenant."""
    return {
        "id": index.id,
        "project_id": index.project_id,
        "collection_id": index.collection_id,
        "slot": index.slot,
        "created_at": index.created_at,
        **changing_values(index),
    }


def changing_values(index: Index) -> dict[str, object]:
    """What `save` may change."""
    return {
        "state": index.state.value,
        "model": index.model.name,
        "dimensions": index.model.dimensions,
        "max_tokens": index.model.max_tokens,
        "chunk_method": index.chunking.method.value,
        "chunk_size": index.chunking.size,
        "chunk_overlap": index.chunking.overlap,
        "changed_at": index.changed_at,
        "recipe": index.recipe,
        "reasons": list(index.reasons),
        "requested_by": index.requested_by,
        "automatic": index.automatic,
        "budget": asdict(index.budget),
        "spent": asdict(index.spent),
        "scores": _scores_values(index.scores),
        "expires_at": index.expires_at,
        "problem": index.problem,
    }


def read_index(row: Any) -> Index:
    """An index of its row."""
    return Index(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        collection_id=row.collection_id,
        slot=row.slot,
        state=IndexState(row.state),
        model=EmbeddingModel(row.model, row.dimensions, row.max_tokens),
        chunking=Chunking(ChunkMethod(row.chunk_method), row.chunk_size, row.chunk_overlap),
        created_at=row.created_at,
        changed_at=row.changed_at,
        recipe=row.recipe,
        reasons=tuple(row.reasons),
        requested_by=row.requested_by,
        automatic=row.automatic,
        budget=Budget(**row.budget),
        spent=Spent(**row.spent),
        scores=_scores(row.scores),
        expires_at=row.expires_at,
        problem=row.problem,
    )


def _scores_values(scores: Scores | None) -> dict[str, object] | None:
    return None if scores is None else {**asdict(scores), "at": scores.at.isoformat()}


def _scores(values: Mapping[str, Any] | None) -> Scores | None:
    if values is None:
        return None
    return Scores(
        old=None if values["old"] is None else Score(**values["old"]),
        new=Score(**values["new"]),
        questions=values["questions"],
        generated=values["generated"],
        at=datetime.fromisoformat(values["at"]),
    )
