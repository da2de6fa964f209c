"""API keys: minted, shown once, never more than their maker or their owner, ended at once."""

import re
from datetime import timedelta
from typing import Any

import pytest

from shared.adapters.memory.clock import START
from shared.domain.roles import EDITOR, BuiltIn
from shared.domain.tenants import KEY_PERMISSIONS, Permission
from tests.functions.crew import Member, by, events, join, new_account, new_key, new_role
from tests.functions.world import Client, World

P = Permission
NAMED = "Lambent-Project"


@pytest.fixture
def owner(world: World, api_client: Client) -> Member:
    return join(world, api_client, BuiltIn.OWNER)


def lists(client: Client, project: object = None) -> int:
    """Whether a key gets at collections."""
    headers = {} if project is None else {NAMED: str(project)}
    return client("GET", "/collections", headers=headers).status


def test_minted_key_is_shown_once_and_works(owner: Member) -> None:
    made = new_key(owner, P.COLLECTIONS_READ, project_id=str(owner.project_id))
    secret, shown = made.json["secret"], {name: value for name, value in made.json.items() if "secret" not in name}
    assert re.fullmatch(r"lam_[A-Za-z0-9_-]{43}", secret)
    assert shown["prefix"] == secret[:10]
    assert shown["user_id"] == owner.user_id
    assert owner.get(f"{owner.org}/keys/{shown['id']}").json == shown
    listed = owner.get(f"{owner.org}/keys")
    assert shown in listed.json["items"]
    assert secret not in listed.body + owner.get(f"{owner.org}/audit").body
    assert lists(by(made, owner)) == 200
    assert owner.get(f"{owner.org}/keys/{shown['id']}").json["last_used_at"] == "2026-01-01T00:00:00Z"


def test_secrets_of_keys_have_nothing_in_common(owner: Member) -> None:
    secrets = {new_key(owner, P.SEARCH_QUERY).json["secret"] for _ in range(20)}
    assert len({secret[4:14] for secret in secrets}) == len({secret[-10:] for secret in secrets}) == 20


def test_key_beyond_its_maker_is_refused(world: World, owner: Member) -> None:
    editor = join(world, owner, BuiltIn.EDITOR)
    for permission in sorted(KEY_PERMISSIONS):
        world.clock.advance(10)  # so many at once are too many
        status = new_key(editor, permission).status
        assert status == (201 if permission in EDITOR else 403), permission


def test_key_acting_on_keys_gives_no_more_than_it_has(owner: Member) -> None:
    narrow = by(new_key(owner, P.KEYS_WRITE, P.KEYS_READ, P.SEARCH_QUERY), owner)
    assert new_key(narrow, P.SEARCH_QUERY, P.DOCUMENTS_READ).code == "beyond_own_rights"
    assert new_key(narrow, *KEY_PERMISSIONS).code == "beyond_own_rights"
    made = new_key(narrow, P.SEARCH_QUERY)
    assert made.json["user_id"] == owner.user_id  # it acts for the same member, and ends with their membership
    assert made.json["created_by"].startswith("api_key:")


def test_key_of_one_project_makes_none_for_another_or_for_all(world: World, owner: Member) -> None:
    other = owner.post("/projects", {"name": "other"}).json["id"]
    held = (P.KEYS_WRITE, P.KEYS_READ, P.COLLECTIONS_READ)
    tied = by(new_key(owner, *held, project_id=str(owner.project_id)), owner)
    answer = new_key(tied, P.COLLECTIONS_READ, project_id=other)
    assert (answer.status, answer.code) == (404, "project_not_found")
    made = new_key(tied, P.COLLECTIONS_READ)
    assert made.json["project_id"] == str(owner.project_id)
    assert lists(by(made, owner), other) == 404


def test_key_of_one_project_reaches_no_other_and_nothing_that_concerns_all(world: World, owner: Member) -> None:
    other = owner.post("/projects", {"name": "other"}).json["id"]
    held = KEY_PERMISSIONS - {P.PROJECTS_WRITE}
    tied = by(new_key(owner, *held, project_id=str(owner.project_id)), owner)
    members = f"members/{owner.user_id}"
    assert tied.get(f"/projects/{owner.project_id}").status == 200
    assert tied.put(f"/projects/{owner.project_id}/{members}", {"role": "editor"}).status == 200
    for answer in (
        tied.get(f"/projects/{other}"),
        tied.get(f"/projects/{other}/members"),
        tied.put(f"/projects/{other}/{members}", {"role": "editor"}),
        tied.delete(f"/projects/{other}/{members}"),
    ):
        assert (answer.status, answer.code) == (404, "project_not_found"), answer.body
    for answer in (
        tied.post(f"{owner.org}/invitations", {"email": "b@example.com", "role": "viewer"}),
        tied.post(f"{owner.org}/invitations", {"email": "b@example.com", "role": "viewer", "project_id": other}),
        tied.patch(f"{owner.org}/{members}", {"role": "viewer"}),
        tied.post(f"{owner.org}/units", {"name": "North"}),
        tied.post(f"{owner.org}/roles", {"name": "r", "permissions": ["search:query"]}),
        tied.get(f"{owner.org}/audit"),
        tied.patch(owner.org, {"name": "Taken"}),
        tied("DELETE", owner.org, {"name": "Acme"}),
    ):
        assert (answer.status, answer.code) == (403, "forbidden"), answer.body


def test_key_that_expires_makes_none_that_lives_longer(world: World, owner: Member) -> None:
    soon, later = ((START + timedelta(days=days)).isoformat() for days in (1, 2))
    brief = by(new_key(owner, P.KEYS_WRITE, P.SEARCH_QUERY, expires_at=soon), owner)
    assert new_key(brief, P.SEARCH_QUERY, expires_at=later).code == "beyond_own_rights"
    made = new_key(brief, P.SEARCH_QUERY)
    assert made.json["expires_at"] == "2026-01-02T00:00:00Z"
    world.clock.advance(timedelta(days=1))
    assert by(made, owner).get("/collections").code == "unauthenticated"
    assert new_key(owner, P.SEARCH_QUERY, expires_at=soon).code == "invalid_expiry"


def test_key_of_a_demoted_member_shrinks_and_of_a_removed_one_ends(world: World, owner: Member) -> None:
    admin = join(world, owner, BuiltIn.ADMIN)
    key = by(new_key(admin, P.COLLECTIONS_READ, P.COLLECTIONS_WRITE, project_id=str(owner.project_id)), admin)
    assert key.post("/collections", {"name": "one"}).status == 201
    owner.patch(f"{owner.org}/members/{admin.user_id}", {"role": "viewer"})
    assert (lists(key), key.post("/collections", {"name": "two"}).status) == (200, 403)
    owner.delete(f"{owner.org}/members/{admin.user_id}")
    assert lists(key) == 401
    assert owner.get(f"{owner.org}/keys", owner=admin.user_id).json["items"] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"permissions": []},
        {"permissions": ["*"]},
        {"permissions": ["documents:*"]},
        {"permissions": None},
        {"name": ""},
        {"expires_at": "2027-01-01T00:00:00"},
        {"user_id": "00000000-0000-7000-8000-000000000009"},
        {"service_account_id": None},
        {"secret": "lam_x"},
        {"allowed_routes": ["/*"]},
    ],
    ids=str,
)
def test_key_asked_for_badly_is_refused(fields: dict[str, Any], owner: Member) -> None:
    body = {"name": "x", "permissions": ["search:query"], **fields}
    assert owner.post(f"{owner.org}/keys", body).status == 422


def test_key_can_never_do_the_systems_own_work(owner: Member) -> None:
    assert new_key(owner, P.DOCUMENTS_PROCESS).code == "beyond_own_rights"


def test_those_who_manage_no_members_see_and_end_their_own_keys_only(world: World, owner: Member) -> None:
    editor, other = join(world, owner, BuiltIn.EDITOR), join(world, owner, BuiltIn.EDITOR)
    own, foreign = new_key(editor, P.SEARCH_QUERY).json["id"], new_key(other, P.SEARCH_QUERY).json["id"]
    assert own in [one["id"] for one in editor.get(f"{editor.org}/keys").json["items"]]
    assert {one["user_id"] for one in editor.get(f"{editor.org}/keys").json["items"]} == {editor.user_id}
    assert editor.get(f"{editor.org}/keys", owner=other.user_id).json["items"] == []
    for answer in (editor.get(f"{editor.org}/keys/{foreign}"), editor.delete(f"{editor.org}/keys/{foreign}")):
        assert (answer.status, answer.code) == (404, "key_not_found")
    assert editor.delete(f"{editor.org}/keys/{own}").status == 204
    assert owner.delete(f"{owner.org}/keys/{foreign}").status == 204


def test_revoked_key_is_no_key_from_that_moment(owner: Member) -> None:
    made = new_key(owner, P.COLLECTIONS_READ, project_id=str(owner.project_id))
    path = f"{owner.org}/keys/{made.json['id']}"
    assert (owner.delete(path).status, owner.delete(path).status) == (204, 204)
    assert lists(by(made, owner)) == 401
    assert owner.get(path).json["revoked_at"]
    assert [action for action, *_ in events(owner, action="key")] == ["key.revoked", "key.minted"]


def test_keys_of_another_organisation_are_not_found(world: World, owner: Member) -> None:
    foreign = join(world, world.owner("Other"), BuiltIn.OWNER)
    path = f"{owner.org}/keys/{new_key(foreign, P.SEARCH_QUERY).json['id']}"
    assert {answer.code for answer in (owner.get(path), owner.delete(path))} == {"key_not_found"}
    assert new_key(owner, P.SEARCH_QUERY, project_id=str(foreign.project_id)).code == "project_not_found"


def test_first_key_of_a_deployment_mints_keys_of_the_organisation(api_client: Client) -> None:
    made = new_key(api_client, P.COLLECTIONS_READ)
    assert (made.json["user_id"], made.json["service_account_id"]) == (None, None)
    assert lists(by(made, api_client), api_client.project_id) == 200


# Service accounts.


def account_key(of: Client, account: str, *permissions: Permission, **fields: Any) -> Any:
    body = {"name": "robot's", "permissions": list(permissions), **fields}
    return of.post(f"/orgs/{of.tenant_id}/service-accounts/{account}/keys", body)


def test_service_account_works_by_its_keys_within_its_role(owner: Member) -> None:
    account = new_account(owner, "viewer")
    assert account_key(owner, account, P.COLLECTIONS_WRITE).code == "beyond_own_rights"
    key = by(account_key(owner, account, P.COLLECTIONS_READ), owner)
    assert lists(key, owner.project_id) == 200
    path = f"{owner.org}/service-accounts/{account}"
    assert owner.post(f"{path}/disable").json["disabled_at"]
    assert lists(key, owner.project_id) == 401
    assert account_key(owner, account, P.COLLECTIONS_READ).code == "service_account_disabled"
    owner.post(f"{path}/enable")
    assert lists(key, owner.project_id) == 200
    owner.patch(path, {"role": new_role(owner, P.SEARCH_QUERY)})
    assert lists(key, owner.project_id) == 404
    assert owner.delete(path).status == 204
    assert lists(key, owner.project_id) == 401


def test_service_account_is_given_no_more_than_its_maker_holds(world: World, owner: Member) -> None:
    admin = join(world, owner, BuiltIn.ADMIN)
    body = {"name": "x", "role": "owner"}
    assert admin.post(f"{admin.org}/service-accounts", body).code == "beyond_own_rights"
    strong, weak = new_account(owner, "owner", "strong"), new_account(admin, "viewer", "weak")
    assert admin.patch(f"{admin.org}/service-accounts/{weak}", {"role": "owner"}).code == "beyond_own_rights"
    for answer in (
        admin.patch(f"{admin.org}/service-accounts/{strong}", {"name": "mine"}),
        admin.post(f"{admin.org}/service-accounts/{strong}/disable"),
        admin.delete(f"{admin.org}/service-accounts/{strong}"),
        account_key(admin, strong, P.TENANT_DELETE),
    ):
        assert answer.code == "beyond_own_rights"


def test_service_account_cannot_lift_itself(owner: Member) -> None:
    role = new_role(owner, P.SERVICE_ACCOUNTS_WRITE, P.SERVICE_ACCOUNTS_READ, P.KEYS_WRITE)
    account = new_account(owner, role)
    robot = by(account_key(owner, account, P.SERVICE_ACCOUNTS_WRITE, P.KEYS_WRITE), owner)
    path = f"{owner.org}/service-accounts/{account}"
    assert robot.patch(path, {"role": "admin"}).code == "beyond_own_rights"
    assert account_key(robot, account, P.MEMBERS_WRITE).code == "beyond_own_rights"
    assert new_key(robot, P.KEYS_WRITE).json["service_account_id"] == account


def test_service_account_of_one_project_works_there_only(owner: Member) -> None:
    other = owner.post("/projects", {"name": "other"}).json["id"]
    account = new_account(owner, "viewer", project_id=str(owner.project_id))
    assert account_key(owner, account, P.COLLECTIONS_READ, project_id=other).code == "project_not_found"
    made = account_key(owner, account, P.COLLECTIONS_READ)
    assert made.json["project_id"] == str(owner.project_id)
    assert (lists(by(made, owner)), lists(by(made, owner), other)) == (200, 404)


def test_service_accounts_of_another_organisation_are_not_found(world: World, owner: Member) -> None:
    foreign = new_account(join(world, world.owner("Other"), BuiltIn.OWNER), "viewer")
    path = f"{owner.org}/service-accounts/{foreign}"
    answers = [owner.get(path), owner.patch(path, {"name": "x"}), owner.delete(path)]
    answers += [
        owner.post(f"{path}/disable"),
        owner.post(f"{path}/enable"),
        account_key(owner, foreign, P.SEARCH_QUERY),
    ]
    assert {(answer.status, answer.code) for answer in answers} == {(404, "service_account_not_found")}


def test_service_accounts_are_in_the_trail(owner: Member) -> None:
    account = new_account(owner, "viewer")
    owner.post(f"{owner.org}/service-accounts/{account}/disable")
    owner.delete(f"{owner.org}/service-accounts/{account}")
    actions = [action for action, *_ in events(owner, subject_kind="service_account", subject_id=account)]
    assert actions == ["service_account.deleted", "service_account.disabled", "service_account.created"]
