"""Organisations that users make, and how others come in: by a code in a mail, once, in time, as themselves."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.roles import BuiltIn
from shared.domain.tenants import Permission
from tests.functions.crew import events, join, new_role, new_unit
from tests.functions.gateway import Answer
from tests.functions.world import Person, World

P = Permission


@pytest.fixture
def ada(world: World) -> Person:
    return world.person()


@pytest.fixture
def bo(world: World, ada: Person) -> Person:
    return world.person("bo@example.com", "Bo's")


def invite(actor: Any, email: str = "bo@example.com", role: Any = "editor", **fields: Any) -> Answer:
    answer: Answer = actor.post(f"/orgs/{actor.tenant_id}/invitations", {"email": email, "role": role, **fields})
    return answer


def accept(person: Person, token: str) -> Answer:
    return person.post("/orgs/accept", {"token": token})


def invited(world: World, actor: Any, email: str = "bo@example.com", role: Any = "editor", **fields: Any) -> str:
    """Invite somebody; returns the code that was mailed."""
    answer = invite(actor, email, role, **fields)
    assert answer.status == 201, answer.body
    code = world.mailed(email)
    assert code not in answer.body
    return code


def role_in(actor: Any, person: Person) -> Any:
    return actor.get(f"/orgs/{actor.tenant_id}/members/{person.user_id}").json.get("role", "none")


def test_user_makes_an_organisation_and_owns_it(ada: Person) -> None:
    made = ada.post("/orgs", {"name": " Engines "})
    assert (made.status, made.json["name"]) == (201, "Engines")
    org = made.json["id"]
    assert [(one["name"], one["role"]) for one in ada.get("/users/me/organisations").json["items"]] == [
        ("Acme", "owner"),
        ("Engines", "owner"),
    ]
    # Of two organisations the path says which.
    assert ada.get(f"/orgs/{org}").json["name"] == "Engines"
    assert ada.get(f"/orgs/{ada.tenant_id}").json["name"] == "Acme"
    assert ada.get(f"/orgs/{org}/audit").json["items"][0]["actor"] == f"user:{ada.user_id}"


@pytest.mark.parametrize("name", ["", " ", "a" * 256, None, 1, "a\nb"])
def test_organisation_with_a_bad_name_is_refused(name: Any, ada: Person) -> None:
    assert ada.post("/orgs", {"name": name}).status == 422


def test_path_and_header_that_disagree_find_nothing(ada: Person) -> None:
    other = ada.post("/orgs", {"name": "Engines"}).json["id"]
    answer = ada("GET", f"/orgs/{other}", headers={"Lambent-Org": str(ada.tenant_id)})
    assert (answer.status, answer.code) == (404, "tenant_not_found")


def test_organisation_of_others_is_as_if_it_were_not(ada: Person, bo: Person) -> None:
    foreign, nobody = ada.get(f"/orgs/{bo.tenant_id}"), ada.get("/orgs/00000000-0000-7000-8000-000000000009")
    assert (foreign.status, foreign.code, foreign.body) == (404, "tenant_not_found", nobody.body)


def test_invited_user_joins_with_the_role_once(world: World, ada: Person, bo: Person) -> None:
    code = invited(world, ada)
    assert accept(bo, code).json == {"org_id": str(ada.tenant_id)}
    assert role_in(ada, bo) == "editor"
    assert bo.get(f"/orgs/{ada.tenant_id}").status == 200
    assert accept(bo, code).code == "invalid_token"
    (shown,) = ada.get(f"/orgs/{ada.tenant_id}/invitations").json["items"]
    assert (shown["accepted_by"], "token" in str(shown)) == (str(bo.user_id), False)
    assert [action for action, *_ in events(ada)][:2] == ["member.joined", "invitation.made"]
    assert code not in ada.get(f"/orgs/{ada.tenant_id}/audit").body


def test_invitation_is_for_its_address_in_time_and_until_it_is_taken_back(
    world: World, ada: Person, bo: Person
) -> None:
    code = invited(world, ada, "cy@example.com")
    assert accept(bo, code).code == "invalid_token"
    mine = invited(world, ada)
    (latest, *_) = ada.get(f"/orgs/{ada.tenant_id}/invitations").json["items"]
    assert ada.delete(f"/orgs/{ada.tenant_id}/invitations/{latest['id']}").status == 204
    assert accept(bo, mine).code == "invalid_token"
    late = invited(world, ada)
    world.clock.advance(timedelta(days=7))
    fresh = world.api("POST", "/api/v1/auth/refresh", {"refresh_token": bo.refresh_token}).json["access_token"]
    again = world.api("POST", "/api/v1/orgs/accept", {"token": late}, headers={"Authorization": f"Bearer {fresh}"})
    assert again.code == "invalid_token"


@pytest.mark.parametrize("token", ["", None, [], 0, "x", "null", "a" * 43, "' OR 1=1; --"])
def test_token_that_is_none_is_refused(token: Any, bo: Person) -> None:
    assert bo.post("/orgs/accept", {"token": token}).status == 422


def test_nobody_invites_above_themselves(world: World, ada: Person) -> None:
    admin = join(world, ada, BuiltIn.ADMIN)
    assert invite(admin, role="owner").code == "beyond_own_rights"
    assert invite(admin, role=new_role(ada, P.TENANT_DELETE)).code == "beyond_own_rights"
    assert invite(join(world, ada, BuiltIn.EDITOR), role="viewer").status == 403
    assert world.mailer.sent[-1].to == ada.email


def test_invitation_of_somebody_who_was_demoted_gives_nothing(world: World, ada: Person, bo: Person) -> None:
    admin = join(world, ada, BuiltIn.ADMIN)
    code = invited(world, admin)
    ada.patch(f"/orgs/{ada.tenant_id}/members/{admin.user_id}", {"role": "viewer"})
    assert accept(bo, code).code == "invitation_void"
    assert role_in(ada, bo) == "none"


def test_member_is_neither_demoted_nor_brought_back_by_an_invitation(world: World, ada: Person, bo: Person) -> None:
    accept(bo, invited(world, ada, role="admin"))
    assert accept(bo, invited(world, ada, role="viewer")).code == "already_member"
    ada.post(f"/orgs/{ada.tenant_id}/members/{bo.user_id}/suspend")
    project = str(ada.project_id)
    assert accept(bo, invited(world, ada, role="viewer", project_id=project)).code == "membership_suspended"
    assert role_in(ada, bo) == "admin"


def test_invitation_into_a_project_or_a_unit_gives_a_role_there_alone(world: World, ada: Person, bo: Person) -> None:
    project, unit = str(ada.project_id), new_unit(ada)
    accept(bo, invited(world, ada, project_id=project))
    assert role_in(ada, bo) is None
    assert [one["role"] for one in ada.get(f"/projects/{project}/members").json["items"]] == ["editor"]
    accept(bo, invited(world, ada, role="viewer", unit_id=unit))
    assert [one["role"] for one in ada.get(f"/orgs/{ada.tenant_id}/units/{unit}/members").json["items"]] == ["viewer"]
    assert bo("GET", "/collections", headers={"Lambent-Project": project}).status == 200


@pytest.mark.parametrize(
    "fields",
    [{"email": "no address"}, {"role": None, "project_id": "own"}, {"unit_id": "own", "project_id": "own"}, {"x": 1}],
    ids=str,
)
def test_invitation_asked_for_badly_is_refused(fields: dict[str, Any], ada: Person) -> None:
    body = {"email": "cy@example.com", "role": "viewer", **fields}
    filled = {name: str(ada.project_id) if value == "own" else value for name, value in body.items()}
    assert ada.post(f"/orgs/{ada.tenant_id}/invitations", filled).status == 422


def test_invitation_to_what_is_anothers_is_not_found(ada: Person, bo: Person) -> None:
    assert invite(ada, "cy@example.com", project_id=str(bo.project_id)).code == "project_not_found"
    assert invite(ada, "cy@example.com", unit_id=new_unit(bo)).code == "unit_not_found"
    assert invite(ada, "cy@example.com", new_role(bo, P.SEARCH_QUERY)).code == "role_not_found"
    foreign = invite(bo, "cy@example.com").json["id"]
    assert ada.delete(f"/orgs/{ada.tenant_id}/invitations/{foreign}").code == "invitation_not_found"
    assert ada.get(f"/orgs/{ada.tenant_id}/invitations").json["items"] == []
