"""S3 events of texts that were extracted; twice, early, for things long gone."""

import json

import pytest

from shared.domain.documents import GenerationState, extracted_key
from shared.domain.events import Queue
from shared.ports.blobs import Bucket
from shared.runtime.invocation import run
from tests.functions.examples import DOCUMENT, outcome, seed
from tests.functions.gateway import cases, example, records
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World


@pytest.mark.parametrize("case", cases("ingest_collect"))
def test_collect_with_example_has_the_text_cut(case: str, world: World) -> None:
    client = seed(world, GenerationState.EXTRACTING)
    assert outcome(world.call("ingest_collect", example("ingest_collect", case))) == 0
    assert world.generation(client, str(DOCUMENT)).state is GenerationState.CHUNKING
    assert len(world.queue.waiting(Queue.INGEST_CHUNK)) == 1


def test_collect_text_twice_chunks_once(world: World, api_client: Client, collection: str) -> None:
    api_client.upload(collection, LEAVE)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    (body,) = world.blobs.notifications
    world.notify([body, body])
    assert len(world.queue.waiting(Queue.INGEST_CHUNK)) == 1


def test_collect_text_before_its_upload_event_waits_for_nothing(
    world: World, api_client: Client, collection: str
) -> None:
    # Text of a generation that is not being read: nothing is moved, and nothing fails.
    document = api_client.slot(collection)["document"]["id"]
    key = extracted_key(api_client.tenant_id, world.document(api_client, document).id, 1)
    run(world.blobs.put(Bucket.WORK, key, b"{}", content_type="application/json"))
    assert world.notify() == []
    assert world.generation(api_client, document).state is GenerationState.AWAITING_UPLOAD


def test_collect_one_malformed_notification_reports_it_alone(world: World, api_client: Client, collection: str) -> None:
    api_client.upload(collection, LEAVE)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    (good,) = world.blobs.notifications
    answer = world.call("ingest_collect", records([json.dumps({"Records": [{}]}), good], "IngestCollectQueue"))
    assert outcome(answer) == 1
    assert len(world.queue.waiting(Queue.INGEST_CHUNK)) == 1
