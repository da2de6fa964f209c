"""Members, roles, org units, invitations, service accounts and the audit trail, in every store."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.domain.audit import AuditEvent
from shared.domain.errors import Conflict, Forbidden
from shared.domain.members import (
    Invitation,
    Member,
    Membership,
    ProjectMember,
    ServiceAccount,
    Unit,
    UnitMember,
)
from shared.domain.pages import After
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.roles import EDITOR, PERMISSIONS, VIEWER, BuiltIn, Role
from shared.domain.tenants import KEY_PERMISSIONS, Credential, Permission
from shared.domain.users import User, UserScope
from shared.ports.audit import AuditFilter
from tests.contracts.samples import NOW, Room, Store, add_member, at, new_id, new_room

SEARCH = frozenset({Permission.SEARCH_QUERY})
MISSING = UUID(int=404)


async def unit(store: Store, room: Room, name: str, parent: Unit | None = None) -> Unit:
    made = Unit(new_id(), room.scope.tenant_id, None if parent is None else parent.id, name, NOW)
    async with store.transaction(room.scope) as rows:
        await rows.units.add(room.scope, made)
    return made


async def role(store: Store, room: Room, name: str = "searcher", permissions: frozenset[Permission] = SEARCH) -> Role:
    made = Role(new_id(), room.scope.tenant_id, name, "“of ours”", permissions, NOW)
    async with store.transaction(room.scope) as rows:
        await rows.roles.add(room.scope, made)
    return made


async def place(store: Store, room: Room, where: Unit | None) -> None:
    """Put the room's project into a unit."""
    async with store.transaction(room.scope) as rows:
        project = await rows.projects.get(room.scope, room.scope.project_id)
        assert project is not None
        await rows.projects.save(room.scope, replace(project, unit_id=None if where is None else where.id))


async def rights(store: Store, room: Room, user: User, *, whole: bool = False) -> frozenset[Permission]:
    async with store.transaction(room.scope) as rows:
        return await rows.members.rights(room.scope, user.id, None if whole else room.scope.project_id)


def member(room: Room, user: User, held: Any = None, **changes: Any) -> Member:
    return Member(replace(Membership(room.scope.tenant_id, user.id, held, NOW), **changes), user)


async def test_member_comes_back_as_added_and_as_saved(store: Store) -> None:
    room, custom = await new_room(store), None
    custom = await role(store, room)
    user = await add_member(store, room, BuiltIn.EDITOR)
    changed = member(room, user, custom.id, suspended_at=at(1))
    async with store.transaction(room.scope) as rows:
        assert await rows.members.get(room.scope, user.id) == member(room, user, BuiltIn.EDITOR)
        assert await rows.members.lock(room.scope, user.id) == member(room, user, BuiltIn.EDITOR)
        await rows.members.save(room.scope, changed.membership)
        assert await rows.members.get(room.scope, user.id) == changed
        assert await rows.members.get(room.scope, new_id()) is None


async def test_member_twice_conflicts_and_so_does_one_who_is_nobody(store: Store) -> None:
    room = await new_room(store)
    user = await add_member(store, room)
    for who, code in ((user.id, "already_exists"), (new_id(), "missing_reference")):
        with pytest.raises(Conflict) as raised:
            async with store.transaction(room.scope) as rows:
                await rows.members.add(room.scope, Membership(room.scope.tenant_id, who, None, NOW))
        assert raised.value.code == code


async def test_members_of_another_tenant_are_out_of_reach(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    user = await add_member(store, other, BuiltIn.VIEWER)
    foreign = await role(store, other)
    async with store.transaction(room.scope) as rows:
        assert await rows.members.get(other.scope, user.id) is None
        assert await rows.members.list(other.scope, None, 9) == []
        assert not await rows.members.remove(room.scope, user.id)
        assert await rows.members.rights(other.scope, user.id, other.scope.project_id) == frozenset()
    with pytest.raises(Forbidden):
        async with store.transaction(room.scope) as rows:
            await rows.members.add(other.scope, Membership(other.scope.tenant_id, user.id, None, NOW))
    with pytest.raises(Conflict, match="not there"):
        await add_member(store, room, foreign.id)


async def test_list_pages_through_members_newest_first(store: Store) -> None:
    room = await new_room(store)
    users = [await add_member(store, room) for _ in range(5)]
    async with store.transaction(room.scope) as rows:
        first = await rows.members.list(room.scope, None, 3)
        last = first[-1].membership
        rest = await rows.members.list(room.scope, After(last.created_at, last.user_id), 9)
    assert [one.user for one in (*first, *rest)] == users[::-1]


async def test_owners_are_those_whose_rights_count(store: Store) -> None:
    room = await new_room(store)
    owner = await add_member(store, room, BuiltIn.OWNER)
    suspended = await add_member(store, room, BuiltIn.OWNER)
    await add_member(store, room, BuiltIn.ADMIN)
    async with store.transaction(room.scope) as rows:
        away = member(room, suspended, BuiltIn.OWNER, suspended_at=NOW).membership
        await rows.members.save(room.scope, away)
        assert await rows.members.owners(room.scope) == [owner.id]


async def test_two_owners_who_leave_at_once_do_not_both_see_the_other(
    store: Store, another: Callable[[], Store]
) -> None:
    room = await new_room(store)
    owners = [await add_member(store, room, BuiltIn.OWNER) for _ in range(2)]

    async def leave(mine: Store, user: User) -> bool:
        async with mine.transaction(room.scope) as rows:
            if await rows.members.owners(room.scope) == [user.id]:
                return False
            await asyncio.sleep(0.05)
            return await rows.members.remove(room.scope, user.id)

    outcomes = await asyncio.gather(leave(store, owners[0]), leave(another(), owners[1]))
    assert sorted(outcomes) == [False, True]


@pytest.mark.parametrize("held", list(BuiltIn))
async def test_built_in_role_of_the_tenant_counts_everywhere(store: Store, held: BuiltIn) -> None:
    room = await new_room(store)
    user = await add_member(store, room, held)
    assert await rights(store, room, user) == PERMISSIONS[held]
    assert await rights(store, room, user, whole=True) == PERMISSIONS[held]


async def test_rights_add_up_over_tenant_units_above_and_project(store: Store) -> None:
    room = await new_room(store)
    top = await unit(store, room, "top")
    middle = await unit(store, room, "middle", top)
    below = await unit(store, room, "below", middle)
    aside = await unit(store, room, "aside", top)
    user = await add_member(store, room)
    custom = await role(store, room, "hooks", frozenset({Permission.WEBHOOKS_WRITE}))
    await place(store, room, below)
    assert await rights(store, room, user) == frozenset()
    async with store.transaction(room.scope) as rows:
        tenant_id = room.scope.tenant_id
        for where, held in ((aside, BuiltIn.OWNER), (top, custom.id), (below, None)):
            await rows.members.put_in_unit(room.scope, UnitMember(tenant_id, where.id, user.id, held, NOW))
    assert await rights(store, room, user) == {Permission.WEBHOOKS_WRITE}
    assert await rights(store, room, user, whole=True) == frozenset(), "units count in their projects"
    async with store.transaction(room.scope) as rows:
        mine = ProjectMember(tenant_id, room.scope.project_id, user.id, BuiltIn.VIEWER, NOW)
        await rows.members.put_in_project(room.scope, mine)
    assert await rights(store, room, user) == VIEWER | {Permission.WEBHOOKS_WRITE}
    await place(store, room, aside)
    assert await rights(store, room, user) == KEY_PERMISSIONS
    async with store.transaction(room.scope) as rows:
        await rows.members.save(room.scope, member(room, user, BuiltIn.EDITOR, suspended_at=NOW).membership)
    assert await rights(store, room, user) == frozenset(), "of a suspended member nothing counts"


async def test_put_changes_the_role_and_remove_takes_it(store: Store) -> None:
    room = await new_room(store)
    user, where = await add_member(store, room), await unit(store, room, "north")
    tenant_id, project_id = room.scope.tenant_id, room.scope.project_id
    async with store.transaction(room.scope) as rows:
        for moment, held in ((NOW, BuiltIn.VIEWER), (at(1), BuiltIn.EDITOR)):
            await rows.members.put_in_unit(room.scope, UnitMember(tenant_id, where.id, user.id, held, moment))
            await rows.members.put_in_project(room.scope, ProjectMember(tenant_id, project_id, user.id, held, moment))
        in_unit = [UnitMember(tenant_id, where.id, user.id, BuiltIn.EDITOR, NOW)]
        assert await rows.members.in_unit(room.scope, where.id) == in_unit
        assert await rows.members.units_of(room.scope, user.id) == in_unit
        in_project = [ProjectMember(tenant_id, project_id, user.id, BuiltIn.EDITOR, NOW)]
        assert await rows.members.in_project(room.scope, project_id) == in_project
        assert await rows.members.remove_from_unit(room.scope, where.id, user.id)
        assert not await rows.members.remove_from_unit(room.scope, where.id, user.id)
        assert await rows.members.remove_from_project(room.scope, project_id, user.id)
        assert not await rows.members.remove_from_project(room.scope, project_id, user.id)
        assert await rows.members.in_unit(room.scope, where.id) == []
        assert await rows.members.in_project(room.scope, project_id) == []


@pytest.mark.parametrize("lacks", ["unit", "project", "member", "role"])
async def test_put_of_what_is_not_there_conflicts(store: Store, lacks: str) -> None:
    room = await new_room(store)
    user, where = await add_member(store, room), await unit(store, room, "north")
    who = MISSING if lacks == "member" else user.id
    held = MISSING if lacks == "role" else BuiltIn.VIEWER
    unit_id = MISSING if lacks == "unit" else where.id
    project_id = MISSING if lacks == "project" else room.scope.project_id

    async def put() -> None:
        async with store.transaction(room.scope) as rows:
            if lacks != "project":
                await rows.members.put_in_unit(room.scope, UnitMember(room.scope.tenant_id, unit_id, who, held, NOW))
            in_project = ProjectMember(room.scope.tenant_id, project_id, who, held, NOW)
            await rows.members.put_in_project(room.scope, in_project)

    with pytest.raises(Conflict, match="not there"):
        await put()


async def test_remove_takes_all_that_the_member_had(store: Store) -> None:
    room = await new_room(store)
    user, where = await add_member(store, room, BuiltIn.OWNER), await unit(store, room, "north")
    key = Credential(new_id(), room.scope.tenant_id, None, "k", SEARCH, None, None, user_id=user.id)
    async with store.transaction(room.scope) as rows:
        mine = UnitMember(room.scope.tenant_id, where.id, user.id, BuiltIn.OWNER, NOW)
        await rows.members.put_in_unit(room.scope, mine)
        held = ProjectMember(room.scope.tenant_id, room.scope.project_id, user.id, BuiltIn.OWNER, NOW)
        await rows.members.put_in_project(room.scope, held)
        await rows.keys.add(room.scope, key, "hash", NOW)
        assert await rows.members.remove(room.scope, user.id)
        assert not await rows.members.remove(room.scope, user.id)
    async with store.transaction(room.scope) as rows:
        assert await rows.members.in_unit(room.scope, where.id) == []
        assert await rows.members.in_project(room.scope, room.scope.project_id) == []
        assert await rows.keys.list(room.scope, None, 9) == []
    async with store.transaction(None) as rows:
        assert await rows.keys.authenticate("hash", NOW) is None
        assert await rows.users.find(user.email_key) == user


# Roles.


async def test_role_comes_back_and_its_name_is_its_own(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    one, two = await role(store, room, "b"), await role(store, room, "a")
    await role(store, other, "b")
    changed = replace(one, name="c", description="", permissions=EDITOR)
    async with store.transaction(room.scope) as rows:
        assert await rows.roles.list(room.scope) == [two, one]
        await rows.roles.save(room.scope, changed)
        assert await rows.roles.get(room.scope, one.id) == changed
        assert await rows.roles.list(other.scope) == []
    for attempt in (lambda: role(store, room, "a"), lambda: _save_role(store, room, replace(changed, name="a"))):
        with pytest.raises(Conflict) as raised:
            await attempt()
        assert raised.value.code == "name_taken"


async def _save_role(store: Store, room: Room, changed: Role) -> None:
    async with store.transaction(room.scope) as rows:
        await rows.roles.save(room.scope, changed)


async def test_role_that_somebody_has_stays(store: Store) -> None:
    room = await new_room(store)
    custom = await role(store, room)
    user = await add_member(store, room, custom.id)
    with pytest.raises(Conflict) as raised:
        async with store.transaction(room.scope) as rows:
            await rows.roles.remove(room.scope, custom.id)
    assert raised.value.code == "role_in_use"
    async with store.transaction(room.scope) as rows:
        await rows.members.remove(room.scope, user.id)
        assert await rows.roles.remove(room.scope, custom.id)
        assert not await rows.roles.remove(room.scope, custom.id)


# Units.


async def test_units_lie_in_one_another(store: Store) -> None:
    room = await new_room(store)
    top = await unit(store, room, "top")
    low = await unit(store, room, "low", top)
    await unit(store, room, "low")
    moved = replace(low, name="high", parent_id=None)
    async with store.transaction(room.scope) as rows:
        assert await rows.units.above(room.scope, low.id) == [low, top]
        assert [one.name for one in await rows.units.list(room.scope)] == ["low", "low", "top"]
        await rows.units.save(room.scope, moved)
        assert await rows.units.get(room.scope, low.id) == moved
        assert await rows.units.above(room.scope, low.id) == [moved]
        assert await rows.units.above(room.scope, MISSING) == []


@pytest.mark.parametrize("parent", [False, True])
async def test_unit_with_a_taken_name_conflicts(store: Store, parent: bool) -> None:
    room = await new_room(store)
    top = await unit(store, room, "top") if parent else None
    await unit(store, room, "same", top)
    with pytest.raises(Conflict) as raised:
        await unit(store, room, "same", top)
    assert raised.value.code == "name_taken"


async def test_unit_of_another_tenant_is_no_place(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    foreign = await unit(store, other, "theirs")
    with pytest.raises(Conflict, match="not there"):
        await unit(store, room, "ours", foreign)
    with pytest.raises(Conflict, match="not there"):
        await place(store, room, foreign)


async def test_unit_is_never_within_itself(store: Store) -> None:
    room = await new_room(store)
    top = await unit(store, room, "top")
    middle = await unit(store, room, "middle", top)
    low = await unit(store, room, "low", middle)
    for inside in (top, middle, low):
        with pytest.raises(Conflict) as raised:
            async with store.transaction(room.scope) as rows:
                await rows.units.save(room.scope, replace(top, parent_id=inside.id))
        assert raised.value.code == "unit_cycle"


async def test_two_moves_at_once_make_no_circle(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    one, two = await unit(store, room, "one"), await unit(store, room, "two")

    async def move(mine: Store, what: Unit, into: Unit) -> bool:
        try:
            async with mine.transaction(room.scope) as rows:
                await rows.units.save(room.scope, replace(what, parent_id=into.id))
                await asyncio.sleep(0.05)
        except Conflict as error:
            return error.code != "unit_cycle"
        return True

    outcomes = await asyncio.gather(move(store, one, two), move(another(), two, one))
    assert sorted(outcomes) == [False, True]


async def test_tree_has_a_floor(store: Store) -> None:
    room, deepest = await new_room(store), None
    for depth in range(32):
        deepest = await unit(store, room, f"level {depth}", deepest)
    with pytest.raises(Conflict) as raised:
        await unit(store, room, "too deep", deepest)
    assert raised.value.code == "unit_too_deep"
    top = (await _units(store, room))["level 0"]
    lid = await unit(store, room, "lid")
    with pytest.raises(Conflict) as raised:
        async with store.transaction(room.scope) as rows:
            await rows.units.save(room.scope, replace(top, parent_id=lid.id))
    assert raised.value.code == "unit_too_deep"
    user = await add_member(store, room)
    await place(store, room, deepest)
    async with store.transaction(room.scope) as rows:
        held = UnitMember(room.scope.tenant_id, top.id, user.id, BuiltIn.VIEWER, NOW)
        await rows.members.put_in_unit(room.scope, held)
    assert await rights(store, room, user) == VIEWER


async def _units(store: Store, room: Room) -> dict[str, Unit]:
    async with store.transaction(room.scope) as rows:
        return {one.name: one for one in await rows.units.list(room.scope)}


async def test_unit_with_something_in_it_stays(store: Store) -> None:
    room = await new_room(store)
    top = await unit(store, room, "top")
    low = await unit(store, room, "low", top)
    await place(store, room, low)
    user = await add_member(store, room)
    for one in (top, low):
        with pytest.raises(Conflict) as raised:
            async with store.transaction(room.scope) as rows:
                await rows.units.remove(room.scope, one.id)
        assert raised.value.code == "unit_not_empty"
    await place(store, room, None)
    async with store.transaction(room.scope) as rows:
        inside = UnitMember(room.scope.tenant_id, low.id, user.id, BuiltIn.OWNER, NOW)
        await rows.members.put_in_unit(room.scope, inside)
        assert await rows.units.remove(room.scope, low.id)
        assert not await rows.units.remove(room.scope, low.id)
        assert await rows.members.units_of(room.scope, user.id) == []


# Invitations.


def invitation(room: Room, **changes: Any) -> Invitation:
    made = Invitation(
        new_id(), room.scope.tenant_id, "Bo@Example.com", BuiltIn.EDITOR, None, None, "user:1", NOW, at(60)
    )
    return replace(made, **changes)


async def test_invitation_is_found_by_its_secret_and_opens_its_tenant(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    where = await unit(store, room, "north")
    made = invitation(room, unit_id=where.id)
    async with store.transaction(room.scope) as rows:
        await rows.invitations.add(room.scope, made, "secret")
    async with store.transaction(None) as rows:
        assert await rows.invitations.find("wrong' OR true --") is None
        assert await rows.units.get(room.scope, where.id) is None
        assert await rows.invitations.find("secret") == made
        assert await rows.units.get(room.scope, where.id) == where
        done = replace(made, accepted_at=at(1), accepted_by=new_id(), expires_at=at(90), revoked_at=at(2))
        await rows.invitations.save(room.scope, done)
    async with store.transaction(room.scope) as rows:
        assert await rows.invitations.lock(room.scope, made.id) == done
        assert await rows.invitations.get(other.scope, made.id) is None
        tenant = await rows.tenants.get(room.scope)
        assert tenant is not None
        await rows.tenants.save(room.scope, replace(tenant, deleted_at=NOW))
    async with store.transaction(None) as rows:
        assert await rows.invitations.find("secret") is None
        assert await rows.units.get(room.scope, where.id) is None


async def test_invitation_with_another_secret_is_found_by_that_alone(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    made = invitation(room)
    async with store.transaction(room.scope) as rows:
        await rows.invitations.add(room.scope, made, "first")
        await rows.invitations.renew(room.scope, made.id, "second")
    async with store.transaction(other.scope) as rows:
        await rows.invitations.renew(other.scope, made.id, "stolen")
    for secret, found in (("first", None), ("stolen", None), ("second", made)):
        async with store.transaction(None) as rows:
            assert await rows.invitations.find(secret) == found


async def test_invitations_are_listed_newest_first(store: Store) -> None:
    room = await new_room(store)
    made = [invitation(room, created_at=at(minute)) for minute in (2, 3, 1)]
    async with store.transaction(room.scope) as rows:
        for number, one in enumerate(made):
            await rows.invitations.add(room.scope, one, f"secret {number}")
        listed = await rows.invitations.list(room.scope, None, 2)
        assert listed == [made[1], made[0]]
        after = After(listed[-1].created_at, listed[-1].id)
        assert await rows.invitations.list(room.scope, after, 9) == [made[2]]
    with pytest.raises(Conflict):
        async with store.transaction(room.scope) as rows:
            await rows.invitations.add(room.scope, invitation(room), "secret 0")


# Service accounts, and keys that act for somebody.


async def account(store: Store, room: Room, held: Any = BuiltIn.EDITOR, **changes: Any) -> ServiceAccount:
    made = ServiceAccount(new_id(), room.scope.tenant_id, None, f"robot {new_id()}", "", held, "user:1", NOW)
    made = replace(made, **changes)
    async with store.transaction(room.scope) as rows:
        await rows.service_accounts.add(room.scope, made)
    return made


async def test_service_account_comes_back_as_added_and_as_saved(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    custom = await role(store, room)
    one = await account(store, room, project_id=room.scope.project_id, created_at=at(1))
    two = await account(store, room)
    changed = replace(two, name="other", description="“does it”", role=custom.id, disabled_at=at(2))
    async with store.transaction(room.scope) as rows:
        await rows.service_accounts.save(room.scope, changed)
        assert await rows.service_accounts.get(room.scope, two.id) == changed
        assert await rows.service_accounts.list(room.scope, None, 9) == [one, changed]
        assert await rows.service_accounts.get(other.scope, one.id) is None
    with pytest.raises(Conflict) as raised:
        await account(store, room, name="other")
    assert raised.value.code == "name_taken"


async def add_key(store: Store, room: Room, secret: str, **changes: Any) -> Credential:
    made = Credential(new_id(), room.scope.tenant_id, room.scope.project_id, "key", KEY_PERMISSIONS, None, None)
    made = replace(made, **{"prefix": "lam_abc", "created_by": "user:1", "created_at": NOW, **changes})
    async with store.transaction(room.scope) as rows:
        await rows.keys.add(room.scope, made, secret, NOW)
    return made


async def shown(store: Store, secret: str, **asked: Any) -> tuple[frozenset[Permission], bool]:
    """What a key may do, and whether it is good."""
    async with store.transaction(None) as rows:
        found = await rows.keys.authenticate(secret, NOW, **asked)
        assert found is not None
        return found.credential.permissions, found.credential.valid(NOW)


async def test_key_of_a_member_never_does_more_than_the_member(store: Store) -> None:
    room = await new_room(store)
    user = await add_member(store, room, BuiltIn.VIEWER)
    await add_key(store, room, "whole", user_id=user.id)
    await add_key(store, room, "part", user_id=user.id, permissions=SEARCH | {Permission.DOCUMENTS_WRITE})
    assert await shown(store, "whole") == (VIEWER, True)
    assert await shown(store, "part") == (SEARCH, True)
    async with store.transaction(room.scope) as rows:
        held = ProjectMember(room.scope.tenant_id, room.scope.project_id, user.id, BuiltIn.EDITOR, NOW)
        await rows.members.put_in_project(room.scope, held)
    assert await shown(store, "whole") == (EDITOR, True)
    assert await shown(store, "whole", whole=True) == (VIEWER, True)
    async with store.transaction(room.scope) as rows:
        await rows.members.save(room.scope, member(room, user, suspended_at=NOW).membership)
    assert await shown(store, "whole") == (frozenset(), False)


async def test_key_of_a_disabled_user_is_not_good(store: Store) -> None:
    room = await new_room(store)
    user = await add_member(store, room, BuiltIn.OWNER)
    await add_key(store, room, "secret", user_id=user.id)
    async with store.transaction(None) as rows:
        await rows.users.enter(UserScope(user.id))
        await rows.users.save(UserScope(user.id), replace(user, disabled_at=NOW))
    assert not (await shown(store, "secret"))[1]


async def test_key_of_a_service_account_never_does_more_than_it(store: Store) -> None:
    room = await new_room(store)
    custom = await role(store, room)
    robot = await account(store, room, custom.id)
    tied = await account(store, room, BuiltIn.VIEWER, project_id=room.scope.project_id)
    await add_key(store, room, "robot", service_account_id=robot.id)
    await add_key(store, room, "tied", service_account_id=tied.id)
    async with store.transaction(room.scope) as rows:
        other = replace(await _project(rows, room), id=new_id(), name="other")
        await rows.projects.add(room.scope, other)
    assert await shown(store, "robot") == (SEARCH, True)
    assert await shown(store, "robot", project_id=other.id) == (SEARCH, True)
    assert await shown(store, "robot", whole=True) == (SEARCH, True)
    assert await shown(store, "tied") == (VIEWER, True)
    assert await shown(store, "tied", project_id=other.id) == (frozenset(), True)
    assert await shown(store, "tied", whole=True) == (frozenset(), True)
    async with store.transaction(room.scope) as rows:
        await rows.service_accounts.save(room.scope, replace(robot, disabled_at=NOW))
    assert not (await shown(store, "robot"))[1]


async def test_service_account_goes_with_its_keys_and_no_others(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    robot, kept = await account(store, room), await account(store, room)
    await add_key(store, room, "going", service_account_id=robot.id)
    await add_key(store, room, "staying", service_account_id=kept.id)
    async with store.transaction(other.scope) as rows:
        assert await rows.service_accounts.remove(other.scope, robot.id) is False
    async with store.transaction(room.scope) as rows:
        assert await rows.service_accounts.remove(room.scope, robot.id) is True
        assert await rows.service_accounts.remove(room.scope, robot.id) is False
        assert [one.id for one in await rows.service_accounts.list(room.scope, None, 9)] == [kept.id]
        assert [one.service_account_id for one in await rows.keys.list(room.scope, None, 9)] == [kept.id]


async def _project(rows: Any, room: Room) -> Any:
    return await rows.projects.get(room.scope, room.scope.project_id)


async def test_key_says_which_project_it_came_to_and_whether_it_is_archived(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    await add_key(store, room, "secret")
    async with store.transaction(room.scope) as rows:
        mine = await _project(rows, room)
        archived, gone = [replace(mine, id=new_id(), name=name) for name in ("archived", "gone")]
        await rows.projects.add(room.scope, archived)
        await rows.projects.add(room.scope, gone)
        await rows.projects.save(room.scope, replace(archived, archived_at=at(1)))
        await rows.projects.save(room.scope, replace(gone, deleted_at=at(1)))
        assert (await rows.projects.get(room.scope, archived.id)) == replace(archived, archived_at=at(1))
    async with store.transaction(None) as rows:
        for asked, expected in (
            (None, (mine.id, None)),
            (archived.id, (archived.id, at(1))),
            (gone.id, (None, None)),
            (other.scope.project_id, (None, None)),
            (MISSING, (None, None)),
        ):
            found = await rows.keys.authenticate("secret", NOW, project_id=asked)
            assert found is not None
            assert (found.project_id, found.archived_at) == expected


async def test_key_is_listed_revoked_and_noted_when_used(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    user = await add_member(store, room, BuiltIn.OWNER)
    one = await add_key(store, room, "one", user_id=user.id)
    two = await add_key(store, room, "two")
    async with store.transaction(room.scope) as rows:
        assert await rows.keys.list(room.scope, None, 9) == [two, one]
        assert await rows.keys.list(room.scope, After(two.created_at or NOW, two.id), 9) == [one]
        assert await rows.keys.list(room.scope, None, 9, owner=user.id) == [one]
        assert await rows.keys.get(other.scope, one.id) is None
    for minute, noted in ((1, 1), (5, 1), (7, 7)):
        async with store.transaction(None) as rows:
            assert await rows.keys.authenticate("one", at(minute)) is not None
        async with store.transaction(room.scope) as rows:
            assert await rows.keys.get(room.scope, one.id) == replace(one, last_used_at=at(noted))
    async with store.transaction(other.scope) as rows:
        assert not await rows.keys.revoke(other.scope, one.id, at(8))
    async with store.transaction(room.scope) as rows:
        assert await rows.keys.revoke(room.scope, one.id, at(8))
        assert not await rows.keys.revoke(room.scope, one.id, at(9))
    async with store.transaction(None) as rows:
        found = await rows.keys.authenticate("one", at(20))
        assert found is not None
        assert found.credential.revoked_at == at(8)
        assert found.credential.last_used_at == at(7), "a key that is not good is not used"


async def test_key_that_two_use_at_once_keeps_neither_waiting(store: Store, another: Callable[[], Store]) -> None:
    room = await new_room(store)
    await add_key(store, room, "secret")
    async with asyncio.timeout(5), store.transaction(None) as rows:
        assert await rows.keys.authenticate("secret", NOW) is not None
        async with another().transaction(None) as others:
            assert await others.keys.authenticate("secret", NOW) is not None


# The audit trail.


def happened(room: Room, minute: int, **changes: Any) -> AuditEvent:
    made = AuditEvent(new_id(), room.scope.tenant_id, at(minute), "member.added", "user:1", "user", "2")
    return replace(made, **changes)


async def test_audit_is_listed_by_what_is_asked_for(store: Store) -> None:
    room, other = await new_room(store), await new_room(store)
    one = happened(room, 1, address="198.51.100.7", details={"role": "“x”"})
    two = happened(room, 2, action="member.removed", actor="api_key:9")
    three = happened(room, 3, action="memberships.read", subject_kind="key", subject_id="7", project_id=new_id())
    async with store.transaction(other.scope) as rows:
        await rows.audit.add(other.scope, happened(other, 1))
    async with store.transaction(room.scope) as rows:
        await rows.audit.add(room.scope, one, two, three)
        await rows.audit.add(room.scope)

        async def found(**wanted: Any) -> list[AuditEvent]:
            return list(await rows.audit.list(room.scope, AuditFilter(**wanted), None, 9))

        assert await found() == [three, two, one]
        assert await found(action="member") == [two, one]
        assert await found(action="member.added") == [one]
        assert await found(action="member%") == []
        assert await found(actor="api_key:9") == [two]
        assert await found(subject_kind="key", subject_id="7") == [three]
        assert await found(project_id=three.project_id) == [three]
        assert await found(since=at(2), until=at(3)) == [two]
        after = After(two.at, two.id)
        assert await rows.audit.list(room.scope, AuditFilter(), after, 9) == [one]
        assert await rows.audit.list(other.scope, AuditFilter(), None, 9) == []


async def test_audit_event_is_added_once(store: Store) -> None:
    room = await new_room(store)
    one = happened(room, 1)
    async with store.transaction(room.scope) as rows:
        await rows.audit.add(room.scope, one)
    with pytest.raises(Conflict):
        async with store.transaction(room.scope) as rows:
            await rows.audit.add(room.scope, replace(one, action="something.else"))


# What is left when a project or a tenant goes.


async def test_purge_leaves_nothing_of_people(store: Store) -> None:
    room = await new_room(store)
    where, custom = await unit(store, room, "north"), await role(store, room)
    user = await add_member(store, room, custom.id)
    await place(store, room, where)
    robot = await account(store, room, custom.id, project_id=room.scope.project_id)
    await account(store, room)
    scope = room.scope
    async with store.transaction(scope) as rows:
        await rows.members.put_in_unit(scope, UnitMember(scope.tenant_id, where.id, user.id, custom.id, NOW))
        held = ProjectMember(scope.tenant_id, scope.project_id, user.id, custom.id, NOW)
        await rows.members.put_in_project(scope, held)
        await rows.invitations.add(scope, invitation(room, role=custom.id, project_id=scope.project_id), "one")
        await rows.invitations.add(scope, invitation(room), "two")
        assert await rows.members.purge(scope, Subject(SubjectKind.COLLECTION, room.collection.id)) == 0
        assert await rows.members.purge(scope, Subject(SubjectKind.PROJECT, scope.project_id)) == 3
        assert await rows.service_accounts.get(scope, robot.id) is None
        assert len(await rows.invitations.list(scope, None, 9)) == 1
        assert len(await rows.members.list(scope, None, 9)) == 1
        whole = Subject(SubjectKind.TENANT, scope.tenant_id)
        assert await rows.members.purge(scope, whole) == 6
        assert await rows.members.purge(scope, whole) == 0
        assert await rows.members.list(scope, None, 9) == []
        assert await rows.units.list(scope) == []
        assert await rows.roles.list(scope) == []
