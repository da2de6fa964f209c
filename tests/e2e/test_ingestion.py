"""A file goes into a bucket, a cited answer comes out: through API Gateway, S3 events, queues and processes."""

import time
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import Cloud

DEADLINE = 240.0
"""Seconds to wait at most; nothing is asserted about how long it takes."""


def settled(cloud: Cloud, collection: str, expected: int) -> list[dict[str, object]]:
    """Wait until every document has ended; returns them."""
    until = time.monotonic() + DEADLINE
    documents: list[dict[str, object]] = []
    while time.monotonic() < until:
        documents = cloud.documents(collection)
        if len(documents) == expected and all(one["status"] in ("indexed", "failed") for one in documents):
            return documents
        time.sleep(0.5)
    raise AssertionError(f"not settled: {Counter(str(one['status']) for one in documents)} of {expected}")


def test_pipeline_files_of_several_formats_end_indexed_and_answer_questions(
    running: Cloud, sample_files: dict[str, bytes]
) -> None:
    collection = running.collection("formats")
    ids = {name: running.upload(collection, name, body) for name, body in sample_files.items()}
    documents = settled(running, collection, len(ids))
    assert {one["status"] for one in documents} == {"indexed"}, documents

    hits = running.api.post(
        "/search", json={"query": "When does the ferry cross?", "collection_ids": [collection]}
    ).json()["hits"]
    assert hits[0]["document_id"] == ids["page.html"]
    text = running.api.get(
        f"/documents/{ids['page.html']}/text", params={"start": hits[0]["start"], "end": hits[0]["end"]}
    ).json()
    assert text["text"] == hits[0]["text"]

    chat = running.api.post("/chats", json={"collection_ids": [collection]}).json()["id"]
    answer = running.api.post(f"/chats/{chat}/messages", json={"question": "When does the ferry cross?"}).json()[
        "answer"
    ]
    assert answer["found"]
    assert "noon" in answer["content"]
    citation = answer["citations"][0]
    quoted = running.api.get(
        f"/documents/{citation['document_id']}/text", params={"start": citation["start"], "end": citation["end"]}
    )
    assert quoted.json()["text"] == citation["quote"]


def test_stream_a_question_arrives_as_events_ending_with_the_checked_answer(running: Cloud) -> None:
    collection = running.collection("streamed")
    running.upload(collection, "tide.txt", b"The tide turns at seven in the evening at the old harbour.")
    settled(running, collection, 1)
    chat = running.api.post("/chats", json={"collection_ids": [collection]}).json()["id"]
    names = []
    with running.api.stream(
        "POST", f"/streams/chats/{chat}/messages", json={"question": "When does the tide turn?"}
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        names = [line.removeprefix("event: ") for line in response.iter_lines() if line.startswith("event: ")]
    assert names[0] == "sources"
    assert "delta" in names
    assert names[-1] == "answer"


def test_delete_an_indexed_document_is_gone_from_answers_at_once_and_from_every_store_soon(running: Cloud) -> None:
    collection = running.collection("deleted")
    kept = running.upload(collection, "kept.txt", b"Anchors are made of iron.")
    gone = running.upload(collection, "gone.txt", b"Anchors are made of gold, says nobody.")
    settled(running, collection, 2)
    receipt = running.api.delete(f"/documents/{gone}")
    assert receipt.status_code == 202
    hits = running.api.post(
        "/search", json={"query": "what are anchors made of", "collection_ids": [collection]}
    ).json()["hits"]
    assert {hit["document_id"] for hit in hits} == {kept}
    until = time.monotonic() + DEADLINE
    proof: dict[str, Any] = {"complete": False}
    while not proof["complete"] and time.monotonic() < until:
        time.sleep(0.3)
        proof = running.api.get(f"/documents/{gone}/receipt").json()
    assert proof["complete"]
    assert not any(proof["remaining"].values())
    assert proof["removed"]["chunks"] == 1
    assert running.api.get(f"/documents/{gone}").status_code == 404


def test_upload_again_same_path_makes_a_new_version_and_reuses_what_did_not_change(running: Cloud) -> None:
    collection = running.collection("versions")
    first = running.upload(collection, "log.md", b"# One\n\nThe first watch is calm.\n", path="log.md")
    settled(running, collection, 1)
    second = running.upload(
        collection,
        "log.md",
        b"# One\n\nThe first watch is calm.\n\n# Two\n\nThe second watch is stormy.\n",
        path="log.md",
    )
    assert second == first
    until = time.monotonic() + DEADLINE
    view = {"version": 1}
    while view["version"] != 2 and time.monotonic() < until:
        time.sleep(0.3)
        view = running.api.get(f"/documents/{first}").json()
    assert view["version"] == 2
    hits = running.api.post("/search", json={"query": "watch", "collection_ids": [collection]}).json()["hits"]
    assert {hit["version"] for hit in hits} == {2}


def test_api_strangers_and_wrong_ids_learn_nothing(running: Cloud) -> None:
    stranger = httpx.get(f"{running.ready.url}/api/v1/documents")
    assert stranger.status_code == 401
    assert stranger.headers["content-type"].startswith("application/problem+json")
    missing = running.api.get("/documents/00000000-0000-7000-8000-000000000000")
    assert missing.status_code == 404
    assert missing.json()["code"] == "document_not_found"
    assert httpx.get(f"{running.ready.url}/api/v1/health").json() == {"status": "healthy"}


@pytest.mark.parametrize(
    ("name", "body", "code"), [("empty.txt", b"", "empty_file"), ("fake.pdf", b"%PDF-1.7\ntruncated", "corrupt_file")]
)
def test_ingest_a_file_nobody_can_read_ends_failed_with_a_reason(
    running: Cloud, name: str, body: bytes, code: str
) -> None:
    collection = running.collection(f"bad-{name}")
    document = running.upload(collection, name, body)
    assert settled(running, collection, 1)[0]["status"] == "failed"
    latest = running.api.get(f"/documents/{document}").json()["latest"]
    assert latest["failure"]["code"] == code
    assert latest["failure"]["detail"]
