"""Ingestion runs: opened, filled, watched, closed; what they count and what they tell."""

import hashlib
from typing import Any

import pytest

from shared.domain.documents import GenerationState
from shared.domain.errors import Rejected
from shared.domain.events import Queue
from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.texts import GARDEN, LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World

EXPECTED = {"create": 201, "cancel": 202, "retry": 202}
NOBODY = "00000000-0000-7000-8000-000000000001"


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def run_of(client: Client, ingestion: str) -> dict[str, Any]:
    answer = client.get(f"/ingestions/{ingestion}")
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.json
    return found


def kinds(client: Client, ingestion: str) -> list[str]:
    return [one["kind"] for one in client.get(f"/ingestions/{ingestion}/events", limit="200").json["items"]]


@pytest.fixture
def ingestion(api_client: Client, collection: str) -> str:
    """An open run."""
    return api_client.ingestion(collection)


@pytest.mark.parametrize("case", cases("ingestions"))
def test_ingestions_with_example_answers(case: str, world: World) -> None:
    seed(world)
    answer = Answer.of(world.call("ingestions", example("ingestions", case)))
    assert answer.status == EXPECTED.get(case, 200), answer.body


def test_create_opens_a_run_and_tells_so(api_client: Client, collection: str) -> None:
    answer = api_client.post("/ingestions", {"name": " July ", "collection_id": collection, "expected": 2})
    assert answer.status == 201
    assert (answer.json["name"], answer.json["status"], answer.json["expected"]) == ("July", "open", 2)
    found = run_of(api_client, answer.json["id"])
    assert found["progress"]["documents"] == found["progress"]["fraction"] == 0
    assert kinds(api_client, answer.json["id"]) == ["ingestion.started"]


@pytest.mark.parametrize("changes", [{"name": ""}, {"name": "a\nb"}, {"expected": 0}, {"expected": 2**31}])
def test_create_with_bad_field_is_refused(changes: dict[str, Any], api_client: Client, collection: str) -> None:
    body = {"name": "July", "collection_id": collection, **changes}
    assert api_client.post("/ingestions", body).status == 422


def test_create_in_unknown_collection_is_not_found(api_client: Client) -> None:
    answer = api_client.post("/ingestions", {"name": "July", "collection_id": NOBODY})
    assert (answer.status, answer.code) == (404, "collection_not_found")


def test_run_from_start_to_completion(world: World, api_client: Client, collection: str, ingestion: str) -> None:
    first = api_client.upload(collection, LEAVE, "leave.txt", ingestion_id=ingestion)
    second = api_client.upload(collection, b"\xff\xfe\x00", "photo.bin", ingestion_id=ingestion)
    found = run_of(api_client, ingestion)
    assert found["progress"]["states"] == {"awaiting_upload": 2}
    assert (found["progress"]["documents"], found["progress"]["finished"]) == (2, 0)
    world.settle()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["finished"], found["progress"]["fraction"]) == ("open", 2, 1)
    assert found["progress"]["states"] == {"committed": 1, "failed": 1}
    world.clock.advance(5)
    closed = api_client.post(f"/ingestions/{ingestion}/close").json
    assert closed["status"] == "completed"
    assert closed["completed_at"] == closed["closed_at"]
    (error,) = closed["progress"]["errors"]
    assert (error["code"], error["documents"]) == ("unsupported_type", 1)
    shown = {"document_id": second, "name": "photo.bin", "version": 1, "detail": "the file is no text"}
    assert error["examples"] == [shown]
    events = api_client.get(f"/ingestions/{ingestion}/events").json["items"]
    assert [one["number"] for one in events] == [1, 2, 3, 4, 5]
    assert kinds(api_client, ingestion) == [
        "ingestion.started",
        *("document.failed", "document.indexed"),
        *("ingestion.closed", "ingestion.completed"),
    ]
    assert (events[1]["document_id"], events[1]["data"]["code"]) == (second, "unsupported_type")
    assert (events[2]["document_id"], events[2]["version"], events[2]["data"]["name"]) == (first, 1, "leave.txt")
    assert world.measured("ingestions_completed") == [1]


def test_run_says_what_it_cost(world: World, api_client: Client, collection: str, ingestion: str) -> None:
    api_client.upload(collection, LEAVE, "a.txt", ingestion_id=ingestion)
    world.settle()
    once = run_of(api_client, ingestion)["progress"]["cost"]
    paid = sum(world.measured("model_tokens"))
    assert once["tokens"] == paid > 0
    assert once["embedded"] == once["chunks"] == len(world.embedder.documents_embedded) > 0
    api_client.upload(collection, LEAVE, "a.txt", ingestion_id=ingestion)
    world.settle()
    twice = run_of(api_client, ingestion)["progress"]["cost"]
    assert (twice["tokens"], twice["embedded"], twice["reused"]) == (paid, once["embedded"], once["chunks"])
    assert twice["characters"] == 2 * len(LEAVE)


def test_run_with_expected_count_closes_and_completes_by_itself(
    world: World, api_client: Client, collection: str
) -> None:
    ingestion = api_client.ingestion(collection, expected=2)
    api_client.upload(collection, LEAVE, "a.txt", ingestion_id=ingestion)
    world.settle()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["fraction"]) == ("open", 0.5)
    api_client.upload(collection, GARDEN, "b.txt", ingestion_id=ingestion)
    assert run_of(api_client, ingestion)["status"] == "running"
    world.settle()
    assert run_of(api_client, ingestion)["status"] == "completed"
    assert kinds(api_client, ingestion) == [
        *("ingestion.started", "document.indexed", "ingestion.closed"),
        *("document.indexed", "ingestion.completed"),
    ]


def test_announce_again_for_an_unused_slot_counts_once(api_client: Client, collection: str) -> None:
    ingestion = api_client.ingestion(collection, expected=1)
    first = api_client.slot(collection, path="a.txt", ingestion_id=ingestion)
    again = api_client.slot(collection, path="a.txt", ingestion_id=ingestion)
    assert again["version"] == first["version"]
    assert run_of(api_client, ingestion)["progress"]["documents"] == 1


def test_unused_slot_of_another_run_stays_in_it(world: World, api_client: Client, collection: str) -> None:
    first, second = api_client.ingestion(collection), api_client.ingestion(collection)
    document = api_client.slot(collection, path="a.txt", ingestion_id=first)["document"]["id"]
    slot = api_client.slot(collection, path="a.txt", ingestion_id=second)
    assert slot["version"] == 2
    world.send(slot, LEAVE)
    world.settle()
    assert run_of(api_client, second)["progress"]["states"] == {"committed": 1}
    # Nothing came for the older one, and something newer is served by now: it ends, so its run can complete.
    world.clock.advance(3600)
    world.sweep()
    assert api_client.post(f"/ingestions/{first}/close").json["status"] == "completed"
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_closed_run_takes_no_more_documents(api_client: Client, collection: str, ingestion: str) -> None:
    api_client.post(f"/ingestions/{ingestion}/close")
    answer = api_client.post("/documents", {"collection_id": collection, "name": "late.txt", "ingestion_id": ingestion})
    assert (answer.status, answer.code) == (409, "ingestion_closed")
    assert api_client.get("/documents").json["items"] == []
    again = api_client.post(f"/ingestions/{ingestion}/close").json
    assert kinds(api_client, ingestion) == ["ingestion.started", "ingestion.closed", "ingestion.completed"]
    assert again["last_event"] == 3


def test_announce_in_unknown_run_is_not_found(api_client: Client, collection: str) -> None:
    answer = api_client.post("/documents", {"collection_id": collection, "name": "a.txt", "ingestion_id": NOBODY})
    assert (answer.status, answer.code) == (404, "ingestion_not_found")


def test_announce_in_run_of_another_collection_is_refused(api_client: Client, ingestion: str) -> None:
    other = api_client.collection("Other")
    answer = api_client.post("/documents", {"collection_id": other, "name": "a.txt", "ingestion_id": ingestion})
    assert (answer.status, answer.code) == (409, "other_collection")


def test_announce_in_run_of_another_tenant_is_not_found(world: World, ingestion: str) -> None:
    stranger = world.owner("Other")
    body = {"collection_id": stranger.collection(), "name": "a.txt", "ingestion_id": ingestion}
    assert stranger.post("/documents", body).code == "ingestion_not_found"


def test_new_version_joins_a_run(
    world: World, api_client: Client, collection: str, ingestion: str, sample_document: str
) -> None:
    slot = api_client.post(f"/documents/{sample_document}/versions", {"ingestion_id": ingestion}).json
    world.send(slot, LEAVE_CHANGED)
    world.settle()
    assert run_of(api_client, ingestion)["progress"]["states"] == {"committed": 1}
    assert api_client.get(f"/documents/{sample_document}").json["latest"]["ingestion_id"] == ingestion
    (member,) = api_client.get(f"/ingestions/{ingestion}/documents").json["items"]
    assert (member["document_id"], member["version"], member["state"]) == (sample_document, 2, "committed")


def test_file_that_is_served_already_is_unchanged_in_the_run_without_an_upload(
    api_client: Client, collection: str, ingestion: str, sample_document: str
) -> None:
    for _ in range(2):
        slot = api_client.slot(collection, path="hr/leave.txt", content_hash=sha256(LEAVE), ingestion_id=ingestion)
        assert (slot["unchanged"], slot["version"]) == (True, 1)
    found = run_of(api_client, ingestion)
    assert found["progress"]["states"] == {"unchanged": 1}
    assert kinds(api_client, ingestion) == ["ingestion.started", "document.unchanged"]
    shown = api_client.get(f"/documents/{sample_document}").json
    assert (shown["status"], shown["version"]) == ("indexed", 1)
    assert api_client.post(f"/ingestions/{ingestion}/close").json["status"] == "completed"


def test_file_that_is_served_already_outside_a_run_makes_no_version(
    api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.slot(collection, path="hr/leave.txt", content_hash=sha256(LEAVE))
    assert api_client.get(f"/documents/{sample_document}").json["latest_version"] == 1


def test_last_expected_file_that_is_unchanged_completes_the_run(
    api_client: Client, collection: str, sample_document: str
) -> None:
    ingestion = api_client.ingestion(collection, expected=1)
    api_client.slot(collection, path="hr/leave.txt", content_hash=sha256(LEAVE), ingestion_id=ingestion)
    assert run_of(api_client, ingestion)["status"] == "completed"
    assert kinds(api_client, ingestion)[1:] == ["ingestion.closed", "document.unchanged", "ingestion.completed"]


def test_documents_of_a_run_by_state_and_page(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    made = [api_client.upload(collection, f"# {n}\n\nText {n}.", f"{n}.txt", ingestion_id=ingestion) for n in range(3)]
    broken = api_client.upload(collection, b"\xff", "broken.bin", path="x/broken.bin", ingestion_id=ingestion)
    world.settle()
    first = api_client.get(f"/ingestions/{ingestion}/documents", limit="3").json
    assert [one["document_id"] for one in first["items"]] == made
    second = api_client.get(f"/ingestions/{ingestion}/documents", limit="3", cursor=first["next"]).json
    assert ([one["document_id"] for one in second["items"]], second["next"]) == ([broken], None)
    failed = api_client.get(f"/ingestions/{ingestion}/documents", state="failed").json["items"]
    assert [(one["document_id"], one["code"], one["path"]) for one in failed] == [
        (broken, "unsupported_type", "x/broken.bin")
    ]
    wrong = api_client.get(f"/ingestions/{ingestion}/documents", state="failed", cursor=first["next"])
    assert wrong.code == "invalid_cursor"


def test_deleted_document_ends_in_its_run(world: World, api_client: Client, collection: str, ingestion: str) -> None:
    document = api_client.upload(collection, LEAVE, ingestion_id=ingestion)
    world.notify()
    api_client.post(f"/ingestions/{ingestion}/close")
    api_client.delete(f"/documents/{document}")
    world.settle()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["states"]) == ("completed", {"superseded": 1})
    assert kinds(api_client, ingestion)[-2:] == ["document.superseded", "ingestion.completed"]


def test_upload_that_never_came_ends_its_run(world: World, api_client: Client, collection: str) -> None:
    ingestion = api_client.ingestion(collection, expected=1)
    api_client.slot(collection, ingestion_id=ingestion)
    world.clock.advance(1300)
    world.sweep()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["errors"][0]["code"]) == ("completed", "upload_never_arrived")


def test_every_message_delivered_twice_tells_each_end_once(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    api_client.upload(collection, LEAVE, ingestion_id=ingestion)
    api_client.post(f"/ingestions/{ingestion}/close")
    bodies = list(world.blobs.notifications)
    world.notify(bodies)
    world.notify(bodies)
    for queue in (Queue.INGEST_EXTRACT, Queue.INGEST_CHUNK, Queue.INGEST_EMBED, Queue.INGEST_PUBLISH):
        again = [queued.message for queued in world.queue.receive(queue)]
        for message in again:
            event = {"Records": [{"messageId": "again", "body": message.body, "attributes": {}}]}
            world.call(queue.value, event)
            world.call(queue.value, event)
        bodies, world.blobs.notifications = world.blobs.notifications, []
        world.notify(bodies)
        world.notify(bodies)
    assert kinds(api_client, ingestion) == [
        *("ingestion.started", "ingestion.closed"),
        *("document.indexed", "ingestion.completed"),
    ]


def test_second_upload_through_one_form_is_not_of_the_run(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    slot = api_client.slot(collection, ingestion_id=ingestion)
    world.send(slot, LEAVE)
    world.settle()
    api_client.post(f"/ingestions/{ingestion}/close")
    world.clock.advance(1)
    world.send(slot, LEAVE_CHANGED)
    world.settle()
    assert run_of(api_client, ingestion)["progress"]["documents"] == 1
    assert kinds(api_client, ingestion)[-1] == "ingestion.completed"
    assert api_client.search(collection, "thirty-one days")


def test_document_in_no_run_touches_none(
    world: World, api_client: Client, collection: str, ingestion: str, sample_document: str
) -> None:
    assert run_of(api_client, ingestion)["last_event"] == 1
    assert world.generation(api_client, sample_document).ingestion_id is None


def test_rejected_by_the_provider_fails_in_the_run(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    async def refuse() -> None:
        raise Rejected("the text is too long for the model", code="too_long")

    document = api_client.upload(collection, LEAVE, ingestion_id=ingestion)
    world.embedder.during_embed = refuse
    world.settle()
    assert world.generation(api_client, document).state is GenerationState.FAILED
    assert run_of(api_client, ingestion)["progress"]["errors"][0]["code"] == "too_long"
