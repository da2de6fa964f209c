"""Token buckets, in every store."""

import asyncio
from collections.abc import Callable
from datetime import datetime

import pytest

from tests.contracts.samples import NOW, Store, at, new_room


async def take(store: Store, cost: float, now: datetime, *, key: str = "key") -> float:
    """From a bucket of 10, filled by one each second."""
    async with store.transaction(None) as rows:
        return await rows.limits.take(key, cost, capacity=10, per_second=1, now=now)


async def test_take_spends_the_capacity_then_waits_for_the_flow(store: Store) -> None:
    assert [await take(store, 4, NOW) for _ in range(2)] == [0, 0]
    assert await take(store, 4, NOW) == pytest.approx(2)
    assert await take(store, 4, at(1 / 60)) == pytest.approx(1)
    assert await take(store, 4, at(2 / 60)) == 0
    assert await take(store, 1, at(2 / 60)) == pytest.approx(1)


async def test_take_that_is_refused_takes_nothing(store: Store) -> None:
    assert await take(store, 8, NOW) == 0
    for _ in range(5):
        assert await take(store, 3, NOW) == pytest.approx(1)
    assert await take(store, 2, NOW) == 0


async def test_take_never_finds_more_than_the_capacity(store: Store) -> None:
    assert await take(store, 10, NOW) == 0
    assert await take(store, 10, at(60)) == 0
    assert await take(store, 1, at(60)) == pytest.approx(1)


async def test_take_of_more_than_the_capacity_takes_all(store: Store) -> None:
    assert await take(store, 1000, NOW) == 0
    assert await take(store, 1, NOW) == pytest.approx(1)
    assert await take(store, 1000, NOW) == pytest.approx(10)


async def test_take_by_a_clock_that_lags_is_safe(store: Store) -> None:
    assert await take(store, 10, at(1)) == 0
    assert await take(store, 1, at(0)) == pytest.approx(61)
    assert await take(store, 1, at(1) + (at(1 / 60) - NOW)) == 0


async def test_take_of_other_keys_is_apart(store: Store) -> None:
    assert await take(store, 10, NOW, key="one") == 0
    assert await take(store, 10, NOW, key="two' --") == 0


async def test_drain_lets_nothing_flow_until_then(store: Store) -> None:
    async with store.transaction(None) as rows:
        await rows.limits.drain("key", at(1))
    assert await take(store, 1, NOW) == pytest.approx(61)
    assert await take(store, 1, at(0.5)) == pytest.approx(31)
    assert await take(store, 1, at(1)) == pytest.approx(1)
    assert await take(store, 1, at(1) + (at(1 / 60) - NOW)) == 0


async def test_drain_twice_keeps_the_later_moment(store: Store) -> None:
    async with store.transaction(None) as rows:
        await rows.limits.drain("key", at(2))
        await rows.limits.drain("key", at(1))
    assert await take(store, 1, NOW) == pytest.approx(121)


async def test_take_in_a_tenants_transaction_is_the_same_bucket(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        assert await rows.limits.take("key", 10, capacity=10, per_second=1, now=NOW) == 0
    assert await take(store, 1, NOW) == pytest.approx(1)


async def test_take_in_parallel_hands_out_no_more_than_there_is(store: Store, another: Callable[[], Store]) -> None:
    async def worker(through: Store) -> int:
        return sum([await take(through, 1, NOW) == 0 for _ in range(5)])

    assert sum(await asyncio.gather(*(worker(another()) for _ in range(4)))) == 10
