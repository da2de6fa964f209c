"""The scheduled reindex: what is stale gets an index of its own, which takes over when it is whole and no worse."""

from typing import Any
from uuid import UUID

import pytest

from shared.domain.errors import Rejected, Unavailable
from shared.domain.events import Queue
from shared.runtime import reindexing
from shared.usecases.documents import upload
from shared.usecases.reindexes import plan
from tests.functions.conftest import Lines
from tests.functions.gateway import example
from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, World


def reindex(world: World) -> None:
    """The schedule, an hour after the last round."""
    world.clock.advance(reindexing.ROUND_SECONDS)
    assert world.call("reindex", example("reindex", "schedule")) is None


def switch(world: World) -> None:
    """The schedule until nothing is left to do: begin, build, score and cut."""
    reindex(world)
    world.settle()
    reindex(world)


def stale(monkeypatch: pytest.MonkeyPatch) -> None:
    """A deployment whose reader has changed."""
    monkeypatch.setattr(upload, "READER_VERSION", "files/next")


def test_reindex_with_nothing_stale_starts_nothing(world: World, sample_document: str) -> None:
    reindex(world)
    assert world.queue.waiting(Queue.INGEST_EXTRACT) == world.queue.waiting(Queue.INGEST_CHUNK) == []


def test_reindex_after_changed_settings_cuts_over_while_the_old_is_served(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    reindex(world)
    assert api_client.search(collection, "paid leave")[0]["version"] == 1
    world.settle()
    assert api_client.search(collection, "paid leave")[0]["version"] == 1
    reindex(world)
    assert api_client.get(f"/documents/{sample_document}").json["version"] == 2
    assert api_client.search(collection, "paid leave")[0]["version"] == 2
    found = api_client.get("/reindexes", collection_id=collection).json["items"]
    assert [one["state"] for one in found] == ["live", "retired"]
    assert found[0]["reasons"] == ["chunking"]
    assert found[0]["scores"]["generated"] is True
    reindex(world)
    assert world.queue.waiting(Queue.INGEST_CHUNK) == []
    assert len(api_client.get("/reindexes", collection_id=collection).json["items"]) == 2


def test_reindex_with_the_same_reader_reads_nothing_again(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    read = world.reader.reads
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    switch(world)
    assert api_client.search(collection, "paid leave")[0]["version"] == 2
    assert world.reader.reads == read


def test_reindex_of_another_reader_reads_again(
    world: World, api_client: Client, collection: str, sample_document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = world.reader.reads
    stale(monkeypatch)
    switch(world)
    assert world.reader.reads == read + 1
    assert api_client.search(collection, "paid leave")[0]["version"] == 2


def test_reindex_leaves_out_what_is_deleted_and_waits_for_what_arrives(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    gone = api_client.upload(collection, GARDEN, "gone.txt")
    api_client.upload(collection, b"\xff", "broken.bin")
    world.settle()
    api_client.delete(f"/documents/{gone}")
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    reindex(world)
    late = api_client.upload(collection, GARDEN + " late", "late.txt")
    world.settle()
    reindex(world)
    assert api_client.search(collection, "paid leave")[0]["version"] == 1
    world.settle()
    reindex(world)
    assert {hit["document_id"] for hit in api_client.search(collection, "paid leave garden late")} == {
        sample_document,
        late,
    }
    assert api_client.get("/reindexes", collection_id=collection).json["items"][0]["state"] == "live"


def test_reindex_that_failed_is_not_tried_every_hour_and_never_cut_over(
    world: World, api_client: Client, collection: str, sample_document: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stale(monkeypatch)
    world.reader.failures.append(Rejected("the reader died", code="parser_crashed"))
    for _ in range(4):
        switch(world)
    assert world.document(api_client, sample_document).latest_generation == 2
    (index, _) = api_client.get("/reindexes", collection_id=collection).json["items"]
    progress = api_client.get(f"/reindexes/{index['id']}").json["progress"]
    assert (index["state"], progress["failed"], progress["in_step"]) == ("building", 1, 0)
    assert api_client.search(collection, "paid leave")[0]["version"] == 1
    assert api_client.get(f"/documents/{sample_document}").json["status"] == "indexed"
    assert api_client.post(f"/documents/{sample_document}/retry").status == 202
    world.settle()
    reindex(world)
    assert api_client.search(collection, "paid leave")[0]["version"] == 3


def test_reindex_that_was_given_up_is_not_begun_again(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    reindex(world)
    (index, _) = api_client.get("/reindexes", collection_id=collection).json["items"]
    assert api_client.post(f"/reindexes/{index['id']}/rollback").json["state"] == "dropping"
    switch(world)
    found = api_client.get("/reindexes", collection_id=collection).json["items"]
    assert [one["state"] for one in found] == ["dropped", "live"]


def test_reindex_that_finds_less_is_not_cut_over(
    world: World,
    api_client: Client,
    collection: str,
    sample_document: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reindexing, "no_worse", lambda scores: False)
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    switch(world)
    (index, _) = api_client.get("/reindexes", collection_id=collection).json["items"]
    assert (index["state"], "less" in index["problem"]) == ("ready", True)
    assert api_client.search(collection, "paid leave")[0]["version"] == 1
    assert api_client.post(f"/reindexes/{index['id']}/promote").json["state"] == "live"
    assert api_client.search(collection, "paid leave")[0]["version"] == 2


def test_reindex_visits_every_tenant_and_project_once_a_round(
    world: World, api_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = set()
    clients = [api_client, world.owner("Other")]
    second = api_client.post("/projects", {"name": "second"}).json["id"]
    clients.append(world.key(api_client, project_id=UUID(second)))
    for client in clients:
        documents.add(client.upload(client.collection(), LEAVE))
        world.settle()
    stale(monkeypatch)
    reindex(world)
    assert {one["document_id"] for one in world.waiting(Queue.INGEST_EXTRACT)} == documents
    made = api_client.collection("Later")
    api_client.upload(made, LEAVE)
    world.settle()
    monkeypatch.setattr(upload, "READER_VERSION", "files/newest")
    world.clock.advance(60)
    world.call("reindex", example("reindex", "schedule"))
    assert len(api_client.get("/reindexes", collection_id=made).json["items"]) == 1


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
    assert world.queue.waiting(Queue.INGEST_CHUNK) == []
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
    real = plan.plan_of

    async def failing(scope: Any, ports: Any, found: Any) -> Any:
        if str(found.id) == collection:
            raise Unavailable("busy")
        return await real(scope, ports, found)

    monkeypatch.setattr(reindexing, "plan_of", failing)
    reindex(world)
    assert {one["document_id"] for one in world.waiting(Queue.INGEST_CHUNK)} == {document}
    assert [line["collection_id"] for line in log_lines() if line["event"] == "reindex.failed"] == [collection]


def test_reindex_without_any_tenant_ends(world: World) -> None:
    reindex(world)
