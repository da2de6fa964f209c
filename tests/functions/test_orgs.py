"""A tenant: look at it, delete it with everything in it."""

from collections.abc import Iterator

import pytest

from shared import bootstrap
from shared.domain.receipts import SubjectKind
from shared.domain.tenants import KEY_PERMISSIONS, Permission
from tests.functions import people
from tests.functions.examples import seed
from tests.functions.fakes import RemoteVectors
from tests.functions.gateway import Answer, cases, example
from tests.functions.requests import SCOPED, make_things, probe
from tests.functions.test_deletion import physically_empty, rows
from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, World


@pytest.fixture(params=["postgres", "remote"])
def vectors(request: pytest.FixtureRequest, world: World) -> Iterator[RemoteVectors | None]:
    """Vectors beside the rows, or in a store of their own."""
    remote = RemoteVectors() if request.param == "remote" else None
    with bootstrap.override(remote_vectors=remote):
        yield remote


@pytest.mark.parametrize("case", cases("orgs"))
def test_orgs_with_example_answers(case: str, world: World) -> None:
    seed(world)
    people.seed(world)
    answer = Answer.of(world.call("orgs", example("orgs", case)))
    assert answer.status in (200, 201, 202), answer.body


def delete(client: Client, name: str = "Acme") -> Answer:
    return client("DELETE", f"/orgs/{client.tenant_id}", {"name": name})


def test_get_org_tells_its_name(api_client: Client) -> None:
    assert api_client.get(f"/orgs/{api_client.tenant_id}").json["name"] == "Acme"


def test_delete_org_asks_for_its_name_and_the_right(world: World, api_client: Client) -> None:
    assert delete(api_client, "acme").code == "name_mismatch"
    assert api_client("DELETE", f"/orgs/{api_client.tenant_id}").status == 422
    everything_else = world.key(api_client, KEY_PERMISSIONS - {Permission.TENANT_DELETE})
    assert delete(everything_else).status == 403
    assert api_client.get("/documents").status == 200


def test_deleted_org_has_no_keys_from_that_moment(world: World) -> None:
    things = make_things(world, "Acme")
    other = world.key(things.client, whole_tenant=True)
    assert delete(things.client).status == 202
    for client in (things.client, other):
        for route in SCOPED:
            method, path, body, query = probe(route, things, client)
            assert client(method, path, body, query=query or None).status == 401, route


def test_deleted_org_leaves_nothing_and_the_other_everything(world: World, vectors: RemoteVectors | None) -> None:
    acme, other = world.owner("Acme"), world.owner("Other")
    shelf = other.collection()
    kept = other.upload(shelf, LEAVE)
    second = Client(world, acme.key, acme.tenant_id, acme.project_id)
    project = acme.post("/projects", {"name": "second"}).json["id"]
    collection = acme.collection()
    run = acme.post("/ingestions", {"name": "July", "collection_id": collection}).json["id"]
    acme.upload(collection, LEAVE, ingestion_id=run)
    acme.upload(collection, GARDEN, "garden.txt")
    acme.slot(collection, "waiting.txt")
    named = {"Lambent-Project": project}
    there = second("POST", "/collections", {"name": "there"}, headers=named).json["id"]
    slot = second("POST", "/documents", {"collection_id": there, "name": "x.txt"}, headers=named).json
    world.send(slot, LEAVE)
    world.settle()
    before = other.search(shelf, "paid leave")
    asked = delete(acme).json
    world.finish_deleting()
    whole = world.receipt(acme, SubjectKind.TENANT, str(acme.tenant_id))
    assert (str(whole.id), whole.complete, whole.documents) == (asked["id"], True, 4)
    assert set(whole.remaining.values()) == {0}
    assert (whole.removed["projects"], whole.removed["collections"], whole.removed["keys"]) == (2, 2, 1)
    assert other.search(shelf, "paid leave") == before
    assert other.get(f"/documents/{kept}").json["status"] == "indexed"
    texts = str(
        [
            row
            for table in ("tenants", "projects", "collections", "documents", "generations", "ingestions", "keys")
            for row in rows(world, table)
            if getattr(row, "tenant_id", getattr(row, "id", None)) == acme.tenant_id
        ]
    )
    for word in ("Acme", "second", "Handbook", "July", "garden.txt", "leave.txt", "there"):
        assert word not in texts, word
    other("DELETE", f"/orgs/{other.tenant_id}", {"name": "Other"})
    world.finish_deleting()
    physically_empty(world, vectors)


def test_receipt_of_a_deleted_org_is_shown_by_who_keeps_the_deployment(world: World, api_client: Client) -> None:
    asked = delete(api_client).json
    world.finish_deleting()
    call = {"action": "receipt", "tenant_id": str(api_client.tenant_id), "receipt_id": asked["id"]}
    shown = world.call("migrate_database", call)
    assert (shown["kind"], shown["complete"], shown["subject_id"]) == ("tenant", True, str(api_client.tenant_id))
    assert shown["signature"]["public_key"]
