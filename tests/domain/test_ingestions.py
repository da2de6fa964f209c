"""Ingestion runs: where one is, what its rows add up to, and what is told of an end."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from shared.domain.documents import Counts, Document, Generation, GenerationState, Reason, Recipe, Source
from shared.domain.ingestions import (
    Example,
    Happening,
    Ingestion,
    IngestionStatus,
    Tally,
    cancelled_reason,
    end_of,
    progress_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE = UUID(int=1)
OPEN = Ingestion(ONE, ONE, ONE, ONE, "July", "key", NOW)
CLOSED = replace(OPEN, closed_at=NOW)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, IngestionStatus.OPEN),
        ({"closed_at": NOW}, IngestionStatus.RUNNING),
        ({"closed_at": NOW, "completed_at": NOW}, IngestionStatus.COMPLETED),
        ({"closed_at": NOW, "cancelled_at": NOW}, IngestionStatus.CANCELLING),
        ({"closed_at": NOW, "cancelled_at": NOW, "completed_at": NOW}, IngestionStatus.CANCELLED),
    ],
)
def test_status_follows_the_moments(changes: dict[str, Any], status: IngestionStatus) -> None:
    assert replace(OPEN, **changes).status is status


def test_progress_of_nothing_is_nothing_until_it_is_complete() -> None:
    assert progress_of(OPEN, []).fraction == 0
    assert progress_of(CLOSED, []).fraction == 0
    assert progress_of(replace(CLOSED, completed_at=NOW), []).fraction == 1


def test_progress_adds_up_states_cost_and_errors() -> None:
    example = Example(ONE, "a.txt", 1, "it is empty")
    tallies = [
        Tally(GenerationState.COMMITTED, "", 3, pages=3, characters=300, chunks=30, embedded=20, reused=10, tokens=900),
        Tally(GenerationState.EMBEDDING, "", 2, chunks=8, embedded=1, tokens=5),
        Tally(GenerationState.FAILED, "gave_up", 1, tokens=50),
        Tally(GenerationState.FAILED, "empty_file", 2, examples=(example,)),
        Tally(GenerationState.FAILED, "cancelled", 4),
        # Retried since: no document is there any more, what it took is.
        Tally(GenerationState.FAILED, "broken", 0, tokens=7),
    ]
    progress = progress_of(CLOSED, tallies)
    assert (progress.documents, progress.finished, progress.cancelled) == (12, 10, 4)
    assert progress.fraction == pytest.approx(10 / 12)
    assert progress.by_state == {
        GenerationState.COMMITTED: 3,
        GenerationState.EMBEDDING: 2,
        GenerationState.FAILED: 3,
    }
    assert [(one.code, one.documents) for one in progress.errors] == [("empty_file", 2), ("gave_up", 1)]
    assert progress.errors[0].examples == (example,)
    cost = progress.cost
    assert (cost.pages, cost.characters, cost.chunks, cost.embedded, cost.reused, cost.tokens) == (
        *(3, 300, 38, 21, 10),
        962,
    )


def test_progress_of_open_run_counts_what_is_expected() -> None:
    tallies = [Tally(GenerationState.COMMITTED, "", 1)]
    assert progress_of(replace(OPEN, expected=4), tallies).fraction == 0.25
    assert progress_of(OPEN, tallies).fraction == 1
    assert progress_of(replace(CLOSED, expected=4), tallies).fraction == 1


def ended(state: GenerationState, **changes: Any) -> Generation:
    recipe = Recipe("reader/1", "structure/200/0", "memory/test")
    return replace(Generation(ONE, ONE, ONE, 2, state, Source("key"), recipe, NOW, NOW, None), **changes)


@pytest.mark.parametrize(
    ("generation", "kind", "told"),
    [
        (
            ended(GenerationState.COMMITTED, counts=Counts(1, 20, 3, 2, 1, 40)),
            Happening.DOCUMENT_INDEXED,
            {"pages": 1, "chunks": 3, "embedded": 2, "reused": 1, "tokens": 40},
        ),
        (ended(GenerationState.UNCHANGED), Happening.DOCUMENT_UNCHANGED, {}),
        (ended(GenerationState.SUPERSEDED), Happening.DOCUMENT_SUPERSEDED, {}),
        (
            ended(GenerationState.FAILED, failure=Reason("empty_file", "it is empty")),
            Happening.DOCUMENT_FAILED,
            {"code": "empty_file", "detail": "it is empty"},
        ),
        (
            ended(GenerationState.FAILED, failure=cancelled_reason()),
            Happening.DOCUMENT_CANCELLED,
            {"code": "cancelled", "detail": cancelled_reason().detail},
        ),
    ],
)
def test_end_of_tells_what_became_of_it(generation: Generation, kind: Happening, told: dict[str, object]) -> None:
    document = Document(ONE, ONE, ONE, ONE, "a.txt", NOW, NOW, path="x/a.txt")
    news = end_of(document, generation)
    assert (news.kind, news.document_id, news.generation) == (kind, ONE, 2)
    assert news.data == {"name": "a.txt", "path": "x/a.txt", **told}
