"""Users, their sessions, tickets and counted guesses, in every store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.domain.attempts import BY_ACCOUNT, Lockout, attempt_key
from shared.domain.errors import Conflict, Forbidden
from shared.domain.members import Membership, ProjectMember
from shared.domain.roles import EDITOR, VIEWER, BuiltIn, Role, held
from shared.domain.sessions import Ended, RefreshToken, UserSession
from shared.domain.tenants import Permission
from shared.domain.tickets import Ticket, TicketKind
from shared.domain.tokens import Access, AccessClaims
from shared.domain.users import Belonging, Identity, User, UserScope
from tests.contracts.samples import NOW, Store, a_user, add_member, at, new_id, new_room


async def add_user(store: Store, password: str | None = None, **changes: Any) -> User:
    user = a_user(**changes)
    async with store.transaction(None) as rows:
        await rows.users.add(UserScope(user.id), user, password)
    return user


async def test_user_comes_back_as_added_and_as_saved(store: Store) -> None:
    user = await add_user(store, "hash one")
    scope = UserScope(user.id)
    changed = replace(user, email="Other@Example.com", name="“Bo”", verified_at=None, disabled_at=at(2))
    async with store.transaction(None) as rows:
        assert await rows.users.find(user.email_key) == user
        assert await rows.users.lock(scope) == user
        assert await rows.users.password(scope) == "hash one"
        await rows.users.save(scope, changed)
        await rows.users.set_password(scope, "hash two", at(1))
    async with store.transaction(None) as rows:
        assert await rows.users.find(user.email_key) is None
        assert await rows.users.find("other@example.com") == changed
        assert await rows.users.password(scope) == "hash two"


async def test_user_without_password_has_none(store: Store) -> None:
    user = await add_user(store)
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(user.id))
        assert await rows.users.password(UserScope(user.id)) is None


async def test_issuer_vouches_no_more_for_whom_it_is_unlinked_from(store: Store) -> None:
    user, other = await add_user(store), await add_user(store)
    for one in (user, other):
        async with store.transaction(None) as rows:
            await rows.users.enter(UserScope(one.id))
            for number, issuer in enumerate(("https://one.example", "https://one.example", "https://two.example")):
                await rows.users.link(UserScope(one.id), Identity(one.id, issuer, f"{one.id} {number}", at(number)))
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(user.id))
        assert await rows.users.unlink(UserScope(other.id), "https://one.example") == 0
        assert await rows.users.unlink(UserScope(user.id), "https://one.example") == 2
        assert await rows.users.unlink(UserScope(user.id), "https://one.example") == 0
        assert [one.issuer for one in await rows.users.identities(UserScope(user.id))] == ["https://two.example"]
    async with store.transaction(None) as rows:
        assert await rows.users.find_identity("https://one.example", f"{user.id} 0") is None
        assert await rows.users.find_identity("https://one.example", f"{other.id} 0") == other


async def test_address_in_other_capitals_is_taken(store: Store) -> None:
    user = await add_user(store)
    for _ in range(2):
        with pytest.raises(Conflict) as raised:
            await add_user(store, email=user.email.upper())
        assert raised.value.code == "email_taken"
    other = await add_user(store)

    async def rename() -> None:
        async with store.transaction(None) as rows:
            await rows.users.enter(UserScope(other.id))
            await rows.users.save(UserScope(other.id), replace(other, email=user.email.swapcase()))

    with pytest.raises(Conflict) as raised:
        await rename()
    assert raised.value.code == "email_taken"


async def test_two_who_take_an_address_at_once_are_one(store: Store, another: Callable[[], Store]) -> None:
    stores, email = [store, another()], "same@example.com"

    async def take(mine: Store) -> bool:
        try:
            await add_user(mine, email=email)
        except Conflict:
            return False
        return True

    assert sorted(await asyncio.gather(*(take(mine) for mine in stores))) == [False, True]


async def test_users_rows_are_nobodys_until_somebody_is_found(store: Store) -> None:
    user, other = await add_user(store, "theirs"), await add_user(store, "others")
    mine, theirs = UserScope(user.id), UserScope(other.id)
    async with store.transaction(None) as rows:
        assert await rows.users.get(mine) is None
        assert await rows.users.password(mine) is None
        assert await rows.users.find("nobody' OR true --@example.com") is None
        assert await rows.users.get(mine) is None
        await rows.users.find(user.email_key)
        assert await rows.users.get(mine) == user
        assert await rows.users.get(theirs) is None
        assert await rows.users.lock(theirs) is None
        assert await rows.users.password(theirs) is None
        assert await rows.users.identities(theirs) == []
        assert await rows.sessions.list(theirs, NOW) == []
        await rows.users.save(theirs, replace(other, name="changed"))

    async def steal() -> None:
        async with store.transaction(None) as rows:
            await rows.users.enter(mine)
            await rows.users.set_password(theirs, "mine now", NOW)

    with pytest.raises(Forbidden):
        await steal()
    async with store.transaction(None) as rows:
        assert await rows.users.find(other.email_key) == other
        assert await rows.users.password(theirs) == "others"


async def test_members_of_a_tenant_are_seen_by_it_and_their_passwords_are_not(store: Store) -> None:
    room, foreign = await new_room(store), await new_room(store)
    user = await add_member(store, room)
    for scope, seen in ((room.scope, True), (foreign.scope, False)):
        async with store.transaction(scope) as rows:
            assert (await rows.users.get(UserScope(user.id)) == user) is seen
            assert await rows.users.password(UserScope(user.id)) is None
            assert await rows.users.lock(UserScope(user.id)) is None
    with pytest.raises(Forbidden):
        async with store.transaction(room.scope) as rows:
            await rows.users.set_password(UserScope(user.id), "the tenant's", NOW)


async def test_identity_leads_to_its_user_alone(store: Store) -> None:
    user, other = await add_user(store), await add_user(store)
    identity = Identity(user.id, "https://issuer.example", "subject '1'", NOW)
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(user.id))
        await rows.users.link(UserScope(user.id), identity)
        assert await rows.users.identities(UserScope(user.id)) == [identity]
    async with store.transaction(None) as rows:
        assert await rows.users.find_identity("https://other.example", identity.subject) is None
        assert await rows.users.find_identity(identity.issuer, "subject 2") is None
        assert await rows.users.find_identity(identity.issuer, identity.subject) == user

    async def claim() -> None:
        async with store.transaction(None) as rows:
            await rows.users.enter(UserScope(other.id))
            await rows.users.link(UserScope(other.id), replace(identity, user_id=other.id))

    with pytest.raises(Conflict):
        await claim()


async def test_belongings_are_the_users_own_organisations(store: Store) -> None:
    one, two, gone = [await new_room(store) for _ in range(3)]
    user, other = await add_user(store), await add_member(store, one)
    role = Role(new_id(), two.scope.tenant_id, "reader", "", frozenset({Permission.SEARCH_QUERY}), NOW)
    async with store.transaction(one.scope) as rows:
        await rows.members.add(one.scope, Membership(one.scope.tenant_id, user.id, BuiltIn.OWNER, at(1)))
    async with store.transaction(two.scope) as rows:
        await rows.roles.add(two.scope, role)
        made = Membership(two.scope.tenant_id, user.id, role.id, at(2), suspended_at=at(3))
        await rows.members.add(two.scope, made)
    async with store.transaction(gone.scope) as rows:
        await rows.members.add(gone.scope, Membership(gone.scope.tenant_id, user.id, None, NOW))
        tenant = await rows.tenants.get(gone.scope)
        assert tenant is not None
        await rows.tenants.save(gone.scope, replace(tenant, deleted_at=NOW))
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(user.id))
        assert await rows.users.belongings(UserScope(user.id)) == [
            Belonging(one.scope.tenant_id, "a tenant", BuiltIn.OWNER, "owner", at(1), None),
            Belonging(two.scope.tenant_id, "a tenant", role.id, "reader", at(2), at(3)),
        ]
    async with store.transaction(None) as rows:
        assert await rows.users.belongings(UserScope(user.id)) == []
        await rows.users.enter(UserScope(other.id))
        assert len(await rows.users.belongings(UserScope(user.id))) == 1, "of whose transaction it is"


# Sessions.


def a_session(user_id: UUID, **changes: Any) -> UserSession:
    made = UserSession(new_id(), user_id, "password", "a browser", "198.51.100.7", NOW, NOW, at(60))
    return replace(made, **changes)


def a_token(session: UserSession, hash: str, moment: datetime = NOW) -> RefreshToken:
    return RefreshToken(session.user_id, session.id, hash, moment)


async def signed_in(store: Store, user: User, hash: str, **changes: Any) -> UserSession:
    session = a_session(user.id, **changes)
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(user.id))
        await rows.sessions.add(UserScope(user.id), session, a_token(session, hash))
    return session


async def test_session_is_found_by_its_token_and_rotates(store: Store) -> None:
    user = await add_user(store)
    session = await signed_in(store, user, "first")
    used = replace(session, used_at=at(1), expires_at=at(90), address="203.0.113.9")
    async with store.transaction(None) as rows:
        assert await rows.sessions.find("nothing") is None
        found = await rows.sessions.find("first")
        assert found == (session, a_token(session, "first"))
        assert await rows.users.get(UserScope(user.id)) == user
        await rows.sessions.rotate(UserScope(user.id), used, found[1], a_token(session, "second", at(1)))
    async with store.transaction(None) as rows:
        assert await rows.sessions.find("first") == (used, replace(a_token(session, "first"), used_at=at(1)))
    async with store.transaction(None) as rows:
        assert await rows.sessions.find("second") == (used, a_token(session, "second", at(1)))


async def test_token_shown_twice_at_once_is_used_once(store: Store, another: Callable[[], Store]) -> None:
    user = await add_user(store)
    session = await signed_in(store, user, "one")

    async def refresh(mine: Store, following: str) -> bool:
        async with mine.transaction(None) as rows:
            found = await rows.sessions.find("one")
            assert found is not None
            if found[1].used_at is not None:
                return False
            await asyncio.sleep(0.05)
            await rows.sessions.rotate(UserScope(user.id), session, found[1], a_token(session, following, at(1)))
            return True

    assert sorted(await asyncio.gather(refresh(store, "a"), refresh(another(), "b"))) == [False, True]


async def test_revoke_ends_one_or_all_but_one_or_all(store: Store) -> None:
    user, other = await add_user(store), await add_user(store)
    made = [await signed_in(store, user, f"token {number}", created_at=at(number)) for number in range(4)]
    theirs = await signed_in(store, other, "theirs")
    scope = UserScope(user.id)
    async with store.transaction(None) as rows:
        await rows.users.enter(scope)
        assert await rows.sessions.revoke(scope, Ended.REVOKED, at(5), only=theirs.id) == 0
        assert await rows.sessions.revoke(scope, Ended.REVOKED, at(5), only=made[0].id) == 1
        assert await rows.sessions.revoke(scope, Ended.REVOKED, at(5), only=made[0].id) == 0
        ended = replace(made[0], revoked_at=at(5), revoked_reason="revoked")
        assert await rows.sessions.get(scope, made[0].id) == ended
        assert await rows.sessions.list(scope, at(6)) == [made[3], made[2], made[1]]
        assert await rows.sessions.revoke(scope, Ended.CREDENTIALS_CHANGED, at(6), keep=made[2].id) == 2
        assert await rows.sessions.list(scope, at(6)) == [made[2]]
        assert await rows.sessions.revoke(scope, Ended.DISABLED, at(7)) == 1
        assert await rows.sessions.get(scope, theirs.id) is None
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(other.id))
        assert await rows.sessions.list(UserScope(other.id), at(7)) == [theirs]


async def test_list_leaves_out_what_is_over_and_add_forgets_what_is_long_over(store: Store) -> None:
    user = await add_user(store)
    old = await signed_in(store, user, "old", expires_at=NOW)
    later = NOW + timedelta(days=31)
    new = await signed_in(store, user, "new", created_at=later, expires_at=later + timedelta(days=1))
    async with store.transaction(None) as rows:
        assert await rows.sessions.find("old") is None
        await rows.users.enter(UserScope(user.id))
        assert await rows.sessions.get(UserScope(user.id), old.id) is None
        assert await rows.sessions.list(UserScope(user.id), later) == [new]
        assert await rows.sessions.list(UserScope(user.id), later + timedelta(days=1)) == []


# Access: what a signed-in user holds, where.


def claims_of(session: UserSession) -> AccessClaims:
    return AccessClaims(session.user_id, session.id, NOW, at(10))


async def look(store: Store, session: UserSession, moment: datetime = NOW, **asked: Any) -> Access | None:
    where: dict[str, Any] = {"org": None, "project": None, "whole": False, **asked}
    async with store.transaction(None) as rows:
        return await rows.sessions.access(claims_of(session), moment, **where)


def place(found: Access | None) -> tuple[UUID | None, UUID | None, int, frozenset[Permission]]:
    assert found is not None
    return found.tenant_id, found.project_id, found.organisations, held(found.roles, found.permissions)


async def test_access_is_to_the_only_organisation_and_its_only_project(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    user = await add_member(store, room, BuiltIn.EDITOR)
    session = await signed_in(store, user, "token")
    tenant, project = room.scope.tenant_id, room.scope.project_id
    assert place(await look(store, session)) == (tenant, project, 1, EDITOR)
    assert place(await look(store, session, whole=True)) == (tenant, None, 1, EDITOR)
    assert place(await look(store, session, project=project)) == (tenant, project, 1, EDITOR)
    assert place(await look(store, session, org=tenant)) == (tenant, project, 1, EDITOR)
    for asked in (
        {"org": other.scope.tenant_id},
        {"project": other.scope.project_id},
        {"project": new_id()},
        {"org": other.scope.tenant_id, "project": project},
    ):
        assert place(await look(store, session, NOW, **asked)) == (None, None, 1, frozenset())
    elsewhere = await look(store, session, org=tenant, project=other.scope.project_id)
    assert place(elsewhere) == (tenant, None, 1, EDITOR)


async def test_access_opens_the_walls_of_user_and_tenant(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    user = await add_member(store, room, BuiltIn.VIEWER)
    session = await signed_in(store, user, "token")
    async with store.transaction(None) as rows:
        assert await rows.sessions.access(claims_of(session), NOW, org=None, project=None, whole=False)
        assert await rows.collections.get(room.scope, room.collection.id) == room.collection
        assert await rows.collections.get(other.scope, other.collection.id) is None
        assert await rows.users.get(UserScope(user.id)) == user
    async with store.transaction(None) as rows:
        away = await rows.sessions.access(claims_of(session), NOW, org=other.scope.tenant_id, project=None, whole=True)
        assert away is not None
        assert await rows.collections.get(other.scope, other.collection.id) is None


async def test_access_with_several_organisations_or_projects_has_to_be_told(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    user = await add_member(store, room)
    session = await signed_in(store, user, "token")
    async with store.transaction(room.scope) as rows:
        project = await rows.projects.get(room.scope, room.scope.project_id)
        assert project is not None
        second = replace(project, id=new_id(), name="second")
        await rows.projects.add(room.scope, second)
        mine = ProjectMember(room.scope.tenant_id, second.id, user.id, BuiltIn.VIEWER, NOW)
        await rows.members.put_in_project(room.scope, mine)
    tenant = room.scope.tenant_id
    assert place(await look(store, session)) == (tenant, None, 1, frozenset())
    assert place(await look(store, session, project=project.id)) == (tenant, project.id, 1, frozenset())
    assert place(await look(store, session, project=second.id)) == (tenant, second.id, 1, VIEWER)
    assert place(await look(store, session, project=second.id, whole=True))[3] == frozenset()
    async with store.transaction(room.scope) as rows:
        await rows.projects.save(room.scope, replace(project, archived_at=at(1)))
    assert place(await look(store, session)) == (tenant, second.id, 1, VIEWER), "archived ones are not meant"
    archived = await look(store, session, project=project.id)
    assert archived is not None
    assert archived.archived_at == at(1)
    async with store.transaction(other.scope) as rows:
        await rows.members.add(other.scope, Membership(other.scope.tenant_id, user.id, BuiltIn.OWNER, NOW))
    assert place(await look(store, session)) == (None, None, 2, frozenset())
    assert place(await look(store, session, project=second.id)) == (tenant, second.id, 2, VIEWER)


@pytest.mark.parametrize("fault", ["revoked", "expired", "disabled", "unknown", "of another"])
async def test_access_is_over_with_the_session_or_the_user(store: Store, fault: str) -> None:
    room = await new_room(store)
    user, other = await add_member(store, room, BuiltIn.OWNER), await add_member(store, room, BuiltIn.OWNER)
    session = await signed_in(store, user, "token")
    shown = session
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(user.id))
        if fault == "revoked":
            await rows.sessions.revoke(UserScope(user.id), Ended.REVOKED, NOW)
        if fault == "disabled":
            await rows.users.save(UserScope(user.id), replace(user, disabled_at=NOW))
    if fault == "unknown":
        shown = replace(session, id=new_id())
    if fault == "of another":
        shown = replace(session, user_id=other.id)
    moment = at(60) if fault == "expired" else NOW
    assert await look(store, shown, moment) is None
    async with store.transaction(None) as rows:
        assert not await rows.sessions.enter(claims_of(shown), moment)
        assert await rows.users.get(UserScope(user.id)) is None
        assert await rows.collections.get(room.scope, room.collection.id) is None


async def test_enter_is_for_the_user_of_the_session(store: Store) -> None:
    user = await add_user(store)
    session = await signed_in(store, user, "token")
    async with store.transaction(None) as rows:
        assert await rows.sessions.enter(claims_of(session), NOW)
        assert await rows.users.get(UserScope(user.id)) == user


@pytest.mark.parametrize("gone", ["membership", "suspended", "tenant", "project"])
async def test_access_to_what_is_gone_is_to_nothing(store: Store, gone: str) -> None:
    room = await new_room(store)
    user = await add_member(store, room, BuiltIn.OWNER)
    session = await signed_in(store, user, "token")
    scope = room.scope
    async with store.transaction(scope) as rows:
        tenant, project = await rows.tenants.get(scope), await rows.projects.get(scope, scope.project_id)
        assert tenant is not None
        assert project is not None
        if gone == "membership":
            await rows.members.remove(scope, user.id)
        elif gone == "suspended":
            await rows.members.save(scope, Membership(scope.tenant_id, user.id, BuiltIn.OWNER, NOW, NOW))
        elif gone == "tenant":
            await rows.tenants.save(scope, replace(tenant, deleted_at=NOW))
        else:
            await rows.projects.save(scope, replace(project, deleted_at=NOW))
    found = await look(store, session, project=scope.project_id)
    assert found is not None
    assert (found.tenant_id, found.project_id) == (scope.tenant_id if gone == "project" else None, None)


# Tickets.


def a_ticket(hash: str, **changes: Any) -> Ticket:
    return replace(Ticket(TicketKind.RESET, hash, {"user": "“x”", "n": [1, None]}, NOW, at(60)), **changes)


async def test_ticket_is_taken_once_for_what_it_is_good_for(store: Store) -> None:
    ticket = a_ticket("one")
    async with store.transaction(None) as rows:
        await rows.tickets.put(ticket)
    async with store.transaction(None) as rows:
        assert await rows.tickets.take(TicketKind.REGISTRATION, "one", at(1)) is None
        assert await rows.tickets.take(TicketKind.RESET, "two", at(1)) is None
        assert await rows.tickets.take(TicketKind.RESET, "one", at(60)) is None
        assert await rows.tickets.take(TicketKind.RESET, "one", at(59)) == ticket.payload
        assert await rows.tickets.take(TicketKind.RESET, "one", at(59)) is None
    async with store.transaction(None) as rows:
        assert await rows.tickets.take(TicketKind.RESET, "one", at(1)) is None


async def test_ticket_taken_in_a_transaction_that_fails_is_still_there(store: Store) -> None:
    async with store.transaction(None) as rows:
        await rows.tickets.put(a_ticket("one"))

    async def fail() -> None:
        async with store.transaction(None) as rows:
            assert await rows.tickets.take(TicketKind.RESET, "one", at(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with store.transaction(None) as rows:
        assert await rows.tickets.take(TicketKind.RESET, "one", at(1))


async def test_ticket_asked_for_twice_at_once_is_given_once(store: Store, another: Callable[[], Store]) -> None:
    async with store.transaction(None) as rows:
        await rows.tickets.put(a_ticket("one"))

    async def take(mine: Store) -> bool:
        async with mine.transaction(None) as rows:
            found = await rows.tickets.take(TicketKind.RESET, "one", at(1))
            await asyncio.sleep(0.05)
            return found is not None

    assert sorted(await asyncio.gather(take(store), take(another()))) == [False, True]


async def test_put_forgets_tickets_that_nobody_took(store: Store) -> None:
    async with store.transaction(None) as rows:
        await rows.tickets.put(a_ticket("early", expires_at=at(1)))
        await rows.tickets.put(a_ticket("late"))
    async with store.transaction(None) as rows:
        await rows.tickets.put(a_ticket("next", created_at=at(2)))
    async with store.transaction(None) as rows:
        assert await rows.tickets.take(TicketKind.RESET, "early", NOW) is None
        assert await rows.tickets.take(TicketKind.RESET, "late", NOW) is not None


# Guesses.

LOCKOUT = Lockout(free=2, first=timedelta(seconds=10), most=timedelta(seconds=35))


async def test_guesses_wait_longer_each_time_and_asking_meanwhile_costs_nothing(store: Store) -> None:
    key, now, waits = attempt_key("account", "a@example.com"), NOW, []
    for _ in range(7):
        async with store.transaction(None) as rows:
            assert await rows.attempts.begin(key, LOCKOUT, now) == 0
            wait = await rows.attempts.begin(key, LOCKOUT, now)
            if wait == 0:
                waits.append(0.0)
                continue
            assert await rows.attempts.begin(key, LOCKOUT, now + timedelta(seconds=1)) == wait - 1
            assert await rows.attempts.wait(key, now + timedelta(seconds=1)) == wait - 1
            assert await rows.attempts.wait(key, now + timedelta(seconds=wait + 1)) == 0
        waits.append(wait)
        now += timedelta(seconds=wait)
    assert waits == [0.0, 10.0, 20.0, 35.0, 35.0, 35.0, 35.0]


async def test_guess_that_was_right_is_taken_back_or_forgets_all(store: Store) -> None:
    key, other = attempt_key("address", "198.51.100.7"), attempt_key("address", "198.51.100.8")
    assert key != attempt_key("account", "198.51.100.7")
    async with store.transaction(None) as rows:
        for _ in range(20):
            assert await rows.attempts.begin(key, BY_ACCOUNT, NOW) == 0
            await rows.attempts.succeeded(key, clear=False)
        for _ in range(6):
            assert await rows.attempts.begin(key, BY_ACCOUNT, NOW) == 0
        assert await rows.attempts.begin(key, BY_ACCOUNT, NOW) == 30
        assert await rows.attempts.begin(other, BY_ACCOUNT, NOW) == 0
        await rows.attempts.succeeded(key, clear=True)
        assert await rows.attempts.begin(key, BY_ACCOUNT, NOW) == 0
        await rows.attempts.succeeded("never seen", clear=True)
        assert await rows.attempts.wait("never seen", NOW) == 0


async def test_failures_are_forgotten_in_time(store: Store) -> None:
    async with store.transaction(None) as rows:
        for _ in range(6):
            await rows.attempts.begin("key", BY_ACCOUNT, NOW)
        later = NOW + BY_ACCOUNT.forget + timedelta(seconds=1)
        for _ in range(5):
            assert await rows.attempts.begin("key", BY_ACCOUNT, later) == 0


async def test_many_guesses_at_once_are_all_counted(store: Store, another: Callable[[], Store]) -> None:
    stores = [store, *(another() for _ in range(3))]

    async def guess(mine: Store) -> bool:
        async with mine.transaction(None) as rows:
            return await rows.attempts.begin("key", LOCKOUT, NOW) == 0

    let = [one for _ in range(3) for one in await asyncio.gather(*(guess(mine) for mine in stores))]
    assert sum(let) == 3, "two are free, the third is let and blocks the rest"
