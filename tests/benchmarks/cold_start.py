"""From starting a process to its first answer, for every function, as a ratio of a bare FastAPI and Mangum function.

    uv run python -m tests.benchmarks.cold_start [--built] [--rounds 7]

Every function answers a real event: an authorised request that asks the database, or a queue message for a document
whose generation is not there, which takes a transaction. Functions take turns, so that a noisy moment hits all alike;
the figure is the median of the rounds.
"""

import asyncio
import json
import statistics
import time
import uuid
from datetime import UTC, datetime

from shared.local.functions import FunctionSpec
from shared.local.host import FunctionHost
from tests.benchmarks.stand import Stand, arguments, records_event, request_event, stand

HTTP_LIMIT, STAGE_LIMIT = 2.0, 1.8


def events(place: Stand) -> dict[str, dict[str, object]]:
    """One event for each function, as it would arrive first."""
    headers = place.headers()
    collection = place.collection()
    tenant, project = place.ready.tenant_id, place.ready.project_id
    run = place.api.post("/ingestions", json={"name": "benchmark", "collection_id": collection}).json()["id"]
    chat = place.api.post("/chats", json={"collection_ids": [collection]}).json()["id"]
    message: dict[str, object] = {
        "tenant_id": tenant,
        "project_id": project,
        "document_id": str(uuid.uuid4()),
        "generation": 1,
        "sent_at": datetime.now(UTC).isoformat(),
    }
    file = {
        **message,
        "key": f"{tenant}/{message['document_id']}/1",
        "version_id": "",
        "name": "a.txt",
        "media_type": "text/plain",
    }
    swept = {key: value for key, value in message.items() if key != "generation"}
    s3 = {"Records": [{"eventName": "ObjectCreated:Post", "eventTime": datetime.now(UTC).isoformat()}]}
    created = {
        "bucket": {"name": place.uploads},
        "object": {"key": file["key"], "size": 1, "sequencer": "00", "versionId": "v"},
    }
    s3["Records"][0]["s3"] = created  # type: ignore[assignment]
    query = {"query": "anything", "collection_ids": [collection]}
    return {
        "HealthFunction": request_event("GET", "/api/v1/health/live", headers),
        "ProjectsFunction": request_event("GET", "/api/v1/projects", headers),
        "CollectionsFunction": request_event("GET", "/api/v1/collections", headers),
        "DocumentsFunction": request_event("GET", "/api/v1/documents", headers),
        "SearchFunction": request_event("POST", "/api/v1/search", headers, {**query, "mode": "keyword"}),
        "SearchFunction (embeds)": request_event("POST", "/api/v1/search", headers, query),
        "ChatsFunction": request_event("GET", "/api/v1/chats", headers),
        "IngestionsFunction": request_event("GET", "/api/v1/ingestions", headers),
        "ReindexesFunction": request_event("GET", f"/api/v1/collections/{collection}/reindexes", headers),
        "StreamsFunction": request_event("GET", f"/api/v1/streams/ingestions/{run}", headers),
        "StreamsFunction (answers)": request_event(
            "POST", f"/api/v1/streams/chats/{chat}/messages", headers, {"question": "anything?"}
        ),
        "IngestReceiveFunction": records_event("IngestReceiveQueue", s3),
        "IngestExtractFunction": records_event("IngestExtractQueue", {**file, "stage": "ingest_extract"}),
        "IngestChunkFunction": records_event("IngestChunkQueue", {**message, "stage": "ingest_chunk"}),
        "IngestEmbedFunction": records_event("IngestEmbedQueue", {**message, "stage": "ingest_embed"}),
        "IngestPublishFunction": records_event("IngestPublishQueue", {**message, "stage": "ingest_publish"}),
        "IngestRejectFunction": records_event("IngestChunkDeadQueue", {**message, "stage": "ingest_chunk"}),
        "SweepFunction": records_event("SweepQueue", swept),
        "ReindexFunction": {"source": "aws.scheduler"},
    }


async def first_answer(spec: FunctionSpec, event: dict[str, object]) -> float:
    """Milliseconds from nothing to the first answer.

    Raises:
        RuntimeError: the answer is an error.
    """
    async with FunctionHost([spec]) as host:
        started = time.perf_counter()
        if spec.exec_wrapper is not None:
            async with host.stream(spec.name, event) as response:
                await anext(aiter(response.body))
            return (time.perf_counter() - started) * 1000
        result = await host.invoke(spec.name, event)
        spent = (time.perf_counter() - started) * 1000
    answer = result.json()
    if result.error or (
        isinstance(answer, dict) and (answer.get("statusCode", 200) >= 400 or answer.get("batchItemFailures"))
    ):
        raise RuntimeError(f"{spec.name}: {json.dumps(answer)[:500]}")
    return spent


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="functions whose name contains this")
    chosen = parser.parse_args()
    with stand(built=chosen.built) as place:
        wanted = {name: event for name, event in events(place).items() if chosen.only.lower() in name.lower()}
        bare = place.bare("hello")
        hello = request_event("GET", "/api/v1/hello", {})
        times: dict[str, list[float]] = {name: [] for name in ("bare", *wanted)}
        for _ in range(chosen.rounds):
            times["bare"].append(asyncio.run(first_answer(bare, hello)))
            for name, event in wanted.items():
                times[name].append(asyncio.run(first_answer(place.specs[name.split()[0]], event)))
    base = statistics.median(times["bare"])
    code = "built artifacts" if chosen.built else "sources"
    print(f"cold start, {code}, median of {chosen.rounds}; bare FastAPI + Mangum: {base:.0f} ms")
    for name, values in times.items():
        ratio = statistics.median(values) / base
        limit = STAGE_LIMIT if name.startswith(("Ingest", "Sweep", "Reindex")) else HTTP_LIMIT
        mark = "" if ratio <= limit else f"  over {limit:.1f}"
        print(f"  {name:28s} {statistics.median(values):7.0f} ms  {ratio:5.2f} x{mark}")


if __name__ == "__main__":
    main()
