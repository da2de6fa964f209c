"""Retry pauses grow, are spread by chance, and have an end."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ingestion import retry_wait


@given(st.integers(0, 50), st.floats(0, 1))
def test_retry_wait_stays_between_one_second_and_five_minutes(attempts: int, jitter: float) -> None:
    assert 1.0 <= retry_wait(attempts, jitter).total_seconds() <= 300.0


def test_retry_wait_at_the_most_doubles_each_time() -> None:
    assert [retry_wait(attempts, 1.0).total_seconds() for attempts in range(1, 8)] == [10, 20, 40, 80, 160, 300, 300]


def test_retry_wait_without_jitter_is_at_once() -> None:
    assert retry_wait(5, 0.0).total_seconds() == 1.0
