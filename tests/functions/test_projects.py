"""Projects: make, list, look at."""

import pytest

from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.world import Client, World


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
