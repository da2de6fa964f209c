"""Deleting what holds many documents: one tombstone hides all of it at once, and the sweep leaves nothing."""

import inspect
import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from shared import bootstrap
from shared.adapters.structlog import traced
from shared.domain.documents import GenerationState
from shared.domain.errors import Unavailable
from shared.domain.events import Queue
from shared.domain.receipts import SubjectKind
from shared.ports.blobs import Bucket
from shared.usecases.deletion import erase
from tests.functions.conftest import Lines
from tests.functions.fakes import RemoteVectors
from tests.functions.gateway import records
from tests.functions.requests import PROBES, make_things, probe
from tests.functions.test_sweep import lose_messages
from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, World

PROJECT, COLLECTION, DOCUMENT = SubjectKind.PROJECT, SubjectKind.COLLECTION, SubjectKind.DOCUMENT
WORK = (Queue.INGEST_EXTRACT, Queue.INGEST_CHUNK, Queue.INGEST_EMBED, Queue.INGEST_PUBLISH)


@pytest.fixture(params=["postgres", "remote"])
def vectors(request: pytest.FixtureRequest, world: World) -> Iterator[RemoteVectors | None]:
    """Vectors beside the rows, or in a store of their own."""
    if request.param == "postgres":
        yield None
        return
    remote = RemoteVectors()
    with bootstrap.override(remote_vectors=remote):
        yield remote


def rows(world: World, table: str) -> list[Any]:
    """Every tenant's rows of a table of the memory store."""
    return [row for tenant in world.store._tables.rows[table].values() for row in tenant.values()]


def physically_empty(world: World, vectors: RemoteVectors | None = None) -> None:
    for table in ("chunks", "keywords", "counted", "statistics", "vectors", "cache"):
        assert rows(world, table) == [], table
    assert vectors is None or vectors.kept == {}
    assert world.blobs.keys(Bucket.UPLOADS) == world.blobs.keys(Bucket.WORK) == []


def two_documents(world: World, client: Client, collection: str) -> list[str]:
    documents = [client.upload(collection, LEAVE), client.upload(collection, GARDEN, "garden.txt")]
    world.settle()
    assert client.search(collection, "paid leave")
    return documents


def test_deleted_collection_is_gone_from_every_route_before_any_sweep(
    world: World, api_client: Client, collection: str
) -> None:
    documents = two_documents(world, api_client, collection)
    slot = api_client.slot(collection, "waiting.txt")
    chat = api_client.post("/chats", {"collection_ids": [collection]}).json["id"]
    assert api_client.delete(f"/collections/{collection}").status == 202
    assert api_client.get(f"/collections/{collection}").status == 404
    assert api_client.get("/collections").json["items"] == []
    assert api_client.patch(f"/collections/{collection}", {"name": "x"}).status == 404
    assert api_client.post("/search", {"query": "leave", "collection_ids": [collection]}).status == 404
    assert api_client.post(f"/chats/{chat}/messages", {"question": "How many days of leave?"}).status == 404
    assert api_client.post("/chats", {"collection_ids": [collection]}).status == 404
    assert api_client.post("/documents", {"collection_id": collection, "name": "late.txt"}).status == 404
    assert api_client.get("/documents").json["items"] == []
    assert api_client.get("/documents", collection_id=collection).json["items"] == []
    for document in [*documents, slot["document"]["id"]]:
        for method, path, body in [
            ("GET", "", None),
            ("PATCH", "", {"tags": ["x"]}),
            ("DELETE", "", None),
            ("POST", "/versions", {}),
            ("POST", "/process", None),
            ("GET", "/content", None),
            ("GET", "/text", None),
            ("GET", "/chunks", None),
        ]:
            assert api_client(method, f"/documents/{document}{path}", body).status == 404, (method, path)
        assert api_client.get(f"/documents/{document}/why").json["status"] == "deleting"


def test_deleted_collection_of_many_documents_is_one_short_request(
    world: World, api_client: Client, collection: str, log_lines: Lines
) -> None:
    def asked_by_a_delete(documents: int) -> list[str]:
        made = api_client.collection(f"of {documents}")
        for number in range(documents):
            api_client.slot(made, f"{number}.txt")
        log_lines()
        assert api_client.delete(f"/collections/{made}").status == 202
        return [f"{line['port']}.{line['operation']}" for line in log_lines() if line["event"] == "store.asked"]

    assert asked_by_a_delete(150) == asked_by_a_delete(0)


def test_deleted_collection_leaves_nothing_and_its_receipt_says_so(
    world: World, api_client: Client, collection: str, vectors: RemoteVectors | None
) -> None:
    other = api_client.collection("Other")
    stays = api_client.upload(other, LEAVE)
    documents = two_documents(world, api_client, collection)
    chunks = sum(len(api_client.get(f"/documents/{one}/chunks").json) for one in documents)
    asked = api_client.delete(f"/collections/{collection}").json
    world.finish_deleting()
    for one in documents:
        receipt = api_client.get(f"/documents/{one}/receipt").json
        assert (receipt["complete"], receipt["parent_id"]) == (True, asked["id"])
        stores = {"chunks", "keywords", "vectors", "cache", "citations", "answers", "uploads", "work"}
        assert set(receipt["remaining"]) == stores
        assert api_client.get(f"/documents/{one}/why").json["status"] == "deleted"
    whole = world.receipt(api_client, COLLECTION, collection)
    assert (whole.complete, whole.documents, whole.due_at) == (True, 2, None)
    assert (whole.removed["chunks"], whole.removed["uploads"], whole.removed["work"]) == (chunks, 2, 2)
    assert set(whole.remaining.values()) == {0}
    assert api_client.search(other, "paid leave")[0]["document_id"] == stays
    api_client.delete(f"/collections/{other}")
    world.finish_deleting()
    physically_empty(world, vectors)


def test_deleted_collection_works_through_its_documents_in_bounded_steps(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase, "BATCH", 3)
    monkeypatch.setattr(erase, "BACKLOG", 4)
    for number in range(10):
        api_client.slot(collection, f"{number}.txt")
    api_client.delete(f"/collections/{collection}")
    seen = []
    for _ in range(30):
        world.deliver(Queue.SWEEP, limit=1)
        receipt = world.receipt(api_client, COLLECTION, collection)
        seen.append(receipt.documents)
        waiting = sum("document_id" in body for body in world.waiting(Queue.SWEEP))
        assert waiting <= 3 + 4
        world.clock.advance(5)
    assert {after - before for before, after in pairwise(seen)} <= {0, 1, 3}
    world.finish_deleting()
    assert world.receipt(api_client, COLLECTION, collection).documents == 10


def test_deleted_collection_whose_messages_are_lost_is_taken_up_by_the_schedule(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase, "BATCH", 1)
    documents = two_documents(world, api_client, collection)
    api_client.delete(f"/collections/{collection}")
    for _ in range(12):
        lose_messages(world)
        world.clock.advance(400)
        assert world.call("sweep", {"source": "aws.scheduler"}) is None
        world.deliver(Queue.SWEEP, limit=1)
    world.finish_deleting()
    assert world.receipt(api_client, COLLECTION, collection).complete
    assert all(api_client.get(f"/documents/{one}/receipt").json["complete"] for one in documents)
    physically_empty(world)


def test_step_of_a_delete_that_comes_twice_is_done_once(world: World, api_client: Client, collection: str) -> None:
    two_documents(world, api_client, collection)
    api_client.delete(f"/collections/{collection}")
    (message,) = [one.body for one in world.queue.waiting(Queue.SWEEP)]
    answer = world.call("sweep", records([message, message, message], "sweep"))
    assert answer == {"batchItemFailures": []}
    steps = [body for body in world.waiting(Queue.SWEEP) if "receipt_id" in body]
    assert sorted(body["step"] for body in steps) == [0, 1]
    assert json.loads(message)["step"] == 0


def test_file_that_arrives_for_a_deleted_collection_ends_as_superseded_and_is_removed(
    world: World, api_client: Client, collection: str
) -> None:
    slot = api_client.slot(collection, "late.txt")
    document = slot["document"]["id"]
    api_client.delete(f"/collections/{collection}")
    world.send(slot, LEAVE)
    world.settle()
    assert world.generation(api_client, document).state is GenerationState.SUPERSEDED
    world.finish_deleting()
    assert world.blobs.keys(Bucket.UPLOADS) == []
    assert world.receipt(api_client, COLLECTION, collection).complete


@pytest.mark.parametrize("stage", WORK)
def test_collection_deleted_before_a_stage_leaves_nothing(
    stage: Queue, world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    for queue in WORK[: WORK.index(stage)]:
        world.deliver(queue)
        world.notify()
    api_client.delete(f"/collections/{collection}")
    world.deliver(stage)
    world.finish_deleting()
    assert world.generation(api_client, document).terminal
    assert world.receipt(api_client, DOCUMENT, document).complete
    physically_empty(world)


def test_deleted_project_is_gone_at_once_with_its_keys(world: World) -> None:
    things = make_things(world, "Acme")
    owner = world.key(things.client, whole_tenant=True)
    second = owner.post("/projects", {"name": "second"}).json["id"]
    named = {"Lambent-Project": things.project_id}
    asked = {"query": "x", "collection_ids": [things.collection_id]}
    assert owner("GET", "/documents", headers=named).status == 200
    answer = owner("DELETE", f"/projects/{things.project_id}", {"name": "default"})
    assert (answer.status, answer.json["kind"]) == (202, "project")
    for route in PROBES:
        if PROBES[route].foreign is not None:
            assert things.client(*probe(route, things, things.client)[:3]).status == 401, route
    assert owner("GET", "/documents", headers=named).status == 404
    assert owner("POST", "/search", asked, headers=named).status == 404
    assert owner.get(f"/projects/{things.project_id}").status == 404
    assert [one["id"] for one in owner.get("/projects").json["items"]] == [second]
    assert owner.post("/projects", {"name": "default"}).status == 201


def test_deleted_project_leaves_nothing_and_the_neighbours_everything(
    world: World, api_client: Client, collection: str, vectors: RemoteVectors | None
) -> None:
    neighbour = world.owner("Neighbour")
    shelf = neighbour.collection()
    kept = neighbour.upload(shelf, LEAVE)
    documents = two_documents(world, api_client, collection)
    api_client.post("/chats", {"collection_ids": [collection]})
    before = neighbour.search(shelf, "paid leave")
    owner = world.key(api_client, whole_tenant=True)
    owner("DELETE", f"/projects/{api_client.project_id}", {"name": "default"})
    world.finish_deleting()
    whole = world.receipt(api_client, PROJECT, str(api_client.project_id))
    assert (whole.complete, whole.documents, whole.removed["chats"], whole.removed["keys"]) == (True, 2, 1, 1)
    assert set(whole.remaining.values()) == {0}
    assert all(world.receipt(api_client, DOCUMENT, one).complete for one in documents)
    assert neighbour.search(shelf, "paid leave") == before
    assert neighbour.get(f"/documents/{kept}").json["status"] == "indexed"
    assert {row.name for row in rows(world, "projects")} == {"", "default"}
    assert {row.name for row in rows(world, "collections") if row.project_id == api_client.project_id} == {""}


def test_delete_project_asks_for_its_name(world: World, api_client: Client) -> None:
    owner = world.key(api_client, whole_tenant=True)
    path = f"/projects/{api_client.project_id}"
    assert owner("DELETE", path, {"name": "Default"}).code == "name_mismatch"
    assert owner("DELETE", path).status == 422
    assert api_client.get("/documents").status == 200
    first = owner("DELETE", path, {"name": "default"})
    assert owner("DELETE", path, {"name": "whatever"}).json == first.json


def test_workers_of_a_deleted_project_write_nothing_that_is_seen(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    owner = world.key(api_client, whole_tenant=True)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    owner("DELETE", f"/projects/{api_client.project_id}", {"name": "default"})
    world.settle()
    assert world.document(api_client, document).committed_generation is None
    world.finish_deleting()
    assert world.receipt(api_client, PROJECT, str(api_client.project_id)).complete
    physically_empty(world)


def test_runs_of_a_deleted_collection_are_gone_and_a_deleted_document_is_unnamed(
    world: World, api_client: Client, collection: str
) -> None:
    run = api_client.post("/ingestions", {"name": "July", "collection_id": collection}).json["id"]
    document = api_client.upload(collection, LEAVE, "secret plan.txt", ingestion_id=run)
    broken = api_client.upload(collection, b"\xff\xfe", "secret scan.bin", ingestion_id=run)
    world.settle()
    assert "secret" in api_client.get(f"/ingestions/{run}/documents").body
    assert "secret scan" in api_client.get(f"/ingestions/{run}").body
    for one in (document, broken):
        api_client.delete(f"/documents/{one}")
    assert "secret" not in api_client.get(f"/ingestions/{run}/documents").body
    assert "secret" not in api_client.get(f"/ingestions/{run}").body
    api_client.delete(f"/collections/{collection}")
    assert api_client.get("/ingestions").json["items"] == []
    for path in ("", "/documents", "/events"):
        assert api_client.get(f"/ingestions/{run}{path}").status == 404
    for path in ("/close", "/cancel", "/retry"):
        assert api_client.post(f"/ingestions/{run}{path}").status == 404


def asked(client: Client, collection: str) -> tuple[str, dict[str, Any]]:
    """A chat with an answer that cites."""
    chat = client.post("/chats", {"collection_ids": [collection]}).json["id"]
    answer = client.post(f"/chats/{chat}/messages", {"question": "How many days of paid leave are there?"})
    assert answer.json["answer"]["citations"], answer.body
    return chat, answer.json["answer"]


@pytest.mark.parametrize("what", ["document", "collection"])
def test_citations_of_what_is_deleted_are_marked_and_quote_nothing(
    what: str, world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.settle()
    chat, answer = asked(api_client, collection)
    quoted = {one["quote"] for one in answer["citations"]}
    assert all(quoted)
    api_client.delete(f"/documents/{document}" if what == "document" else f"/collections/{collection}")
    for swept in (False, True):
        if swept:
            world.finish_deleting()
        shown = api_client.get(f"/chats/{chat}/messages").json[-1]
        assert shown["content"] == answer["content"]
        assert [one["removed"] for one in shown["citations"]] == [True] * len(answer["citations"])
        assert [one["number"] for one in shown["citations"]] == [one["number"] for one in answer["citations"]]
        assert {one["quote"] for one in shown["citations"]} == {""}
        assert {one["document_name"] for one in shown["citations"]} == {""}
    kept = str(rows(world, "messages"))
    assert "leave.txt" not in kept
    assert api_client.get(f"/documents/{document}/receipt").json["removed"]["citations"] == 1


def test_citations_of_other_documents_stay(world: World, api_client: Client, collection: str) -> None:
    api_client.upload(collection, LEAVE)
    other = api_client.upload(collection, GARDEN, "garden.txt")
    world.settle()
    chat, answer = asked(api_client, collection)
    api_client.delete(f"/documents/{other}")
    world.settle()
    shown = api_client.get(f"/chats/{chat}/messages").json[-1]
    assert [one for one in shown["citations"] if one["document_id"] != other] == [
        one for one in answer["citations"] if one["document_id"] != other
    ]


class FailsOnce:
    """A store whose call number `at` of all that share the count fails before it does anything."""

    def __init__(self, target: object, count: Counter[str], at: int) -> None:
        self.target, self.count, self.at = target, count, at

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.target, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def call(*args: Any, **kwargs: Any) -> Any:
            self.count["calls"] += 1
            if self.count["calls"] == self.at:
                raise Unavailable(f"{name} failed")
            return await value(*args, **kwargs)

        return call


@pytest.mark.parametrize("what", ["document", "collection"])
def test_every_store_call_of_a_sweep_may_fail_and_nothing_is_found_or_left(
    what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fired = 0
    for at in range(1, 500):
        world, remote, count = World(), RemoteVectors(), Counter[str]()
        with world.active(), bootstrap.override(remote_vectors=remote):
            client = world.owner()
            collection = client.collection(chunking={"method": "structure", "size": 40})
            document = client.upload(collection, LEAVE)
            world.settle()
            assert client.delete(f"/{what}s/{document if what == 'document' else collection}").status == 202
            with monkeypatch.context() as patched:
                patched.setattr(traced, "store", lambda target, power: FailsOnce(target, count, at))  # noqa: B023
                with bootstrap.override(
                    blobs=FailsOnce(world.blobs, count, at), remote_vectors=FailsOnce(remote, count, at)
                ):
                    for _ in range(8):
                        world.settle()
                        world.clock.advance(60)
            found = client.post("/search", {"query": "paid leave", "collection_ids": [collection]})
            assert found.status == 404 or found.json["hits"] == []
            world.pass_time(1000)
            world.sweep()
            world.finish_deleting()
            assert world.receipt(client, DOCUMENT, document).complete, at
            for table in ("chunks", "keywords", "counted", "vectors", "cache"):
                assert rows(world, table) == [], (at, table)
            assert (remote.kept, world.blobs.keys(Bucket.UPLOADS), world.blobs.keys(Bucket.WORK)) == ({}, [], []), at
        if count["calls"] < at:
            break
        fired += 1
    assert fired > 20
