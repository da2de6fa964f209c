"""Access lists at the doors: what they keep back is kept back by every route that shows something of a document."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared import bootstrap
from shared.domain.members import Membership
from shared.domain.roles import BuiltIn
from shared.domain.tenants import KEY_PERMISSIONS, Credential
from shared.domain.users import User, UserScope
from shared.runtime.invocation import run
from shared.usecases.projects.bootstrap import KEY_PREFIX, founding_scope, key_hash
from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, World

EVERYONE = [{"kind": "everyone"}]


def member(world: World, of: Client, name: str, role: BuiltIn = BuiltIn.EDITOR) -> tuple[Client, str]:
    """A member of the client's organisation with a key of their own, and their id."""
    now, secret = world.clock.now(), KEY_PREFIX + world.ids.secret()
    user = User(world.ids.new(), f"{name}@example.com", name, now, verified_at=now)
    key = Credential(world.ids.new(), of.tenant_id, of.project_id, name, KEY_PERMISSIONS, None, None, user_id=user.id)

    async def add() -> None:
        scope = founding_scope(of.tenant_id)
        async with bootstrap.transaction(scope) as ports:
            await ports.users.add(UserScope(user.id), user, None)
            await ports.members.add(scope, Membership(of.tenant_id, user.id, role, now))
            await ports.keys.add(scope, key, key_hash(secret), now)

    run(add())
    return replace(of, key=secret), str(user.id)


@pytest.fixture
def ada(world: World, api_client: Client) -> tuple[Client, str]:
    return member(world, api_client, "ada")


@pytest.fixture
def bob(world: World, api_client: Client) -> tuple[Client, str]:
    return member(world, api_client, "bob")


@pytest.fixture
def kept(world: World, api_client: Client, collection: str, sample_document: str, ada: tuple[Client, str]) -> str:
    """A document that Ada alone may read, beside one that everyone may."""
    api_client.upload(collection, GARDEN, "garden.txt")
    world.settle()
    readers = [{"kind": "user", "id": ada[1]}]
    assert api_client.put(f"/documents/{sample_document}/access-list", {"readers": readers}).status == 200
    return sample_document


READS = ("", "/text", "/chunks", "/content", "/why", "/receipt")
WRITES: tuple[tuple[str, str, Any], ...] = (
    ("PATCH", "", {"tags": ["mine"]}),
    ("DELETE", "", None),
    ("POST", "/versions", {}),
    ("POST", "/process", None),
    ("POST", "/retry", None),
)


@pytest.mark.parametrize("below", READS[:-1])
def test_read_is_not_found_by_whom_the_list_does_not_admit(
    below: str, kept: str, ada: tuple[Client, str], bob: tuple[Client, str]
) -> None:
    assert ada[0].get(f"/documents/{kept}{below}").status == 200
    refused = bob[0].get(f"/documents/{kept}{below}")
    unknown = bob[0].get(f"/documents/{kept[:-4]}0000{below}")
    assert (refused.status, refused.code, refused.json["detail"]) == (404, unknown.code, unknown.json["detail"])


@pytest.mark.parametrize(("method", "below", "body"), WRITES)
def test_write_is_not_found_by_whom_the_list_does_not_admit(
    method: str, below: str, body: Any, kept: str, bob: tuple[Client, str], world: World, api_client: Client
) -> None:
    before = world.everything(api_client)
    assert bob[0](method, f"/documents/{kept}{below}", body).status == 404
    assert world.everything(api_client) == before


def test_search_and_listing_show_what_admits_alone(
    kept: str, collection: str, ada: tuple[Client, str], bob: tuple[Client, str]
) -> None:
    for mode in ("hybrid", "vector", "keyword"):
        assert kept in {hit["document_id"] for hit in ada[0].search(collection, "days of paid leave", mode=mode)}
        assert kept not in {hit["document_id"] for hit in bob[0].search(collection, "days of paid leave", mode=mode)}
    assert len(ada[0].get("/documents").json["items"]) == 2
    assert kept not in {one["id"] for one in bob[0].get("/documents").json["items"]}
    assert [client.get(f"/collections/{collection}").json["documents"] for client in (ada[0], bob[0])] == [2, 2]


def test_equal_document_is_named_to_those_alone_who_may_read_it(
    collection: str, world: World, api_client: Client, ada: tuple[Client, str], bob: tuple[Client, str]
) -> None:
    first, second = [api_client.upload(collection, LEAVE, name) for name in ("one.txt", "two.txt")]
    world.settle()
    found = {one["id"]: one["duplicate_of"] for one in api_client.get("/documents").json["items"]}
    (copy,) = (id for id, of in found.items() if of is not None)
    original = found[copy]
    assert {copy, original} == {first, second}
    readers = [{"kind": "user", "id": ada[1]}]
    assert api_client.put(f"/documents/{original}/access-list", {"readers": readers}).status == 200
    for client, named in ((ada[0], original), (bob[0], None)):
        assert client.get(f"/documents/{copy}").json["duplicate_of"] == named
        assert client.get("/documents").json["items"][0]["duplicate_of"] == named
        assert client("PATCH", f"/documents/{copy}", {"tags": ["x"]}).json["duplicate_of"] == named
        slot = client.post(f"/documents/{copy}/versions", {})
        assert (slot.status, slot.json["document"]["duplicate_of"]) == (201, named)


def test_answer_cites_what_admits_alone_and_takes_back_what_does_not_any_more(
    kept: str, collection: str, ada: tuple[Client, str], bob: tuple[Client, str], api_client: Client
) -> None:
    def asked(client: Client) -> tuple[str, list[dict[str, Any]]]:
        chat = client.post("/chats", {"collection_ids": [collection]}).json["id"]
        answer = client.post(f"/chats/{chat}/messages", {"question": "How many days of paid leave are there?"})
        assert answer.status == 201, answer.body
        return chat, client.get(f"/chats/{chat}/messages").json[-1]["citations"]

    chat, citations = asked(ada[0])
    assert kept in {one["document_id"] for one in citations if not one["removed"]}
    assert kept not in {one["document_id"] for one in asked(bob[0])[1]}
    api_client.put(f"/documents/{kept}/access-list", {"readers": []})
    taken_back = ada[0].get(f"/chats/{chat}/messages").json[-1]["citations"]
    assert {one["removed"] for one in taken_back if one["document_id"] == kept} == {True}
    assert not any(one["quote"] for one in taken_back if one["document_id"] == kept)


def test_document_in_a_kept_back_collection_is_uploaded_by_its_readers_alone(
    world: World, collection: str, ada: tuple[Client, str], bob: tuple[Client, str], api_client: Client
) -> None:
    api_client.put(f"/collections/{collection}/access-list", {"readers": [{"kind": "user", "id": ada[1]}]})
    body = {"collection_id": collection, "name": "new.txt"}
    refused = bob[0].post("/documents", body)
    assert (refused.status, refused.code) == (403, "not_a_reader")
    document = ada[0].upload(collection, LEAVE)
    world.settle()
    assert ada[0].get(f"/documents/{document}").json["status"] == "indexed"
    assert bob[0].get(f"/documents/{document}").status == 404


def test_list_says_whether_it_admits_whoever_asks_and_lets_them_restore_it(
    world: World, sample_document: str, collection: str, ada: tuple[Client, str], api_client: Client
) -> None:
    """Whoever may set lists cannot lock themselves out for good, and is told when they do not read any more."""
    path = f"/documents/{sample_document}/access-list"
    assert api_client.get(path).json["admits_you"] is True
    for readers in ([], [{"kind": "user", "id": ada[1]}]):
        assert api_client.put(path, {"readers": readers}).json["admits_you"] is False
        assert api_client.get(path).json["admits_you"] is False
        assert api_client.get(f"/documents/{sample_document}").status == 404
        assert ada[0].get(path).json["admits_you"] is bool(readers)
        assert api_client.put(path, {"readers": None}).json["admits_you"] is True
        assert api_client.get(f"/documents/{sample_document}").status == 200
    of_all = f"/collections/{collection}/access-list"
    assert api_client.put(of_all, {"readers": []}).json["admits_you"] is False
    assert api_client.get(path).json["admits_you"] is False
    assert api_client.put(path, {"readers": EVERYONE}).json["admits_you"] is True
    until = (world.clock.now() + timedelta(hours=1)).isoformat()
    assert api_client.put(path, {"readers": EVERYONE, "fresh_until": until}).json["admits_you"] is True
    world.clock.advance(3601)
    assert api_client.get(path).json["admits_you"] is False


def test_list_grows_stale_and_is_good_again_when_it_is_set_again(
    world: World, sample_document: str, bob: tuple[Client, str], api_client: Client
) -> None:
    path = f"/documents/{sample_document}/access-list"
    until = (world.clock.now() + timedelta(hours=1)).isoformat()
    for _ in range(2):
        assert api_client.put(path, {"readers": EVERYONE, "fresh_until": until}).json["standing"] == "good"
        assert bob[0].get(f"/documents/{sample_document}").status == 200
        world.clock.advance(3601)
        assert api_client.get(path).json["standing"] == "stale"
        assert bob[0].get(f"/documents/{sample_document}").status == 404
        until = (world.clock.now() + timedelta(hours=1)).isoformat()
    answer = api_client.put(path, {"readers": None, "problem": "the wiki does not answer"})
    assert (answer.json["standing"], answer.json["source"]) == ("unknown", "document")
    assert bob[0].get(f"/documents/{sample_document}").status == 404
    assert api_client.put(path, {"readers": None}).json["source"] is None
    assert bob[0].get(f"/documents/{sample_document}").status == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"readers": [{"kind": "user", "id": "00000000-0000-7000-8000-000000000009"}]}, "unknown_reader"),
        ({"readers": [{"kind": "role", "id": "emperor"}]}, "unknown_reader"),
        ({"readers": [{"kind": "user", "id": "*"}]}, "invalid_reader"),
        ({"readers": [{"kind": "everyone", "id": "x"}]}, "invalid_reader"),
        ({"readers": [{"kind": "user", "id": "a,b"}]}, "invalid_reader"),
        ({"readers": EVERYONE, "problem": "x"}, "invalid_list"),
        ({}, "validation_failed"),
        ({"readers": EVERYONE * 101}, "validation_failed"),
    ],
)
def test_list_that_is_none_is_refused(body: Any, code: str, sample_document: str, api_client: Client) -> None:
    answer = api_client.put(f"/documents/{sample_document}/access-list", body)
    assert (answer.status, answer.code) == (422, code)


def test_list_names_nobody_of_another_organisation(world: World, sample_document: str, api_client: Client) -> None:
    stranger = member(world, world.owner("Theirs"), "stranger")[1]
    body = {"readers": [{"kind": "user", "id": stranger}]}
    assert api_client.put(f"/documents/{sample_document}/access-list", body).code == "unknown_reader"


def test_editor_sees_lists_and_does_not_set_them(kept: str, bob: tuple[Client, str]) -> None:
    assert bob[0].get(f"/documents/{kept}/access-list").json["readers"]
    assert bob[0].put(f"/documents/{kept}/access-list", {"readers": EVERYONE}).status == 403


def explained(client: Client, document: str, user: str) -> tuple[bool, str, str]:
    answer = client.get(f"/documents/{document}/access", user=user)
    assert answer.status == 200, answer.body
    last = answer.json["answers"][-1]
    return answer.json["allowed"], last["question"], last["words"]


def test_explanation_names_what_decides_and_is_what_happens(
    world: World, kept: str, collection: str, ada: tuple[Client, str], bob: tuple[Client, str], api_client: Client
) -> None:
    path = f"/documents/{kept}/access-list"
    assert explained(api_client, kept, ada[1])[0]
    assert explained(api_client, kept, ada[1])[2].endswith(f"admits user:{ada[1]}")
    assert explained(api_client, kept, bob[1])[:2] == (False, "list")
    assert explained(api_client, kept, "00000000-0000-7000-8000-000000000009")[:2] == (False, "membership")
    api_client.put(path, {"readers": [{"kind": "role", "id": "editor"}]})
    assert explained(api_client, kept, bob[1])[2].endswith("admits role:editor")
    assert bob[0].get(f"/documents/{kept}").status == 200
    api_client.put(path, {"readers": None, "problem": "the wiki does not answer"})
    assert "the wiki does not answer" in explained(api_client, kept, ada[1])[2]
    api_client.put(path, {"readers": None})
    assert explained(api_client, kept, bob[1])[2].startswith("neither the document nor its collection")
    api_client.put(f"/collections/{collection}/access-list", {"readers": []})
    assert "its collection" in explained(api_client, kept, bob[1])[2]
    assert bob[0].get(f"/documents/{kept}").status == 404
