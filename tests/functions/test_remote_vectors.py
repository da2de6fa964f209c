"""A vector store outside the database: it has no read gate, no filter and forgets when it likes; answers stay right."""

from collections.abc import Iterator
from uuid import UUID

import pytest

from shared import bootstrap
from shared.domain.events import Queue
from shared.usecases.search import retrieve
from tests.functions.fakes import RemoteVectors
from tests.functions.texts import GARDEN, LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World


@pytest.fixture
def remote(world: World) -> Iterator[RemoteVectors]:
    vectors = RemoteVectors()
    with bootstrap.override(remote_vectors=vectors):
        yield vectors


@pytest.fixture
def document(remote: RemoteVectors, world: World, api_client: Client, collection: str) -> str:
    made = api_client.upload(collection, LEAVE, tags=["hr"])
    world.settle()
    return made


def test_search_finds_by_vector(remote: RemoteVectors, api_client: Client, collection: str, document: str) -> None:
    hits = api_client.search(collection, "days of paid leave", mode="vector")
    assert "thirty days" in hits[0]["text"]
    assert len(remote.kept) == len(api_client.get(f"/documents/{document}/chunks").json)


def test_deleted_document_is_not_found_though_its_vectors_are_still_there(
    remote: RemoteVectors, world: World, api_client: Client, collection: str, document: str
) -> None:
    remote.forgetful = True
    api_client.delete(f"/documents/{document}")
    world.settle()
    assert remote.kept
    assert api_client.search(collection, "paid leave", mode="vector") == []
    receipt = api_client.get(f"/documents/{document}/receipt").json
    assert (receipt["complete"], receipt["remaining"]["vectors"]) == (False, len(remote.kept))
    remote.forgetful = False
    world.sweep()
    assert remote.kept == {}
    assert api_client.get(f"/documents/{document}/receipt").json["complete"]


def test_older_generation_is_not_found_though_its_vectors_are_still_there(
    remote: RemoteVectors, world: World, api_client: Client, collection: str, document: str
) -> None:
    remote.forgetful = True
    world.send(api_client.post(f"/documents/{document}/versions", {}).json, LEAVE_CHANGED)
    world.settle()
    assert {id.generation for _, id in remote.kept} == {1, 2}
    hits = api_client.search(collection, "days of paid leave", mode="vector", limit=100)
    assert {hit["version"] for hit in hits} == {2}
    assert len(hits) == len(api_client.get(f"/documents/{document}/chunks").json)


def test_half_written_generation_is_not_found(
    remote: RemoteVectors, world: World, api_client: Client, collection: str, document: str
) -> None:
    world.send(api_client.post(f"/documents/{document}/versions", {}).json, LEAVE_CHANGED)
    world.notify()
    for queue in (Queue.INGEST_EXTRACT, Queue.INGEST_CHUNK, Queue.INGEST_EMBED):
        world.deliver(queue)
        world.notify()
    assert {id.generation for _, id in remote.kept} == {1, 2}
    assert {hit["version"] for hit in api_client.search(collection, "days of paid leave", limit=100)} == {1}


def test_filter_is_told_to_it_as_documents(
    remote: RemoteVectors, world: World, api_client: Client, collection: str, document: str
) -> None:
    api_client.upload(collection, GARDEN, "garden.txt")
    world.settle()
    remote.asked.clear()
    hits = api_client.search(
        collection, "leave and tomatoes", mode="vector", filter={"field": "tags", "op": "contains", "value": "hr"}
    )
    assert {hit["document_id"] for hit in hits} == {document}
    assert remote.asked == [[UUID(document)]]
    nothing = {"field": "tags", "op": "contains", "value": "nobody"}
    assert api_client.search(collection, "leave", mode="vector", filter=nothing) == []
    assert remote.asked[-1] == []


def test_filter_that_matches_too_many_is_refused_but_by_keyword(
    remote: RemoteVectors,
    world: World,
    api_client: Client,
    collection: str,
    document: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    api_client.upload(collection, GARDEN, "garden.txt")
    world.settle()
    monkeypatch.setattr(retrieve, "MAX_FILTERED_DOCUMENTS", 1)
    everything = {"field": "name", "op": "contains", "value": "."}
    body = {"query": "leave", "collection_ids": [collection], "filter": everything}
    answer = api_client.post("/search", body)
    assert (answer.status, answer.code) == (409, "filter_too_broad")
    assert api_client.search(collection, "leave", mode="keyword", filter=everything)


def test_store_is_asked_for_more_until_enough_may_be_read(
    remote: RemoteVectors, world: World, api_client: Client, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrieve, "LEG_DEPTH", 2)
    for number in range(5):
        kept = api_client.upload(collection, LEAVE, f"{number}.txt")
        assert api_client.put(f"/documents/{kept}/access-list", {"readers": []}).status == 200
    mine = api_client.upload(collection, GARDEN, "garden.txt")
    world.settle()
    hits = api_client.search(collection, "days of paid leave", mode="vector")
    assert {hit["document_id"] for hit in hits} == {mine}
    assert len(remote.asked) > 1
