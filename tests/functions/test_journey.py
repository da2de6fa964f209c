"""Whole journeys through every function, and what holds for all of them: logs, metrics, secrets."""

import json
from typing import Any

import pytest

from shared import bootstrap
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.powertools.meter import PowertoolsMeter
from tests.functions.conftest import Lines
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World

PAGE = b"""<html lang="en"><head><title>Staff handbook</title></head><body><h1>Leave</h1>
<p>Every employee has thirty days of paid leave a year.</p><h2>Requests</h2>
<p>Leave is requested in the portal two weeks ahead.</p></body></html>"""


def walk(world: World, client: Client, content: bytes, name: str) -> dict[str, Any]:
    """Upload, search, ask, delete; returns what was seen on the way."""
    collection = client.collection(name)
    document = client.upload(collection, content, name)
    world.settle()
    found = client.get(f"/documents/{document}").json
    hits = client.search(collection, "how many days of paid leave")
    chat = client.post("/chats", {"collection_ids": [collection]}).json["id"]
    world.llm.answers.append("Every employee has thirty days of paid leave a year [1].")
    answer = client.post(f"/chats/{chat}/messages", {"question": "How many days of paid leave?"}).json["answer"]
    text = client.get(f"/documents/{document}/text").json["text"]
    client.delete(f"/documents/{document}")
    at_once = client.search(collection, "how many days of paid leave")
    world.settle()
    receipt = client.get(f"/documents/{document}/receipt").json
    after = client.search(collection, "how many days of paid leave")
    return {
        "document": found,
        "hits": hits,
        "answer": answer,
        "text": text,
        "receipt": receipt,
        "left": at_once + after,
    }


def test_document_from_upload_to_receipt(world: World, api_client: Client) -> None:
    seen = walk(world, api_client, LEAVE.encode(), "leave.txt")
    assert seen["document"]["status"] == "indexed"
    assert "thirty days" in seen["hits"][0]["text"]
    (citation,) = seen["answer"]["citations"]
    assert citation["quote"] == seen["text"][citation["start"] : citation["end"]]
    assert seen["receipt"]["complete"]
    assert not any(seen["receipt"]["remaining"].values())
    assert seen["left"] == []


def test_document_from_upload_to_receipt_with_the_real_reader(world: World, api_client: Client) -> None:
    reader = CagedFilesReader()
    with bootstrap.override(reader=reader):
        seen = walk(world, api_client, PAGE, "handbook.html")
    assert seen["document"]["title"] == "Staff handbook"
    assert seen["hits"][0]["heading_path"][-1:] == ["Leave"]
    assert seen["answer"]["sentences"][0]["supported"]
    assert seen["receipt"]["complete"]
    assert seen["left"] == []


def test_every_log_line_of_a_journey_is_in_the_schema(world: World, api_client: Client, log_lines: Lines) -> None:
    walk(world, api_client, LEAVE.encode(), "leave.txt")
    lines = log_lines()
    assert len(lines) > 100
    for line in lines:
        assert {"event", "level", "timestamp", "request_id", "function"} <= line.keys(), line
    names = {line["event"] for line in lines}
    assert {
        "document.received",
        "document.extracted",
        "document.indexed",
        "document.deleted",
        "search.answered",
        "model.answered",
        "stage.ended",
        "store.asked",
        "request.started",
        "request.ended",
    } <= names
    of_a_tenant = {"document.received", "document.indexed", "document.deleted", "stage.ended", "search.answered"}
    tenants = {line.get("tenant_id") for line in lines if line["event"] in of_a_tenant}
    assert tenants == {str(api_client.tenant_id)}


def test_no_log_line_of_a_journey_holds_a_secret_or_content(world: World, api_client: Client, log_lines: Lines) -> None:
    walk(world, api_client, LEAVE.encode(), "leave.txt")
    assert api_client("GET", "/documents", headers={"Authorization": "Bearer lam_" + "Z" * 43}).status == 401
    written = json.dumps(log_lines(), ensure_ascii=False)
    for secret in (api_client.key, api_client.key.removeprefix("lam_"), "Z" * 43, "thirty days", "policy-"):
        assert secret not in written


def test_no_answer_of_the_api_holds_an_internal_field(world: World, api_client: Client, sample_document: str) -> None:
    answers = [
        api_client.get(path).body
        for path in (
            "/projects",
            "/collections",
            "/documents",
            f"/documents/{sample_document}",
            "/chats",
            "/health/details",
        )
    ]
    for answer in answers:
        for word in ("tenant_id", "secret", "lease", "sequencer", "deleted_at", "tombstoned", "recipe"):
            assert word not in answer


def test_metrics_of_a_journey_cover_every_stage(world: World, api_client: Client) -> None:
    walk(world, api_client, LEAVE.encode(), "leave.txt")
    names = {one.name for one in world.meter.written}
    assert names >= {
        "documents_indexed",
        "document_ms",
        "stage_ms",
        "stage_age_ms",
        "search_ms",
        "model_ms",
        "model_tokens",
    }
    stages = {one.dimensions["stage"] for one in world.meter.written if one.name == "stage_ms"}
    assert stages >= {"ingest_extract", "ingest_chunk", "ingest_embed"}


def test_metrics_are_written_in_the_format_cloudwatch_reads(
    world: World,
    api_client: Client,
    collection: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "lambent-search")
    with bootstrap.override(meter=PowertoolsMeter()):
        api_client.search(collection, "anything")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    written = [line for line in lines if "_aws" in line]
    assert written
    metrics = [metric for line in written for block in line["_aws"]["CloudWatchMetrics"] for metric in block["Metrics"]]
    assert {"search_ms"} <= {metric["Name"] for metric in metrics}
    assert {block["Namespace"] for line in written for block in line["_aws"]["CloudWatchMetrics"]} == {"Lambent"}


def test_tenants_in_turn_on_one_warm_process_see_their_own(world: World) -> None:
    clients = [world.owner(f"Tenant {number}") for number in range(3)]
    collections = [client.collection() for client in clients]
    for number, (client, collection) in enumerate(zip(clients, collections, strict=True)):
        client.upload(collection, f"# Secret\n\nthe secret of tenant {number} is canary{number}", "secret.txt")
    world.settle()
    for _ in range(5):
        for number, (client, collection) in enumerate(zip(clients, collections, strict=True)):
            texts = " ".join(hit["text"] for hit in client.search(collection, "the secret canary"))
            assert f"canary{number}" in texts
            assert all(f"canary{other}" not in texts for other in range(3) if other != number)


def test_documents_of_many_arrive_together(world: World, api_client: Client, collection: str) -> None:
    documents = [api_client.upload(collection, f"# Note {n}\n\nnumber {n} of many", f"{n}.txt") for n in range(25)]
    world.settle()
    listed = api_client.get("/documents", limit="100", status="indexed").json["items"]
    assert {one["id"] for one in listed} == set(documents)
