"""Vectors known already, in every store."""

import asyncio
from collections.abc import Callable

import pytest

from tests.contracts.samples import Store, index, new_room

MODEL = "memory/test"


async def test_put_comes_back_as_32_bit_floats(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        await rows.cache.put(room.scope, MODEL, {"a": [0.1, -2.5, 1e-30], "b": (1.0, 2.0)})
        found = await rows.cache.get(room.scope, MODEL, ["a", "b", "c"])
    assert set(found) == {"a", "b"}
    assert list(found["a"]) == pytest.approx([0.1, -2.5, 1e-30], rel=1e-6)
    assert list(found["b"]) == [1.0, 2.0]


async def test_put_again_replaces(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        for value in (1.0, 2.0):
            await rows.cache.put(room.scope, MODEL, {"a": [value]})
        assert list((await rows.cache.get(room.scope, MODEL, ["a"]))["a"]) == [2.0]


async def test_get_and_put_of_nothing_do_nothing(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        await rows.cache.put(room.scope, MODEL, {})
        assert await rows.cache.get(room.scope, MODEL, []) == {}
        assert await rows.cache.delete_unused(room.scope, []) == 0


async def test_get_of_another_model_finds_nothing(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        await rows.cache.put(room.scope, MODEL, {"a": [1.0]})
        assert await rows.cache.get(room.scope, "other", ["a"]) == {}


async def test_get_of_another_tenant_finds_nothing(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    async with store.transaction(other.scope) as rows:
        await rows.cache.put(other.scope, MODEL, {"a": [1.0]})
    async with store.transaction(one.scope) as rows:
        assert await rows.cache.get(one.scope, MODEL, ["a"]) == {}
        assert await rows.cache.get(other.scope, MODEL, ["a"]) == {}
        assert await rows.cache.delete_unused(one.scope, ["a"]) == 0
    async with store.transaction(other.scope) as rows:
        assert len(await rows.cache.get(other.scope, MODEL, ["a"])) == 1


async def test_get_in_another_project_of_the_tenant_finds_it(store: Store) -> None:
    one = await new_room(store)
    sibling = await new_room(store, tenant_id=one.scope.tenant_id)
    async with store.transaction(one.scope) as rows:
        await rows.cache.put(one.scope, MODEL, {"a": [1.0]})
    async with store.transaction(sibling.scope) as rows:
        assert len(await rows.cache.get(sibling.scope, MODEL, ["a"])) == 1


async def test_put_of_many_finds_each(store: Store) -> None:
    room = await new_room(store)
    vectors = {f"hash {number}": [float(number)] for number in range(2500)}
    async with store.transaction(room.scope) as rows:
        await rows.cache.put(room.scope, MODEL, vectors)
        found = await rows.cache.get(room.scope, MODEL, list(vectors))
    assert {name: list(values) for name, values in found.items()} == vectors


async def test_put_in_parallel_of_the_same_texts_deadlocks_never(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    names = [f"hash {number}" for number in range(300)]

    async def put(through: Store, ordered: list[str]) -> None:
        async with through.transaction(room.scope) as rows:
            await rows.cache.put(room.scope, MODEL, {name: [1.0] for name in ordered})

    await asyncio.gather(*(put(another(), order) for order in (names, names[::-1], names[150:] + names[:150])))


async def test_delete_unused_spares_what_any_chunk_of_the_tenant_has(store: Store) -> None:
    room = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=room.scope.tenant_id), await new_room(store)
    await index(store, room, ["here"])
    await index(store, sibling, ["there"])
    await index(store, stranger, ["elsewhere"])
    names = [f"hash of {text}" for text in ("here", "there", "elsewhere", "nowhere")]
    async with store.transaction(room.scope) as rows:
        for model in (MODEL, "other"):
            await rows.cache.put(room.scope, model, {name: [1.0] for name in [*names, "not asked about"]})
        assert await rows.cache.delete_unused(room.scope, names) == 4
        assert set(await rows.cache.get(room.scope, MODEL, [*names, "not asked about"])) == {
            *names[:2],
            "not asked about",
        }
