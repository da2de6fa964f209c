"""A POST that carries an Idempotency-Key is done once, and answered as often as it is sent."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from functions.chats import app as chats
from shared import bootstrap
from shared.cli.address import Address
from shared.cli.api import Api
from shared.cli.client import Client as CliClient
from shared.cli.credentials import Key
from shared.domain.errors import CommitUnknown, Unavailable
from shared.domain.idempotency import LIFE
from shared.domain.receipts import Subject, SubjectKind
from shared.domain.tenants import KEY_PERMISSIONS, Permission
from shared.runtime.http import door
from shared.runtime.invocation import run
from shared.usecases.collections import manage
from tests.functions.fakes import FragileStore
from tests.functions.gateway import Answer
from tests.functions.texts import LEAVE
from tests.functions.world import PASSWORD, Client, World

KEY = "5b0c2f9e-one-thing-once"


def once(client: Client, path: str, body: Any = None, key: str = KEY, **headers: str) -> Answer:
    return client("POST", path, body, headers={"Idempotency-Key": key, **headers})


def replayed(answer: Answer) -> bool:
    return answer.headers.get("idempotent-replayed") == "true"


def without_form(slot: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in slot.items() if name != "upload"}


def collections(client: Client) -> list[str]:
    return [one["name"] for one in client.get("/collections").json["items"]]


def test_same_key_and_body_gets_the_first_answer_and_makes_nothing(api_client: Client) -> None:
    first = once(api_client, "/collections", {"name": "Handbook", "description": "Straße"})
    again = once(api_client, "/collections", {"description": "Straße", "name": "Handbook"})
    assert (first.status, again.status) == (201, 201)
    assert (replayed(first), replayed(again)) == (False, True)
    assert again.body == first.body
    assert again.headers["content-type"] == first.headers["content-type"]
    assert collections(api_client) == ["Handbook"]


def test_without_a_key_each_request_makes_something(api_client: Client, collection: str) -> None:
    made = [api_client.post("/ingestions", {"name": "July", "collection_id": collection}) for _ in range(2)]
    assert made[0].json["id"] != made[1].json["id"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/collections", {"name": "Another"}),
        ("/collections?x=1", {"name": "Handbook"}),
        ("/projects", {"name": "Handbook"}),
    ],
    ids=["other body", "other query", "other route"],
)
def test_same_key_with_another_request_is_refused(api_client: Client, path: str, body: Any) -> None:
    once(api_client, "/collections", {"name": "Handbook"})
    where, _, query = path.partition("?")
    asked = {"Idempotency-Key": KEY}
    refused = api_client("POST", where, body, headers=asked, query={"x": "1"} if query else None)
    assert (refused.status, refused.code) == (409, "idempotency_key_reused")
    assert collections(api_client) == ["Handbook"]


@pytest.mark.parametrize("key", ["", "x" * 256, "käse", "a\tb"], ids=["empty", "too long", "not ASCII", "a tab"])
def test_key_that_is_none_is_refused(api_client: Client, key: str) -> None:
    refused = once(api_client, "/collections", {"name": "Handbook"}, key)
    assert (refused.status, refused.code) == (400, "invalid_idempotency_key")
    assert collections(api_client) == []


def test_longest_key_is_taken(api_client: Client) -> None:
    assert once(api_client, "/collections", {"name": "Handbook"}, "~" * 255).status == 201
    assert replayed(once(api_client, "/collections", {"name": "Handbook"}, "~" * 255))


def test_key_is_of_one_principal_and_one_tenant(world: World, api_client: Client) -> None:
    stranger, colleague = world.owner("Other"), world.key(api_client)
    for client in (api_client, stranger):
        made = once(client, "/collections", {"name": "Handbook"})
        assert (made.status, replayed(made)) == (201, False)
    assert collections(stranger) == collections(api_client) == ["Handbook"]
    refused = once(colleague, "/collections", {"name": "Handbook"})
    assert (refused.code, replayed(refused)) == ("name_taken", False)


def test_key_in_another_project_is_another_request(world: World, api_client: Client) -> None:
    other = api_client.post("/projects", {"name": "Other"}).json["id"]
    once(api_client, "/collections", {"name": "Handbook"})
    refused = once(api_client, "/collections", {"name": "Handbook"}, **{"Lambent-Project": other})
    assert refused.code == "idempotency_key_reused"


def test_whoever_may_not_any_more_gets_no_answer_again(world: World, api_client: Client) -> None:
    expiring = world.key(api_client, expires_at=world.clock.now() + timedelta(minutes=1))
    assert once(expiring, "/collections", {"name": "Handbook"}).status == 201
    world.clock.advance(61)
    assert once(expiring, "/collections", {"name": "Handbook"}).status == 401


def test_answer_is_kept_a_day_and_swept(world: World, api_client: Client, collection: str) -> None:
    asked = {"name": "July", "collection_id": collection}
    first = once(api_client, "/ingestions", asked).json
    world.clock.advance(LIFE.total_seconds() - 1)
    world.sweep_without_settling()
    assert once(api_client, "/ingestions", asked).json == first
    world.clock.advance(1)
    world.sweep_without_settling()
    assert kept(world, api_client) == 0
    assert once(api_client, "/ingestions", asked).json["id"] != first["id"]


def kept(world: World, client: Client) -> int:
    """How many answers there are of the tenant."""

    async def count() -> int:
        async with bootstrap.transaction(world.scope(client)) as ports:
            return await ports.idempotency.left(world.scope(client), Subject(SubjectKind.TENANT, client.tenant_id))

    return run(count())


def stored(world: World, client: Client) -> str:
    """Everything that is kept of the tenant's answers."""
    return str(dict(world.store._tables.rows["kept_answers"][client.tenant_id]))


# Errors.


def test_refusal_by_how_things_stood_is_kept(world: World, api_client: Client) -> None:
    api_client.post("/projects", {"name": "Twice"})
    refused = once(api_client, "/projects", {"name": "Twice"})
    assert (refused.status, refused.code) == (409, "name_taken")
    project = next(one["id"] for one in api_client.get("/projects").json["items"] if one["name"] == "Twice")
    api_client.patch(f"/projects/{project}", {"name": "Renamed"})
    again = once(api_client, "/projects", {"name": "Twice"})
    assert (again.body, again.status, replayed(again)) == (refused.body, 409, True)
    assert again.headers["content-type"] == "application/problem+json"
    assert once(api_client, "/projects", {"name": "Twice"}, "another key").status == 201


@pytest.mark.parametrize(
    ("body", "status"),
    [({"name": ""}, 422), ({"name": "Handbook", "language": "xx-nonsense"}, 422), ("{", 422)],
    ids=["by its model", "by its use case", "no JSON"],
)
def test_request_that_never_began_is_not_kept(world: World, api_client: Client, body: Any, status: int) -> None:
    assert once(api_client, "/collections", body).status == status
    assert kept(world, api_client) == 0
    assert once(api_client, "/collections", {"name": "Handbook"}).status == 201


def test_missing_permission_is_not_kept(world: World, api_client: Client) -> None:
    reader = world.key(api_client, KEY_PERMISSIONS - {Permission.COLLECTIONS_WRITE})
    assert once(reader, "/collections", {"name": "Handbook"}).status == 403
    assert kept(world, api_client) == 0


@pytest.mark.parametrize("committed", [False, True], ids=["not committed", "committed"])
def test_commit_of_unknown_outcome_then_retry_makes_one(world: World, api_client: Client, committed: bool) -> None:
    error = CommitUnknown("the connection broke while committing")
    with bootstrap.override(store=FragileStore(world.store, 1, error, committed=committed)):
        assert once(api_client, "/collections", {"name": "Handbook"}).status == 503
    again = once(api_client, "/collections", {"name": "Handbook"})
    assert (again.status, replayed(again)) == (201, committed)
    assert collections(api_client) == ["Handbook"]


def test_crash_before_the_commit_keeps_nothing(
    world: World, api_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patched:
        patched.setattr(manage, "create", crash)
        assert once(api_client, "/collections", {"name": "Handbook"}).status == 500
    assert kept(world, api_client) == 0
    assert once(api_client, "/collections", {"name": "Handbook"}).status == 201


# Answers that are not given again as they were.


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/webhooks", {"url": "https://example.com/hook"}),
        ("/orgs/{org}/keys", {"name": "robot", "permissions": ["documents:read"]}),
    ],
    ids=["webhook", "key"],
)
def test_secret_is_shown_once_and_kept_nowhere(world: World, api_client: Client, path: str, body: Any) -> None:
    where = path.format(org=api_client.tenant_id)
    first = once(api_client, where, body)
    assert first.status == 201, first.body
    assert first.json["secret"]
    assert first.json["secret_withheld"] is False
    again = once(api_client, where, body)
    assert again.json == {**first.json, "secret": "", "secret_withheld": True}
    assert first.json["secret"] not in stored(world, api_client)


def test_form_is_made_anew_for_the_same_document(world: World, api_client: Client, collection: str) -> None:
    asked = {"collection_id": collection, "name": "leave.txt"}
    first = once(api_client, "/documents", asked)
    world.clock.advance(3600)
    again = once(api_client, "/documents", asked)
    assert (again.status, replayed(again)) == (201, True)
    assert without_form(again.json) == without_form(first.json)
    assert again.json["upload"]["expires_at"] > first.json["upload"]["expires_at"]
    assert first.json["upload"]["url"] not in stored(world, api_client)
    world.send(again.json, LEAVE)
    world.settle()
    assert [one["status"] for one in api_client.get("/documents").json["items"]] == ["indexed"]
    late = once(api_client, "/documents", asked)
    assert (late.status, late.json["upload"]) == (201, None)


def test_version_is_made_once(world: World, api_client: Client, sample_document: str) -> None:
    for _ in range(3):
        slot = once(api_client, f"/documents/{sample_document}/versions", {})
        assert (slot.status, slot.json["version"]) == (201, 2)
        assert slot.json["upload"] is not None


def test_form_of_a_document_that_is_deleted_is_not_made(world: World, api_client: Client, collection: str) -> None:
    asked = {"collection_id": collection, "name": "secret-name.txt"}
    document = once(api_client, "/documents", asked).json["document"]["id"]
    api_client.delete(f"/documents/{document}")
    assert once(api_client, "/documents", asked).status == 404
    world.settle()
    assert "secret-name" not in stored(world, api_client)
    gone = once(api_client, "/documents", asked)
    assert (gone.status, gone.code) == (409, "idempotency_answer_erased")
    receipt = api_client.get(f"/documents/{document}/receipt").json
    assert (receipt["removed"]["answers"], receipt["remaining"]["answers"]) == (1, 0)


def test_question_is_asked_once(world: World, api_client: Client, collection: str, sample_document: str) -> None:
    chat = api_client.post("/chats", {"collection_ids": [collection]}).json["id"]
    first = once(api_client, f"/chats/{chat}/messages", {"question": "How many days of paid leave?"})
    assert first.status == 201
    again = once(api_client, f"/chats/{chat}/messages", {"question": "How many days of paid leave?"})
    assert (again.status, replayed(again), again.json) == (201, True, first.json)
    assert len(api_client.get(f"/chats/{chat}/messages").json) == 2
    assert "paid leave" not in stored(world, api_client)
    assert first.json["answer"]["citations"]
    api_client.delete(f"/documents/{sample_document}")
    late = once(api_client, f"/chats/{chat}/messages", {"question": "How many days of paid leave?"})
    assert all(citation["removed"] and not citation["quote"] for citation in late.json["answer"]["citations"])


def test_question_asked_as_a_stream_is_asked_once(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    chat = api_client.post("/chats", {"collection_ids": [collection]}).json["id"]
    first = once(api_client, f"/streams/chats/{chat}/messages", {"question": "How many days of paid leave?"})
    assert first.status == 200
    again = once(api_client, f"/streams/chats/{chat}/messages", {"question": "How many days of paid leave?"})
    assert (again.status, replayed(again)) == (200, True)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.body.startswith("event: answer\n")
    assert first.body.endswith(again.body)
    assert len(api_client.get(f"/chats/{chat}/messages").json) == 2


def test_question_under_way_is_refused_with_when_to_come_again(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    chat = api_client.post("/chats", {"collection_ids": [collection]}).json["id"]
    path, asked = f"/chats/{chat}/messages", {"question": "How many days of paid leave?"}

    async def again() -> None:
        # In the middle of the first, as another process would.
        transport = httpx.ASGITransport(door(chats.router))
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as http:
            headers = {"Authorization": f"Bearer {api_client.key}", "Idempotency-Key": KEY}
            refused.append(await http.post(f"/api/v1{path}", json=asked, headers=headers))

    refused: list[httpx.Response] = []
    world.llm.before_answer = again
    assert once(api_client, path, asked).status == 201
    (answer,) = refused
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
    assert 1 <= int(answer.headers["retry-after"]) <= 31
    assert len(api_client.get(path).json) == 2


@pytest.mark.parametrize("error", [Unavailable("the model is away"), RuntimeError("a bug")])
def test_question_that_failed_may_be_asked_again_at_once(
    world: World, api_client: Client, collection: str, sample_document: str, error: Exception
) -> None:
    chat = api_client.post("/chats", {"collection_ids": [collection]}).json["id"]

    async def fail() -> None:
        raise error

    world.llm.before_answer = fail
    path, asked = f"/chats/{chat}/messages", {"question": "How many days of paid leave?"}
    assert once(api_client, path, asked).status in (500, 503)
    assert once(api_client, path, asked).status == 201
    assert len(api_client.get(path).json) == 2


def test_question_that_is_none_gives_its_key_back(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    chat = api_client.post("/chats", {"collection_ids": [collection]}).json["id"]
    path = f"/chats/{chat}/messages"
    assert once(api_client, path, {"question": "x" * 4001}).status == 422
    assert once(api_client, path, {"question": " "}).status == 422
    assert once(api_client, path, {"question": "How many days of paid leave?"}).status == 201


@pytest.mark.parametrize("committed", [False, True], ids=["not committed", "committed"])
def test_question_whose_commit_is_unknown_may_be_asked_again_at_once(
    world: World, api_client: Client, collection: str, sample_document: str, committed: bool
) -> None:
    chat = api_client.post("/chats", {"collection_ids": [collection]}).json["id"]
    path, asked = f"/chats/{chat}/messages", {"question": "How many days of paid leave?"}
    # Who asks, the chat, its passages, and what was said: the fourth.
    error = CommitUnknown("the connection broke while committing")
    with bootstrap.override(store=FragileStore(world.store, 4, error, committed=committed)):
        assert once(api_client, path, asked).status == 503
    again = once(api_client, path, asked)
    assert (again.status, replayed(again)) == (201, committed)
    assert len(api_client.get(path).json) == 2


# Outside all tenants, and by mail.


def test_organisation_is_made_once(world: World) -> None:
    ada = world.person()
    first = once(ada, "/orgs", {"name": "Engines"})
    assert first.status == 201, first.body
    again = once(ada, "/orgs", {"name": "Engines"})
    assert (again.body, replayed(again)) == (first.body, True)
    assert [one["name"] for one in ada.get("/users/me/organisations").json["items"]] == ["Acme", "Engines"]
    bob = world.person("bob@example.com", "Bobs")
    assert not replayed(once(bob, "/orgs", {"name": "Engines"}))


def test_answers_of_a_user_go_with_their_account(world: World) -> None:
    ada = world.person()
    once(ada, "/orgs", {"name": "Engines"})
    assert "Engines" in str(world.store._tables.rows["kept_answers"][None])
    assert ada.post("/users/me/disable", {"password": PASSWORD}).status == 204
    assert "Engines" not in str(world.store._tables.rows["kept_answers"][None])


def test_invitation_is_accepted_once_and_told_again(world: World) -> None:
    ada, bob = world.person(), world.person("bob@example.com", "Bobs")
    asked = {"email": "bob@example.com", "role": "viewer"}
    assert ada.post(f"/orgs/{ada.tenant_id}/invitations", asked).status == 201
    code = {"token": world.mailed("bob@example.com")}
    first = once(bob, "/orgs/accept", code)
    assert (first.status, once(bob, "/orgs/accept", code).json) == (200, first.json)


def invitations(client: Client) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/orgs/{client.tenant_id}/invitations").json["items"]
    return found


def test_invitation_is_mailed_once(world: World) -> None:
    ada = world.person()
    path, asked = f"/orgs/{ada.tenant_id}/invitations", {"email": "bob@example.com", "role": "viewer"}
    first, again = once(ada, path, asked), once(ada, path, asked)
    assert (again.json, replayed(again)) == (first.json, True)
    assert len([mail for mail in world.mailer.sent if mail.to == "bob@example.com"]) == 1
    assert len(invitations(ada)) == 1


def test_invitation_whose_message_did_not_leave_is_mailed_by_the_retry(world: World) -> None:
    ada, bob = world.person(), world.person("bob@example.com", "Bobs")
    path, asked = f"/orgs/{ada.tenant_id}/invitations", {"email": "bob@example.com", "role": "viewer"}
    with bootstrap.override(mailer=DeadMailer()):
        assert once(ada, path, asked).status == 503
    assert once(ada, path, asked).status == 201
    assert len(invitations(ada)) == 1
    assert bob.post("/orgs/accept", {"token": world.mailed("bob@example.com")}).status == 200


class DeadMailer:
    """Implements `shared.ports.mailer.Mailer` for a service that cannot be reached."""

    async def send(self, mail: object) -> None:
        raise Unavailable("mail cannot be sent", code="mail_down")


# Gone with what it speaks of.


def test_answers_go_with_their_project(world: World, api_client: Client) -> None:
    project = once(api_client, "/projects", {"name": "Short-lived"}, "project").json["id"]
    inside = {"Lambent-Project": project}
    once(api_client, "/collections", {"name": "Confidential"}, "collection", **inside)
    receipt = api_client("DELETE", f"/projects/{project}", {"name": "Short-lived"}).json["id"]
    world.finish_deleting()
    assert "Short-lived" not in stored(world, api_client)
    assert "Confidential" not in stored(world, api_client)
    found = api_client.get(f"/receipts/{receipt}").json
    assert found["complete"]
    assert found["removed"]["answers"] == 2
    assert found["remaining"]["answers"] == 0
    assert once(api_client, "/projects", {"name": "Short-lived"}, "project").code == "idempotency_answer_erased"


def test_answers_go_with_their_collection(world: World, api_client: Client) -> None:
    collection = once(api_client, "/collections", {"name": "Confidential"}).json["id"]
    receipt = api_client.delete(f"/collections/{collection}").json["id"]
    world.finish_deleting()
    assert "Confidential" not in stored(world, api_client)
    assert api_client.get(f"/receipts/{receipt}").json["removed"]["answers"] == 1


def test_answers_go_with_their_tenant(world: World, api_client: Client) -> None:
    once(api_client, "/collections", {"name": "Confidential"})
    api_client("DELETE", f"/orgs/{api_client.tenant_id}", {"name": "Acme"})
    world.finish_deleting()
    assert kept(world, api_client) == 0


# As the command line uses it.


def test_command_line_whose_every_first_answer_is_lost_makes_each_thing_once(world: World, api_client: Client) -> None:
    heard: set[str] = set()

    def half_deaf(request: httpx.Request) -> httpx.Response:
        headers = {name: value for name, value in request.headers.items() if name not in ("host", "content-length")}
        answer = world.api(request.method, request.url.path, request.content.decode() or None, headers=headers)
        if str(request.url.path) not in heard:
            heard.add(str(request.url.path))
            raise httpx.ReadTimeout("the answer is lost", request=request)
        return httpx.Response(answer.status, headers=dict(answer.headers), text=answer.body, request=request)

    http = httpx.Client(transport=httpx.MockTransport(half_deaf))
    api = Api(CliClient(Address("https://api.example.com", Key(api_client.key)), http, lambda _: None))
    collection = api.create_collection("Handbook")["id"]
    run_id = api.create_ingestion("July", collection, 1)["id"]
    slot = api.announce({"collection_id": collection, "name": "leave.txt", "ingestion_id": run_id})
    world.send(slot, LEAVE)
    world.settle()
    chat = api.create_chat([collection])["id"]
    assert collections(api_client) == ["Handbook"]
    for path, id in (("/ingestions", run_id), ("/documents", slot["document"]["id"]), ("/chats", chat)):
        assert [one["id"] for one in api_client.get(path).json["items"]] == [id]


WITHOUT_A_KEY = """
import sys
from tests.functions.world import World
world = World()
with world.active():
    owner = world.owner()
    assert owner.post("/collections", {"name": "Handbook"}).status == 201
    assert "shared.runtime.idempotency" not in sys.modules
    assert "shared.runtime.repeats" not in sys.modules
    assert not world.store._tables.rows["kept_answers"]
    assert owner.post("/collections", {"name": "Other"}, **{"Idempotency-Key": "k"}).status == 201
    assert "shared.runtime.idempotency" in sys.modules
"""


def test_request_without_a_key_loads_nothing_of_it_and_asks_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_A_KEY], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
