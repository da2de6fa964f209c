"""Time and chance: the machine's, and those that tests decide."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.adapters.memory.clock import ManualClock, SequenceIds
from shared.adapters.system.clock import SystemClock, SystemIds
from shared.ports.clock import Clock, Ids

CLOCKS: list[Clock] = [SystemClock(), ManualClock()]
IDS: list[Ids] = [SystemIds(SystemClock()), SequenceIds(7)]


@pytest.mark.parametrize("clock", CLOCKS)
def test_now_is_utc_and_monotonic_never_falls(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta()
    assert clock.monotonic() <= clock.monotonic()


@pytest.mark.parametrize("ids", IDS)
def test_new_many_are_distinct_version_7(ids: Ids) -> None:
    made = [ids.new() for _ in range(2000)]
    assert len(set(made)) == 2000
    assert {(id.version, id.variant) for id in made} == {(7, "specified in RFC 4122")}


@pytest.mark.parametrize("ids", IDS)
def test_secret_is_256_bits_in_43_characters(ids: Ids) -> None:
    secrets = {ids.secret() for _ in range(200)}
    assert len(secrets) == 200
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_new_carries_the_time_of_its_clock() -> None:
    clock = ManualClock(datetime(2026, 5, 1, tzinfo=UTC))
    for ids in (SystemIds(clock), SequenceIds(1, clock)):
        assert ids.new().int >> 80 == int(clock.now().timestamp() * 1000)


def test_new_later_sorts_later() -> None:
    clock = ManualClock()
    ids = SequenceIds(3, clock)
    made: list[UUID] = []
    for _ in range(50):
        made += [ids.new(), ids.new()]
        clock.advance(0.001)
    assert made == sorted(made)


def test_sequence_ids_repeat_with_their_seed() -> None:
    first, again, other = SequenceIds(1), SequenceIds(1), SequenceIds(2)
    assert [(first.new(), first.secret()) for _ in range(5)] == [(again.new(), again.secret()) for _ in range(5)]
    assert SequenceIds(1).new() != other.new()


def test_advance_moves_both_times_and_never_back() -> None:
    clock = ManualClock()
    start = clock.now()
    assert clock.advance(1.5) == start + timedelta(seconds=1.5)
    clock.advance(timedelta(minutes=1))
    assert (clock.now() - start).total_seconds() == clock.monotonic() == 61.5
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)
