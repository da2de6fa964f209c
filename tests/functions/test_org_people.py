"""Members, their roles, and that nobody gets more than they were given."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from shared import bootstrap
from shared.domain.errors import Conflict, Forbidden, LambentError
from shared.domain.roles import PERMISSIONS, BuiltIn
from shared.domain.tenants import Permission, Principal, PrincipalKind, TenantScope
from shared.runtime.invocation import run
from shared.usecases.members import manage
from tests.functions.crew import Member, events, join, new_role
from tests.functions.gateway import Answer
from tests.functions.world import Client, World

P = Permission


def give(actor: Member, target: Member, role: Any) -> Answer:
    return actor.patch(f"{actor.org}/members/{target.user_id}", {"role": role})


def role_of(reader: Member, target: Member) -> Any:
    return reader.get(f"{reader.org}/members/{target.user_id}").json["role"]


@pytest.fixture
def owner(world: World, api_client: Client) -> Member:
    return join(world, api_client, BuiltIn.OWNER)


def test_admin_cannot_make_owners_nor_touch_them(world: World, owner: Member) -> None:
    admin, viewer = join(world, owner, BuiltIn.ADMIN), join(world, owner)
    for answer in (
        give(admin, admin, "owner"),
        give(admin, viewer, "owner"),
        give(admin, owner, "viewer"),
        admin.post(f"{admin.org}/members/{owner.user_id}/suspend"),
        admin.delete(f"{admin.org}/members/{owner.user_id}"),
    ):
        assert (answer.status, answer.code) == (403, "beyond_own_rights"), answer.body
    assert (role_of(owner, admin), role_of(owner, viewer), role_of(owner, owner)) == ("admin", "viewer", "owner")
    assert give(admin, viewer, "admin").status == 200


def test_editor_and_viewer_change_nobody_not_even_themselves(world: World, owner: Member) -> None:
    for actor in (join(world, owner, BuiltIn.EDITOR), join(world, owner), join(world, owner, None)):
        for answer in (give(actor, actor, "admin"), actor.delete(f"{actor.org}/members/{owner.user_id}")):
            assert (answer.status, answer.code) == (403, "forbidden")


def test_custom_role_lifts_nobody_above_who_gave_it(world: World, owner: Member) -> None:
    recruiter = join(world, owner, UUID(new_role(owner, P.MEMBERS_READ, P.MEMBERS_WRITE, P.ROLES_WRITE)))
    wide = new_role(owner, P.MEMBERS_WRITE, P.DOCUMENTS_DELETE, name="wide")
    assert give(recruiter, recruiter, wide).code == "beyond_own_rights"
    assert give(recruiter, recruiter, "editor").code == "beyond_own_rights"
    assert give(recruiter, join(world, owner), None).code == "beyond_own_rights"  # a viewer may do more than it
    assert give(recruiter, join(world, owner, None), role_of(owner, recruiter)).status == 200


def test_role_of_another_organisation_or_none_is_not_found(world: World, owner: Member) -> None:
    foreign = new_role(join(world, world.owner("Other"), BuiltIn.OWNER), P.SEARCH_QUERY)
    viewer = join(world, owner)
    for role in (foreign, "00000000-0000-7000-8000-000000000009"):
        answer = give(owner, viewer, role)
        assert (answer.status, answer.code) == (404, "role_not_found")
    assert role_of(owner, viewer) == "viewer"


@pytest.mark.parametrize("role", ["root", "", 1, True, [], {}, "OWNER", "*"])
def test_role_that_is_none_is_refused(role: Any, world: World, owner: Member) -> None:
    assert give(owner, join(world, owner), role).status == 422


def test_member_of_another_organisation_is_not_found(world: World, owner: Member) -> None:
    foreign = join(world, world.owner("Other"), BuiltIn.OWNER)
    path = f"{owner.org}/members/{foreign.user_id}"
    answers = [owner.get(path), owner.patch(path, {"role": None}), owner.delete(path)]
    answers += [owner.post(f"{path}/{verb}") for verb in ("suspend", "reinstate")]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "member_not_found")}
    assert owner.get(f"{foreign.org}/members/{owner.user_id}").code == "tenant_not_found"


def test_last_owner_stays(world: World, owner: Member) -> None:
    suspended = join(world, owner, BuiltIn.OWNER)
    assert owner.post(f"{owner.org}/members/{suspended.user_id}/suspend").status == 200
    me = f"{owner.org}/members/{owner.user_id}"
    for answer in (owner.patch(me, {"role": "admin"}), owner.post(f"{me}/suspend"), owner.delete(me)):
        assert (answer.status, answer.code) == (409, "last_owner")
    assert give(owner, owner, "owner").status == 200
    assert owner.post(f"{owner.org}/members/{suspended.user_id}/reinstate").status == 200
    assert owner.delete(me).status == 204
    assert role_of(suspended, suspended) == "owner"


def test_suspended_member_has_no_rights_by_any_key(world: World, owner: Member) -> None:
    editor = join(world, owner, BuiltIn.EDITOR)
    assert editor.get("/collections").status == 422  # it must say which project
    named = {"Lambent-Project": str(owner.project_id)}
    assert editor("GET", "/collections", headers=named).status == 200
    path = f"{owner.org}/members/{editor.user_id}"
    assert owner.post(f"{path}/suspend").json["suspended_at"]
    assert editor("GET", "/collections", headers=named).status == 401
    assert owner.post(f"{path}/reinstate").json["suspended_at"] is None
    assert editor("GET", "/collections", headers=named).status == 200
    assert owner.delete(path).status == 204
    assert editor("GET", "/collections", headers=named).status == 401


def test_key_is_no_more_than_its_owner_when_it_is_used(world: World, owner: Member) -> None:
    admin = join(world, owner, BuiltIn.ADMIN)
    assert admin.get(f"{admin.org}/audit").status == 200
    assert give(owner, admin, "viewer").status == 200
    assert admin.get(f"{admin.org}/audit").status == 403
    assert admin.get(admin.org).status == 200


def test_key_with_fewer_permissions_gives_fewer(world: World, owner: Member) -> None:
    narrow = join(world, owner, BuiltIn.OWNER, frozenset({P.MEMBERS_WRITE, P.MEMBERS_READ}))
    assert give(narrow, join(world, owner, None), "viewer").code == "beyond_own_rights"


def test_changes_are_in_the_trail_with_who_and_from_where(world: World, owner: Member) -> None:
    viewer = join(world, owner)
    give(owner, viewer, "editor")
    owner.post(f"{owner.org}/members/{viewer.user_id}/suspend")
    owner.post(f"{owner.org}/members/{viewer.user_id}/suspend")
    owner.delete(f"{owner.org}/members/{viewer.user_id}")
    found = events(owner, subject_kind="member", subject_id=viewer.user_id)
    assert [(action, details) for action, _, _, details in found] == [
        ("member.removed", {"before": "editor"}),
        ("member.suspended", {}),
        ("member.role_changed", {"before": "viewer", "after": "editor"}),
    ]
    (first, *_) = owner.get(f"{owner.org}/audit").json["items"]
    assert first["address"] == "198.51.100.23"
    assert first["actor"].startswith("api_key:")
    assert events(owner, actor=first["actor"], action="member.removed") == found[:1]


def as_user(member: Member) -> TenantScope:
    """What the door gives a signed-in owner."""
    owner = PERMISSIONS[BuiltIn.OWNER]
    return TenantScope(member.tenant_id, Principal(PrincipalKind.USER, member.user_id), owner)


async def demote(actor: Member, target: Member) -> object:
    """One owner demotes another, in a transaction that began before the other's ended."""
    scope = as_user(actor)
    try:
        async with bootstrap.transaction(scope) as ports:
            await asyncio.sleep(0)
            return await manage.change_role(scope, ports, UUID(target.user_id), BuiltIn.VIEWER)
    except LambentError as error:
        return error


def test_two_owners_who_demote_each_other_at_once_leave_one(world: World, owner: Member) -> None:
    other = join(world, owner, BuiltIn.OWNER)

    async def both() -> list[object]:
        return list(await asyncio.gather(demote(owner, other), demote(other, owner)))

    outcomes = run(both())
    refused = [one for one in outcomes if isinstance(one, LambentError)]
    assert len(refused) == 1
    assert isinstance(refused[0], Forbidden | Conflict)
    assert sorted(role_of(owner, one) for one in (owner, other)) == ["owner", "viewer"]


def test_owner_who_was_demoted_while_asking_changes_nothing(world: World, owner: Member) -> None:
    """The door found an owner; behind the lock it is none any more."""
    other, third = join(world, owner, BuiltIn.OWNER), join(world, owner)
    scope = as_user(other)
    assert give(owner, other, "viewer").status == 200

    async def late() -> None:
        async with bootstrap.transaction(scope) as ports:
            await manage.change_role(scope, ports, UUID(third.user_id), BuiltIn.ADMIN)

    with pytest.raises(Forbidden):
        run(late())
    assert role_of(owner, third) == "viewer"


def test_list_members_pages_newest_first_and_shows_no_secret(world: World, owner: Member) -> None:
    for _ in range(3):
        world.clock.advance(1)
        join(world, owner)
    first = owner.get(f"{owner.org}/members", limit="3").json
    rest = owner.get(f"{owner.org}/members", limit="3", cursor=first["next"]).json
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (3, 1, None)
    assert rest["items"][0]["user_id"] == owner.user_id
    assert set(first["items"][0]) == {"user_id", "email", "name", "role", "created_at", "suspended_at"}
