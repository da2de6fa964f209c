"""Users about themselves."""

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
    assert answer.status == (204 if case == "disable" else 200), answer.body


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
