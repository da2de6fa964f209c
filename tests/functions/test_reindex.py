"""The scheduled reindex: what was cut by settings that are no longer its collection's is processed again."""

from typing import Any
from uuid import UUID

import pytest

from shared.domain.documents import GenerationState
from shared.domain.errors import Rejected, Unavailable
from shared.domain.events import Queue
from shared.runtime import reindexing
from shared.usecases.ingest.reindex import reindex_collection
from tests.functions.conftest import Lines
from tests.functions.gateway import example
from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, World


def reindex(world: World) -> None:
    assert world.call("reindex", example("reindex", "schedule")) is None


def test_reindex_with_nothing_stale_starts_nothing(world: World, sample_document: str) -> None:
    reindex(world)
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == []


def test_reindex_after_changed_settings_processes_again_while_the_old_is_served(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    reindex(world)
    assert api_client.search(collection, "paid leave")[0]["version"] == 1
    world.settle()
    assert api_client.get(f"/documents/{sample_document}").json["version"] == 2
    assert api_client.search(collection, "paid leave")[0]["version"] == 2
    reindex(world)
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == []


def test_reindex_leaves_what_is_on_its_way_deleted_or_failed(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    on_its_way = api_client.upload(collection, GARDEN, "garden.txt")
    gone = api_client.upload(collection, GARDEN + " again", "gone.txt")
    api_client.upload(collection, b"\xff", "broken.bin")
    world.settle()
    api_client.delete(f"/documents/{gone}")
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    api_client.post(f"/documents/{on_its_way}/versions", {})
    reindex(world)
    assert {one["document_id"] for one in world.waiting(Queue.INGEST_EXTRACT)} == {sample_document}


def test_reindex_after_an_unchanged_upload_still_finds_the_document_stale(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    world.send(api_client.post(f"/documents/{sample_document}/versions", {}).json, LEAVE)
    world.settle()
    assert world.generation(api_client, sample_document, 2).state is GenerationState.UNCHANGED
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    reindex(world)
    world.settle()
    assert api_client.get(f"/documents/{sample_document}").json["version"] == 3


def test_reindex_that_failed_is_not_tried_again_every_hour(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    world.reader.failures.append(Rejected("no longer readable", code="corrupt_file"))
    reindex(world)
    world.settle()
    assert world.generation(api_client, sample_document, 2).state is GenerationState.FAILED
    reindex(world)
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == []
    assert api_client.search(collection, "paid leave")[0]["version"] == 1


def test_reindex_visits_every_tenant_and_project(world: World, api_client: Client) -> None:
    documents = set()
    clients = [api_client, world.owner("Other")]
    second = api_client.post("/projects", {"name": "second"}).json["id"]
    clients.append(world.key(api_client, project_id=UUID(second)))
    for client in clients:
        made = client.collection()
        documents.add(client.upload(made, LEAVE))
        world.settle()
        client.patch(f"/collections/{made}", {"chunking": {"size": 20}})
    reindex(world)
    assert {one["document_id"] for one in world.waiting(Queue.INGEST_EXTRACT)} == documents


def test_reindex_starts_so_many_a_run(
    world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindexing, "PER_COLLECTION", 2)
    for number in range(5):
        world.clock.advance(1)
        api_client.upload(collection, f"# Text {number}\n\nword {number}", f"{number}.txt")
    world.settle()
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    left = [len(world.queue.waiting(Queue.INGEST_EXTRACT))]
    for _ in range(4):
        reindex(world)
        left.append(len(world.queue.waiting(Queue.INGEST_EXTRACT)))
    assert left == [0, 2, 4, 5, 5]


def test_reindex_out_of_time_stops_and_says_so(
    world: World,
    api_client: Client,
    collection: str,
    sample_document: str,
    monkeypatch: pytest.MonkeyPatch,
    log_lines: Lines,
) -> None:
    monkeypatch.setattr(reindexing, "BUDGET_SECONDS", -1.0)
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    reindex(world)
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == []
    assert "reindex.out_of_time" in [line["event"] for line in log_lines()]


def test_reindex_with_one_collection_failing_does_the_others(
    world: World,
    api_client: Client,
    collection: str,
    sample_document: str,
    monkeypatch: pytest.MonkeyPatch,
    log_lines: Lines,
) -> None:
    other = api_client.collection("Other")
    document = api_client.upload(other, LEAVE)
    world.settle()
    for one in (collection, other):
        api_client.patch(f"/collections/{one}", {"chunking": {"size": 20}})

    async def failing(scope: Any, ports: Any, found: Any, *, limit: int) -> int:
        if str(found.id) == collection:
            raise Unavailable("busy")
        return await reindex_collection(scope, ports, found, limit=limit)

    monkeypatch.setattr(reindexing, "reindex_collection", failing)
    reindex(world)
    assert {one["document_id"] for one in world.waiting(Queue.INGEST_EXTRACT)} == {document}
    assert [line["collection_id"] for line in log_lines() if line["event"] == "reindex.failed"] == [collection]


def test_reindex_without_any_tenant_ends(world: World) -> None:
    reindex(world)
