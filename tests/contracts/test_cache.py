"""Vectors known already, in every store."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.documents import Document, GenerationState
from tests.contracts.samples import Store, add_document, at, document, generation, index, new_room, write

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


async def test_delete_unused_by_two_at_once_leaves_nothing_behind(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    documents = [await index(store, room, ["shared", "shared too"]) for _ in range(2)]
    names = ["hash of shared", "hash of shared too"]
    async with store.transaction(room.scope) as rows:
        await rows.cache.put(room.scope, MODEL, {name: [1.0] for name in names})
    both = asyncio.Barrier(2)

    async def forget(through: Store, document: Document) -> int:
        async with through.transaction(room.scope) as rows:
            await rows.chunks.delete(room.scope, document.id)
            await both.wait()
            return await rows.cache.delete_unused(room.scope, names)

    gone = await asyncio.gather(*(forget(another(), one) for one in documents))
    assert sorted(gone) == [0, 2]


async def test_under_way_is_what_another_leased_generation_has(store: Store) -> None:
    room, stranger = await new_room(store), await new_room(store)
    embedding: dict[str, Any] = {"state": GenerationState.EMBEDDING, "lease_owner": "worker", "lease_until": at(5)}
    made = {}
    for name, where, changes in (
        ("leased", room, embedding),
        ("expired", room, {**embedding, "lease_until": at(1)}),
        ("cutting", room, {**embedding, "state": GenerationState.CHUNKING}),
        ("strange", stranger, embedding),
    ):
        made[name] = document(where)
        async with store.transaction(where.scope) as rows:
            await rows.documents.add(where.scope, made[name], generation(made[name], **changes))
            await write(rows, where, made[name], 1, [name, "shared"])
    names = [f"hash of {text}" for text in (*made, "shared", "nobody's")]
    async with store.transaction(room.scope) as rows:
        leased, expired = made["leased"].id, made["expired"].id
        assert await rows.cache.under_way(room.scope, expired, 1, names, at(2)) == {"hash of leased", "hash of shared"}
        assert await rows.cache.under_way(room.scope, leased, 1, names, at(2)) == set()
        assert await rows.cache.under_way(room.scope, expired, 1, ["hash of cutting"], at(2)) == set()


async def test_under_way_asked_by_two_at_once_lets_the_second_see_the_first(
    store: Store, another: Callable[[], Store]
) -> None:
    room = await new_room(store)
    documents = [await add_document(store, room) for _ in range(2)]
    for one in documents:
        async with store.transaction(room.scope) as rows:
            await write(rows, room, one, 1, ["shared"])

    async def ask(through: Store, one: Document) -> set[str]:
        async with through.transaction(room.scope) as rows:
            mine = generation(one, state=GenerationState.EMBEDDING, lease_owner="w", lease_until=at(5))
            await rows.documents.save_generation(room.scope, mine)
            found = await rows.cache.under_way(room.scope, one.id, 1, ["hash of shared"], at(2))
            await asyncio.sleep(0.01)
            return found

    found = await asyncio.gather(*(ask(another(), one) for one in documents))
    assert sorted(map(len, found)) == [0, 1]


async def test_listed_names_hashes_in_order_a_page_at_a_time(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    async with store.transaction(other.scope) as rows:
        await rows.cache.put(other.scope, MODEL, {"a": [1.0], "z": [1.0]})
    async with store.transaction(room.scope) as rows:
        await rows.cache.put(room.scope, MODEL, {key: [1.0] for key in "dacb"})
        await rows.cache.put(room.scope, "memory/other", {"a": [1.0]})
        assert await rows.cache.listed(room.scope, "", 3) == ["a", "b", "c"]
        assert await rows.cache.listed(room.scope, "c", 3) == ["d"]
        assert await rows.cache.listed(room.scope, "d", 3) == []
