"""Queries are checked when they are made; fusion is deterministic."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.chunks import ChunkId
from shared.domain.errors import Invalid
from shared.domain.search import RRF_K, Fusion, LegHit, SearchQuery, fuse

COLLECTIONS = (UUID(int=1),)


def hit(number: int, score: float) -> LegHit:
    return LegHit(ChunkId(UUID(int=9), 1, number), score)


def order(fused: Any) -> list[int]:
    return [one.id.ordinal for one in fused]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"text": " \n"}, "empty_query"),
        ({"text": "x" * 4001}, "query_too_long"),
        ({"collection_ids": ()}, "no_collection"),
        ({"limit": 0}, "invalid_limit"),
        ({"limit": 101}, "invalid_limit"),
        ({"vector_weight": -0.1}, "invalid_weight"),
        ({"vector_weight": float("nan")}, "invalid_weight"),
    ],
)
def test_query_with_something_wrong_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        SearchQuery(**{"text": "x", "collection_ids": COLLECTIONS, **changes})
    assert caught.value.code == code


def test_fuse_convex_scales_each_leg_and_adds_by_weight() -> None:
    fused = fuse(
        [[hit(1, 0.9), hit(2, 0.5), hit(3, 0.1)]], [hit(2, 8.0), hit(4, 2.0)], fusion=Fusion.CONVEX, vector_weight=0.6
    )
    assert order(fused) == [2, 1, 3, 4]
    best = fused[0]
    assert best.score == pytest.approx(0.6 * 0.5 + 0.4 * 1.0)
    assert (best.vector_score, best.keyword_score) == (0.5, 8.0)
    assert fused[-1].score == 0.0
    assert fused[-1].vector_score is None


def test_fuse_rrf_adds_reciprocal_ranks() -> None:
    fused = fuse([[hit(1, 0.9), hit(2, 0.5)]], [hit(2, 8.0)], fusion=Fusion.RRF, vector_weight=0.5)
    assert order(fused) == [2, 1]
    assert fused[0].score == pytest.approx(0.5 / (RRF_K + 2) + 0.5 / (RRF_K + 1))


def test_fuse_with_equal_scores_in_a_leg_counts_them_full() -> None:
    fused = fuse([[hit(1, 0.3), hit(2, 0.3)]], [], fusion=Fusion.CONVEX, vector_weight=1.0)
    assert [one.score for one in fused] == [1.0, 1.0]
    assert order(fused) == [1, 2]


def test_fuse_with_nothing_found_is_empty() -> None:
    assert fuse([], [], fusion=Fusion.CONVEX, vector_weight=0.5) == []


def test_fuse_with_zero_weight_keeps_the_legs_chunks() -> None:
    fused = fuse([[hit(1, 0.9)]], [hit(2, 5.0)], fusion=Fusion.CONVEX, vector_weight=0.0)
    assert order(fused) == [2, 1]


legs = st.dictionaries(st.integers(0, 30), st.floats(-1, 100), max_size=20)


@given(legs, legs, st.sampled_from(Fusion), st.floats(0, 1))
def test_fuse_keeps_every_chunk_once_best_first(
    vector: dict[int, float], keyword: dict[int, float], fusion: Fusion, weight: float
) -> None:
    def ranked(leg: dict[int, float]) -> list[LegHit]:
        return [hit(number, score) for number, score in sorted(leg.items(), key=lambda item: (-item[1], item[0]))]

    fused = fuse([ranked(vector)], ranked(keyword), fusion=fusion, vector_weight=weight)
    assert sorted(order(fused)) == sorted(vector.keys() | keyword.keys())
    assert [one.score for one in fused] == sorted((one.score for one in fused), reverse=True)
    assert all(0 <= one.score <= 1 + 1e-9 for one in fused)
    assert fused == fuse([ranked(vector)], ranked(keyword), fusion=fusion, vector_weight=weight)


def test_fuse_of_two_models_scales_each_by_itself() -> None:
    near, far = [hit(1, 0.9), hit(2, 0.8)], [hit(3, 0.3), hit(4, 0.1)]
    fused = fuse([near, far], [], fusion=Fusion.CONVEX, vector_weight=1.0)
    assert {one.id.ordinal: one.score for one in fused} == {1: 1.0, 2: 0.0, 3: 1.0, 4: 0.0}
    ranked = fuse([near, far], [], fusion=Fusion.RRF, vector_weight=1.0)
    assert ranked[0].score == ranked[1].score > ranked[2].score == ranked[3].score
