"""From starting a process to its first answer, for every function, as a ratio of a bare FastAPI and Mangum function.

    uv run python -m tests.benchmarks.cold_start [--built] [--rounds 7]

Every function answers a real event: an authorised request that asks the database, or a queue message for a document
whose generation is not there, which takes a transaction. A second row shows what the first use of a model adds to a
function that needs it for some requests, or the check of a password. Functions take turns, so that a noisy moment hits
all alike; the figure is the median of the rounds.
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

HTTP_LIMIT, WORKER_LIMIT = 2.0, 1.8
UNLIMITED = "MigrateDatabaseFunction"  # called once a deployment, by name


def events(place: Stand) -> dict[str, dict[str, object]]:
    """One event for each function, as it would arrive first."""
    headers = place.headers()
    user, password = place.signed_in(), place.registered()
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
    of_project = {key: message[key] for key in ("tenant_id", "project_id", "sent_at")}
    steered = {**of_project, "ingestion_id": run, "action": "retry", "asked_at": message["sent_at"]}
    delivered = {**of_project, "delivery_id": str(uuid.uuid4()), "tries": 0}
    s3 = {"Records": [{"eventName": "ObjectCreated:Post", "eventTime": datetime.now(UTC).isoformat()}]}
    created = {
        "bucket": {"name": place.uploads},
        "object": {"key": file["key"], "size": 1, "sequencer": "00", "versionId": "v"},
    }
    s3["Records"][0]["s3"] = created  # type: ignore[assignment]
    query = {"query": "anything", "collection_ids": [collection]}
    return {
        "HealthFunction": request_event("GET", "/api/v1/health/live", headers),
        "AuthFunction": request_event("GET", "/api/v1/auth/sessions", user),
        "AuthFunction (password)": request_event("POST", "/api/v1/auth/login", {}, password),
        "UsersFunction": request_event("GET", "/api/v1/users/me", user),
        "ProjectsFunction": request_event("GET", "/api/v1/projects", headers),
        "OrgsFunction": request_event("GET", f"/api/v1/orgs/{tenant}", headers),
        "ReceiptsFunction": request_event("GET", "/api/v1/receipts", headers),
        "CollectionsFunction": request_event("GET", "/api/v1/collections", headers),
        "DocumentsFunction": request_event("GET", "/api/v1/documents", headers),
        "SearchFunction": request_event("POST", "/api/v1/search", headers, {**query, "mode": "keyword"}),
        "SearchFunction (embeds)": request_event("POST", "/api/v1/search", headers, query),
        "ChatsFunction": request_event("GET", "/api/v1/chats", headers),
        "IngestionsFunction": request_event("GET", "/api/v1/ingestions", headers),
        "WebhooksFunction": request_event("GET", "/api/v1/webhooks", headers),
        "ReindexesFunction": request_event("GET", "/api/v1/reindexes", headers, query={"collection_id": collection}),
        "StreamsFunction": request_event("GET", f"/api/v1/streams/ingestions/{run}", headers),
        "StreamsFunction (answers)": request_event(
            "POST", f"/api/v1/streams/chats/{chat}/messages", headers, {"question": "anything?"}
        ),
        "IngestReceiveFunction": records_event("IngestReceiveQueue", s3),
        "IngestCollectFunction": records_event("IngestCollectQueue", s3),
        "IngestExtractFunction": records_event("IngestExtractQueue", {**file, "stage": "ingest_extract"}),
        "IngestChunkFunction": records_event("IngestChunkQueue", {**message, "stage": "ingest_chunk"}),
        "IngestEmbedFunction": records_event("IngestEmbedQueue", {**message, "stage": "ingest_embed"}),
        "IngestPublishFunction": records_event("IngestPublishQueue", {**message, "stage": "ingest_publish"}),
        "IngestRejectFunction": records_event("IngestChunkDeadQueue", {**message, "stage": "ingest_chunk"}),
        "SteerIngestionFunction": records_event("SteerIngestionQueue", steered),
        "DeliverWebhookFunction": records_event("DeliverWebhookQueue", delivered),
        "MigrateDatabaseFunction": {"action": "migrate"},
        "SweepFunction": records_event("SweepQueue", swept),
        "ReindexFunction": {"source": "aws.scheduler"},
    }


def limit_of(name: str, event: dict[str, object]) -> float | None:
    """The ratio a function may reach; None: any, also for a second row, whose answer waits for the model's load."""
    if name in ("bare", UNLIMITED) or " " in name:
        return None
    return HTTP_LIMIT if "httpMethod" in event else WORKER_LIMIT


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
        every = events(place)
        if unmeasured := place.specs.keys() - {name.split()[0] for name in every}:
            raise LookupError(f"no event for {', '.join(sorted(unmeasured))}: give each function one")
        wanted = {name: event for name, event in every.items() if chosen.only.lower() in name.lower()}
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
        limit = limit_of(name, wanted.get(name, hello))
        mark = "" if limit is None or ratio <= limit else f"  over {limit:.1f}"
        print(f"  {name:28s} {statistics.median(values):7.0f} ms  {ratio:5.2f} x{mark}")


if __name__ == "__main__":
    main()
