"""Identifiers sort by time and carry their version."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.ids import time_ordered_id

AT = datetime(2026, 1, 1, tzinfo=UTC)


@given(st.datetimes(datetime(1971, 1, 1), datetime(9000, 1, 1), timezones=st.just(UTC)), st.integers(0, 2**80))
def test_time_ordered_id_is_a_version_7_uuid_of_its_time(at: datetime, bits: int) -> None:
    made = time_ordered_id(at, bits)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == int(at.timestamp() * 1000)


@given(st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_time_ordered_id_a_millisecond_later_sorts_after(earlier: int, later: int) -> None:
    assert time_ordered_id(AT, earlier) < time_ordered_id(AT + timedelta(milliseconds=1), later)


@given(st.integers(0, 2**74 - 1), st.integers(0, 2**74 - 1))
def test_time_ordered_id_keeps_every_random_bit(one: int, other: int) -> None:
    assert (time_ordered_id(AT, one) == time_ordered_id(AT, other)) is (one == other)
    assert (time_ordered_id(AT, one) < time_ordered_id(AT, other)) is (one < other)
