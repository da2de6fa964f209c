"""Documents and generations, in every store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from shared.domain.documents import (
    Counts,
    Document,
    DocumentStatus,
    Generation,
    GenerationState,
    Reason,
    Recipe,
    Source,
    advance,
    claim,
    fail,
)
from shared.domain.errors import Conflict, Forbidden
from shared.domain.filters import Condition, Not, Op
from shared.domain.pages import After
from shared.ports.documents import DocumentFilter, DueGeneration, FailedFilter
from tests.contracts.samples import (
    NOW,
    Room,
    Store,
    add_document,
    at,
    collection,
    document,
    generation,
    index,
    new_id,
    new_room,
    scope_of,
    tombstone,
)


async def read(store: Store, room: Room, of: Document) -> Document | None:
    async with store.transaction(room.scope) as rows:
        return await rows.documents.get(room.scope, of.id)


def full_generation(of: Document, number: int) -> Generation:
    return Generation(
        tenant_id=of.tenant_id,
        project_id=of.project_id,
        document_id=of.id,
        number=number,
        state=GenerationState.FAILED,
        source=Source("key", "version", "0055AED6DCD90281E5", 2**40),
        recipe=Recipe("reader/1", "structure/200/0", "memory/test"),
        created_at=at(1),
        entered_at=at(2),
        due_at=None,
        lease_owner="worker",
        lease_until=at(3),
        attempts=4,
        waiting="for a provider",
        failure=Reason("corrupt_file", "it is 'broken'"),
        last_error=Reason("unavailable", "twice"),
        content_hash="ab" * 32,
        title="Title",
        language="en",
        media_type="application/pdf",
        counts=Counts(1, 2, 3, 4, 5),
        timings={"extracting": 12, "chunking": 0},
        warnings=("page 3 has no text", ""),
        text_generation=1,
        finished_at=at(5),
    )


async def test_add_comes_back_as_it_went(store: Store) -> None:
    room = await new_room(store)
    made = document(
        room,
        name="Übersicht ' ; -- .pdf",
        path="a/b/%(c)s.pdf",
        media_type="application/pdf",
        title="Überblick",
        language="de",
        size=2**40,
        tags=("b", "a", "with space"),
        metadata={"year": 2024, "ratio": 0.5, "final": True, "authors": ["x", "y"], "note": "é\u2028"},
        status=DocumentStatus.PROCESSING,
        updated_at=at(2),
        content_hash="cd" * 32,
    )
    first = full_generation(made, 1)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, first)
    async with store.transaction(room.scope) as rows:
        assert await rows.documents.get(room.scope, made.id) == made
        assert await rows.documents.generation(room.scope, made.id, 1) == first
        assert await rows.documents.project_of(room.scope, made.id) == room.scope.project_id


async def test_add_with_a_taken_path_conflicts_and_leaves_the_transaction_usable(store: Store) -> None:
    room = await new_room(store)
    known = await add_document(store, room, path="a.txt")
    async with store.transaction(room.scope) as rows:
        twin = document(room, path="a.txt")
        with pytest.raises(Conflict):
            await rows.documents.add(room.scope, twin, generation(twin))
        assert await rows.documents.get_by_path(room.scope, room.collection.id, "a.txt") == known
    assert await read(store, room, twin) is None


async def test_add_with_the_path_of_a_deleted_document_is_allowed(store: Store) -> None:
    room = await new_room(store)
    gone = await add_document(store, room, path="a.txt")
    await tombstone(store, room, gone)
    fresh = await add_document(store, room, path="a.txt")
    async with store.transaction(room.scope) as rows:
        assert await rows.documents.get_by_path(room.scope, room.collection.id, "a.txt") == fresh


async def test_add_without_path_or_in_another_collection_never_conflicts(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        second = collection(room.scope, name="second")
        await rows.collections.add(room.scope, second)
    for path in ("", "", "a.txt"):
        await add_document(store, room, path=path)
    await add_document(store, Room(room.scope, second), path="a.txt")
    async with store.transaction(room.scope) as rows:
        assert await rows.documents.get_by_path(room.scope, room.collection.id, "") is None


async def test_add_in_parallel_under_one_path_stores_one(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)

    async def add(through: Store) -> bool:
        try:
            await add_document(through, room, path="contested.txt")
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*(add(another()) for _ in range(4)))) == [False, False, False, True]


async def test_add_to_a_collection_of_another_project_is_refused(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    for other in (sibling, stranger):
        crossed = document(Room(one.scope, other.collection))
        with pytest.raises(Conflict):
            async with store.transaction(one.scope) as rows:
                await rows.documents.add(one.scope, crossed, generation(crossed))


async def test_add_in_another_tenants_scope_is_refused(store: Store) -> None:
    one, other = await new_room(store), await new_room(store)
    planted = document(other)
    with pytest.raises(Forbidden):
        async with store.transaction(one.scope) as rows:
            await rows.documents.add(other.scope, planted, generation(planted))
    assert await read(store, other, planted) is None


async def test_every_lookup_from_another_project_or_tenant_finds_nothing(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    for other in (sibling, stranger):
        theirs = await index(store, other, ["secret words"], path="secret.txt", content_hash="ee" * 32)
        for scope in (one.scope, scope_of(one.scope.tenant_id, other.scope.project_id)):
            if scope.project_id == sibling.scope.project_id:
                continue
            async with store.transaction(scope) as rows:
                assert await rows.documents.get(scope, theirs.id) is None
                assert await rows.documents.lock(scope, theirs.id) is None
                assert await rows.documents.get_by_path(scope, other.collection.id, "secret.txt") is None
                assert await rows.documents.generation(scope, theirs.id, 1) is None
                assert list(await rows.documents.generations(scope, theirs.id)) == []
                assert list(await rows.documents.list(scope, DocumentFilter(other.collection.id), None, 9)) == []
                everything = Not(Condition("name", Op.EQ, ""))
                assert list(await rows.documents.matching_ids(scope, [other.collection.id], everything, 9)) == []
                assert await rows.documents.same_content(scope, new_id(), "ee" * 32) is None
                assert not await rows.documents.commit(scope, theirs.id, 2)
                await rows.documents.save(scope, replace(theirs, name="taken over"))
                await rows.documents.save_generation(scope, replace(generation(theirs), waiting="taken over"))
        assert await read(store, other, theirs) == theirs


async def test_project_of_another_tenants_document_is_not_told(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    known, unknown = await add_document(store, sibling), await add_document(store, stranger)
    async with store.transaction(one.scope) as rows:
        assert await rows.documents.project_of(one.scope, known.id) == sibling.scope.project_id
        assert await rows.documents.project_of(one.scope, unknown.id) is None
        assert await rows.documents.project_of(stranger.scope, unknown.id) is None


async def test_lock_all_finds_those_of_the_tenant_in_whichever_project(store: Store) -> None:
    one = await new_room(store)
    sibling, stranger = await new_room(store, tenant_id=one.scope.tenant_id), await new_room(store)
    mine, theirs, unknown = [await add_document(store, room) for room in (one, sibling, stranger)]
    async with store.transaction(one.scope) as rows:
        await rows.documents.add_generation(one.scope, generation(mine, 2))
        named = [(mine.id, 2), (theirs.id, 1), (unknown.id, 1), (mine.id, 1), (mine.id, 9), (mine.id, 1)]
        found = await rows.documents.lock_all(one.scope, named)
        assert set(found) == {(mine.id, 1), (mine.id, 2), (theirs.id, 1)}
        assert [(document.id, one.number) for document, one in found.values()] == list(found)
        assert found[mine.id, 2] == await rows.documents.lock_with(one.scope, mine.id, 2)
        assert found[theirs.id, 1][0].project_id == sibling.scope.project_id
        assert await rows.documents.lock_all(one.scope, []) == {}


async def test_lock_all_is_held_until_the_transaction_ends(store: Store) -> None:
    room = await new_room(store)
    made = [await add_document(store, room) for _ in range(3)]
    async with store.transaction(room.scope) as rows:
        for one in made:
            ((_, first),) = (await rows.documents.lock_all(room.scope, [(one.id, 1)])).values()
            await rows.documents.save_generation(room.scope, replace(first, waiting="told"))
        again = await rows.documents.lock_all(room.scope, [(one.id, 1) for one in reversed(made)])
    assert {first.waiting for _, first in again.values()} == {"told"}


async def test_save_writes_everything_but_the_committed_generation(store: Store) -> None:
    room = await new_room(store)
    twin = await add_document(store, room)
    made = await index(store, room, ["words"])
    changed = replace(
        made,
        name="other.txt",
        path="p",
        media_type="text/plain",
        title="t",
        language="fr",
        size=3,
        tags=("x",),
        metadata={"k": [1, "2", None, {"a": True}]},
        status=DocumentStatus.DELETED,
        latest_generation=7,
        committed_generation=9,
        content_hash="ff",
        duplicate_of=twin.id,
        updated_at=at(9),
        tombstoned_at=at(10),
        swept_at=at(11),
    )
    async with store.transaction(room.scope) as rows:
        await rows.documents.save(room.scope, changed)
    assert await read(store, room, made) == replace(changed, committed_generation=1)


async def test_commit_is_a_compare_and_set(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    async with store.transaction(room.scope) as rows:
        for number in (2, 3):
            await rows.documents.add_generation(room.scope, generation(made, number))
        outcomes = [await rows.documents.commit(room.scope, made.id, number) for number in (2, 2, 1, 3, 2)]
    assert outcomes == [True, True, False, True, False]
    found = await read(store, room, made)
    assert found is not None
    assert found.committed_generation == 3


async def test_commit_of_a_tombstoned_document_loses(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    await tombstone(store, room, made)
    async with store.transaction(room.scope) as rows:
        assert not await rows.documents.commit(room.scope, made.id, 1)
    found = await read(store, room, made)
    assert found is not None
    assert found.committed_generation is None


async def test_commit_in_parallel_ends_at_the_newest(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    async with store.transaction(room.scope) as rows:
        for number in range(2, 7):
            await rows.documents.add_generation(room.scope, generation(made, number))

    async def commit(through: Store, number: int) -> bool:
        async with through.transaction(room.scope) as rows:
            return await rows.documents.commit(room.scope, made.id, number)

    outcomes = await asyncio.gather(*(commit(another(), number) for number in (3, 6, 1, 4, 2, 5)))
    found = await read(store, room, made)
    assert found is not None
    assert found.committed_generation == 6
    assert outcomes[1]


async def test_lock_holds_until_the_transaction_ends(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    second, order = another(), []
    locked = asyncio.Event()

    async def first_worker() -> None:
        async with store.transaction(room.scope) as rows:
            found = await rows.documents.lock(room.scope, made.id)
            assert found is not None
            locked.set()
            # The other one asks for the lock meanwhile, and must not get it: give it every chance.
            await asyncio.sleep(0.05)
            await rows.documents.save(room.scope, replace(found, title="first"))
            order.append("first")

    async def second_worker() -> None:
        await locked.wait()
        async with second.transaction(room.scope) as rows:
            found = await rows.documents.lock(room.scope, made.id)
            assert found is not None
            order.append(f"second saw {found.title}")

    await asyncio.gather(first_worker(), second_worker())
    assert order == ["first", "second saw first"]


async def test_increments_under_lock_lose_nothing(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    made = await add_document(store, room)

    async def increment(through: Store) -> None:
        for _ in range(5):
            async with through.transaction(room.scope) as rows:
                found = await rows.documents.lock(room.scope, made.id)
                assert found is not None
                await rows.documents.save(room.scope, replace(found, size=found.size + 1))

    await asyncio.gather(*(increment(another()) for _ in range(4)))
    found = await read(store, room, made)
    assert found is not None
    assert found.size == 20


async def test_list_page_by_page_gives_each_live_document_once_newest_first(store: Store) -> None:
    room = await new_room(store)
    made = [await add_document(store, room, created_at=at(minute)) for minute in (5, 1, 3, 3, 3, 2)]
    await tombstone(store, room, made[0])
    listed: list[Document] = []
    after: After | None = None
    async with store.transaction(room.scope) as rows:
        while page := await rows.documents.list(room.scope, DocumentFilter(), after, 2):
            listed += page
            after = After(page[-1].created_at, page[-1].id)
    assert listed == sorted(made[1:], key=lambda one: (one.created_at, one.id), reverse=True)


async def test_list_narrows_by_collection_status_and_filter(store: Store) -> None:
    room = await new_room(store)
    async with store.transaction(room.scope) as rows:
        second = collection(room.scope, name="second")
        await rows.collections.add(room.scope, second)
    failed = await add_document(store, room, status=DocumentStatus.FAILED, tags=("red",))
    waiting = await add_document(store, room, tags=("red", "blue"))
    elsewhere = await add_document(store, Room(room.scope, second), tags=("blue",))
    blue = Condition("tags", Op.CONTAINS, "blue")
    async with store.transaction(room.scope) as rows:

        async def listed(wanted: DocumentFilter) -> set[UUID]:
            return {one.id for one in await rows.documents.list(room.scope, wanted, None, 9)}

        assert await listed(DocumentFilter()) == {failed.id, waiting.id, elsewhere.id}
        assert await listed(DocumentFilter(collection_id=room.collection.id)) == {failed.id, waiting.id}
        assert await listed(DocumentFilter(status=DocumentStatus.FAILED)) == {failed.id}
        assert await listed(DocumentFilter(filter=blue)) == {waiting.id, elsewhere.id}
        assert await listed(DocumentFilter(room.collection.id, DocumentStatus.AWAITING_UPLOAD, blue)) == {waiting.id}


async def test_matching_ids_names_searchable_documents_only(store: Store) -> None:
    room = await new_room(store)
    found = [await index(store, room, ["words"], tags=("red",)) for _ in range(3)]
    await index(store, room, ["words"], tags=("blue",))
    await add_document(store, room, tags=("red",))
    gone = await index(store, room, ["words"], tags=("red",))
    await tombstone(store, room, gone)
    red = Condition("tags", Op.IN, ("red",))
    async with store.transaction(room.scope) as rows:
        named = await rows.documents.matching_ids(room.scope, [room.collection.id], red, 10)
        assert sorted(named) == [one.id for one in found]
        assert len(await rows.documents.matching_ids(room.scope, [room.collection.id], red, 2)) == 2
        assert list(await rows.documents.matching_ids(room.scope, [], red, 10)) == []
        await rows.collections.save(room.scope, replace(room.collection, deleted_at=NOW))
        assert list(await rows.documents.matching_ids(room.scope, [room.collection.id], red, 10)) == []


async def test_same_content_finds_the_oldest_searchable_twin(store: Store) -> None:
    room = await new_room(store)
    later = await index(store, room, ["words"], content_hash="aa", created_at=at(2))
    oldest = await index(store, room, ["words"], content_hash="aa", created_at=at(1))
    await add_document(store, room, content_hash="aa", created_at=at(0))
    other = await new_room(store, tenant_id=room.scope.tenant_id)
    await index(store, other, ["words"], content_hash="aa", created_at=at(0))
    async with store.transaction(room.scope) as rows:
        assert await rows.documents.same_content(room.scope, later.id, "aa") == oldest.id
        assert await rows.documents.same_content(room.scope, oldest.id, "aa") == later.id
        assert await rows.documents.same_content(room.scope, oldest.id, "bb") is None
    await tombstone(store, room, later)
    async with store.transaction(room.scope) as rows:
        assert await rows.documents.same_content(room.scope, oldest.id, "aa") is None


async def test_generations_come_newest_first_and_are_saved(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    second = generation(made, 2)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add_generation(room.scope, second)
        changed = replace(full_generation(made, 2), created_at=second.created_at)
        await rows.documents.save_generation(room.scope, changed)
    async with store.transaction(room.scope) as rows:
        assert list(await rows.documents.generations(room.scope, made.id)) == [changed, generation(made)]
        assert await rows.documents.generation(room.scope, made.id, 3) is None


async def test_claim_is_saved(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    claimed = claim(generation(made), "worker", at(2), at(30) - at(2))
    async with store.transaction(room.scope) as rows:
        await rows.documents.claim(room.scope, claimed)
    async with store.transaction(room.scope) as rows:
        assert await rows.documents.generation(room.scope, made.id, 1) == claimed


async def test_latest_and_lock_with_give_a_document_with_its_generation(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    made = await add_document(store, room, latest_generation=2, title="of the document", tags=("x",))
    second = full_generation(made, 2)
    async with store.transaction(room.scope) as rows:
        assert await rows.documents.latest(room.scope, made.id) is None
        await rows.documents.add_generation(room.scope, second)
        assert await rows.documents.latest(room.scope, made.id) == (made, second)
        assert await rows.documents.lock_with(room.scope, made.id, 1) == (made, generation(made))
        assert await rows.documents.lock_with(room.scope, made.id, 2) == (made, second)
        assert await rows.documents.lock_with(room.scope, made.id, 3) is None
        assert await rows.documents.latest(room.scope, new_id()) is None
    async with store.transaction(other.scope) as rows:
        assert await rows.documents.latest(other.scope, made.id) is None
        assert await rows.documents.lock_with(other.scope, made.id, 2) is None


async def test_lock_with_sees_what_the_lock_was_waited_for(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    held = asyncio.Event()

    async def first_worker() -> None:
        async with store.transaction(room.scope) as rows:
            await rows.documents.lock(room.scope, made.id)
            held.set()
            await asyncio.sleep(0.05)
            await rows.documents.save_generation(room.scope, replace(generation(made), waiting="changed meanwhile"))

    async def second_worker() -> str:
        await held.wait()
        async with another().transaction(room.scope) as rows:
            found = await rows.documents.lock_with(room.scope, made.id, 1)
            assert found is not None
            return found[1].waiting

    _, seen = await asyncio.gather(first_worker(), second_worker())
    assert seen == "changed meanwhile"


async def test_add_generation_twice_conflicts(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    with pytest.raises(Conflict):
        async with store.transaction(room.scope) as rows:
            await rows.documents.add_generation(room.scope, generation(made))


async def test_due_crosses_tenants_and_names_the_longest_overdue_first(store: Store) -> None:
    rooms = [await new_room(store) for _ in range(3)]
    expected = []
    for minute, room in zip((3, 1, 2), rooms, strict=True):
        made = document(room)
        async with store.transaction(room.scope) as rows:
            await rows.documents.add(room.scope, made, generation(made, due_at=at(minute)))
        expected.append((minute, DueGeneration(made.tenant_id, made.project_id, made.id, 1)))
    ordered = [due for _, due in sorted(expected, key=lambda pair: pair[0])]
    for scope in (None, rooms[0].scope):
        async with store.transaction(scope) as rows:
            assert list(await rows.documents.due(at(2), 10)) == ordered[:2]
            assert list(await rows.documents.due(at(10), 10)) == ordered
            assert list(await rows.documents.due(at(10), 1)) == ordered[:1]
            assert list(await rows.documents.due(at(0.5), 10)) == []


async def test_due_comes_in_turns_of_the_tenants(store: Store) -> None:
    busy, quiet = await new_room(store), await new_room(store)
    expected: dict[int, UUID] = {}
    for room, minutes in ((busy, (1, 2, 3)), (quiet, (4, 5))):
        for minute in minutes:
            made = document(room)
            async with store.transaction(room.scope) as rows:
                await rows.documents.add(room.scope, made, generation(made, due_at=at(minute)))
            expected[minute] = made.id
    async with store.transaction(None) as rows:
        found = [one.document_id for one in await rows.documents.due(at(10), 4)]
    assert found == [expected[minute] for minute in (1, 4, 2, 5)]


async def test_due_passes_over_what_is_in_line(store: Store) -> None:
    room = await new_room(store)
    made = document(room)
    async with store.transaction(room.scope) as rows:
        await rows.documents.add(room.scope, made, generation(made, state=GenerationState.QUEUED, due_at=at(1)))
    async with store.transaction(None) as rows:
        assert list(await rows.documents.due(at(10), 4)) == []


async def test_due_passes_over_what_is_finished_or_leased(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    first = generation(made)
    async with store.transaction(room.scope) as rows:
        await rows.documents.save_generation(room.scope, claim(first, "worker", at(2), at(30) - at(2)))
    async with store.transaction(None) as rows:
        assert list(await rows.documents.due(at(29), 10)) == []
        assert len(await rows.documents.due(at(30), 10)) == 1
    async with store.transaction(room.scope) as rows:
        await rows.documents.save_generation(room.scope, advance(first, GenerationState.COMMITTED, at(3), due=None))
    async with store.transaction(None) as rows:
        assert list(await rows.documents.due(at(99), 10)) == []


async def test_tombstoned_comes_in_turns_of_the_tenants(store: Store) -> None:
    busy, quiet = await new_room(store), await new_room(store)
    expected: dict[int, UUID] = {}
    for room, minutes in ((busy, (1, 2, 3)), (quiet, (4, 5))):
        for minute in minutes:
            made = await add_document(store, room)
            async with store.transaction(room.scope) as rows:
                await rows.documents.save(room.scope, replace(made, tombstoned_at=at(minute)))
            expected[minute] = made.id
    async with store.transaction(None) as rows:
        found = [one.document_id for one in await rows.documents.tombstoned(4)]
    assert found == [expected[minute] for minute in (1, 4, 2, 5)]


async def test_tombstoned_crosses_tenants_until_swept(store: Store) -> None:
    rooms = [await new_room(store) for _ in range(2)]
    made = [await add_document(store, room) for room in rooms]
    await add_document(store, rooms[0])
    for minute, room, one in zip((2, 1), rooms, made, strict=True):
        async with store.transaction(room.scope) as rows:
            await rows.documents.save(room.scope, replace(one, tombstoned_at=at(minute), latest_generation=5))
    names = [DueGeneration(one.tenant_id, one.project_id, one.id, 5) for one in reversed(made)]
    async with store.transaction(None) as rows:
        assert list(await rows.documents.tombstoned(10)) == names
        assert list(await rows.documents.tombstoned(1)) == names[:1]
    async with store.transaction(rooms[0].scope) as rows:
        swept = replace(made[0], tombstoned_at=at(2), swept_at=at(3))
        await rows.documents.save(rooms[0].scope, swept)
        assert list(await rows.documents.tombstoned(10)) == names[:1]


async def test_failed_lists_those_whose_latest_generation_failed(store: Store) -> None:
    room = await new_room(store)
    there = replace(room, collection=collection(room.scope, name="There"))
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, there.collection)
    made = []
    for number, (within, code) in enumerate([(room, "gave_up"), (room, "encrypted"), (there, "gave_up"), (room, "")]):
        row = replace(document(within), created_at=at(number))
        made.append(row)
        first = generation(row)
        ended = (
            fail(first, Reason(code, "words"), NOW)
            if code
            else advance(first, GenerationState.SUPERSEDED, NOW, due=None)
        )
        async with store.transaction(room.scope) as rows:
            await rows.documents.add(room.scope, row, ended)
    # A newer generation is on its way, or the document is gone: neither counts.
    for number, gone in ((10, False), (11, True)):
        row = replace(document(room), created_at=at(number), tombstoned_at=NOW if gone else None, latest_generation=2)
        async with store.transaction(room.scope) as rows:
            await rows.documents.add(room.scope, row, fail(generation(row), Reason("gave_up", "words"), NOW))
            newer = generation(row, 2)
            await rows.documents.add_generation(room.scope, fail(newer, Reason("x", "y"), NOW) if gone else newer)

    async def failed(wanted: FailedFilter, after: After | None = None, limit: int = 10) -> list[UUID]:
        async with store.transaction(room.scope) as rows:
            return [row.id for row in await rows.documents.failed(room.scope, wanted, after, limit)]

    ids = [row.id for row in made]
    assert await failed(FailedFilter()) == [ids[2], ids[1], ids[0]]
    assert await failed(FailedFilter(), limit=1) == [ids[2]]
    assert await failed(FailedFilter(), After(made[2].created_at, made[2].id)) == [ids[1], ids[0]]
    assert await failed(FailedFilter(collection_id=room.collection.id)) == [ids[1], ids[0]]
    assert await failed(FailedFilter(reason="gave_up")) == [ids[2], ids[0]]
    assert await failed(FailedFilter(room.collection.id, "encrypted")) == [ids[1]]
    other = await new_room(store)
    async with store.transaction(other.scope) as rows:
        assert list(await rows.documents.failed(other.scope, FailedFilter(), None, 10)) == []


async def test_staleness_counts_searched_documents_by_what_differs(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    wanted = generation(document(room)).recipe
    await index(store, room, ["one", "two"])
    await index(store, other, ["three"])
    await tombstone(store, room, await index(store, room, ["four"]))
    await add_document(store, room)
    async with store.transaction(room.scope) as rows:
        found = await rows.documents.staleness(room.scope, room.collection.id, wanted)
        assert (found.documents, found.stale, found.reasons) == (1, 0, ())
        for changed, reasons in [
            (replace(wanted, model="other"), ("model",)),
            (replace(wanted, chunking="page/100/0", reader="reader/2"), ("chunking", "reader")),
            (replace(wanted, pipeline="ingest/2"), ("pipeline",)),
        ]:
            found = await rows.documents.staleness(room.scope, room.collection.id, changed)
            assert (found.documents, found.stale, found.reasons) == (1, 1, reasons)
        served = (
            await rows.documents.generations(
                room.scope,
                (await rows.documents.list(room.scope, DocumentFilter(status=DocumentStatus.INDEXED), None, 1))[0].id,
            )
        )[0]
        await rows.documents.save_generation(room.scope, replace(served, counts=Counts(characters=40, chunks=2)))
        found = await rows.documents.staleness(room.scope, room.collection.id, wanted)
        assert (found.chunks, found.characters) == (2, 40)
    async with store.transaction(other.scope) as rows:
        assert (await rows.documents.staleness(other.scope, room.collection.id, wanted)).documents == 0
