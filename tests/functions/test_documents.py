"""Documents: announce, upload, look at, change, process again, delete."""

import hashlib
import json
from typing import Any

import pytest

from shared.adapters.memory.clock import START
from shared.domain.documents import GenerationState
from shared.domain.errors import Forbidden, TooLarge
from shared.domain.events import Queue
from shared.ports.blobs import Bucket
from shared.settings import settings
from tests.functions.examples import DOCUMENT, seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.texts import GARDEN, LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World

EXPECTED = {"create": 201, "process": 202, "retry": 409, "delete": 202, "text": 409}
"""The file that is to be retried is in no bucket, and there is no text yet."""


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("case", cases("documents"))
def test_documents_with_example_answers(case: str, world: World) -> None:
    seed(world, GenerationState.FAILED if case in {"process", "retry"} else GenerationState.AWAITING_UPLOAD)
    answer = Answer.of(world.call("documents", example("documents", case)))
    assert answer.status == EXPECTED.get(case, 200), answer.body


def test_create_document_gives_a_form_for_exactly_one_key(world: World, api_client: Client, collection: str) -> None:
    slot = api_client.slot(collection, "Urlaub & Reisen.pdf", media_type="application/pdf", size=10)
    document, form = slot["document"], slot["upload"]
    assert (document["status"], document["name"], slot["version"]) == ("awaiting_upload", "Urlaub & Reisen.pdf", 1)
    assert slot["unchanged"] is False
    key = f"{api_client.tenant_id}/{document['id']}/1"
    assert form["fields"]["key"] == key
    assert form["max_bytes"] == settings().max_upload_bytes
    assert form["expires_at"] == "2026-01-01T00:15:00Z"
    with pytest.raises(Forbidden):
        world.blobs.submit({**form["fields"], "key": key.replace("/1", "/2")}, b"x")
    with pytest.raises(TooLarge):
        world.blobs.submit(form["fields"], b"x" * (form["max_bytes"] + 1))
    world.clock.advance(901)
    with pytest.raises(Forbidden):
        world.blobs.submit(form["fields"], b"x")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"size": -1},
        {"media_type": "pdf"},
        {"content_hash": "abc"},
        {"content_hash": "A" * 64},
        {"tags": [""]},
        {"tags": "x"},
        {"metadata": {"a b": 1}},
        {"metadata": {"a": {"b": 1}}},
        {"metadata": {"a": "\ud800"}},
        {"metadata": []},
        {"path": "a\0b"},
        {"path": "a" * 1025},
        {"collection_id": "x"},
    ],
)
def test_create_document_with_bad_field_is_refused_and_nothing_is_made(
    changes: dict[str, Any], api_client: Client, collection: str
) -> None:
    answer = api_client.post("/documents", {"collection_id": collection, "name": "a.txt", **changes})
    assert answer.status == 422, answer.body
    assert api_client.get("/documents").json["items"] == []


def test_create_document_that_is_too_large_is_told_before_the_upload(api_client: Client, collection: str) -> None:
    body = {"collection_id": collection, "name": "a", "size": settings().max_upload_bytes + 1}
    answer = api_client.post("/documents", body)
    assert (answer.status, answer.code) == (413, "file_too_large")


def test_create_document_with_known_path_makes_a_version_of_the_same_document(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    slot = api_client.slot(collection, "renamed.txt", path="hr/leave.txt")
    assert (slot["document"]["id"], slot["version"]) == (sample_document, 2)
    assert slot["document"]["name"] == "renamed.txt"
    assert slot["document"]["tags"] == ["hr"]
    assert slot["document"]["status"] == "indexed"


def test_create_document_with_known_path_in_another_collection_is_another_document(
    api_client: Client, sample_document: str
) -> None:
    other = api_client.collection("Other")
    assert api_client.slot(other, path="hr/leave.txt")["document"]["id"] != sample_document


def test_create_document_with_hash_of_what_is_served_needs_no_upload(
    api_client: Client, collection: str, sample_document: str
) -> None:
    slot = api_client.slot(collection, path="hr/leave.txt", content_hash=sha256(LEAVE))
    assert (slot["unchanged"], slot["upload"], slot["version"]) == (True, None, 1)
    assert slot["document"]["id"] == sample_document


def test_create_document_twice_before_the_upload_gives_the_slot_again(api_client: Client, collection: str) -> None:
    first = api_client.slot(collection, path="a.txt")
    second = api_client.slot(collection, path="a.txt")
    assert (first["document"]["id"], first["version"]) == (second["document"]["id"], second["version"])


def test_list_documents_filters_and_pages(world: World, api_client: Client, collection: str) -> None:
    for number in range(3):
        world.clock.advance(1)
        api_client.slot(
            collection, f"{number}.txt", tags=["even" if number % 2 == 0 else "odd"], metadata={"n": number}
        )
    other = api_client.collection("Other")
    world.clock.advance(1)
    api_client.slot(other, "other.txt")

    def names(**query: str) -> list[str]:
        return [one["name"] for one in api_client.get("/documents", **query).json["items"]]

    assert names() == ["other.txt", "2.txt", "1.txt", "0.txt"]
    assert names(collection_id=collection) == ["2.txt", "1.txt", "0.txt"]
    assert names(status="indexed") == []
    assert names(filter=json.dumps({"field": "tags", "op": "contains", "value": "even"})) == ["2.txt", "0.txt"]
    assert names(filter=json.dumps({"field": "metadata.n", "op": "lt", "value": 2})) == ["1.txt", "0.txt"]
    page = api_client.get("/documents", collection_id=collection, limit="2").json
    assert [one["name"] for one in page["items"]] == ["2.txt", "1.txt"]
    assert names(collection_id=collection, limit="2", cursor=page["next"]) == ["0.txt"]
    assert api_client.get("/documents", limit="2", cursor=page["next"]).code == "invalid_cursor"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"filter": "{"}, "validation_failed"),
        ({"filter": "[]"}, "invalid_filter"),
        ({"filter": '{"field": "tenant_id", "op": "eq", "value": "x"}'}, "invalid_filter"),
        ({"filter": '{"field": "name", "op": ["eq"], "value": "x"}'}, "invalid_filter"),
        ({"filter": '{"field": "name", "op": "eq", "value": "a\\u0000"}'}, "invalid_filter"),
        ({"status": "lost"}, "validation_failed"),
        ({"collection_id": "x"}, "validation_failed"),
    ],
)
def test_list_documents_with_bad_query_is_refused(query: dict[str, str], code: str, api_client: Client) -> None:
    answer = api_client.get("/documents", **query)
    assert (answer.status, answer.code) == (422, code)


def test_get_document_shows_progress_of_its_latest_version(world: World, api_client: Client, collection: str) -> None:
    document = api_client.upload(collection, LEAVE)
    world.notify()
    found = api_client.get(f"/documents/{document}").json
    assert (found["status"], found["version"], found["latest_version"]) == ("processing", None, 1)
    assert (found["latest"]["state"], found["latest"]["attempts"]) == ("extracting", 0)


def test_get_document_when_indexed_tells_counts_and_timings(api_client: Client, sample_document: str) -> None:
    found = api_client.get(f"/documents/{sample_document}").json
    assert (found["version"], found["content_hash"], found["size"]) == (1, sha256(LEAVE), len(LEAVE))
    assert (found["language"], found["media_type"], found["tags"]) == ("en", "text/plain", ["hr"])
    latest = found["latest"]
    assert latest["counts"]["characters"] == len(LEAVE)
    assert latest["counts"]["chunks"] == latest["counts"]["embedded"] > 1
    assert latest["counts"]["reused"] == 0
    assert set(latest["timings"]) == {"awaiting_upload", "extracting", "chunking", "embedding", "publishing"}


def test_change_document_changes_what_is_named_and_keeps_the_rest(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    changed = api_client.patch(f"/documents/{sample_document}", {"tags": ["new", " new "]}).json
    assert (changed["tags"], changed["metadata"], changed["name"]) == (["new"], {"year": 2026}, "leave.txt")
    api_client.patch(f"/documents/{sample_document}", {"name": "renamed.txt", "metadata": {}})
    hit = api_client.search(collection, "paid leave")[0]
    assert (hit["document_name"], hit["tags"], hit["metadata"]) == ("renamed.txt", ["new"], {})


def test_text_is_the_extracted_text_in_parts(api_client: Client, sample_document: str) -> None:
    whole = api_client.get(f"/documents/{sample_document}/text").json
    assert (whole["text"], whole["characters"], whole["start"], whole["end"]) == (LEAVE, len(LEAVE), 0, len(LEAVE))
    part = api_client.get(f"/documents/{sample_document}/text", start="2", end="7").json
    assert part["text"] == LEAVE[2:7]
    assert api_client.get(f"/documents/{sample_document}/text", start="999999").json["text"] == ""
    assert api_client.get(f"/documents/{sample_document}/text", start="9", end="3").json["text"] == ""


def test_text_of_a_version_that_is_not_there_is_not_found(api_client: Client, sample_document: str) -> None:
    assert api_client.get(f"/documents/{sample_document}/text", version="7").code == "version_not_found"
    assert api_client.get(f"/documents/{sample_document}/text", version="0").status == 422
    assert api_client.get(f"/documents/{sample_document}/text", version=str(2**40)).status == 422


def test_text_of_an_unreadable_version_tells_why(world: World, api_client: Client, collection: str) -> None:
    document = api_client.upload(collection, b"\xff\xfe")
    world.settle()
    answer = api_client.get(f"/documents/{document}/text", version="1")
    assert (answer.status, answer.code) == (409, "no_text")
    assert "no text" in answer.json["detail"]


def test_text_before_it_is_indexed_is_a_conflict(api_client: Client, collection: str) -> None:
    document = api_client.slot(collection)["document"]["id"]
    for part in ("text", "chunks"):
        assert api_client.get(f"/documents/{document}/{part}").code == "not_indexed"


def test_chunks_are_spans_of_the_text_in_order(api_client: Client, sample_document: str) -> None:
    chunks = api_client.get(f"/documents/{sample_document}/chunks").json
    assert [one["ordinal"] for one in chunks] == list(range(len(chunks)))
    assert all(one["text"] == LEAVE[one["start"] : one["end"]] for one in chunks)
    assert all(one["id"] == f"{sample_document}:1:{one['ordinal']}" for one in chunks)
    assert api_client.get(f"/documents/{sample_document}/chunks", first="1", limit="1").json == chunks[1:2]
    assert api_client.get(f"/documents/{sample_document}/chunks", first="999").json == []


def test_content_is_a_link_to_the_served_version(world: World, api_client: Client, sample_document: str) -> None:
    link = api_client.get(f"/documents/{sample_document}/content").json
    assert link["expires_in"] == 300
    version = world.document(api_client, sample_document)
    assert f"/{sample_document}/1?" in link["url"]
    assert version.committed_generation == 1


def test_content_before_the_upload_is_a_conflict(api_client: Client, collection: str) -> None:
    document = api_client.slot(collection)["document"]["id"]
    assert api_client.get(f"/documents/{document}/content").code == "not_uploaded"


def test_create_version_serves_the_old_until_the_new_is_indexed(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    slot = api_client.post(f"/documents/{sample_document}/versions", {}).json
    assert slot["version"] == 2
    world.send(slot, LEAVE_CHANGED)
    world.notify()
    assert "thirty days" in api_client.search(collection, "days of paid leave")[0]["text"]
    world.settle()
    found = api_client.get(f"/documents/{sample_document}").json
    assert (found["version"], found["content_hash"]) == (2, sha256(LEAVE_CHANGED))
    hits = api_client.search(collection, "days of paid leave")
    assert "thirty-one days" in hits[0]["text"]
    assert {hit["version"] for hit in hits} == {2}


def test_process_with_changed_settings_makes_a_new_version_from_the_same_file(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    before = api_client.get(f"/documents/{sample_document}/chunks").json
    api_client.patch(f"/collections/{collection}", {"chunking": {"size": 20}})
    started = api_client.post(f"/documents/{sample_document}/process")
    assert (started.status, started.json["version"], started.json["state"]) == (202, 2, "extracting")
    world.settle()
    assert api_client.get(f"/documents/{sample_document}").json["version"] == 2
    assert len(api_client.get(f"/documents/{sample_document}/chunks").json) > len(before)


def test_process_before_the_upload_is_a_conflict(api_client: Client, collection: str) -> None:
    document = api_client.slot(collection)["document"]["id"]
    assert api_client.post(f"/documents/{document}/process").code == "still_processing"


def test_process_while_it_is_processed_is_a_conflict(world: World, api_client: Client, sample_document: str) -> None:
    assert api_client.post(f"/documents/{sample_document}/process").status == 202
    assert api_client.post(f"/documents/{sample_document}/process").code == "still_processing"
    assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == 1


def test_process_after_the_upload_never_arrived_is_a_conflict(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.slot(collection)["document"]["id"]
    world.clock.advance(1201)
    world.sweep()
    assert api_client.get(f"/documents/{document}").json["status"] == "failed"
    assert api_client.post(f"/documents/{document}/process").code == "not_uploaded"


def test_why_tells_each_stop_of_the_way(world: World, api_client: Client, collection: str) -> None:
    def summary() -> str:
        return str(api_client.get(f"/documents/{document}/why").json["summary"])

    document = api_client.slot(collection)["document"]["id"]
    assert summary().startswith("waiting for its file to be uploaded")
    world.send(api_client.post(f"/documents/{document}/versions", {}).json, LEAVE)
    stops = []
    world.notify()
    for queue in (Queue.INGEST_EXTRACT, None, Queue.INGEST_CHUNK, Queue.INGEST_EMBED, Queue.INGEST_PUBLISH):
        stops.append(summary().partition(" for ")[0])
        world.notify() if queue is None else world.deliver(queue)
    assert stops == ["being read", "being read", "being cut into chunks", "being embedded", "being published"]
    assert summary().startswith("indexed: version 1 is searchable with")


def test_delete_document_hides_it_at_once_and_the_sweep_proves_it(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    deleted = api_client.delete(f"/documents/{sample_document}")
    assert (deleted.status, deleted.json["complete"], deleted.json["completed_at"]) == (202, False, None)
    assert api_client.search(collection, "paid leave") == []
    for path in ("", "/text", "/chunks", "/content"):
        assert api_client.get(f"/documents/{sample_document}{path}").status == 404
    for method, path in (("PATCH", ""), ("POST", "/versions"), ("POST", "/process")):
        assert (
            api_client(
                method, f"/documents/{sample_document}{path}", {} if method == "PATCH" or path == "/versions" else None
            ).status
            == 404
        )
    assert api_client.get("/documents").json["items"] == []
    assert "no longer searchable" in api_client.get(f"/documents/{sample_document}/why").json["summary"]
    world.settle()
    receipt = api_client.get(f"/documents/{sample_document}/receipt").json
    assert receipt["complete"] is True
    assert receipt["remaining"] == dict.fromkeys(
        ("chunks", "keywords", "vectors", "cache", "citations", "answers", "uploads", "work"), 0
    )
    assert receipt["removed"]["chunks"] == receipt["removed"]["vectors"] > 1
    assert (receipt["removed"]["uploads"], receipt["removed"]["work"]) == (1, 1)
    assert receipt["requested_by"].startswith("api_key:")
    assert world.blobs.keys(Bucket.UPLOADS) == world.blobs.keys(Bucket.WORK) == []
    assert "nothing is left in any store" in api_client.get(f"/documents/{sample_document}/why").json["summary"]


def test_delete_document_twice_gives_the_same_receipt(world: World, api_client: Client, sample_document: str) -> None:
    first = api_client.delete(f"/documents/{sample_document}").json
    world.settle()
    second = api_client.delete(f"/documents/{sample_document}").json
    assert second["id"] == first["id"]
    assert second["complete"] is True


def test_receipt_of_a_living_document_is_not_found(api_client: Client, sample_document: str) -> None:
    assert api_client.get(f"/documents/{sample_document}/receipt").code == "receipt_not_found"


def test_deleted_path_may_be_used_again_by_another_document(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    api_client.delete(f"/documents/{sample_document}")
    again = api_client.upload(collection, GARDEN, path="hr/leave.txt")
    world.settle()
    assert again != sample_document
    assert {hit["document_id"] for hit in api_client.search(collection, "tomatoes sun leave")} == {again}


def test_same_content_in_two_documents_is_told(
    world: World, api_client: Client, collection: str, sample_document: str
) -> None:
    copy = api_client.upload(collection, LEAVE, "copy.txt")
    world.settle()
    assert api_client.get(f"/documents/{copy}").json["duplicate_of"] == sample_document
    assert api_client.get(f"/documents/{sample_document}").json["duplicate_of"] is None


def test_example_document_has_the_key_of_the_example_upload(world: World) -> None:
    client = seed(world)
    slot = client.post(f"/documents/{DOCUMENT}/versions", {}).json
    assert slot["upload"]["fields"]["key"] == f"{client.tenant_id}/{DOCUMENT}/1"
    assert slot["document"]["created_at"].startswith(START.date().isoformat())
