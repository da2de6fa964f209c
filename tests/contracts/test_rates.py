"""How often callers ask, in every store."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from shared.domain.errors import RateLimited
from shared.domain.rates import Limit, Part, Standing
from shared.domain.tenants import KEY_PERMISSIONS, Credential
from shared.ports.rates import Asker, Told
from tests.contracts.samples import NOW, Room, Store, new_id, new_room

THREE = [(Part.ADDRESS, Limit(3, 60))]
HERE = Asker("read", "198.51.100.23")


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def ask(
    store: Store, asker: Asker = HERE, limits: Sequence[tuple[Part, Limit]] = THREE, now: datetime = NOW
) -> list[Standing]:
    """As a door does: counted with the first statement of a transaction."""
    found: list[Standing] = []
    async with store.transaction(None) as rows:
        await rows.rates.along(asker, limits, now, found.extend)
        await rows.tenants.ids()
    return found


async def granted(store: Store, asker: Asker = HERE, now: datetime = NOW) -> bool:
    return all(one.granted for one in await ask(store, asker, now=now))


async def key_in(store: Store, room: Room) -> str:
    credential = Credential(new_id(), room.scope.tenant_id, None, "key", KEY_PERMISSIONS, None, None)
    secret_hash = new_id().hex * 2
    async with store.transaction(room.scope) as rows:
        await rows.keys.add(room.scope, credential, secret_hash, NOW)
    return secret_hash


async def test_along_grants_as_many_as_the_limit_then_refuses_and_says_for_how_long(store: Store) -> None:
    for left in (2, 1, 0):
        (standing,) = await ask(store)
        assert (standing.granted, standing.remaining(NOW)) == (True, left)
    (standing,) = await ask(store)
    assert (standing.granted, standing.remaining(NOW)) == (False, 0)
    # NOW opens a window: what is in it begins to leave when the next one has begun.
    assert standing.wait(NOW) == pytest.approx(60 + 20)
    assert not await granted(store, now=later(79))
    assert await granted(store, now=later(81))
    assert not await granted(store, now=later(82))


async def test_along_lets_the_window_before_slide_out_bit_by_bit(store: Store) -> None:
    for _ in range(3):
        assert await granted(store, now=later(59))
    assert not await granted(store, now=later(61))
    assert [await granted(store, now=later(60 + passed)) for passed in (21, 22, 41, 42)] == [True, False, True, False]
    assert await granted(store, now=later(200))


async def test_along_does_not_count_what_it_refuses(store: Store) -> None:
    for _ in range(20):
        await ask(store)
    (standing,) = await ask(store)
    assert standing.counted.count == 3


async def test_along_counts_kinds_and_addresses_apart(store: Store) -> None:
    for asker in (HERE, Asker("write", HERE.address), Asker("read", "203.0.113.9' --"), Asker("read", "2001:db8::/64")):
        assert [await granted(store, asker) for _ in range(4)] == [True, True, True, False]


async def test_along_by_a_clock_that_lags_grants_no_more(store: Store) -> None:
    for _ in range(3):
        assert await granted(store, now=later(61))
    assert not await granted(store, now=later(59))


async def failing(store: Store, told: Told, secret_hash: str = "") -> None:
    async with store.transaction(None) as rows:
        await rows.rates.along(HERE, THREE, NOW, told)
        await rows.keys.authenticate(secret_hash, NOW)
        raise ZeroDivisionError


async def test_along_is_kept_when_the_transaction_is_not(store: Store) -> None:
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            await failing(store, lambda _: None)
    assert not await granted(store)


async def test_along_ends_the_transaction_by_what_is_raised_at_the_first_statement_at_the_latest(store: Store) -> None:
    def refuse(_: Sequence[Standing]) -> None:
        raise RateLimited("no", seconds=1)

    secret_hash = await key_in(store, await new_room(store))
    with pytest.raises(RateLimited):
        await failing(store, refuse, secret_hash)


async def test_along_knows_the_principal_and_tenant_of_a_key(store: Store) -> None:
    room = await new_room(store)
    one, other = [await key_in(store, room) for _ in range(2)]
    limits = [(Part.ADDRESS, Limit(100, 60)), (Part.PRINCIPAL, Limit(2, 60)), (Part.TENANT, Limit(3, 60))]

    async def by(secret_hash: str) -> list[tuple[Part, int, bool]]:
        found = await ask(store, Asker("read", "198.51.100.23", secret_hash), limits)
        return [(standing.part, standing.counted.count, standing.granted) for standing in found]

    assert await by(one) == [(Part.ADDRESS, 1, True), (Part.PRINCIPAL, 1, True), (Part.TENANT, 1, True)]
    assert await by(one) == [(Part.ADDRESS, 2, True), (Part.PRINCIPAL, 2, True), (Part.TENANT, 2, True)]
    # One key at its limit takes nothing from the tenant's others, nor from the address.
    assert await by(one) == [(Part.ADDRESS, 2, False), (Part.PRINCIPAL, 2, False), (Part.TENANT, 2, False)]
    assert await by(other) == [(Part.ADDRESS, 3, True), (Part.PRINCIPAL, 1, True), (Part.TENANT, 3, True)]
    assert await by(other) == [(Part.ADDRESS, 3, False), (Part.PRINCIPAL, 1, False), (Part.TENANT, 3, False)]
    stranger = await key_in(store, await new_room(store))
    assert (await by(stranger))[2] == (Part.TENANT, 1, True)
    assert await by("ff" * 32) == [(Part.ADDRESS, 5, True)]


async def test_along_counts_no_tenant_that_a_user_only_names(store: Store) -> None:
    room = await new_room(store)
    asker = Asker("read", "198.51.100.23", user_id=UUID(int=7), tenant_id=room.scope.tenant_id)
    found = await ask(store, asker, [(Part.PRINCIPAL, Limit(3, 60)), (Part.TENANT, Limit(3, 60))])
    assert [one.part for one in found] == [Part.PRINCIPAL]


async def test_along_in_parallel_grants_exactly_the_limit(store: Store, another: Callable[[], Store]) -> None:
    async def worker(through: Store) -> list[bool]:
        return [(await ask(through, limits=[(Part.ADDRESS, Limit(17, 60))]))[0].granted for _ in range(8)]

    found = [one for some in await asyncio.gather(*(worker(another()) for _ in range(4))) for one in some]
    assert sum(found) == 17


async def test_along_far_from_its_limit_counts_one_by_one_for_whoever_asks(store: Store) -> None:
    found = [await ask(store, limits=[(Part.ADDRESS, Limit(5000, 60))], now=later(number / 10)) for number in range(60)]
    assert [standing.counted.count for standings in found for standing in standings] == list(range(1, 61))


async def test_along_from_several_processes_grants_no_more_than_a_generous_limit_and_hardly_less(
    another: Callable[[], Store],
) -> None:
    stores = [another() for _ in range(3)]
    limits = [(Part.ADDRESS, Limit(600, 60))]
    found = [(await ask(stores[number % 3], limits=limits))[0].granted for number in range(700)]
    assert 590 <= sum(found) <= 600


async def test_along_does_not_keep_what_was_counted_ahead_beyond_its_stretch(store: Store) -> None:
    limits = [(Part.ADDRESS, Limit(5000, 60))]
    for number in range(9):
        await ask(store, limits=limits, now=later(50 + number))
    (standing,) = await ask(store, limits=limits, now=later(61))
    assert (standing.counted.opened, standing.counted.count) == (later(60), 1)


async def test_purge_forgets_only_what_is_out_of_every_window(store: Store) -> None:
    await ask(store)
    async with store.transaction(None) as rows:
        assert await rows.rates.purge(later(119)) == 0
        assert await rows.rates.purge(later(121)) == 1
        assert await rows.rates.purge(later(121)) == 0
