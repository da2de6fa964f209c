"""The indexes of a collection: the one that is searched, and at most one beside it.

A new model, cut, reader or pipeline is tried in an index of its own (blue/green). An index is no copy of the
collection: it holds one generation of each document, made by the index's model and cut, with vectors, words and
statistics of its own. Why so, and not a second state of every generation, or one row of state for each document and
index: a generation already is a pure function of (document, number), its number is already part of every id, and its
life is already fenced, swept and told to people. A document's version in another index is thus one more generation of
it, which goes through the same steps as an upload; it only names the index it is made for, and it is committed to that
index's slot on the document. Nothing of one index can pass for another's, because no generation is in two.

    building   is filled in the background, and kept in step with what is uploaded and deleted meanwhile
    ready      whole and scored: it may be promoted
    live       the one that is searched; `collections` names it, and that one row is all a cut changes
    retired    was live; kept in step, so that a rollback loses nothing, until it expires
    dropping   given up: never searched again, being swept
    dropped    nothing of it is left

Uploads may come faster than the other index follows, so that it is never whole. Then publishing into the searched index
is held for a moment: what is to be published waits, what is missing is made, and the cut finds nothing new. That only
brings the moment about. What a cut requires is looked at by the cut itself, while it holds the collection.

A search reads the collection once and names that index in every statement after, so it sees one index whole, whichever
it is, also when a cut comes between two of its statements.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.domain.chunks import Chunking
from shared.domain.collections import Collection, EmbeddingModel
from shared.domain.errors import Invalid


class IndexState(StrEnum):
    """Where an index is."""

    BUILDING = "building"
    READY = "ready"
    LIVE = "live"
    RETIRED = "retired"
    DROPPING = "dropping"
    DROPPED = "dropped"


OPEN = frozenset({IndexState.BUILDING, IndexState.READY, IndexState.LIVE, IndexState.RETIRED})
"""Those that generations are made for; of each slot there is one at the most."""

RETENTION = timedelta(days=7)
"""How long the index that was live before is kept for a rollback."""
HOLD = timedelta(seconds=150)
"""How long publishing into the searched index waits for a cut at the most: two rounds of the schedule and some seconds.
It ends by itself, whatever becomes of who asked for it.
"""
HELD_PAUSE = timedelta(seconds=5)
"""Whoever is to publish meanwhile asks so often whether it still must wait: most cuts come after a few seconds."""
REST = HOLD
"""After a hold that brought no cut, publishing goes on for at least so long."""
IN_FLIGHT = 25
"""Generations under way at once for an index that is not searched."""
YIELD_FROM = 20
"""With so many generations under way for what is searched, nothing is begun for another index."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that building may take; 0: no limit.

    Raises:
        Invalid: a negative limit, or money without a price.
    """

    documents_per_run: int = 0
    documents_per_day: int = 0
    tokens_per_day: int = 0
    """Estimated before embedding, at four characters a token."""
    money_per_day: float = 0.0
    price: float = 0.0
    """Of a million tokens, in the same money."""

    def __post_init__(self) -> None:
        if min(self.documents_per_run, self.documents_per_day, self.tokens_per_day, self.money_per_day, self.price) < 0:
            raise Invalid("a budget cannot be negative", code="invalid_budget")
        if self.money_per_day and not self.price:
            raise Invalid("a budget of money needs the price of a million tokens", code="invalid_budget")


@dataclass(frozen=True, slots=True)
class Spent:
    """What was begun on one day (UTC)."""

    day: str = ""
    documents: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """How well an index finds what its collection's questions ask for, 0 to 1."""

    ndcg: float
    recall: float


@dataclass(frozen=True, slots=True)
class Scores:
    """The searched index against this one, over the same questions."""

    old: Score | None
    """None: its model is not configured any more, so there is nothing to compare with."""
    new: Score
    questions: int
    generated: bool
    """Whether the questions were made from the collection itself, because it has none of its own."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Index:
    """One index of a collection. All but a collection's first come from a reindex, and are its record."""

    id: UUID
    """That of a collection's first index is the collection's own."""
    tenant_id: UUID
    project_id: UUID
    collection_id: UUID
    slot: int
    state: IndexState
    model: EmbeddingModel
    chunking: Chunking
    created_at: datetime
    changed_at: datetime
    """When it came to its state."""
    recipe: str = ""
    """What its documents were to be made by when it was begun; '' for a first one."""
    reasons: tuple[str, ...] = ()
    """What was stale when it was begun."""
    requested_by: str = ""
    automatic: bool = False
    """Promote it without being asked, once it is ready and scores no worse."""
    budget: Budget = field(default_factory=Budget)
    spent: Spent = field(default_factory=Spent)
    scores: Scores | None = None
    expires_at: datetime | None = None
    """Retired ones only."""
    problem: str = ""
    """Why it does not get on, in words."""

    @property
    def open(self) -> bool:
        """Whether generations are made for it."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an index is behind what is searched."""

    documents: int = 0
    """Searched, by the index that is live."""
    in_step: int = 0
    """Of these, in this index by the same upload."""
    in_flight: int = 0
    """Generations under way for it."""
    failed: int = 0
    """Documents whose latest try for this index failed."""

    @property
    def missing(self) -> int:
        """Documents that are still to come: on their way into it, or not begun."""
        return self.documents - self.in_step - self.failed

    @property
    def close(self) -> bool:
        """Whether all that was begun has come, and a little is missing all the same: uploads keep coming."""
        return self.in_step > 0 and not self.in_flight and 0 < self.missing <= IN_FLIGHT

    @property
    def whole(self) -> bool:
        """Whether everything searched is in it."""
        return self.in_step == self.documents

    @property
    def settled(self) -> bool:
        """Whether nothing is to come: what is not in it has failed there, and something is in it."""
        return self.whole or (self.in_step > 0 and not self.missing)


def seen_through(collection: Collection, index: Index) -> Collection:
    """The collection as one of its indexes makes and searches it."""
    if index.id == collection.index_id:
        return collection
    named = None if index.id == collection.id else index.id
    return Collection(
        id=collection.id,
        tenant_id=collection.tenant_id,
        project_id=collection.project_id,
        name=collection.name,
        model=index.model,
        chunking=index.chunking,
        created_at=collection.created_at,
        description=collection.description,
        language=collection.language,
        deleted_at=collection.deleted_at,
        index=named,
        slot=index.slot,
        live=False,
    )


def begin_on(spent: Spent, now: datetime) -> Spent:
    """What was spent on the day of `now`."""
    day = now.date().isoformat()
    return spent if spent.day == day else Spent(day)


def allowance(budget: Budget, spent: Spent, *, in_flight: int = 0, at_once: int = IN_FLIGHT) -> tuple[int, int | None]:
    """How many documents may be begun now, and how many tokens they may have together (None: any).

    Args:
        budget: the most that building may take.
        spent: today.
        in_flight: generations under way.
        at_once: as many may be under way.
    """
    documents = at_once - in_flight
    if budget.documents_per_run:
        documents = min(documents, budget.documents_per_run)
    if budget.documents_per_day:
        documents = min(documents, budget.documents_per_day - spent.documents)
    limits = []
    if budget.tokens_per_day:
        limits.append(budget.tokens_per_day)
    if budget.money_per_day:
        limits.append(int(budget.money_per_day / budget.price * 1_000_000))
    return max(0, documents), max(0, min(limits) - spent.tokens) if limits else None


def used_up(budget: Budget, spent: Spent) -> bool:
    """Whether nothing more may be begun on the day of `spent`."""
    documents, tokens = allowance(budget, spent)
    return not documents or tokens == 0


def no_worse(scores: Scores) -> bool:
    """Whether the new index may take over by itself: as good as the old one within what chance explains."""
    return scores.old is None or scores.new.ndcg >= scores.old.ndcg - 0.02
