"""Requests counted ahead of those that are made."""

from datetime import UTC, datetime, timedelta

from shared.domain.rates import AHEAD, LASTS, SHARE, Counted, Lease, Limit, Part, Standing

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def standings(count: int, most: int = 6000) -> list[Standing]:
    return [Standing(Part.ADDRESS, Limit(most, 60), Counted(NOW, count), granted=True)]


def lease(taken: int, count: int, most: int = 6000) -> Lease:
    return Lease(standings(count, most), taken, NOW)


def test_lease_is_used_as_often_as_it_was_taken_for() -> None:
    one = lease(4, 10)
    counts = [one.standing()[0].counted.count, *(s.counted.count for _ in range(3) for s in one.use(NOW))]
    assert counts == [7, 8, 9, 10]
    assert one.use(NOW) == ()


def test_lease_that_was_used_up_is_followed_by_one_of_twice_the_size() -> None:
    sizes, one = [], lease(1, 1)
    for _ in range(7):
        sizes.append(one.taken)
        while one.use(NOW):
            pass
        one = lease(one.following(NOW), 1)
    assert sizes == [1, 2, 4, 8, AHEAD, AHEAD, AHEAD]


def test_lease_that_is_not_used_up_in_time_is_followed_by_a_single_request() -> None:
    one = lease(8, 8)
    one.use(NOW)
    assert one.following(NOW) == 1
    used = lease(1, 1)
    assert (used.following(NOW), used.following(NOW + LASTS)) == (2, 1)


def test_lease_ends_with_its_time_with_the_stretch_it_was_counted_in_and_by_a_clock_set_back() -> None:
    assert not lease(9, 9).use(NOW + LASTS)
    assert not lease(9, 9).use(NOW - timedelta(seconds=1))
    late = NOW + timedelta(seconds=55)
    ending = Lease(standings(9), 9, late)
    assert ending.use(late + timedelta(seconds=4))
    assert not ending.use(late + timedelta(seconds=5))


def test_lease_shrinks_towards_the_limit_until_each_request_is_counted() -> None:
    def after(remaining: int) -> int:
        return Lease(standings(6000 - remaining), AHEAD, NOW, used=AHEAD).following(NOW)

    assert [after(SHARE * 20), after(SHARE * 5), after(SHARE * 2 - 1), after(3), after(0)] == [AHEAD, 5, 1, 1, 1]


def test_lease_of_a_strict_limit_is_never_more_than_the_request() -> None:
    assert lease(1, 1, most=30).following(NOW) == 1
