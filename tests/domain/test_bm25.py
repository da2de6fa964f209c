"""BM25 by its formula."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import bm25


def test_idf_of_rare_terms_is_high_and_never_negative() -> None:
    assert bm25.idf(10, 1) == pytest.approx(math.log(1 + 9.5 / 1.5))
    assert bm25.idf(10, 10) == pytest.approx(math.log(1 + 0.5 / 10.5))
    assert bm25.idf(10, 1) > bm25.idf(10, 5) > bm25.idf(10, 10) > 0


def test_encode_of_a_chunk_of_mean_length_is_the_saturated_frequency() -> None:
    weights = bm25.encode({7: 1, 9: 3}, 4, 4.0)
    assert weights == {7: pytest.approx(1.0), 9: pytest.approx(3 * 2.2 / 4.2)}


def test_encode_of_a_longer_chunk_weighs_less() -> None:
    assert bm25.encode({1: 2}, 200, 100.0)[1] < bm25.encode({1: 2}, 100, 100.0)[1] < bm25.encode({1: 2}, 50, 100.0)[1]


def test_encode_without_a_mean_does_not_divide_by_it() -> None:
    assert bm25.encode({1: 1}, 0, 0.0) == {1: pytest.approx(1.0)}


@given(
    counts=st.dictionaries(st.integers(0, bm25.DIMENSIONS - 1), st.integers(1, 3000), max_size=20),
    average=st.floats(1, 3000),
)
def test_decode_undoes_encode_even_through_32_bit_floats(counts: dict[int, int], average: float) -> None:
    length = sum(counts.values())
    stored = {
        index: struct.unpack("f", struct.pack("f", weight))[0]
        for index, weight in bm25.encode(counts, length, average).items()
    }
    assert bm25.decode(stored, length, average) == counts


def test_indexed_is_in_order_and_drops_what_does_not_occur() -> None:
    counts = bm25.indexed({"b": 2, "a": 1, "never": 0})
    assert list(counts) == sorted(counts)
    assert counts == {bm25.term_index("a"): 1, bm25.term_index("b"): 2}


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_term_index_of_any_text_is_a_dimension(term: str) -> None:
    assert 0 <= bm25.term_index(term) < bm25.DIMENSIONS


def test_term_index_is_the_same_for_ever() -> None:
    # Stored indexes depend on it.
    assert bm25.term_index("knowledge") == 503787037


def test_score_adds_what_both_have() -> None:
    assert bm25.score({1: 2.0, 2: 3.0, 5: 1.0}, {1: 0.5, 2: 1.0, 3: 9.0}) == pytest.approx(4.0)
    assert bm25.score({}, {1: 1.0}) == 0


@pytest.mark.parametrize(
    ("frozen", "mean", "expected"),
    [(10, 10, False), (10, 19.9, False), (10, 20, True), (10, 5, True), (10, 5.1, False), (10, 0, False)],
)
def test_drifted_at_a_factor_of_two(frozen: float, mean: float, expected: bool) -> None:
    assert bm25.drifted(frozen, mean) is expected
