"""Token buckets, in every store."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import pytest

from tests.contracts.samples import NOW, Store, at, new_room


async def reserve(store: Store, cost: float, now: datetime, *, key: str = "key", within: float = 1e6) -> float:
    """In a bucket of 10, filled by one each second."""
    async with store.transaction(None) as rows:
        return await rows.limits.reserve(key, cost, capacity=10, per_second=1, now=now, within=within)


async def drain(store: Store, until: datetime) -> None:
    async with store.transaction(None) as rows:
        await rows.limits.drain("key", until, per_second=1)


async def silence(store: Store, now: datetime) -> float:
    async with store.transaction(None) as rows:
        return await rows.limits.silence("key", now)


def second(count: float) -> datetime:
    return at(count / 60)


async def test_reserve_spends_the_capacity_then_promises_each_its_own_moment(store: Store) -> None:
    assert [await reserve(store, 4, NOW) for _ in range(2)] == [0, 0]
    assert await reserve(store, 4, NOW) == pytest.approx(2)
    assert await reserve(store, 1, NOW) == pytest.approx(3)
    assert await reserve(store, 1, second(1)) == pytest.approx(3)
    # All that was promised has flowed in, and one more.
    assert await reserve(store, 1, second(5)) == 0
    assert await reserve(store, 1, second(5)) == pytest.approx(1)


async def test_reserve_beyond_the_horizon_sets_nothing_aside(store: Store) -> None:
    assert await reserve(store, 8, NOW) == 0
    for _ in range(5):
        assert await reserve(store, 5, NOW, within=2.5) == pytest.approx(3)
    assert await reserve(store, 5, NOW, within=3.5) == pytest.approx(3)
    assert await reserve(store, 1, NOW) == pytest.approx(4)


async def test_reserve_never_finds_more_than_the_capacity(store: Store) -> None:
    assert await reserve(store, 10, NOW) == 0
    assert await reserve(store, 10, at(60)) == 0
    assert await reserve(store, 1, at(60)) == pytest.approx(1)


async def test_reserve_of_more_than_the_capacity_waits_for_all_of_it(store: Store) -> None:
    assert await reserve(store, 15, NOW) == pytest.approx(5)
    assert await reserve(store, 1, NOW) == pytest.approx(6)


async def test_reserve_of_more_than_a_new_bucket_can_promise_leaves_it_full(store: Store) -> None:
    assert await reserve(store, 1000, NOW, within=60) == pytest.approx(990)
    assert await reserve(store, 10, NOW) == 0


async def test_reserve_by_a_clock_that_lags_is_safe(store: Store) -> None:
    assert await reserve(store, 10, at(1)) == 0
    assert await reserve(store, 1, at(0)) == pytest.approx(61)
    assert await reserve(store, 1, second(61)) == pytest.approx(1)


async def test_reserve_of_other_keys_is_apart(store: Store) -> None:
    assert await reserve(store, 10, NOW, key="one") == 0
    assert await reserve(store, 10, NOW, key="two' --") == 0


async def test_drain_lets_nothing_flow_until_then(store: Store) -> None:
    await drain(store, at(1))
    assert await reserve(store, 1, NOW) == pytest.approx(61)
    assert await reserve(store, 1, at(0.5)) == pytest.approx(32)
    assert await reserve(store, 1, second(63)) == 0


async def test_drain_twice_keeps_the_later_moment(store: Store) -> None:
    await drain(store, at(2))
    await drain(store, at(1))
    assert await silence(store, NOW) == 120
    assert await reserve(store, 1, NOW) == pytest.approx(121)


async def test_drain_voids_what_was_promised_before_its_end_and_keeps_the_rest(store: Store) -> None:
    assert await reserve(store, 10, NOW) == 0
    assert await reserve(store, 30, NOW) == pytest.approx(30)
    await drain(store, second(20))
    # Of the thirty promised, ten were for moments after the silence.
    assert await reserve(store, 1, NOW) == pytest.approx(20 + 10 + 1)


async def test_silence_is_told_only_when_the_provider_asked_for_it(store: Store) -> None:
    assert await silence(store, NOW) == 0
    assert await reserve(store, 100, at(1)) == pytest.approx(90)
    assert await silence(store, NOW) == 0
    await drain(store, at(2))
    assert await silence(store, NOW) == pytest.approx(120)
    assert await silence(store, at(3)) == 0


async def test_reserve_in_a_tenants_transaction_is_the_same_bucket(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        assert await rows.limits.reserve("key", 10, capacity=10, per_second=1, now=NOW, within=60) == 0
    assert await reserve(store, 1, NOW) == pytest.approx(1)


async def test_reserve_in_parallel_promises_no_moment_twice(store: Store, another: Callable[[], Store]) -> None:
    async def worker(through: Store) -> list[float]:
        return [await reserve(through, 1, NOW) for _ in range(5)]

    waits = [wait for found in await asyncio.gather(*(worker(another()) for _ in range(4))) for wait in found]
    assert sorted(waits) == pytest.approx([0.0] * 10 + [float(number) for number in range(1, 11)])
