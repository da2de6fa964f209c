"""What a tombstone on a collection, a project or a tenant means to every read, in every store."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.chunks import ChunkId
from shared.domain.errors import Conflict
from shared.domain.filters import parse_filter
from shared.domain.ingestions import Happening, Ingestion, News
from shared.domain.pages import After
from shared.domain.receipts import DeletionReceipt, Signature, Subject, SubjectKind, Totals
from shared.domain.tenants import Credential, Permission, Project
from shared.ports.documents import DocumentFilter, Unswept
from shared.ports.receipts import ReceiptFilter
from tests.contracts.samples import (
    NOW,
    Room,
    Store,
    add_document,
    at,
    collection,
    index,
    new_id,
    new_room,
    tombstone,
)

K = SubjectKind
ROOMS = [K.COLLECTION, K.PROJECT, K.TENANT]
VECTOR = (1.0, 0.0, 0.0, 0.0)


def subject(room: Room, kind: SubjectKind) -> Subject:
    return Subject(
        kind,
        {K.COLLECTION: room.collection.id, K.PROJECT: room.scope.project_id, K.TENANT: room.scope.tenant_id}[kind],
    )


async def delete_room(store: Store, room: Room, kind: SubjectKind) -> None:
    scope = room.scope
    async with store.transaction(scope) as rows:
        if kind is K.COLLECTION:
            await rows.collections.save(scope, replace(room.collection, deleted_at=at(1)))
        elif kind is K.PROJECT:
            known = await rows.projects.get(scope, scope.project_id)
            assert known is not None
            await rows.projects.save(scope, replace(known, deleted_at=at(1)))
        else:
            tenant = await rows.tenants.get(scope)
            assert tenant is not None
            await rows.tenants.save(scope, replace(tenant, deleted_at=at(1)))


@pytest.mark.parametrize("kind", ROOMS)
async def test_nothing_in_a_deleted_room_is_read(store: Store, kind: SubjectKind) -> None:
    room = await new_room(store)
    scope = room.scope
    made = await index(store, room, ["some words"], [VECTOR], path="a/b")
    neighbour = await new_room(store)
    kept = await index(store, neighbour, ["some words"], [VECTOR], path="a/b")
    everything = parse_filter({"field": "name", "op": "contains", "value": "."})
    await delete_room(store, room, kind)
    for one, of, seen in ((room, made, False), (neighbour, kept, True)):
        async with store.transaction(one.scope) as rows:
            id = ChunkId(of.id, 1, 0)
            ids = [one.collection.id]
            documents = await rows.documents.list(one.scope, DocumentFilter(collection_id=ids[0]), None, 10)
            assert [row.id for row in documents] == [of.id] * seen
            assert len(await rows.documents.list(one.scope, DocumentFilter(), None, 10)) == seen
            assert len(await rows.documents.matching_ids(one.scope, ids, everything, 10)) == seen
            assert (await rows.documents.get_by_path(one.scope, ids[0], "a/b") is not None) == seen
            assert len(await rows.chunks.visible(one.scope, [id])) == seen
            assert len(await rows.keywords.query(one.scope, ids, ["some"], 10)) == seen
            assert len(await rows.keywords.query(one.scope, ids, ["some"], 10, filter=everything)) == seen
            assert len(await rows.vectors.query(one.scope, [one.collection], VECTOR, 10)) == seen
            assert len(await rows.vectors.query(one.scope, [one.collection], VECTOR, 10, filter=everything)) == seen
            assert len(await rows.collections.get_many(one.scope, ids)) == seen
            assert len(await rows.collections.list(one.scope, None, 10)) == seen
            assert (await rows.collections.get(one.scope, ids[0]) is not None) == seen
            assert (await rows.collections.summary(one.scope, ids[0]) is not None) == seen
            assert await rows.collections.get(one.scope, ids[0], deleted=True) is not None
            assert await rows.documents.commit(one.scope, of.id, 1) == seen
    async with store.transaction(scope) as rows:
        for found in (
            await rows.documents.get(scope, made.id),
            await rows.documents.lock(scope, made.id),
            *(await rows.documents.latest(scope, made.id) or ())[:1],
            *(await rows.documents.lock_with(scope, made.id, 1) or ())[:1],
        ):
            assert found is not None
            assert (found.deleted, found.gone_with, found.tombstoned_at) == (True, at(1), None)


async def test_document_saved_in_a_deleted_room_has_no_tombstone_of_its_own(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    await delete_room(store, room, K.PROJECT)
    async with store.transaction(room.scope) as rows:
        known = await rows.documents.lock(room.scope, made.id)
        assert known is not None
        await rows.documents.save(room.scope, replace(known, name="other"))
        assert await rows.documents.unswept(room.scope, subject(room, K.PROJECT)) == Unswept(True, 0)


@pytest.mark.parametrize("kind", [K.PROJECT, K.TENANT])
async def test_key_is_revoked_with_its_project_or_tenant(store: Store, kind: SubjectKind) -> None:
    room = await new_room(store)
    scope = room.scope
    tied = Credential(
        new_id(), scope.tenant_id, scope.project_id, "tied", frozenset({Permission.SEARCH_QUERY}), None, None
    )
    free = replace(tied, id=new_id(), project_id=None, name="free")
    async with store.transaction(scope) as rows:
        await rows.keys.add(scope, tied, f"tied {scope.tenant_id}", NOW)
        await rows.keys.add(scope, free, f"free {scope.tenant_id}", NOW)
    await delete_room(store, room, kind)
    for name, revoked in (("tied", True), ("free", kind is K.TENANT)):
        async with store.transaction(None) as rows:
            found = await rows.keys.authenticate(f"{name} {scope.tenant_id}", NOW)
        assert found is not None
        assert (not found.credential.valid(at(2))) == revoked
    async with store.transaction(scope) as rows:
        assert await rows.keys.purge(scope, subject(room, kind)) == (2 if kind is K.TENANT else 1)
    async with store.transaction(None) as rows:
        assert await rows.keys.authenticate(f"tied {scope.tenant_id}", NOW) is None


async def test_deleted_project_is_not_listed_and_frees_its_name(store: Store) -> None:
    room = await new_room(store)
    scope = room.scope
    async with store.transaction(scope) as rows:
        known = await rows.projects.get(scope, scope.project_id)
        assert known is not None
        await rows.projects.add(scope, Project(new_id(), scope.tenant_id, "another", NOW))
    await delete_room(store, room, K.PROJECT)
    async with store.transaction(scope) as rows:
        assert await rows.projects.get(scope, scope.project_id) is None
        assert await rows.projects.get(scope, scope.project_id, deleted=True) == replace(known, deleted_at=at(1))
        assert [one.name for one in await rows.projects.list(scope, None, 10)] == ["another"]
        await rows.projects.add(scope, Project(new_id(), scope.tenant_id, known.name, NOW))
        named = await rows.projects.named(scope, subject(room, K.PROJECT), 10)
        assert [one.id for one in named] == [scope.project_id]
        assert len(await rows.projects.named(scope, subject(room, K.TENANT), 10)) == 3
        assert len(await rows.projects.named(scope, subject(room, K.TENANT), 2)) == 2
        await rows.projects.save(scope, replace(named[0], name=""))
        assert await rows.projects.named(scope, subject(room, K.PROJECT), 10) == []


async def test_project_saved_under_a_taken_name_conflicts(store: Store) -> None:
    room = await new_room(store)
    other = Project(new_id(), room.scope.tenant_id, "another", NOW)
    async with store.transaction(room.scope) as rows:
        await rows.projects.add(room.scope, other)
        known = await rows.projects.get(room.scope, room.scope.project_id)
    assert known is not None
    with pytest.raises(Conflict):
        async with store.transaction(room.scope) as rows:
            await rows.projects.save(room.scope, replace(known, name="another"))


async def test_deleted_tenant_is_not_visited_by_schedules(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    await delete_room(store, room, K.TENANT)
    async with store.transaction(None) as rows:
        known = await rows.tenants.ids()
    assert room.scope.tenant_id not in known
    assert other.scope.tenant_id in known


async def test_named_gives_collections_within(store: Store) -> None:
    room = await new_room(store)
    scope = room.scope
    sibling = await new_room(store, tenant_id=scope.tenant_id)
    async with store.transaction(scope) as rows:
        second = collection(scope, name="second")
        await rows.collections.add(scope, second)
        for kind, ids in (
            (K.COLLECTION, {room.collection.id}),
            (K.PROJECT, {room.collection.id, second.id}),
            (K.TENANT, {room.collection.id, second.id, sibling.collection.id}),
        ):
            assert {one.id for one in await rows.collections.named(scope, subject(room, kind), 10)} == ids
        assert len(await rows.collections.named(scope, subject(room, K.TENANT), 1)) == 1
        await rows.collections.save(scope, replace(room.collection, name="", deleted_at=NOW))
        assert await rows.collections.named(scope, subject(room, K.COLLECTION), 10) == []


@pytest.mark.parametrize("kind", ROOMS)
async def test_tombstone_takes_some_of_the_room_and_none_of_another(store: Store, kind: SubjectKind) -> None:
    room = await new_room(store)
    scope = room.scope
    outside = await new_room(store, tenant_id=scope.tenant_id if kind is not K.TENANT else None)
    kept = await add_document(store, outside)
    made = [await add_document(store, room, created_at=at(number)) for number in range(3)]
    gone = await add_document(store, room)
    await tombstone(store, room, gone)
    wanted = subject(room, kind)
    async with store.transaction(scope) as rows:
        assert await rows.documents.unswept(scope, wanted) == Unswept(True, 1)
        first = await rows.documents.tombstone(scope, wanted, at(9), 2)
        assert sorted(first) == sorted((scope.project_id, one.id) for one in made[:2])
        assert await rows.documents.tombstone(scope, wanted, at(9), 2) == [(scope.project_id, made[2].id)]
        assert await rows.documents.tombstone(scope, wanted, at(9), 2) == []
        assert await rows.documents.unswept(scope, wanted) == Unswept(False, 4)
        known = await rows.documents.lock(scope, made[0].id)
        assert known is not None
        assert (known.tombstoned_at, known.status) == (at(9), "deleting")
        await rows.documents.save(scope, replace(known, swept_at=at(10)))
        assert await rows.documents.unswept(scope, wanted) == Unswept(False, 3)
    async with store.transaction(outside.scope) as rows:
        survivor = await rows.documents.get(outside.scope, kept.id)
        assert survivor is not None
        assert not survivor.deleted


async def test_tombstone_passes_over_what_another_holds(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    scope = room.scope
    held, free = await add_document(store, room), await add_document(store, room)
    wanted = subject(room, K.COLLECTION)
    async with store.transaction(scope) as holder:
        await holder.documents.lock(scope, held.id)
        async with another().transaction(scope) as rows:
            assert await rows.documents.tombstone(scope, wanted, at(1), 10) == [(scope.project_id, free.id)]
            assert (await rows.documents.unswept(scope, wanted)).living


async def test_tombstoned_takes_one_of_each_tenant_before_the_second_of_any(store: Store) -> None:
    busy, calm = await new_room(store), await new_room(store)
    many = [await add_document(store, busy) for _ in range(3)]
    one = await add_document(store, calm)
    for of in many:
        await tombstone(store, busy, of)
    await tombstone(store, calm, one)
    async with store.transaction(None) as rows:
        found = await rows.documents.tombstoned(10_000)
        tenants = [due.tenant_id for due in found if due.tenant_id in (busy.scope.tenant_id, calm.scope.tenant_id)]
    assert tenants.index(calm.scope.tenant_id) <= 1
    assert len(tenants) == 4


async def test_discard_removes_words_of_one_document_and_forget_the_statistics(store: Store) -> None:
    room = await new_room(store)
    scope, where = room.scope, room.collection.id
    made = await index(store, room, ["some words", "more of it"])
    kept = await index(store, room, ["some other"])
    stranger = await new_room(store)
    async with store.transaction(scope) as rows:
        assert await rows.keywords.count(scope, where, made.id) == 3
        assert await rows.keywords.discard(scope, where, made.id) == 3
        assert await rows.keywords.discard(scope, where, made.id) == 0
        assert await rows.keywords.count(scope, where, made.id) == 0
        assert await rows.keywords.count(scope, where, kept.id) == 2
        assert [hit.id.document_id for hit in await rows.keywords.query(scope, [where], ["some"], 9)] == [kept.id]
        assert await rows.keywords.count(stranger.scope, where, kept.id) == 0
        assert await rows.keywords.discard(stranger.scope, where, kept.id) == 0
        assert await rows.keywords.forget(stranger.scope, where, 9) == 0
        assert await rows.keywords.discard(scope, where, kept.id) == 2
        gone = []
        while step := await rows.keywords.forget(scope, where, 2):
            gone.append(step)
        assert all(step <= 3 for step in gone)
        assert len(gone) >= 3
        assert await rows.keywords.query(scope, [where], ["some"], 9) == []


async def test_count_unused_counts_what_delete_unused_would_take(store: Store) -> None:
    room = await new_room(store)
    scope = room.scope
    await index(store, room, ["kept"])
    async with store.transaction(scope) as rows:
        await rows.cache.put(scope, "m", {"hash of kept": [1.0], "hash of gone": [1.0], "unasked": [1.0]})
        await rows.cache.put(scope, "n", {"hash of gone": [1.0]})
        hashes = ["hash of kept", "hash of gone"]
        assert await rows.cache.count_unused(scope, []) == 0
        assert await rows.cache.count_unused(scope, hashes) == 2
        assert await rows.cache.delete_unused(scope, hashes) == 2
        assert await rows.cache.count_unused(scope, hashes) == 0


def receipt(room: Room, kind: SubjectKind = K.DOCUMENT, **changes: object) -> DeletionReceipt:
    known = Subject(K.DOCUMENT, new_id()) if kind is K.DOCUMENT else subject(room, kind)
    made = DeletionReceipt(
        id=new_id(),
        tenant_id=room.scope.tenant_id,
        project_id=None if kind is K.TENANT else room.scope.project_id,
        subject=known,
        requested_by="api_key:1",
        requested_at=NOW,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", K)
async def test_receipt_is_stored_and_updated_by_its_id(store: Store, kind: SubjectKind) -> None:
    room = await new_room(store)
    made = receipt(room, kind, due_at=at(1))
    async with store.transaction(room.scope) as rows:
        await rows.receipts.save(room.scope, made)
        assert await rows.receipts.of(room.scope, made.subject) == made
        done = replace(
            made,
            completed_at=at(1),
            removed={"chunks": 3},
            remaining={"chunks": 0, "uploads": 0},
            documents=4,
            steps=5,
            due_at=None,
        )
        await rows.receipts.save(room.scope, done)
    async with store.transaction(room.scope) as rows:
        assert await rows.receipts.of(room.scope, made.subject) == done
        assert await rows.receipts.lock(room.scope, made.id) == done
        assert await rows.receipts.lock(room.scope, new_id()) is None
        assert await rows.receipts.of(room.scope, Subject(kind, new_id())) is None


async def test_receipt_of_another_project_or_tenant_is_not_found(store: Store) -> None:
    room = await new_room(store)
    made = receipt(room)
    async with store.transaction(room.scope) as rows:
        await rows.receipts.save(room.scope, made)
        assert await rows.receipts.get(room.scope, made.subject.id) == made
    sibling, stranger = await new_room(store, tenant_id=room.scope.tenant_id), await new_room(store)
    async with store.transaction(sibling.scope) as rows:
        assert await rows.receipts.get(sibling.scope, made.subject.id) is None
    async with store.transaction(stranger.scope) as rows:
        assert await rows.receipts.get(room.scope, made.subject.id) is None
        assert await rows.receipts.of(room.scope, made.subject) is None
        assert await rows.receipts.lock(stranger.scope, made.id) is None


async def test_totals_add_up_the_receipts_of_a_larger_delete(store: Store) -> None:
    room = await new_room(store)
    whole = receipt(room, K.COLLECTION)
    parts = [
        receipt(
            room, parent_id=whole.id, removed={"chunks": 3, "work": 1}, remaining={"chunks": 0}, completed_at=at(1)
        ),
        receipt(room, parent_id=whole.id, removed={"chunks": 2}, remaining={"chunks": 1, "vectors": 4}),
    ]
    async with store.transaction(room.scope) as rows:
        await rows.receipts.save(room.scope, whole, receipt(room, removed={"chunks": 99}))
        await rows.receipts.save(room.scope, *parts)
        await rows.receipts.save(room.scope)
        assert await rows.receipts.totals(room.scope, whole.id) == Totals(
            2, 1, {"chunks": 5, "work": 1}, {"chunks": 1, "vectors": 4}
        )
        assert await rows.receipts.totals(room.scope, new_id()) == Totals(0, 0, {}, {})


async def test_due_names_larger_deletes_in_the_tenants_turn(store: Store) -> None:
    busy, calm = await new_room(store), await new_room(store)
    late = [receipt(busy, K.COLLECTION, subject=Subject(K.COLLECTION, new_id()), due_at=at(-9)) for _ in range(3)]
    one = receipt(calm, K.TENANT, due_at=at(-1))
    future = receipt(calm, K.PROJECT, due_at=at(1))
    for room, receipts in ((busy, late), (calm, [one, future, receipt(calm)])):
        async with store.transaction(room.scope) as rows:
            await rows.receipts.save(room.scope, *receipts)
    async with store.transaction(None) as rows:
        found = [(tenant, id) for tenant, id in await rows.receipts.due(NOW, 10_000)]
        mine = [pair for pair in found if pair[0] in (busy.scope.tenant_id, calm.scope.tenant_id)]
        assert (calm.scope.tenant_id, one.id) in mine[:2]
        assert len(mine) == 4
        assert len(await rows.receipts.due(NOW, 2)) == 2


async def test_receipts_are_listed_of_the_project_and_of_deleted_ones(store: Store) -> None:
    room = await new_room(store)
    sibling = await new_room(store, tenant_id=room.scope.tenant_id)
    stranger = await new_room(store)
    mine = [receipt(room, requested_at=at(number)) for number in range(3)]
    done = receipt(room, K.COLLECTION, requested_at=at(9), completed_at=at(10), signature=Signature("ab", "cd"))
    part = receipt(room, parent_id=done.id, requested_at=at(5), quiet_since=at(6))
    theirs = receipt(sibling, requested_at=at(4))
    whole = receipt(sibling, K.TENANT, requested_at=at(8))
    async with store.transaction(room.scope) as rows:
        await rows.receipts.save(room.scope, *mine, done)
        await rows.receipts.save(room.scope, part, theirs, whole)

        async def listed(limit: int = 10, after: After | None = None, **wanted: Any) -> list[DeletionReceipt]:
            return list(await rows.receipts.list(room.scope, ReceiptFilter(**wanted), after, limit))

        assert await listed() == [done, part, *reversed(mine)]
        assert await listed(2, After(at(5), part.id)) == [mine[2], mine[1]]
        assert await listed(kind=K.COLLECTION) == await listed(complete=True) == [done]
        assert await listed(parent_id=done.id) == [part]
        assert len(await listed(complete=False)) == 4
        assert await rows.receipts.one(room.scope, theirs.id) == theirs
        assert await listed(deleted_projects=True) == [done, whole, part, *reversed(mine)]
    await delete_room(store, sibling, K.PROJECT)
    async with store.transaction(room.scope) as rows:
        found = await rows.receipts.list(room.scope, ReceiptFilter(deleted_projects=True), None, 10)
        assert list(found) == [done, whole, part, theirs, *reversed(mine)]
    async with store.transaction(stranger.scope) as rows:
        assert await rows.receipts.one(stranger.scope, done.id) is None
        assert await rows.receipts.list(stranger.scope, ReceiptFilter(deleted_projects=True), None, 10) == []


async def test_wipe_of_the_cache_takes_the_tenants_own(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    for one in (room, other):
        async with store.transaction(one.scope) as rows:
            await rows.cache.put(one.scope, "m", {f"hash {number}": [1.0] for number in range(3)})
    async with store.transaction(room.scope) as rows:
        assert [await rows.cache.wipe(room.scope, 2) for _ in range(3)] == [2, 1, 0]
    async with store.transaction(other.scope) as rows:
        assert len(await rows.cache.get(other.scope, "m", ["hash 0", "hash 1", "hash 2"])) == 3


async def test_purge_removes_what_happened_in_runs_and_their_names(store: Store) -> None:
    room = await new_room(store)
    sibling = await new_room(store, tenant_id=room.scope.tenant_id)
    runs = []
    for one in (room, sibling):
        scope = one.scope
        run = Ingestion(new_id(), scope.tenant_id, scope.project_id, one.collection.id, "July", "key", NOW)
        runs.append(run)
        async with store.transaction(scope) as rows:
            await rows.ingestions.add(scope, run)
            await rows.ingestions.happened(scope, run.id, [News(Happening.STARTED)] * 3, NOW)
    async with store.transaction(room.scope) as rows:
        wanted = subject(room, K.PROJECT)
        assert [await rows.ingestions.purge(room.scope, wanted, 2) for _ in range(3)] == [3, 1, 0]
        assert await rows.ingestions.events(room.scope, runs[0].id, 0, 10) == []
        bare = await rows.ingestions.get(room.scope, runs[0].id)
        assert bare is not None
        assert bare.name == ""
        assert len(await rows.ingestions.events(sibling.scope, runs[1].id, 0, 10)) == 3


async def test_swept_and_indexed_tell_of_the_tenants_documents(store: Store) -> None:
    room = await new_room(store)
    sibling = await new_room(store, tenant_id=room.scope.tenant_id)
    stranger = await new_room(store)
    first, second = await index(store, room, ["some"]), await index(store, sibling, ["words"])
    waiting, gone = await add_document(store, room), await index(store, room, ["gone"])
    theirs = await index(store, stranger, ["theirs"])
    await tombstone(store, room, gone)
    async with store.transaction(room.scope) as rows:
        known = await rows.documents.lock(room.scope, gone.id)
        assert known is not None
        await rows.documents.save(room.scope, replace(known, swept_at=NOW))
        scope = room.scope
        here, there = room.scope.project_id, sibling.scope.project_id
        ids = [first.id, second.id, waiting.id, gone.id, theirs.id, new_id()]
        assert await rows.documents.swept(scope, ids) == {
            first.id: (here, False),
            second.id: (there, False),
            waiting.id: (here, False),
            gone.id: (here, True),
        }
        assert await rows.documents.swept(scope, []) == {}
        found = sorted([(here, first.id), (there, second.id)], key=lambda one: one[1])
        assert list(await rows.documents.indexed(scope, None, 10)) == found
        assert list(await rows.documents.indexed(scope, None, 1)) == found[:1]
        assert list(await rows.documents.indexed(scope, found[0][1], 10)) == found[1:]


async def test_cursor_is_remembered_by_its_name(store: Store) -> None:
    room = await new_room(store)
    name = f"vectors/{room.scope.tenant_id}"
    async with store.transaction(room.scope) as rows:
        assert await rows.cursors.get(name) == ""
        await rows.cursors.put(name, "here", NOW)
        await rows.cursors.put(name, "there", at(1))
    async with store.transaction(None) as rows:
        assert await rows.cursors.get(name) == "there"
        first, second = await rows.cursors.now(), await rows.cursors.now()
        assert first <= second
        assert abs(datetime.now(UTC) - second) < timedelta(minutes=1)
