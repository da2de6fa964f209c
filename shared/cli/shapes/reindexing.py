"""Indexes of a collection, as the API answers."""

from typing import TypedDict


class IndexSettings(TypedDict):
    """How an index is made."""

    model: str
    dimensions: int
    method: str
    size: int
    overlap: int


class ReindexPlan(TypedDict):
    """What is stale in a collection."""

    collection_id: str
    name: str
    present: IndexSettings
    target: IndexSettings
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


class Score(TypedDict):
    """nDCG@10 and recall@10."""

    ndcg: float
    recall: float


class Scores(TypedDict):
    """The searched index against a new one."""

    old: Score | None
    new: Score
    questions: int
    generated: bool
    at: str


class InStep(TypedDict):
    """How far an index is behind the searched one."""

    documents: int
    in_step: int
    in_flight: int
    failed: int


class Reindex(TypedDict):
    """An index of a collection; `progress` comes with a single one only."""

    id: str
    collection_id: str
    state: str
    settings: IndexSettings
    reasons: list[str]
    requested_by: str
    automatic: bool
    scores: Scores | None
    progress: InStep | None
    created_at: str
    changed_at: str
    expires_at: str | None
    problem: str
