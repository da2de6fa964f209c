"""Requests and responses about reindexes."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import Field

from shared.domain.chunks import Chunking, ChunkMethod
from shared.domain.collections import EmbeddingModel
from shared.domain.indexes import Budget, Index, IndexState, Progress
from shared.domain.questions import MAX_QUESTIONS, Expected, Question
from shared.domain.reindexing import Plan
from shared.runtime.schemas import Body, Out
from shared.usecases.reindexes.start import NewReindex


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
            present=_made_by(found.model, found.chunking),
            target=_made_by(found.target_model, found.target_chunking),
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


def _made_by(model: EmbeddingModel, chunking: Chunking) -> SettingsOut:
    return SettingsOut(
        model=model.name,
        dimensions=model.dimensions,
        method=chunking.method,
        size=chunking.size,
        overlap=chunking.overlap,
    )


class CutIn(Body):
    """How documents are cut; sizes are estimated tokens."""

    method: ChunkMethod = ChunkMethod.STRUCTURE
    size: int = Field(ge=20, le=2000)
    overlap: int = Field(default=0, ge=0, le=999)


class BudgetIn(Body):
    """The most that building may take; 0: no limit. Money is counted by the price of a million tokens."""

    documents_per_run: int = Field(default=0, ge=0)
    documents_per_day: int = Field(default=0, ge=0)
    tokens_per_day: int = Field(default=0, ge=0)
    money_per_day: float = Field(default=0, ge=0, allow_inf_nan=False)
    price: float = Field(default=0, ge=0, allow_inf_nan=False)


class NewReindexIn(Body):
    """A reindex to start; what is left out is the deployment's model and the collection's own cut."""

    collection_id: UUID
    model: str = Field(default="", max_length=200)
    chunking: CutIn | None = None
    budget: BudgetIn = BudgetIn()
    automatic: bool = Field(default=False, description="promote it once it is ready and scores no worse")
    discard_previous: bool = Field(default=False, description="give up the index that is kept for a rollback")

    def domain(self) -> NewReindex:
        """The use case's value."""
        cut = self.chunking
        return NewReindex(
            collection_id=self.collection_id,
            model=self.model,
            chunking=Chunking(cut.method, cut.size, cut.overlap) if cut else None,
            budget=Budget(**self.budget.model_dump()),
            automatic=self.automatic,
            discard_previous=self.discard_previous,
        )


class ScoreOut(Out):
    """Over the questions: nDCG@10 and recall@10."""

    ndcg: float
    recall: float


class ScoresOut(Out):
    """The index searched at the time against this one; `old` is missing when its model was not configured any more."""

    old: ScoreOut | None
    new: ScoreOut
    questions: int
    generated: bool
    at: datetime


class ProgressOut(Out):
    """How far it is behind what is searched."""

    documents: int
    in_step: int
    in_flight: int
    failed: int


class BudgetOut(Out):
    """The most that building may take a day or a run; 0: no limit."""

    documents_per_run: int
    documents_per_day: int
    tokens_per_day: int
    money_per_day: float
    price: float


class SpentOut(Out):
    """What was begun on the latest day of building."""

    day: str
    documents: int
    tokens: int


class IndexOut(Out):
    """An index of a collection: the record of a reindex."""

    id: UUID
    collection_id: UUID
    state: IndexState
    settings: SettingsOut
    reasons: list[str]
    requested_by: str
    automatic: bool
    budget: BudgetOut
    spent: SpentOut
    scores: ScoresOut | None
    progress: ProgressOut | None
    created_at: datetime
    changed_at: datetime
    expires_at: datetime | None
    problem: str

    @classmethod
    def of(cls, index: Index, progress: Progress | None = None) -> Self:
        """From the domain's index."""
        return cls(
            id=index.id,
            collection_id=index.collection_id,
            state=index.state,
            settings=_made_by(index.model, index.chunking),
            reasons=list(index.reasons),
            requested_by=index.requested_by,
            automatic=index.automatic,
            budget=BudgetOut(**asdict(index.budget)),
            spent=SpentOut(**asdict(index.spent)),
            scores=None if index.scores is None else ScoresOut.model_validate(index.scores),
            progress=None if progress is None else ProgressOut.model_validate(progress),
            created_at=index.created_at,
            changed_at=index.changed_at,
            expires_at=index.expires_at,
            problem=index.problem,
        )


class IndexList(Out):
    """Indexes, newest first."""

    items: list[IndexOut]

    @classmethod
    def of(cls, found: Sequence[Index]) -> Self:
        """From the domain's indexes."""
        return cls(items=[IndexOut.of(one) for one in found])


class ExpectedIn(Body):
    """Where an answer is: a document, or characters `start` to `end` of its text."""

    document_id: UUID
    start: int | None = Field(default=None, ge=0, le=2**31 - 1)
    end: int | None = Field(default=None, ge=1, le=2**31 - 1)


class QuestionIn(Body):
    """A question and what should be found."""

    text: str = Field(min_length=1, max_length=4000)
    expected: list[ExpectedIn] = Field(min_length=1, max_length=50)


class QuestionsIn(Body):
    """All questions of a collection; they take the place of those it had."""

    collection_id: UUID
    questions: list[QuestionIn] = Field(max_length=MAX_QUESTIONS)

    def domain(self) -> list[Question]:
        """The domain's questions."""
        return [
            Question(one.text, tuple(Expected(each.document_id, each.start, each.end) for each in one.expected))
            for one in self.questions
        ]


class ExpectedOut(Out):
    """Where an answer is."""

    document_id: UUID
    start: int | None
    end: int | None


class QuestionOut(Out):
    """A question and what should be found."""

    text: str
    expected: list[ExpectedOut]


class QuestionsOut(Out):
    """The questions of a collection."""

    questions: list[QuestionOut]

    @classmethod
    def of(cls, found: Sequence[Question]) -> Self:
        """From the domain's questions."""
        return cls(questions=[QuestionOut.model_validate(one) for one in found])
