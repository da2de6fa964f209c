"""Collections: make, list, change, delete with everything in them."""

import pytest

from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.world import Client, World


@pytest.mark.parametrize("case", cases("collections"))
def test_collections_with_example_answers(case: str, world: World) -> None:
    seed(world)
    answer = Answer.of(world.call("collections", example("collections", case)))
    assert answer.status in (200, 201, 202), answer.body


def test_create_collection_tells_how_it_cuts_and_embeds(world: World, api_client: Client) -> None:
    answer = api_client.post(
        "/collections", {"name": "Policies", "description": " d ", "language": "de", "chunking": {"size": 100}}
    )
    made = answer.json
    assert answer.status == 201
    assert made["chunking"] == {"method": "structure", "size": 100, "overlap": 10}
    assert made["model"] == {"name": world.embedder.model.name, "dimensions": 384}
    assert (made["description"], made["language"]) == ("d", "de")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "x", "language": "deutsch"},
        {"name": "x", "chunking": {"size": 19}},
        {"name": "x", "chunking": {"size": 100, "overlap": 50}},
        {"name": "x", "chunking": {"method": "magic"}},
        {"name": "x", "chunking": {"surprise": 1}},
        {"name": "x", "description": "a\0b"},
    ],
)
def test_create_collection_with_bad_field_is_refused(body: dict[str, object], api_client: Client) -> None:
    assert api_client.post("/collections", body).status == 422


def test_create_collection_with_taken_name_is_a_conflict(api_client: Client) -> None:
    api_client.collection("Handbook")
    assert api_client.post("/collections", {"name": "Handbook"}).status == 409


def test_get_collection_counts_what_is_in_it(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.upload(collection, b"\xff\xfe", "broken.bin")
    api_client.slot(collection, "announced.txt")
    world.settle()
    found = api_client.get(f"/collections/{collection}").json
    assert (found["documents"], found["indexed"], found["failed"]) == (3, 1, 1)
    assert found["chunks"] == len(api_client.get(f"/documents/{sample_document}/chunks").json)


def test_change_collection_keeps_what_is_left_out(api_client: Client) -> None:
    made = api_client.collection("Handbook", description="old")
    changed = api_client.patch(f"/collections/{made}", {"name": "Rules"}).json
    assert (changed["name"], changed["description"]) == ("Rules", "old")
    changed = api_client.patch(f"/collections/{made}", {"chunking": {"size": 50, "overlap": 5}}).json
    assert (changed["name"], changed["chunking"]["size"]) == ("Rules", 50)


def test_change_collection_to_taken_name_is_a_conflict(api_client: Client) -> None:
    api_client.collection("A")
    other = api_client.collection("B")
    assert api_client.patch(f"/collections/{other}", {"name": "A"}).status == 409
    assert api_client.get(f"/collections/{other}").json["name"] == "B"


def test_delete_collection_twice_answers_the_same_receipt(api_client: Client, collection: str) -> None:
    first = api_client.delete(f"/collections/{collection}")
    assert (first.status, first.json["kind"], first.json["subject_id"]) == (202, "collection", collection)
    assert api_client.delete(f"/collections/{collection}").json == first.json


def test_delete_collection_frees_its_name(api_client: Client) -> None:
    first = api_client.collection("Handbook")
    api_client.delete(f"/collections/{first}")
    assert api_client.collection("Handbook") != first
