"""Access lists, and what every other repository finds behind them, in every store."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.domain.access import EVERYONE, AccessList, ListKind, Lists, Reader, ReaderKind
from shared.domain.chunks import ChunkId
from shared.domain.documents import GenerationState, Reason
from shared.domain.errors import Conflict, Forbidden, StandingChanged
from shared.domain.ingestions import Happening, Ingestion, News
from shared.domain.members import ProjectMember, ServiceAccount, Unit, UnitMember
from shared.domain.roles import BuiltIn, Role
from shared.domain.tenants import Credential, Permission, Principal, PrincipalKind, Project, Scope, system_scope
from shared.domain.users import User
from shared.ports.documents import DocumentFilter, FailedFilter
from tests.contracts.samples import (
    NOW,
    Room,
    Store,
    add_document,
    add_member,
    document,
    generation,
    index,
    new_id,
    new_room,
)
from tests.contracts.test_users import claims_of, signed_in

SEARCH = frozenset({Permission.SEARCH_QUERY})
ADA, BOB = Reader(ReaderKind.USER, "ada"), Reader(ReaderKind.USER, "bob")
ALL = Reader(ReaderKind.EVERYONE)
LATER = datetime.now(UTC) + timedelta(days=365)


def listed(*readers: Reader, **changes: object) -> AccessList:
    return replace(AccessList(frozenset(readers), NOW, "user:someone"), **changes)  # type: ignore[arg-type]


def asking(room: Room, *readers: Reader) -> Scope:
    """A member of the room who goes by these names."""
    return replace(room.scope, readers=frozenset(reader.name for reader in readers))


async def restrict(store: Store, room: Room, kind: ListKind, id: UUID, access: AccessList | None) -> None:
    async with store.transaction(room.scope) as rows:
        assert await rows.access.put(room.scope, kind, id, access)


async def readable(store: Store, scope: Scope) -> set[UUID]:
    async with store.transaction(scope) as rows:
        return {one.id for one in await rows.documents.list(scope, DocumentFilter(), None, 99)}


async def test_lists_come_back_as_put_whomever_they_admit(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    unknown = listed(problem="the connector was refused")
    stale = listed(ADA, ALL, fresh_until=NOW)
    async with store.transaction(room.scope) as rows:
        assert await rows.access.get(room.scope, ListKind.DOCUMENT, made.id) == Lists(None, None)
        for one in (stale, unknown, listed()):
            assert await rows.access.put(room.scope, ListKind.DOCUMENT, made.id, one)
            assert await rows.access.get(room.scope, ListKind.DOCUMENT, made.id) == Lists(one, None)
        assert await rows.access.put(room.scope, ListKind.COLLECTION, room.collection.id, stale)
        assert await rows.access.get(room.scope, ListKind.COLLECTION, room.collection.id) == Lists(stale, None)
        assert await rows.access.get(room.scope, ListKind.DOCUMENT, made.id) == Lists(listed(), stale)
        assert await rows.access.put(room.scope, ListKind.DOCUMENT, made.id, None)
        assert await rows.access.get(room.scope, ListKind.DOCUMENT, made.id) == Lists(None, stale)


async def test_lists_of_others_and_of_what_is_not_there_are_out_of_reach(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    theirs = await add_document(store, other)
    beside = await new_room(store, tenant_id=room.scope.tenant_id)
    near = await add_document(store, beside)
    async with store.transaction(room.scope) as rows:
        for id in (theirs.id, near.id, new_id()):
            assert await rows.access.get(room.scope, ListKind.DOCUMENT, id) is None
            assert not await rows.access.put(room.scope, ListKind.DOCUMENT, id, listed())
        for id in (other.collection.id, beside.collection.id):
            assert await rows.access.get(room.scope, ListKind.COLLECTION, id) is None
            assert not await rows.access.put(room.scope, ListKind.COLLECTION, id, listed())
        assert await rows.access.get(other.scope, ListKind.DOCUMENT, theirs.id) is None
    assert await readable(store, other.scope) == {theirs.id}
    assert await readable(store, beside.scope) == {near.id}


@pytest.mark.parametrize(
    ("own", "above", "admitted"),
    [
        (None, None, {"nobody", "ada", "bob"}),
        (listed(ADA), None, {"ada"}),
        (listed(ADA, BOB), None, {"ada", "bob"}),
        (listed(), None, set()),
        (listed(ALL), None, {"nobody", "ada", "bob"}),
        (None, listed(BOB), {"bob"}),
        (None, listed(), set()),
        (listed(ADA), listed(BOB), {"ada"}),
        (listed(ALL), listed(BOB), {"nobody", "ada", "bob"}),
        (listed(ADA, fresh_until=LATER), None, {"ada"}),
        (listed(ADA, ALL, fresh_until=NOW), None, set()),
        (None, listed(ADA, ALL, fresh_until=NOW), set()),
        (None, listed(ALL, fresh_until=LATER), {"nobody", "ada", "bob"}),
        (listed(problem="nobody could be asked"), None, set()),
        (listed(problem="nobody could be asked"), listed(ALL), set()),
        (None, listed(problem="nobody could be asked"), set()),
    ],
)
async def test_document_is_found_by_those_alone_whom_the_list_that_counts_admits(
    store: Store, own: AccessList | None, above: AccessList | None, admitted: set[str]
) -> None:
    room = await new_room(store)
    made = await index(store, room, ["words"])
    await restrict(store, room, ListKind.DOCUMENT, made.id, own)
    await restrict(store, room, ListKind.COLLECTION, room.collection.id, above)
    people = {"nobody": asking(room), "ada": asking(room, ADA), "bob": asking(room, BOB)}
    assert {name for name, scope in people.items() if await readable(store, scope)} == admitted
    assert await readable(store, system_scope(room.scope.tenant_id, room.scope.project_id, "stage")) == {made.id}


async def test_nothing_of_a_document_is_found_by_whom_it_does_not_admit(store: Store) -> None:
    room = await new_room(store)
    made = await index(store, room, ["secret words"], [[1, 0, 0, 0]], path="a/b", content_hash="same")
    open_one = await index(store, room, ["open words"], [[0, 1, 0, 0]], content_hash="same")
    await restrict(store, room, ListKind.DOCUMENT, made.id, listed(ADA))
    where = [room.collection.id]
    for scope, seen in ((asking(room, BOB), False), (asking(room, ADA), True)):
        async with store.transaction(scope) as rows:
            both = {made.id, open_one.id} if seen else {open_one.id}
            assert (await rows.documents.get(scope, made.id) is not None) is seen
            assert (await rows.documents.latest(scope, made.id) is not None) is seen
            assert (await rows.documents.lock(scope, made.id) is not None) is seen
            assert (await rows.documents.lock_with(scope, made.id, 1) is not None) is seen
            assert (await rows.documents.get_by_path(scope, room.collection.id, "a/b") is not None) is seen
            assert await rows.documents.living(scope, [made.id, open_one.id]) == both
            assert await rows.documents.same_content(scope, open_one.id, "same") == (made.id if seen else None)
            assert set(await rows.chunks.visible(scope, [ChunkId(one, 1, 0) for one in (made.id, open_one.id)])) == {
                ChunkId(one, 1, 0) for one in both
            }
            assert len(await rows.chunks.list(scope, made.id, 1, first=0, limit=9)) == int(seen)
            assert {hit.id.document_id for hit in await rows.keywords.query(scope, where, ["words"], 9)} == both
            near = await rows.vectors.query(scope, [room.collection], [1, 0, 0, 0], 9)
            assert {hit.id.document_id for hit in near} == both
            named = await rows.vectors.query(scope, [room.collection], [1, 0, 0, 0], 9, document_ids=[made.id])
            assert bool(named) is seen
            counted = await rows.collections.summary(scope, room.collection.id)
            assert counted is not None
            # Counts are of everything, whoever asks.
            assert counted.documents == 2


async def test_search_finds_what_is_admitted_behind_any_number_that_is_not(store: Store) -> None:
    room = await new_room(store)
    for _ in range(30):
        kept = await index(store, room, ["word word word"], [[1, 0, 0, 0]])
        await restrict(store, room, ListKind.DOCUMENT, kept.id, listed(ADA))
    mine = {(await index(store, room, ["word and others"], [[0.6, 0.8, 0, 0]])).id for _ in range(3)}
    scope = asking(room, BOB)
    async with store.transaction(scope) as rows:
        words = await rows.keywords.query(scope, [room.collection.id], ["word"], 3)
        vectors = await rows.vectors.query(scope, [room.collection], [1, 0, 0, 0], 3)
    assert {hit.id.document_id for hit in words} == mine
    assert {hit.id.document_id for hit in vectors} == mine


async def test_document_that_does_not_admit_is_not_changed_either(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room, path="a/b")
    await restrict(store, room, ListKind.DOCUMENT, made.id, listed(ADA))
    bob, ada = asking(room, BOB), asking(room, ADA)
    async with store.transaction(bob) as rows:
        await rows.documents.save(bob, replace(made, name="mine now"))
    with pytest.raises(Conflict):
        await add_document(store, replace(room, scope=bob), path="a/b")
    async with store.transaction(ada) as rows:
        found = await rows.documents.get(ada, made.id)
        assert found is not None
        assert found.name == made.name
        await rows.documents.save(ada, replace(made, name="mine now"))
        assert await rows.access.get(ada, ListKind.DOCUMENT, made.id) == Lists(listed(ADA), None)


async def test_collection_that_does_not_admit_takes_nothing(store: Store) -> None:
    room = await new_room(store)
    await restrict(store, room, ListKind.COLLECTION, room.collection.id, listed(ADA))
    with pytest.raises(Forbidden) as raised:
        await add_document(store, replace(room, scope=asking(room, BOB)))
    assert raised.value.code == "not_a_reader"
    await add_document(store, replace(room, scope=asking(room, ADA)))


async def test_run_counts_every_document_and_names_those_that_admit(store: Store) -> None:
    room = await new_room(store)
    run = Ingestion(
        id=new_id(),
        tenant_id=room.scope.tenant_id,
        project_id=room.scope.project_id,
        collection_id=room.collection.id,
        name="",
        created_by="",
        created_at=NOW,
    )
    reason = Reason("broken", "its words")
    made = [document(room) for _ in range(2)]
    async with store.transaction(room.scope) as rows:
        await rows.ingestions.add(room.scope, run)
        for one in made:
            await rows.documents.add(
                room.scope,
                one,
                generation(one, due_at=None, state=GenerationState.FAILED, failure=reason, ingestion_id=run.id),
            )
            news = [News(Happening.DOCUMENT_FAILED, one.id, 1, {})]
            await rows.ingestions.happened(room.scope, run.id, news, NOW)
    await restrict(store, room, ListKind.DOCUMENT, made[0].id, listed(ADA))
    for scope, seen in ((asking(room, BOB), made[1:]), (asking(room, ADA), made)):
        ids = [one.id for one in seen]
        async with store.transaction(scope) as rows:
            (tally,) = await rows.ingestions.tallies(scope, run.id)
            assert (tally.documents, [one.document_id for one in tally.examples]) == (2, ids)
            members = await rows.ingestions.members(scope, run.id, None, None, 9)
            assert [one.document.id for one in members] == ids
            assert [one.document_id for one in await rows.ingestions.events(scope, run.id, 0, 9)] == ids
            assert [one.id for one in await rows.documents.failed(scope, FailedFilter(), None, 9)] == ids[::-1]


async def test_names_of_a_member_are_the_user_the_units_with_all_above_and_the_roles_held(store: Store) -> None:
    room = await new_room(store)
    tenant = room.scope.tenant_id
    top, middle, low, aside = (Unit(new_id(), tenant, None, name, NOW) for name in ("top", "middle", "low", "aside"))
    middle, low = replace(middle, parent_id=top.id), replace(low, parent_id=middle.id)
    role = Role(new_id(), tenant, "searcher", "", SEARCH, NOW)
    user, stranger = await add_member(store, room, BuiltIn.VIEWER), await add_member(store, room)
    async with store.transaction(room.scope) as rows:
        for unit in (top, middle, low, aside):
            await rows.units.add(room.scope, unit)
        await rows.roles.add(room.scope, role)
        await rows.members.put_in_unit(room.scope, UnitMember(tenant, middle.id, user.id, BuiltIn.EDITOR, NOW))
        project = await rows.projects.get(room.scope, room.scope.project_id)
        assert project is not None
        await rows.members.put_in_project(room.scope, ProjectMember(tenant, project.id, user.id, role.id, NOW))
        always = {f"user:{user.id}", f"unit:{middle.id}", f"unit:{top.id}", "role:viewer", f"role:{role.id}"}
        # A unit's role is held in the projects below it alone.
        assert await rows.access.names(room.scope, user.id) == always
        await rows.projects.save(room.scope, replace(project, unit_id=low.id))
        assert await rows.access.names(room.scope, user.id) == always | {"role:editor"}
        assert await rows.access.names(room.scope, stranger.id) == {f"user:{stranger.id}"}
        assert await rows.access.names(room.scope, new_id()) == set()
        member = await rows.members.get(room.scope, user.id)
        assert member is not None
        await rows.members.save(room.scope, replace(member.membership, suspended_at=NOW))
        assert await rows.access.names(room.scope, user.id) == set()


def key_of(room: Room, **changes: object) -> Credential:
    made = Credential(new_id(), room.scope.tenant_id, room.scope.project_id, "a key", SEARCH, None, None)
    return replace(made, **changes)  # type: ignore[arg-type]


async def readers_of(store: Store, room: Room, key: Credential, document_id: UUID) -> tuple[frozenset[str], bool]:
    """The names a key goes by, and whether its own transaction sees a document."""
    async with store.transaction(room.scope) as rows:
        await rows.keys.add(room.scope, key, f"hash of {key.id}", NOW)
    async with store.transaction(None) as rows:
        found = await rows.keys.authenticate(f"hash of {key.id}", NOW)
        assert found is not None
        scope = Scope(key.tenant_id, Principal(PrincipalKind.API_KEY, "k"), SEARCH, room.scope.project_id)
        return found.readers, await rows.documents.get(scope, document_id) is not None


async def test_key_reads_as_whoever_it_acts_for_and_nobodys_by_its_own_name(store: Store) -> None:
    room = await new_room(store)
    made = await add_document(store, room)
    user = await add_member(store, room, BuiltIn.EDITOR)
    account = ServiceAccount(new_id(), room.scope.tenant_id, None, "robot", "", BuiltIn.VIEWER, "", NOW)
    elsewhere = replace(account, id=new_id(), name="elsewhere", project_id=new_id())
    async with store.transaction(room.scope) as rows:
        await rows.projects.add(room.scope, Project(elsewhere.project_id or new_id(), account.tenant_id, "far", NOW))
        await rows.service_accounts.add(room.scope, account)
        await rows.service_accounts.add(room.scope, elsewhere)
    bare = key_of(room)
    expected = {
        bare: {f"key:{bare.id}"},
        key_of(room, user_id=user.id): {f"user:{user.id}", "role:editor"},
        key_of(room, service_account_id=account.id): {f"service_account:{account.id}", "role:viewer"},
        key_of(room, service_account_id=elsewhere.id): set(),
    }
    for number, (key, names) in enumerate(expected.items()):
        other = await add_document(store, room)
        await restrict(store, room, ListKind.DOCUMENT, other.id, listed(*map(Reader.of, names)))
        found, sees = await readers_of(store, room, key, other.id)
        assert found == names, number
        assert sees is bool(names), number
        async with store.transaction(None) as rows:
            await rows.keys.authenticate(f"hash of {key.id}", NOW)
            assert await rows.documents.get(room.scope, made.id) is not None


async def test_key_that_goes_ahead_is_what_it_is_now(store: Store, another: Callable[[], Store]) -> None:
    """The store says so at once, or says that it has changed; it never does a thing by rights that have ended."""
    room = await new_room(store)
    made, key = await add_document(store, room), key_of(room)
    assert await readers_of(store, room, key, made.id) == (frozenset({f"key:{key.id}"}), True)

    async def sees() -> bool:
        async with store.transaction(None) as rows:
            found = await rows.keys.authenticate(f"hash of {key.id}", NOW, ahead=True)
            assert found is not None
            if not found.credential.valid(NOW):
                return False
            return await rows.documents.latest(room.scope, made.id) is not None

    for _ in range(3):
        # That it was used is noted, which is a change too.
        with suppress(StandingChanged):
            assert await sees()
    async with another().transaction(room.scope) as rows:
        assert await rows.keys.revoke(room.scope, key.id, NOW)
    with suppress(StandingChanged):
        assert not await sees()
    assert not await sees()


async def test_transaction_without_a_reader_sees_what_is_everyones_alone(store: Store) -> None:
    room = await new_room(store)
    kept, open_one = await add_document(store, room), await add_document(store, room)
    await restrict(store, room, ListKind.DOCUMENT, kept.id, listed(ADA))
    # A name is compared whole, and 'everyone' is nobody's to claim more by.
    for name in ("user:ad", "user:adaa", "unit:ada", EVERYONE):
        assert await readable(store, replace(room.scope, readers=frozenset({name}))) == {open_one.id}


async def test_users_are_real(store: Store) -> None:
    room = await new_room(store)
    user: User = await add_member(store, room)
    made = await add_document(store, room)
    await restrict(store, room, ListKind.DOCUMENT, made.id, listed(Reader(ReaderKind.USER, str(user.id))))
    async with store.transaction(room.scope) as rows:
        names = await rows.access.names(room.scope, user.id)
    assert await readable(store, replace(room.scope, readers=names)) == {made.id}


async def test_signed_in_user_reads_by_their_names_where_they_work(store: Store) -> None:
    room = await new_room(store)
    user = await add_member(store, room, BuiltIn.VIEWER)
    mine, theirs = await add_document(store, room), await add_document(store, room)
    await restrict(store, room, ListKind.DOCUMENT, mine.id, listed(Reader(ReaderKind.USER, str(user.id))))
    await restrict(store, room, ListKind.DOCUMENT, theirs.id, listed(ADA))
    session = await signed_in(store, user, "a refresh token")
    async with store.transaction(None) as rows:
        found = await rows.sessions.access(claims_of(session), NOW, org=None, project=None, whole=False)
        assert found is not None
        assert found.readers == {f"user:{user.id}", "role:viewer"}
        assert await rows.documents.living(room.scope, [mine.id, theirs.id]) == {mine.id}
