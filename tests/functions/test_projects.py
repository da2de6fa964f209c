"""Projects: make, list, look at."""

from typing import Any
from uuid import UUID

import pytest

from shared.domain.roles import BuiltIn
from shared.domain.tenants import Permission
from tests.functions.crew import Member, events, join, new_role, new_unit
from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.requests import OF_ONE_PROJECT, SCOPED, make_things, probe
from tests.functions.world import Client, World

P = Permission


@pytest.mark.parametrize("case", cases("projects"))
def test_projects_with_example_answers(case: str, world: World) -> None:
    seed(world)
    assert Answer.of(world.call("projects", example("projects", case))).status in (200, 201, 202)


def test_create_project_is_listed_and_found(api_client: Client) -> None:
    made = api_client.post("/projects", {"name": " Handbook "})
    assert (made.status, made.json["name"]) == (201, "Handbook")
    assert api_client.get(f"/projects/{made.json['id']}").json == made.json
    assert [one["name"] for one in api_client.get("/projects").json["items"]] == ["Handbook", "default"]


@pytest.mark.parametrize("name", ["", "  ", "a" * 256, "a\u2028b", None, 7])
def test_create_project_with_bad_name_is_refused(name: object, api_client: Client) -> None:
    assert api_client.post("/projects", {"name": name}).status == 422


def test_create_project_with_taken_name_is_a_conflict(api_client: Client) -> None:
    answer = api_client.post("/projects", {"name": "default"})
    assert (answer.status, len(api_client.get("/projects").json["items"])) == (409, 1)


def test_list_projects_pages_newest_first(world: World, api_client: Client) -> None:
    for number in range(5):
        world.clock.advance(1)
        api_client.post("/projects", {"name": f"p{number}"})
    names: list[str] = []
    cursor = ""
    pages = 0
    while cursor is not None:
        page = api_client.get("/projects", limit="2", **({"cursor": cursor} if cursor else {})).json
        names += [one["name"] for one in page["items"]]
        cursor = page["next"]
        pages += 1
    assert names == ["p4", "p3", "p2", "p1", "p0", "default"]
    assert pages == 3


def test_list_projects_shows_the_tenants_own(world: World, api_client: Client) -> None:
    world.owner("Other", "secret project")
    assert [one["name"] for one in api_client.get("/projects").json["items"]] == ["default"]


@pytest.fixture
def owner(world: World, api_client: Client) -> Member:
    return join(world, api_client, BuiltIn.OWNER)


def put(actor: Client, member: Member, role: Any) -> Answer:
    return actor("PUT", f"/projects/{actor.project_id}/members/{member.user_id}", {"role": role})


def test_rename_project_keeps_names_apart(api_client: Client) -> None:
    other = api_client.post("/projects", {"name": "other"}).json["id"]
    assert api_client.patch(f"/projects/{other}", {"name": "default"}).code == "name_taken"
    assert api_client.patch(f"/projects/{other}", {"name": " another "}).json["name"] == "another"


@pytest.mark.parametrize("route", [route for route in SCOPED if "/projects" in route[1] or "/orgs" in route[1]])
def test_archived_project_can_still_be_administered(route: tuple[str, str], world: World) -> None:
    things = make_things(world, "Acme")
    assert things.client.post(f"/projects/{things.project_id}/archive").json["archived_at"]
    method, path, body, query = probe(route, things, things.client)
    assert things.client(method, path, body, query=query).status < 300


def test_archived_project_refuses_everything_in_it_and_comes_back_whole(world: World) -> None:
    things = make_things(world, "Acme")
    client = things.client
    before = client.search(things.collection_id, "paid leave")
    client.post(f"/projects/{things.project_id}/archive")
    for route in OF_ONE_PROJECT:
        method, path, body, query = probe(route, things, client)
        answer = client(method, path, body, query=query)
        assert (answer.status, answer.code) == (403, "project_archived"), route
    assert client.post(f"/projects/{things.project_id}/unarchive").json["archived_at"] is None
    assert client.search(things.collection_id, "paid leave") == before


def test_archived_project_can_be_deleted(api_client: Client) -> None:
    api_client.post(f"/projects/{api_client.project_id}/archive")
    assert api_client("DELETE", f"/projects/{api_client.project_id}", {"name": "default"}).status == 202


def test_project_role_is_given_within_what_the_giver_holds(world: World, owner: Member) -> None:
    recruiter = join(world, owner, UUID(new_role(owner, P.MEMBERS_READ, P.MEMBERS_WRITE)))
    someone = join(world, owner, None)
    assert put(recruiter, recruiter, "viewer").code == "beyond_own_rights"
    assert put(recruiter, someone, "editor").code == "beyond_own_rights"
    assert put(owner, someone, "editor").status == 200
    assert put(recruiter, someone, new_role(owner, P.MEMBERS_READ, name="r")).code == "beyond_own_rights"
    path = f"/projects/{owner.project_id}/members/{someone.user_id}"
    assert recruiter.delete(path).code == "beyond_own_rights"
    assert [one["role"] for one in owner.get(f"/projects/{owner.project_id}/members").json["items"]] == ["editor"]
    assert owner.delete(path).status == 204


def test_project_role_is_good_in_that_project_alone(world: World, owner: Member) -> None:
    someone = join(world, owner, None)
    other = owner.post("/projects", {"name": "other"}).json["id"]
    put(owner, someone, "editor")

    def lists(project: object) -> int:
        return someone("GET", "/collections", headers={"Lambent-Project": str(project)}).status

    assert (lists(owner.project_id), lists(other)) == (200, 404)
    owner.delete(f"/projects/{owner.project_id}/members/{someone.user_id}")
    assert lists(owner.project_id) == 404


def test_moving_a_project_gives_its_mover_nothing(world: World, owner: Member) -> None:
    mover = join(world, owner, UUID(new_role(owner, P.PROJECTS_READ, P.PROJECTS_WRITE)))
    unit, free = new_unit(owner, "Own"), new_unit(owner, "Free")
    owner("PUT", f"{owner.org}/units/{unit}/members/{mover.user_id}", {"role": "admin"})
    path = f"/projects/{owner.project_id}/move"
    assert mover.post(path, {"unit_id": unit}).code == "beyond_own_rights"
    assert mover.post("/projects", {"name": "x", "unit_id": unit}).code == "beyond_own_rights"
    assert mover.post(path, {"unit_id": free}).json["unit_id"] == free
    foreign = new_unit(join(world, world.owner("Other"), BuiltIn.OWNER))
    assert owner.post(path, {"unit_id": foreign}).code == "unit_not_found"
    assert owner.post("/projects", {"name": "y", "unit_id": foreign}).code == "unit_not_found"
    assert owner.get(f"/projects/{owner.project_id}").json["unit_id"] == free


def test_member_of_no_organisation_of_ours_gets_no_role(world: World, owner: Member) -> None:
    stranger = join(world, world.owner("Other"))
    assert put(owner, stranger, "viewer").code == "member_not_found"


def test_projects_are_in_the_trail(world: World, owner: Member) -> None:
    someone = join(world, owner)
    put(owner, someone, "editor")
    owner.post(f"/projects/{owner.project_id}/archive")
    owner.post(f"/projects/{owner.project_id}/archive")
    owner("DELETE", f"/projects/{owner.project_id}", {"name": "default"})
    found = events(owner, project_id=str(owner.project_id))
    assert [action for action, *_ in found] == ["project.deleted", "project.archived", "project_member.put"]
    assert found[1][3]["before"] == {"name": "default", "unit_id": None, "archived": False}
