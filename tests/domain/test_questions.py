"""Questions with known answers: how they are made, and how what is found is scored."""

import math
from uuid import UUID

import pytest

from shared.domain.chunks import Chunk, ChunkId
from shared.domain.errors import Invalid
from shared.domain.indexes import Budget, Score, Scores, Spent, allowance, begin_on, no_worse
from shared.domain.questions import Expected, Question, known_items, score
from tests.contracts.samples import NOW

ONE, OTHER = UUID(int=1), UUID(int=2)


def chunk(document: UUID, start: int, end: int, text: str = "", heading: str = "") -> Chunk:
    path = (heading,) if heading else ()
    return Chunk(ChunkId(document, 1, start), text or "x" * (end - start), start, end, "hash", path)


@pytest.mark.parametrize(
    ("expected", "found", "ndcg", "recall"),
    [
        ([Expected(ONE)], [chunk(ONE, 0, 9)], 1.0, 1.0),
        ([Expected(ONE)], [chunk(OTHER, 0, 9), chunk(ONE, 0, 9)], 1 / math.log2(3), 1.0),
        ([Expected(ONE)], [chunk(ONE, 0, 9), chunk(ONE, 9, 18)], 1.0, 1.0),
        ([Expected(ONE)], [], 0.0, 0.0),
        ([Expected(ONE)], [chunk(OTHER, n, n + 1) for n in range(10)] + [chunk(ONE, 0, 9)], 0.0, 0.0),
        ([Expected(ONE, 5, 8)], [chunk(ONE, 8, 20), chunk(ONE, 0, 6)], 1 / math.log2(3), 1.0),
        ([Expected(ONE), Expected(OTHER)], [chunk(ONE, 0, 9)], 1 / (1 + 1 / math.log2(3)), 0.5),
    ],
)
def test_score_counts_each_place_once_where_it_is_first(
    expected: list[Expected], found: list[Chunk], ndcg: float, recall: float
) -> None:
    made = score([(Question("?", tuple(expected)), found)])
    assert made.ndcg == pytest.approx(ndcg, abs=1e-4)
    assert made.recall == recall


def test_score_of_nothing_is_nothing() -> None:
    assert score([]) == Score(0.0, 0.0)


def test_known_items_are_asked_in_part_and_expect_their_chunk() -> None:
    text = "The harbour master checks every mooring twice before the winter storms arrive. Yes."
    chunks = [chunk(ONE, 0, len(text), text, "Moorings"), chunk(OTHER, 0, 3, "..."), chunk(OTHER, 9, 40, text)]
    made = known_items(chunks)
    assert made == known_items(chunks[::-1])
    (titled,) = [one for one in made if one.text.startswith("Moorings")]
    assert titled.expected == (Expected(ONE, 0, len(text)),)
    assert 0 < len(titled.text.split()) - 1 < len(text.split())
    assert len(known_items(chunks, limit=1)) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", [Expected(ONE)]), ("?", []), ("?", [Expected(ONE, 5, None)]), ("?", [Expected(ONE, 5, 5)])],
)
def test_question_that_makes_no_sense_is_refused(text: str, expected: list[Expected]) -> None:
    with pytest.raises(Invalid):
        Question(text, tuple(expected))


@pytest.mark.parametrize(
    ("budget", "spent", "in_flight", "allowed"),
    [
        (Budget(), Spent(), 0, (25, None)),
        (Budget(), Spent(), 30, (0, None)),
        (Budget(documents_per_run=5), Spent(), 0, (5, None)),
        (Budget(documents_per_day=5), Spent("d", 3, 0), 0, (2, None)),
        (Budget(tokens_per_day=100), Spent("d", 3, 60), 0, (25, 40)),
        (Budget(tokens_per_day=100), Spent("d", 3, 160), 0, (25, 0)),
        (Budget(money_per_day=0.5, price=2.0), Spent("d", 0, 50_000), 0, (25, 200_000)),
    ],
)
def test_allowance_is_the_least_that_is_left(
    budget: Budget, spent: Spent, in_flight: int, allowed: tuple[int, int | None]
) -> None:
    assert allowance(budget, spent, in_flight=in_flight) == allowed


def test_budget_begins_anew_each_day_and_must_make_sense() -> None:
    today = NOW.date().isoformat()
    assert begin_on(Spent("2020-01-01", 9, 9), NOW) == Spent(today)
    assert begin_on(Spent(today, 9, 9), NOW) == Spent(today, 9, 9)
    with pytest.raises(Invalid):
        Budget(documents_per_day=-1)
    with pytest.raises(Invalid):
        Budget(money_per_day=1.0)


@pytest.mark.parametrize(
    ("old", "new", "takes"), [(0.5, 0.5, True), (0.5, 0.47, False), (0.5, 0.485, True), (None, 0, True)]
)
def test_no_worse_allows_for_chance(old: float | None, new: float, takes: bool) -> None:
    before = None if old is None else Score(old, old)
    assert no_worse(Scores(before, Score(new, new), 10, True, NOW)) is takes
