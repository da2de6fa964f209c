"""The measures against numbers worked out by hand."""

import math

import pytest

from tests.evaluation.metrics import DEPTH, ndcg, quality, recall, reciprocal_rank

TEN = [f"n{number}" for number in range(DEPTH)]


def test_ndcg_of_one_relevant_text_is_the_discount_of_its_place() -> None:
    assert ndcg(["a", "b", "c"], {"a": 1}) == 1
    assert ndcg(["x", "a"], {"a": 1}) == pytest.approx(0.63093, abs=1e-5)  # 1 / log2(3)
    assert ndcg(["x", "y", "a"], {"a": 1}) == 0.5  # 1 / log2(4)
    assert ndcg(["x"], {"a": 1}) == 0


def test_ndcg_with_grades_is_over_the_best_order_there_is() -> None:
    # Found 1, 0, 3: 1/1 + 3/2 = 2.5. Best order 3, 2, 1: 3 + 2 · 0.63093 + 1/2 = 4.76186.
    assert ndcg(["one", "none", "three"], {"three": 3, "two": 2, "one": 1}) == pytest.approx(0.52500, abs=1e-5)


def test_only_the_first_ten_count() -> None:
    assert ndcg([*TEN, "a"], {"a": 1}) == recall([*TEN, "a"], {"a": 1}) == reciprocal_rank([*TEN, "a"], {"a": 1}) == 0
    last = [*TEN[:-1], "a"]
    assert ndcg(last, {"a": 1}) == pytest.approx(1 / math.log2(11))
    assert reciprocal_rank(last, {"a": 1}) == 0.1
    # Twelve are relevant and the ten best are of them: no order does better, and recall says two are missing.
    many = {**dict.fromkeys(TEN, 1), "p": 1, "q": 1}
    assert ndcg(TEN, many) == 1
    assert recall(TEN, many) == pytest.approx(10 / 12)


def test_recall_is_of_what_is_relevant_and_grade_0_is_not() -> None:
    assert recall(["a", "x", "z"], {"a": 1, "b": 2, "z": 0}) == 0.5
    assert reciprocal_rank(["z", "x", "b", "a"], {"a": 1, "b": 2, "z": 0}) == pytest.approx(1 / 3)


def test_means_count_unanswered_questions_and_leave_out_those_without_a_relevant_text() -> None:
    relevant = {"first": {"a": 1}, "second": {"b": 1}, "silent": {"c": 1}, "unjudged": {"d": 0}}
    found = quality({"first": ["a"], "second": ["x", "y", "b"], "unjudged": ["d"]}, relevant)
    assert (found.ndcg, found.recall, found.mrr) == pytest.approx((0.5, 2 / 3, 4 / 9))
    assert found.empty == 1
