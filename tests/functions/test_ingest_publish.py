"""Publishing: compare-and-set, whole or not at all."""

import pytest

from shared.domain.documents import GenerationState
from shared.domain.events import Queue
from tests.functions.examples import DOCUMENT, outcome, seed
from tests.functions.gateway import cases, example, records
from tests.functions.texts import GARDEN, LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World


def embedded(world: World, client: Client, collection: str, text: str = LEAVE) -> str:
    document = client.upload(collection, text)
    ready(world)
    return document


def ready(world: World) -> None:
    """Bring everything up to publishing."""
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    world.deliver(Queue.INGEST_CHUNK)
    world.deliver(Queue.INGEST_EMBED)


@pytest.mark.parametrize("case", cases("ingest_publish"))
def test_publish_with_example_commits_the_document(case: str, world: World) -> None:
    client = seed(world, GenerationState.PUBLISHING)
    for _ in range(2):
        assert outcome(world.call("ingest_publish", example("ingest_publish", case))) == 0
        assert world.document(client, str(DOCUMENT)).committed_generation == 1
    assert world.measured("documents_indexed") == [1.0]


def test_publish_makes_it_searchable_and_not_before(world: World, api_client: Client, collection: str) -> None:
    document = embedded(world, api_client, collection)
    assert api_client.search(collection, "paid leave") == []
    assert world.deliver(Queue.INGEST_PUBLISH) == []
    assert {hit["document_id"] for hit in api_client.search(collection, "paid leave")} == {document}
    assert world.measured("document_ms") == [0.0]


def test_publish_message_delivered_twice_counts_its_words_once(
    world: World, api_client: Client, collection: str
) -> None:
    embedded(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_PUBLISH)]
    world.call("ingest_publish", records([message], "ingest_publish"))
    scores = [hit["keyword_score"] for hit in api_client.search(collection, "laptop", mode="keyword")]
    world.call("ingest_publish", records([message, message], "ingest_publish"))
    assert [hit["keyword_score"] for hit in api_client.search(collection, "laptop", mode="keyword")] == scores


def test_publish_older_generation_after_a_newer_loses_and_is_swept(
    world: World, api_client: Client, collection: str
) -> None:
    document = embedded(world, api_client, collection)
    (older,) = [one.body for one in world.queue.waiting(Queue.INGEST_PUBLISH)]
    world.send(api_client.post(f"/documents/{document}/versions", {}).json, LEAVE_CHANGED)
    ready(world)
    _, newer = [one.body for one in world.queue.waiting(Queue.INGEST_PUBLISH)]
    world.call("ingest_publish", records([newer], "ingest_publish"))
    world.call("ingest_publish", records([older], "ingest_publish"))
    assert world.generation(api_client, document, 1).state is GenerationState.SUPERSEDED
    found = api_client.get(f"/documents/{document}").json
    assert (found["version"], found["status"]) == (2, "indexed")
    world.settle()
    hits = api_client.search(collection, "days of paid leave")
    assert {hit["version"] for hit in hits} == {2}


def test_publish_earlier_generation_while_a_later_one_is_on_its_way_is_served_meanwhile(
    world: World, api_client: Client, collection: str
) -> None:
    document = embedded(world, api_client, collection)
    world.send(api_client.post(f"/documents/{document}/versions", {}).json, LEAVE_CHANGED)
    world.notify()
    world.deliver(Queue.INGEST_PUBLISH)
    found = api_client.get(f"/documents/{document}").json
    assert (found["version"], found["latest_version"], found["status"]) == (1, 2, "indexed")
    assert (found["language"], found["size"]) == ("en", len(LEAVE))
    world.settle()
    assert api_client.get(f"/documents/{document}").json["version"] == 2


def test_publish_of_deleted_document_never_becomes_searchable(
    world: World, api_client: Client, collection: str
) -> None:
    document = embedded(world, api_client, collection)
    api_client.delete(f"/documents/{document}")
    assert world.deliver(Queue.INGEST_PUBLISH) == []
    assert world.generation(api_client, document).state is GenerationState.SUPERSEDED
    assert api_client.search(collection, "paid leave") == []
    world.settle()
    assert api_client.get(f"/documents/{document}/receipt").json["complete"]


def test_publish_into_deleted_collection_never_becomes_searchable(
    world: World, api_client: Client, collection: str
) -> None:
    document = embedded(world, api_client, collection)
    api_client.delete(f"/collections/{collection}")
    assert world.deliver(Queue.INGEST_PUBLISH) == []
    assert world.generation(api_client, document).state is GenerationState.SUPERSEDED


def test_publish_new_version_has_the_old_one_swept(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    world.send(api_client.post(f"/documents/{sample_document}/versions", {}).json, GARDEN)
    ready(world)
    world.deliver(Queue.INGEST_PUBLISH)
    assert len(world.queue.waiting(Queue.SWEEP)) == 1
    assert api_client.search(collection, "laptop", mode="keyword") == []
    world.settle()
    chunks = api_client.get(f"/collections/{collection}").json["chunks"]
    assert chunks == len(api_client.get(f"/documents/{sample_document}/chunks").json)


def test_publish_with_one_malformed_record_does_the_others(world: World, api_client: Client, collection: str) -> None:
    document = embedded(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_PUBLISH)]
    assert outcome(world.call("ingest_publish", records(["{}", message], "ingest_publish"))) == 1
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_publish_counts_its_time_and_age_once(world: World, api_client: Client, collection: str) -> None:
    embedded(world, api_client, collection)
    (message,) = [one.body for one in world.queue.waiting(Queue.INGEST_PUBLISH)]
    world.clock.advance(7)
    # Delivered twice: the second finds nothing to do, and would only make steps look quick.
    for _ in range(2):
        world.call("ingest_publish", records([message], "ingest_publish"))
    mine = {"stage": "ingest_publish"}
    counted = [(one.name, one.value) for one in world.meter.written if one.dimensions == mine]
    assert sorted(counted) == [("stage_age_ms", 7_000.0), ("stage_ms", 0.0)]
