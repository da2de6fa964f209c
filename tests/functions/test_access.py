"""Who may do what, for every route: probes are generated from the permission table."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.adapters.memory.clock import START
from shared.domain.tenants import KEY_PERMISSIONS, Permission
from shared.runtime.routes import ROUTES
from tests.functions.gateway import Answer
from tests.functions.requests import (
    NAMING,
    OF_ONE_PROJECT,
    OF_PEOPLE,
    PROBES,
    SCOPED,
    WHOLE_TENANT,
    WITH_BODY,
    Route,
    Things,
    delivered,
    make_things,
    probe,
    unlike,
)
from tests.functions.world import Client, World

NOBODY = "00000000-0000-7000-8000-000000000009"


@dataclass(frozen=True, slots=True)
class Town:
    """Two tenants, and a second project of the first."""

    world: World
    ours: Things
    theirs: Things
    next_door: Things


@pytest.fixture(scope="module")
def built() -> Town:
    """Made once: the probes of this module change nothing, which the last test checks."""
    world = World()
    with world.active():
        ours, theirs = make_things(world, "Ours"), make_things(world, "Theirs")
        made = ours.client.post("/projects", {"name": "next door"})
        neighbour = world.key(
            replace(ours.client, project_id=UUID(made.json["id"])), KEY_PERMISSIONS - {Permission.PROJECTS_WRITE}
        )
        collection = neighbour.collection()
        webhook = neighbour.post("/webhooks", {"url": "https://hooks.example.com/", "all_runs": True}).json["id"]
        ingestion = neighbour.ingestion(collection, expected=1)
        document = neighbour.upload(collection, "# Next door\n\nNothing to see.", ingestion_id=ingestion)
        world.settle()
        chat = neighbour.post("/chats", {"collection_ids": [collection]}).json["id"]
        return Town(
            world,
            ours,
            theirs,
            Things(
                neighbour,
                collection,
                document,
                document,
                chat,
                ingestion,
                NOBODY,
                "",
                webhook,
                delivered(neighbour, webhook),
            ),
        )


@pytest.fixture
def town(built: Town) -> Iterator[Town]:
    with built.world.active():
        yield built


def sent(client: Client, request: tuple[str, str, Any, Mapping[str, str]], **headers: str) -> Answer:
    method, path, body, query = request
    return client(method, path, body, query=query, headers=headers)


def test_probes_cover_every_route() -> None:
    assert PROBES.keys() == ROUTES.keys() - OF_PEOPLE


@pytest.mark.parametrize("route", sorted(PROBES), ids=" ".join)
def test_route_with_valid_request_succeeds(route: Route) -> None:
    world = World()
    with world.active():
        things = make_things(world, "Acme")
        answer = sent(things.client, probe(route, things, things.client))
    assert answer.status == PROBES[route].status, answer.body


KEYS: Mapping[str, Any] = {
    "missing": {},
    "empty": {"Authorization": ""},
    "scheme alone": {"Authorization": "Bearer"},
    "another scheme": {"Authorization": "Basic bGFtX3g6eQ=="},
    "without scheme": {"Authorization": "lam_" + "a" * 43},
    "too short": {"Authorization": "Bearer lam_abc"},
    "too long": {"Authorization": "Bearer lam_" + "a" * 44},
    "other alphabet": {"Authorization": "Bearer lam_" + "é" * 43},
    "statement": {"Authorization": "Bearer lam_' OR 1=1; --"},
    "unknown": {"Authorization": "Bearer lam_" + "a" * 43},
    "null": {"Authorization": "Bearer null"},
    "two keys": {"Authorization": f"Bearer lam_{'a' * 43} lam_{'b' * 43}"},
}


@pytest.mark.parametrize("route", SCOPED, ids=" ".join)
def test_route_without_valid_key_is_unauthenticated_in_the_same_words(route: Route, town: Town) -> None:
    method, path, body, query = probe(route, town.ours, town.ours.client)
    expired = town.world.key(town.ours.client, expires_at=START)
    revoked = town.world.key(town.ours.client, revoked_at=START - timedelta(days=1))
    headers = [*KEYS.values(), *({"Authorization": f"Bearer {client.key}"} for client in (expired, revoked))]
    answers = [town.world.api(method, f"/api/v1{path}", body, query=query, headers=one) for one in headers]
    assert {(answer.status, answer.body) for answer in answers} == {(401, answers[0].body)}
    assert answers[0].code == "unauthenticated"
    assert all(answer.headers["www-authenticate"] for answer in answers)


@pytest.mark.parametrize("route", SCOPED, ids=" ".join)
def test_route_without_key_says_nothing_about_the_rest_of_the_request(route: Route, town: Town) -> None:
    method, path, _, _ = probe(route, town.ours, town.ours.client)
    answer = town.world.api(method, f"/api/v1{path}", {"surprise": 1}, query={"limit": "many"})
    assert answer.code == "unauthenticated"


@pytest.mark.parametrize("route", SCOPED, ids=" ".join)
def test_route_without_its_permission_is_forbidden(route: Route, town: Town) -> None:
    needed = ROUTES[route]
    assert isinstance(needed, Permission)
    lacking = town.world.key(town.ours.client, KEY_PERMISSIONS - {needed})
    answer = sent(lacking, probe(route, town.ours, lacking))
    assert (answer.status, answer.code) == (403, "forbidden")
    assert needed.value in answer.json["detail"]


@pytest.mark.parametrize("route", SCOPED, ids=" ".join)
def test_route_with_other_permission_only_is_forbidden(route: Route, town: Town) -> None:
    other = Permission.HEALTH_READ if ROUTES[route] is not Permission.HEALTH_READ else Permission.CHATS_READ
    holder = town.world.key(town.ours.client, frozenset({other}))
    assert sent(holder, probe(route, town.ours, holder)).status == 403


@pytest.mark.parametrize("route", NAMING, ids=" ".join)
def test_route_with_ids_of_another_tenant_is_not_found_as_if_they_did_not_exist(route: Route, town: Town) -> None:
    foreign = sent(town.ours.client, probe(route, town.theirs, town.ours.client))
    nobody = unlike(town.ours, 1)
    if any(name in route[1] for name in WHOLE_TENANT):
        none = UUID(nobody.chat_id)
        nobody = replace(nobody, client=replace(town.ours.client, project_id=none, tenant_id=none))
    unknown = sent(town.ours.client, probe(route, nobody, town.ours.client))
    assert foreign.status == unknown.status == PROBES[route].foreign
    if foreign.status == 200:
        assert foreign.json == {"items": [], "next": None}
    else:
        assert foreign.code == unknown.code
        assert without_ids(foreign, town.theirs) == without_ids(unknown, nobody)


@pytest.mark.parametrize("route", OF_ONE_PROJECT, ids=" ".join)
def test_route_with_ids_of_another_project_is_not_found(route: Route, town: Town) -> None:
    answer = sent(town.ours.client, probe(route, town.next_door, town.ours.client))
    assert answer.status == PROBES[route].foreign
    assert answer.status == 404 or answer.json == {"items": [], "next": None}


def without_ids(answer: Answer, things: Things) -> str:
    text = answer.body
    for id in ids_of(things):
        text = text.replace(id, "<id>")
    return text


def ids_of(things: Things) -> tuple[str, ...]:
    return (
        *(things.project_id, things.collection_id, things.document_id),
        *(things.deleted_id, things.chat_id, things.ingestion_id, things.receipt_id, str(things.client.tenant_id)),
        *(things.webhook_id, things.delivery_id, things.user_id, things.role_id, things.unit_id),
        *(things.key_id, things.account_id, things.invitation_id),
    )


@pytest.mark.parametrize(
    "route",
    [route for route in SCOPED if not any(area in route[1] for area in ("/projects", "/orgs", "/health"))],
    ids=" ".join,
)
def test_route_with_project_of_another_tenant_in_the_header_is_not_found(route: Route, town: Town) -> None:
    request = probe(route, town.theirs, town.ours.client)
    answer = sent(town.ours.client, request, **{"Lambent-Project": town.theirs.project_id})
    assert (answer.status, answer.code) == (404, "project_not_found")


def test_project_header_with_owner_key_chooses_another_project_of_the_tenant(town: Town) -> None:
    request = probe(("GET", "/api/v1/documents/{document_id}"), town.next_door, town.ours.client)
    answer = sent(town.ours.client, request, **{"Lambent-Project": str(town.next_door.client.project_id)})
    assert answer.status == 200


def test_project_header_with_key_of_one_project_cannot_leave_it(town: Town) -> None:
    request = probe(("GET", "/api/v1/documents/{document_id}"), town.ours, town.next_door.client)
    answer = sent(town.next_door.client, request, **{"Lambent-Project": town.ours.project_id})
    assert (answer.status, answer.code) == (404, "project_not_found")


def test_project_header_with_its_own_project_changes_nothing(town: Town) -> None:
    request = probe(("GET", "/api/v1/documents/{document_id}"), town.ours, town.ours.client)
    assert sent(town.ours.client, request, **{"Lambent-Project": town.ours.project_id}).status == 200


@pytest.mark.parametrize("value", ["x", "*", "1 OR 1=1"])
def test_project_header_that_is_no_id_is_refused(value: str, town: Town) -> None:
    answer = town.ours.client("GET", "/collections", headers={"Lambent-Project": value})
    assert (answer.status, answer.code) == (422, "invalid_project")


def test_key_of_the_whole_tenant_must_name_its_project(town: Town) -> None:
    wide = town.world.key(town.ours.client, whole_tenant=True)
    assert wide.get("/collections").code == "project_required"
    named = wide("GET", "/collections", headers={"Lambent-Project": town.ours.project_id})
    assert [one["id"] for one in named.json["items"]] == [town.ours.collection_id]


def test_key_of_the_whole_tenant_cannot_name_another_tenants_project(town: Town) -> None:
    wide = town.world.key(town.ours.client, whole_tenant=True)
    answer = wide("GET", "/collections", headers={"Lambent-Project": town.theirs.project_id})
    assert answer.code == "project_not_found"


@pytest.mark.parametrize("route", WITH_BODY, ids=" ".join)
def test_route_with_oversized_body_is_refused(route: Route, town: Town) -> None:
    method, path, _, query = probe(route, town.ours, town.ours.client)
    answer = town.ours.client(method, path, "x" * 1_100_000, query=query)
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize("route", [route for route in SCOPED if "_id}" in route[1]], ids=" ".join)
@pytest.mark.parametrize("id", ["1", "null", "00000000-0000-0000-0000-00000000000g"])
def test_route_with_malformed_id_is_refused(route: Route, id: str, town: Town) -> None:
    method, path, body, query = probe(route, town.ours, town.ours.client)
    broken = path
    for known in ids_of(town.ours):
        broken = broken.replace(known, id)
    answer = town.ours.client(method, broken, body, query=query)
    assert (answer.status, answer.code) == (422, "validation_failed")


@pytest.mark.parametrize("path", ["/documents/..%2f..%2fhealth/live", "/documents/../health/live", "/documents//"])
def test_path_that_climbs_is_no_route(path: str, town: Town) -> None:
    answer = town.ours.client("GET", path)
    assert (answer.status, answer.code) == (404, "route_not_found")


@pytest.mark.parametrize("path", ["/projects", "/collections", "/documents", "/chats", "/ingestions", "/webhooks"])
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": "0"}, "validation_failed"),
        ({"limit": "201"}, "validation_failed"),
        ({"limit": "many"}, "validation_failed"),
        ({"limit": "9" * 5000}, "validation_failed"),
        ({"cursor": "x"}, "invalid_cursor"),
        ({"cursor": "é" * 10}, "invalid_cursor"),
        ({"cursor": "W10"}, "invalid_cursor"),
        ({"cursor": "a" * 501}, "validation_failed"),
    ],
)
def test_listing_with_bad_paging_is_refused(path: str, query: Mapping[str, str], code: str, town: Town) -> None:
    answer = town.ours.client("GET", path, query=query)
    assert (answer.status, answer.code) == (422, code)


def test_cursor_of_another_listing_is_refused(town: Town) -> None:
    for name in ("first", "second"):
        town.ours.client.post("/projects", {"name": name})
    cursor = town.ours.client.get("/projects", limit="1").json["next"]
    assert cursor
    assert town.ours.client.get("/collections", cursor=cursor).code == "invalid_cursor"
    assert town.theirs.client.get("/projects", cursor=cursor).code == "invalid_cursor"


def test_probes_with_foreign_ids_have_changed_nothing(town: Town) -> None:
    for things in (town.theirs, town.next_door):
        document = things.client.get(f"/documents/{things.document_id}")
        assert (document.json["status"], document.json["tags"]) == ("indexed", [])
        assert document.json["latest_version"] == 1
        assert things.client.get(f"/collections/{things.collection_id}").json["description"] == ""
        assert things.client.get(f"/chats/{things.chat_id}/messages").json == []
        assert len(things.client.get("/collections").json["items"]) == 1
        assert len(things.client.get("/chats").json["items"]) == 1
        assert len(things.client.get("/ingestions").json["items"]) == 1
        assert things.client.get(f"/ingestions/{things.ingestion_id}").json["last_event"] == 4
        (webhook,) = things.client.get("/webhooks").json["items"]
        assert webhook["rotated_at"] is None
        assert delivered(things.client, webhook["id"]) == things.delivery_id
