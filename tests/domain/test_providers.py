"""Dealings with model providers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Unavailable
from shared.domain.providers import (
    DEFAULT_WAIT,
    LONGEST_WAIT,
    SHORTEST_WAIT,
    repeatable,
    retry_after,
    sendable,
    unit_vector,
)

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 2.5 "}, 2.5),
        ({"retry-after": "0"}, SHORTEST_WAIT),
        ({"retry-after": "999999"}, LONGEST_WAIT),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Thu, 01 Jan 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Thu, 01 Jan 2025 12:00:30 GMT"}, SHORTEST_WAIT),
        ({"retry-after": "-5"}, DEFAULT_WAIT),
        ({"retry-after": "soon"}, DEFAULT_WAIT),
        ({"retry-after": "nan"}, DEFAULT_WAIT),
        ({}, DEFAULT_WAIT),
    ],
)
def test_retry_after_of_any_header_is_a_sane_wait(headers: dict[str, str], seconds: float) -> None:
    assert retry_after(headers, NOW) == seconds


@given(st.text(max_size=60))
def test_retry_after_of_any_text_is_within_bounds(value: str) -> None:
    assert SHORTEST_WAIT <= retry_after({"retry-after": value}, NOW) <= LONGEST_WAIT


def test_repeatable_hides_keys_and_control_characters() -> None:
    said = repeatable("Bad key k-secret or sk-abcdef123456\nBearer abc.def\x1b[31m" + "x" * 999, "k-secret")
    assert "k-secret" not in said
    assert "sk-abcdef" not in said
    assert "abc.def" not in said
    assert "\n" not in said
    assert "\x1b" not in said
    assert len(said) <= 300


def test_sendable_of_any_text_is_unicode_and_not_empty() -> None:
    assert sendable(" \n") == "."
    assert sendable("a\ud800b") == "a?b"
    assert sendable("abcdef", 3) == "abc"


def test_unit_vector_of_a_vector_has_length_one() -> None:
    assert unit_vector([3.0, 4.0], 2) == [0.6, 0.8]


@pytest.mark.parametrize("values", [[1.0], [0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_unit_vector_of_anything_else_is_unavailable(values: list[float]) -> None:
    with pytest.raises(Unavailable):
        unit_vector(values, 2)
