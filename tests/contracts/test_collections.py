"""Tenants, projects, keys and collections, in every store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.domain.chunks import Chunking, ChunkMethod
from shared.domain.collections import Collection, EmbeddingModel
from shared.domain.documents import DocumentStatus
from shared.domain.errors import Conflict, Forbidden
from shared.domain.pages import After
from shared.domain.tenants import Authenticated, Credential, Permission, Project, Scope
from tests.contracts.samples import (
    NOW,
    Store,
    add_document,
    at,
    collection,
    index,
    new_id,
    new_room,
    scope_of,
    tombstone,
)


def credential(scope: Scope, **changes: object) -> Credential:
    made = Credential(new_id(), scope.tenant_id, None, "laptop", frozenset({Permission.DOCUMENTS_READ}), None, None)
    return replace(made, **{"prefix": "lam_abcd", "created_by": "key", "created_at": NOW, **changes})  # type: ignore[arg-type]


async def test_ensure_twice_keeps_the_first_tenant(store: Store) -> None:
    scope = scope_of(new_id(), new_id())
    async with store.transaction(scope) as rows:
        await rows.tenants.ensure(scope.tenant_id, "first", NOW)
        await rows.tenants.ensure(scope.tenant_id, "second", NOW)
    async with store.transaction(None) as rows:
        assert list(await rows.tenants.ids()) == [scope.tenant_id]


async def test_ids_without_a_tenant_names_every_tenant(store: Store) -> None:
    rooms = [await new_room(store) for _ in range(3)]
    async with store.transaction(None) as rows:
        assert set(await rows.tenants.ids()) == {room.scope.tenant_id for room in rooms}


async def test_revision_is_known(store: Store) -> None:
    async with store.transaction(None) as rows:
        assert await rows.tenants.revision()


async def test_add_project_with_a_taken_name_conflicts_and_leaves_the_transaction_usable(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        known = (await rows.projects.list(room.scope, None, 10))[0]
        with pytest.raises(Conflict):
            await rows.projects.add(room.scope, Project(new_id(), room.scope.tenant_id, known.name, NOW))
        assert await rows.projects.get(room.scope, known.id) == known


async def test_add_project_with_another_tenants_name_is_allowed(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    async with store.transaction(one.scope) as rows:
        name = (await rows.projects.list(one.scope, None, 10))[0].name
    async with store.transaction(other.scope) as rows:
        project = Project(new_id(), other.scope.tenant_id, name, NOW)
        await rows.projects.add(other.scope, project)
        assert await rows.projects.get(other.scope, project.id) == project


async def test_list_projects_page_by_page_gives_each_once_newest_first(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        for minute in (3, 1, 2, 2):
            await rows.projects.add(room.scope, Project(new_id(), room.scope.tenant_id, f"{new_id()}", at(minute)))
        first = await rows.projects.list(room.scope, None, 3)
        rest = await rows.projects.list(room.scope, After(first[-1].created_at, first[-1].id), 10)
    listed = [*first, *rest]
    assert len({one.id for one in listed}) == 5
    assert listed == sorted(listed, key=lambda one: (one.created_at, one.id), reverse=True)


async def test_get_project_of_another_tenant_finds_nothing(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    async with store.transaction(one.scope) as rows:
        assert await rows.projects.get(one.scope, other.scope.project_id) is None
        assert [project.id for project in await rows.projects.list(one.scope, None, 10)] == [one.scope.project_id]


async def test_authenticate_opens_the_keys_tenant(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    keys = {room.scope.tenant_id: credential(room.scope) for room in (one, other)}
    for room in (one, other):
        async with store.transaction(room.scope) as rows:
            await rows.keys.add(room.scope, keys[room.scope.tenant_id], f"hash of {room.scope.tenant_id}", NOW)
    for room in (one, other):
        async with store.transaction(None) as rows:
            assert await rows.collections.get(room.scope, room.collection.id) is None
            found = await rows.keys.authenticate(f"hash of {room.scope.tenant_id}", NOW)
            assert found is not None
            assert replace(found.credential, last_used_at=None) == keys[room.scope.tenant_id]
            assert await rows.collections.get(room.scope, room.collection.id) == room.collection
    async with store.transaction(None) as rows:
        await rows.keys.authenticate(f"hash of {one.scope.tenant_id}", NOW)
        assert await rows.collections.get(other.scope, other.collection.id) is None


async def test_authenticate_with_an_unknown_hash_finds_nothing_and_opens_nothing(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(None) as rows:
        assert await rows.keys.authenticate("no such hash' OR true --", NOW) is None
        assert await rows.collections.get(room.scope, room.collection.id) is None


async def test_authenticate_gives_revoked_and_expired_keys_as_they_are(store: Store) -> None:
    room = await new_room(store)
    kept = credential(room.scope, expires_at=at(1), revoked_at=at(2), project_id=room.scope.project_id)
    async with store.transaction(room.scope) as rows:
        await rows.keys.add(room.scope, kept, "hash", NOW)
    async with store.transaction(None) as rows:
        found = await rows.keys.authenticate("hash", NOW)
        assert found == Authenticated(kept, room.scope.project_id, readers=frozenset({f"key:{kept.id}"}))


async def test_add_key_with_a_known_hash_conflicts(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        await rows.keys.add(room.scope, credential(room.scope), "hash", NOW)
    with pytest.raises(Conflict):
        async with store.transaction(room.scope) as rows:
            await rows.keys.add(room.scope, credential(room.scope), "hash", NOW)


async def test_add_collection_comes_back_as_it_went(store: Store) -> None:
    room = await new_room(store)
    made = collection(
        room.scope,
        name="Ünïcode ' \" \\ %s",
        description="two\nlines",
        language="de",
        model=EmbeddingModel("openai/text-embedding-3-small", 1536, 8191),
        chunking=Chunking(ChunkMethod.TOKENS, 300, 50),
        created_at=at(1.5),
    )
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, made)
    async with store.transaction(room.scope) as rows:
        assert await rows.collections.get(room.scope, made.id) == made


async def test_add_collection_with_a_taken_name_conflicts_and_leaves_the_transaction_usable(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        with pytest.raises(Conflict):
            await rows.collections.add(room.scope, collection(room.scope))
        assert await rows.collections.get(room.scope, room.collection.id) == room.collection


async def test_add_collection_in_parallel_under_one_name_stores_one(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)

    async def add(through: Store) -> bool:
        try:
            async with through.transaction(room.scope) as rows:
                await rows.collections.add(room.scope, collection(room.scope, name="contested"))
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*(add(another()) for _ in range(4)))) == [False, False, False, True]


async def test_add_collection_to_another_tenants_project_is_refused(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    with pytest.raises((Forbidden, Conflict)):
        async with store.transaction(one.scope) as rows:
            await rows.collections.add(other.scope, collection(other.scope, name="planted"))
    crossed = scope_of(one.scope.tenant_id, other.scope.project_id)
    with pytest.raises(Conflict):
        async with store.transaction(one.scope) as rows:
            await rows.collections.add(crossed, collection(crossed, name="planted"))
    async with store.transaction(other.scope) as rows:
        assert [one.name for one in await rows.collections.list(other.scope, None, 10)] == ["papers"]


async def test_get_collection_of_another_project_finds_nothing(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    for other in (sibling, stranger):
        async with store.transaction(one.scope) as rows:
            assert await rows.collections.get(one.scope, other.collection.id) is None
            assert list(await rows.collections.get_many(one.scope, [other.collection.id])) == []
            assert await rows.collections.summary(one.scope, other.collection.id) is None
            await rows.collections.save(one.scope, replace(other.collection, name="taken over"))
        async with store.transaction(other.scope) as rows:
            assert await rows.collections.get(other.scope, other.collection.id) == other.collection


async def test_get_many_gives_those_that_live(store: Store) -> None:
    room = await new_room(store)
    second = collection(room.scope, name="second", created_at=at(1))
    gone = collection(room.scope, name="gone", deleted_at=at(1))
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, second)
        await rows.collections.add(room.scope, gone)
        wanted = [second.id, new_id(), gone.id, room.collection.id, second.id]
        assert list(await rows.collections.get_many(room.scope, wanted)) == [room.collection, second]
        assert list(await rows.collections.get_many(room.scope, [])) == []


async def test_save_deleted_frees_the_name_and_hides_the_collection(store: Store) -> None:
    room = await new_room(store)
    gone = replace(room.collection, deleted_at=at(1))
    async with store.transaction(room.scope) as rows:
        await rows.collections.save(room.scope, gone)
        assert await rows.collections.get(room.scope, gone.id) is None
        assert await rows.collections.get(room.scope, gone.id, deleted=True) == gone
        assert list(await rows.collections.list(room.scope, None, 10)) == []
        assert await rows.collections.summary(room.scope, gone.id) is None
        again = collection(room.scope)
        await rows.collections.add(room.scope, again)
        assert list(await rows.collections.list(room.scope, None, 10)) == [again]


async def test_save_with_a_taken_name_conflicts(store: Store) -> None:
    room = await new_room(store)
    second = collection(room.scope, name="second")
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, second)
    with pytest.raises(Conflict):
        async with store.transaction(room.scope) as rows:
            await rows.collections.save(room.scope, replace(second, name="papers"))
    async with store.transaction(room.scope) as rows:
        renamed = replace(second, name="third", description="now described")
        await rows.collections.save(room.scope, renamed)
        assert await rows.collections.get(room.scope, second.id) == renamed


async def test_list_collections_page_by_page_gives_each_once_newest_first(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        for minute in (2, 1, 1, 3):
            await rows.collections.add(room.scope, collection(room.scope, name=f"{new_id()}", created_at=at(minute)))
        listed: list[Collection] = []
        after: After | None = None
        while page := await rows.collections.list(room.scope, after, 2):
            listed += page
            after = After(page[-1].created_at, page[-1].id)
    assert len(listed) == 5
    assert listed == sorted(listed, key=lambda one: (one.created_at, one.id), reverse=True)


async def test_summary_counts_live_documents_and_searched_chunks(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    await index(store, room, ["one two", "three"])
    gone = await index(store, room, ["four"])
    await add_document(store, room)
    await add_document(store, room, status=DocumentStatus.FAILED)
    await index(store, other, ["five", "six", "seven"])
    await tombstone(store, room, gone)
    async with store.transaction(room.scope) as rows:
        found = await rows.collections.summary(room.scope, room.collection.id)
    assert found is not None
    assert found.collection == room.collection
    assert (found.documents, found.indexed, found.failed, found.chunks) == (3, 1, 1, 2)


async def test_transaction_that_raises_leaves_nothing(store: Store) -> None:
    room = await new_room(store)

    async def attempt() -> None:
        async with store.transaction(room.scope) as rows:
            await rows.collections.add(room.scope, collection(room.scope, name="lost"))
            await rows.collections.save(room.scope, replace(room.collection, name="renamed"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await attempt()
    async with store.transaction(room.scope) as rows:
        assert list(await rows.collections.list(room.scope, None, 10)) == [room.collection]


async def test_transaction_hides_its_writes_until_it_commits(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    second = another()
    async with store.transaction(room.scope) as rows:
        made = collection(room.scope, name="not yet")
        await rows.collections.add(room.scope, made)
        async with second.transaction(room.scope) as elsewhere:
            assert await elsewhere.collections.get(room.scope, made.id) is None
        assert await rows.collections.get(room.scope, made.id) == made
    async with second.transaction(room.scope) as elsewhere:
        assert await elsewhere.collections.get(room.scope, made.id) == made


async def test_transaction_of_another_tenant_neither_reads_nor_writes(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    async with store.transaction(one.scope) as rows:
        assert await rows.collections.get(other.scope, other.collection.id) is None
        assert list(await rows.collections.list(other.scope, None, 10)) == []
        assert list(await rows.projects.list(other.scope, None, 10)) == []
        await rows.collections.save(other.scope, replace(other.collection, name="taken over"))
    async with store.transaction(None) as rows:
        assert await rows.collections.get(one.scope, one.collection.id) is None
    async with store.transaction(other.scope) as rows:
        assert await rows.collections.get(other.scope, other.collection.id) == other.collection
