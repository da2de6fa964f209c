"""Users about themselves."""

from uuid import UUID

import pytest

from shared.domain.tenants import KEY_PERMISSIONS, Credential
from shared.runtime.invocation import run
from shared.usecases.projects.bootstrap import KEY_PREFIX, founding_scope, key_hash
from tests.functions.gateway import Answer, cases, example
from tests.functions.people import seed
from tests.functions.world import PASSWORD, Client, Person, World


@pytest.fixture
def ada(world: World) -> Person:
    return world.person()


@pytest.mark.parametrize("case", cases("users"))
def test_users_with_example_answers(case: str, world: World) -> None:
    seed(world)
    answer = Answer.of(world.call("users", example("users", case)))
    assert answer.status == (204 if case in ("disable", "leave") else 200), answer.body


def test_me_shows_the_user_and_nothing_they_sign_in_with(ada: Person) -> None:
    me = ada.get("/users/me").json
    assert me["email"] == "ada@example.com"
    assert set(me) == {"id", "email", "name", "created_at", "verified_at"}


def test_me_takes_another_name_and_nothing_else(ada: Person) -> None:
    assert ada.patch("/users/me", {"name": " Augusta "}).json["name"] == "Augusta"
    assert ada.get("/users/me").json["name"] == "Augusta"
    for body in ({"name": "x", "email": "b@example.com"}, {"name": "x", "disabled_at": None}, {"name": ""}, {}):
        assert ada.patch("/users/me", body).code == "validation_failed"


def test_organisations_are_those_of_the_user(world: World, ada: Person) -> None:
    world.person("bo@example.com", "Other")
    assert [one["name"] for one in ada.get("/users/me/organisations").json["items"]] == ["Acme"]


def test_leaving_ends_ones_own_membership(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Bo's")
    answer = bo.delete(f"/users/me/organisations/{ada.tenant_id}")
    assert (answer.status, answer.code) == (404, "tenant_not_found"), "no member, and no word about what there is"
    assert bo.delete(f"/users/me/organisations/{UUID(int=5)}").body == answer.body
    body = {"email": bo.email, "role": "viewer"}
    assert ada.post(f"/orgs/{ada.tenant_id}/invitations", body).status == 201
    bo.post("/orgs/accept", {"token": world.mailed(bo.email)})
    assert bo.get(f"/orgs/{ada.tenant_id}").status == 200
    assert bo.delete(f"/users/me/organisations/{ada.tenant_id}").status == 204
    assert [one["name"] for one in bo.get("/users/me/organisations").json["items"]] == ["Bo's"]
    assert bo.get(f"/orgs/{ada.tenant_id}").status == 404
    assert bo.delete(f"/users/me/organisations/{ada.tenant_id}").status == 404
    event = ada.get(f"/orgs/{ada.tenant_id}/audit").json["items"][0]
    assert (event["action"], event["actor"], event["address"]) == ("member.left", f"user:{bo.user_id}", "198.51.100.23")


def test_suspended_member_may_leave(world: World, ada: Person) -> None:
    bo = world.person("bo@example.com", "Bo's")
    ada.post(f"/orgs/{ada.tenant_id}/invitations", {"email": bo.email, "role": "viewer"})
    bo.post("/orgs/accept", {"token": world.mailed(bo.email)})
    assert ada.post(f"/orgs/{ada.tenant_id}/members/{bo.user_id}/suspend").status == 200
    assert bo.delete(f"/users/me/organisations/{ada.tenant_id}").status == 204


def test_last_owner_may_not_leave(world: World, ada: Person) -> None:
    answer = ada.delete(f"/users/me/organisations/{ada.tenant_id}")
    assert (answer.status, answer.code) == (409, "last_owner")
    assert ada.get(f"/orgs/{ada.tenant_id}").status == 200


def test_disabled_user_has_no_credential_of_any_kind(world: World, ada: Person) -> None:
    secret = KEY_PREFIX + world.ids.secret()
    key = Credential(
        world.ids.new(), ada.tenant_id, ada.project_id, "mine", KEY_PERMISSIONS, None, None, user_id=ada.user_id
    )

    async def add() -> None:
        scope = founding_scope(ada.tenant_id)
        async with world.store.transaction(scope) as rows:
            await rows.keys.add(scope, key, key_hash(secret), world.clock.now())

    run(add())
    mine = Client(world, secret, ada.tenant_id, ada.project_id)
    assert mine.get("/collections").status == 200
    assert ada.post("/users/me/disable", {"password": "wrong password"}).code == "wrong_password"
    assert ada.post("/users/me/disable", {"password": PASSWORD}).status == 204
    refresh = world.api("POST", "/api/v1/auth/refresh", {"refresh_token": ada.refresh_token})
    statuses = [ada.get("/users/me").status, ada.get("/collections").status, mine.get("/collections").status]
    assert [*statuses, refresh.status] == [401, 401, 401, 401]
