"""Roles of an organisation's own: sets of permissions, none that their maker does not hold."""

from typing import Any
from uuid import UUID

import pytest

from shared.domain.roles import EDITOR, BuiltIn
from shared.domain.tenants import KEY_PERMISSIONS, Permission
from tests.functions.crew import Member, events, join, new_role
from tests.functions.world import Client, World

P = Permission


@pytest.fixture
def owner(world: World, api_client: Client) -> Member:
    return join(world, api_client, BuiltIn.OWNER)


def test_role_comes_back_as_made_and_beside_the_built_in_ones(owner: Member) -> None:
    made = owner.post(f"{owner.org}/roles", {"name": " Reader ", "permissions": ["search:query", "documents:read"]})
    assert (made.status, made.json["name"]) == (201, "Reader")
    assert made.json["permissions"] == ["documents:read", "search:query"]
    listed = owner.get(f"{owner.org}/roles").json
    assert listed["items"] == [made.json]
    assert {one["name"]: len(one["permissions"]) for one in listed["built_in"]}["owner"] == len(KEY_PERMISSIONS)


def test_role_beyond_its_maker_is_refused(world: World, owner: Member) -> None:
    admin = join(world, owner, BuiltIn.ADMIN)
    body = {"name": "x", "permissions": ["search:query", "tenant:delete"]}
    assert admin.post(f"{admin.org}/roles", body).code == "beyond_own_rights"
    narrow = join(world, owner, BuiltIn.OWNER, frozenset({P.ROLES_WRITE, P.ROLES_READ}))
    assert narrow.post(f"{narrow.org}/roles", body).code == "beyond_own_rights"
    assert owner.get(f"{owner.org}/roles").json["items"] == []


def test_own_role_cannot_be_made_wider_by_who_has_it(world: World, owner: Member) -> None:
    role = new_role(owner, P.ROLES_READ, P.ROLES_WRITE)
    member = join(world, owner, UUID(role))
    wider = {"permissions": ["roles:read", "roles:write", "members:write"]}
    assert member.patch(f"{member.org}/roles/{role}", wider).code == "beyond_own_rights"
    assert member.patch(f"{member.org}/roles/{role}", {"name": "renamed"}).json["name"] == "renamed"


def test_role_that_may_do_more_is_not_changed_or_deleted_from_below(world: World, owner: Member) -> None:
    strong = new_role(owner, P.TENANT_DELETE)
    admin = join(world, owner, BuiltIn.ADMIN)
    path = f"{admin.org}/roles/{strong}"
    assert admin.patch(path, {"permissions": ["search:query"]}).code == "beyond_own_rights"
    assert admin.delete(path).code == "beyond_own_rights"


@pytest.mark.parametrize(
    "permissions", [[], ["*"], ["documents:*"], ["documents:process"], ["nothing"], "search:query", None, [None], {}]
)
def test_role_of_nothing_or_of_patterns_is_refused(permissions: Any, owner: Member) -> None:
    answer = owner.post(f"{owner.org}/roles", {"name": "x", "permissions": permissions})
    assert answer.status == (403 if permissions == ["documents:process"] else 422), answer.body


def test_role_that_somebody_has_cannot_be_deleted(world: World, owner: Member) -> None:
    role = new_role(owner, P.SEARCH_QUERY)
    member = join(world, owner, UUID(role))
    assert owner.delete(f"{owner.org}/roles/{role}").code == "role_in_use"
    owner.delete(f"{owner.org}/members/{member.user_id}")
    assert owner.delete(f"{owner.org}/roles/{role}").status == 204
    assert owner.get(f"{owner.org}/roles/{role}").code == "role_not_found"


def test_changed_role_changes_what_its_people_may_do_at_once(world: World, owner: Member) -> None:
    role = new_role(owner, P.ORGS_READ, P.MEMBERS_READ)
    member = join(world, owner, UUID(role))
    assert member.get(f"{member.org}/members").status == 200
    assert owner.patch(f"{owner.org}/roles/{role}", {"permissions": ["orgs:read"]}).status == 200
    assert member.get(f"{member.org}/members").status == 403


def test_role_names_are_taken_once(owner: Member) -> None:
    first, second = new_role(owner, P.SEARCH_QUERY, name="a"), new_role(owner, P.SEARCH_QUERY, name="b")
    assert owner.patch(f"{owner.org}/roles/{second}", {"name": "a"}).code == "name_taken"
    assert owner.patch(f"{owner.org}/roles/{first}", {"name": "a"}).status == 200


def test_role_of_another_organisation_is_not_found(world: World, owner: Member) -> None:
    foreign = new_role(join(world, world.owner("Other"), BuiltIn.OWNER), P.SEARCH_QUERY)
    path = f"{owner.org}/roles/{foreign}"
    answers = [owner.get(path), owner.patch(path, {"name": "x"}), owner.delete(path)]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "role_not_found")}


def test_roles_are_in_the_trail(owner: Member) -> None:
    role = new_role(owner, P.SEARCH_QUERY, name="a")
    owner.patch(f"{owner.org}/roles/{role}", {"permissions": sorted(EDITOR)})
    owner.delete(f"{owner.org}/roles/{role}")
    found = [(action, details) for action, _, subject, details in events(owner, action="role") if subject == role]
    small, large = ({"name": "a", "permissions": list(held)} for held in ([P.SEARCH_QUERY], sorted(EDITOR)))
    assert found == [
        ("role.deleted", {"before": large}),
        ("role.changed", {"before": small, "after": large}),
        ("role.created", {"after": small}),
    ]
