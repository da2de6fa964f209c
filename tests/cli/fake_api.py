"""An API like the real one, in memory: the same routes, the same response models, and its own object store."""

import json
import re
import uuid
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.middleware.base import RequestResponseEndpoint

from functions.collections import schemas as collections
from functions.documents import schemas as documents
from functions.health import schemas as health
from functions.projects import schemas as projects
from functions.receipts.schemas import ReceiptPage
from shared.domain import ed25519
from shared.domain.receipts import canonical
from shared.runtime.receipts import KeyOut, ReceiptOut, Sure
from tests.cli import fake_world
from tests.cli.fake_ingestions import add_ingestions
from tests.cli.fake_questions import add_questions
from tests.cli.fake_reindexes import add_reindexes
from tests.cli.fake_webhooks import add_webhooks
from tests.cli.fake_world import KEY, NOW, World, page_of, problem, version


def create_app(world: World) -> FastAPI:
    """The API over a world."""
    app = FastAPI()

    @app.middleware("http")
    async def door(request: Request, call_next: RequestResponseEndpoint) -> Response:
        world.requests.append((request.method, request.url.path))
        if request.url.path.startswith("/objects"):
            return world.store_refusals.pop(0) if world.store_refusals else await call_next(request)
        if world.refusals:
            return world.refusals.pop(0)
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return problem(
                401, "unauthenticated", "no valid credential was sent", "send the header Authorization: Bearer lam_…"
            )
        return await call_next(request)

    _health(app, world)
    _rooms(app, world)
    _documents(app, world)
    _retries(app, world)
    _document(app, world)
    _deletions(app, world)
    _receipts(app, world)
    add_questions(app, world)
    add_reindexes(app, world)
    add_webhooks(app, world)
    add_ingestions(app, world)
    _objects(app, world)
    return app


def _health(app: FastAPI, world: World) -> None:
    @app.get("/api/v1/health/details", response_model=health.HealthOut)
    async def details() -> dict[str, Any]:
        return {
            "status": "healthy" if world.healthy else "unhealthy",
            "parts": [
                {
                    "name": "database",
                    "healthy": world.healthy,
                    "milliseconds": 3.4,
                    "detail": "PostgreSQL 18" if world.healthy else "refused",
                }
            ],
            "queues": [{"name": "ingest_embed", "waiting": 4, "in_flight": 1, "delayed": 0, "dead": False}],
        }

    @app.get("/api/v1/health/waiting", response_model=health.WaitingOut)
    async def waiting() -> dict[str, Any]:
        return world.waiting


def _rooms(app: FastAPI, world: World) -> None:
    @app.get("/api/v1/projects", response_model=projects.ProjectPage)
    async def list_projects(cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
        return page_of(world, list(world.projects.values()), cursor, limit)

    @app.post("/api/v1/projects", response_model=projects.ProjectOut, status_code=201)
    async def create_project(body: projects.NewProject) -> dict[str, Any]:
        made = {"id": str(uuid.uuid4()), "name": body.name, "created_at": NOW, "unit_id": None, "archived_at": None}
        world.projects[str(made["id"])] = made
        return made

    @app.get("/api/v1/collections", response_model=collections.CollectionPage)
    async def list_collections(cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
        return page_of(world, list(world.collections.values()), cursor, limit)

    @app.post("/api/v1/collections", response_model=collections.CollectionOut, status_code=201)
    async def create_collection(body: collections.NewCollection) -> Any:
        if any(one["name"] == body.name for one in world.collections.values()):
            return problem(409, "name_taken", f"there is a collection {body.name!r} already", "choose another name")
        return world.add_collection(body.name)

    @app.get("/api/v1/collections/{id}", response_model=collections.CollectionSummaryOut)
    async def get_collection(id: str) -> Any:
        if id not in world.collections:
            return problem(404, "collection_not_found", "no such collection in this project")
        inside = [one for one in world.documents.values() if one["collection_id"] == id]
        counts = {status: sum(one["status"] == status for one in inside) for status in ("indexed", "failed")}
        return {**world.collections[id], "documents": len(inside), **counts, "chunks": 3 * counts["indexed"]}

    @app.delete("/api/v1/collections/{id}", response_model=ReceiptOut, status_code=202)
    async def delete_collection(id: str) -> dict[str, Any]:
        del world.collections[id]
        inside = [key for key, one in world.documents.items() if one["collection_id"] == id]
        for key in inside:
            del world.documents[key]
        return _receipt("collection", id)


def _documents(app: FastAPI, world: World) -> None:
    @app.post("/api/v1/documents", response_model=documents.UploadSlotOut, status_code=201)
    async def create_document(body: documents.NewDocument) -> Any:
        world.bodies.append(body.model_dump(mode="json"))
        if (body.size or 0) > fake_world.MAX_BYTES:
            return problem(
                413,
                "file_too_large",
                f"the file has {body.size} bytes; {fake_world.MAX_BYTES} at most",
                "split the file",
            )
        collection_id = str(body.collection_id)
        known = next(
            (
                one
                for one in world.documents.values()
                if body.path and (one["collection_id"], one["path"]) == (collection_id, body.path)
            ),
            None,
        )
        document = known or world.new_document(collection_id, body.path or body.name)
        document["ingestion_id"] = body.ingestion_id and str(body.ingestion_id)
        document.update(
            size=body.size or 0, tags=body.tags or document["tags"], metadata=body.metadata or document["metadata"]
        )
        if known and known["committed_generation"] and body.content_hash == known["content_hash"]:
            return {"document": document, "version": known["committed_generation"], "unchanged": True, "upload": None}
        if known and known["latest"]["state"] != "awaiting_upload":
            document["latest_generation"] += 1
            document["latest"] = version(document["latest_generation"], "awaiting_upload")
        number = document["latest"]["version"]
        fields = {
            "key": f"{document['id']}/{number}",
            "Content-Type": body.media_type or "application/octet-stream",
            "policy": "p",
        }
        form = {"url": f"{world.url}/objects", "fields": fields, "expires_at": NOW, "max_bytes": 1000}
        return {"document": document, "version": number, "unchanged": False, "upload": form}

    @app.get("/api/v1/documents", response_model=documents.DocumentPage)
    async def list_documents(
        collection_id: str = "", status: str = "", filter: str = "", cursor: str | None = None, limit: int = 50
    ) -> Any:
        condition = json.loads(filter) if filter else None
        if isinstance(condition, dict) and "oops" in condition:
            return problem(
                422, "invalid_filter", "filter: expected exactly field, op and value, or one of and, or, not; got oops"
            )
        rows = [
            one
            for one in reversed(world.documents.values())
            if collection_id in ("", one["collection_id"]) and status in ("", one["status"]) and _holds(condition, one)
        ]
        return page_of(world, rows, cursor, limit)


def _holds(condition: Any, document: dict[str, Any]) -> bool:
    if condition is None:
        return True
    if "and" in condition:
        return all(_holds(part, document) for part in condition["and"])
    if "or" in condition:
        return any(_holds(part, document) for part in condition["or"])
    value = document["id" if condition["field"] == "document_id" else condition["field"]]
    if condition["op"] == "in":
        return value in condition["value"]
    return condition["value"] in value if condition["op"] == "contains" else value == condition["value"]


SEED = bytes(32)
PUBLIC_KEY = ed25519.public_key(SEED).hex()
MISSING = ("document_not_found", "no such document in this project")


def _taken_up(document: dict[str, Any]) -> dict[str, Any]:
    if document["latest"]["state"] == "failed":
        document["latest_generation"] += 1
        document["latest"] = version(document["latest_generation"], "chunking")
    return document


def _retries(app: FastAPI, world: World) -> None:
    @app.post("/api/v1/documents/retry", response_model=documents.RetriesOut, status_code=202)
    async def retry_failed(body: documents.RetryFailed) -> Any:
        rows = list(world.documents.values())
        first = int(body.cursor or 0)
        seen = rows[first : first + world.page]
        failed = [
            one
            for one in seen
            if one["latest"]["state"] == "failed"
            and body.collection_id in (None, uuid.UUID(one["collection_id"]))
            and body.reason in (None, one["latest"]["failure"]["code"])
        ]
        hopeless = [one for one in failed if one["latest"]["failure"]["code"] == "unreadable_file"]
        refused = [{"document_id": one["id"], "reason": one["latest"]["failure"]} for one in hopeless]
        started = [
            {"document_id": one["id"], "number": _taken_up(one)["latest_generation"], "state": "chunking"}
            for one in failed
            if one not in hopeless
        ]
        more = first + len(seen) < len(rows)
        return {"started": started, "refused": refused, "next": str(first + len(seen)) if more else None}

    @app.post("/api/v1/documents/{id}/retry", response_model=documents.VersionOut, status_code=202)
    async def retry(id: str) -> Any:
        document = world.documents[id]
        if document["latest"]["state"] == "failed" and document["latest"]["failure"]["code"] == "unreadable_file":
            return problem(409, "upload_needed", "only a new upload helps: the file is damaged")
        return _taken_up(document)["latest"]


def _document(app: FastAPI, world: World) -> None:
    @app.get("/api/v1/documents/{id}", response_model=documents.DocumentViewOut)
    async def get_document(id: str) -> Any:
        if id not in world.documents:
            return problem(404, *MISSING)
        world.step(world.documents[id])
        return world.documents[id]

    @app.get("/api/v1/documents/{id}/why", response_model=documents.ExplanationOut)
    async def why(id: str) -> Any:
        if id not in world.documents:
            return problem(404, *MISSING)
        document = world.documents[id]
        words = document["latest"]["failure"]["detail"] if document["latest"]["failure"] else "being embedded for 12 s"
        attempts = [
            {"version": 2, "state": "embedding", "since": NOW, "words": words},
            {"version": 1, "state": "committed", "since": NOW, "words": "published"},
        ]
        return {
            "status": document["status"],
            "summary": words,
            "since": NOW,
            "next": "it is in the queue; if nobody takes it, it is queued again in 7 min",
            "retryable": document["status"] == "failed",
            "history": attempts[-document["latest_generation"] :],
        }

    @app.post("/api/v1/documents/{id}/process", response_model=documents.VersionOut, status_code=202)
    async def process(id: str) -> Any:
        document = world.documents[id]
        if document["latest"]["state"] not in {"committed", "failed"}:
            return problem(
                409,
                "still_processing",
                "version 1 is still embedding",
                "GET documents/{id}/why tells what it waits for",
            )
        document["latest_generation"] += 1
        document["latest"] = version(document["latest_generation"], "extracting")
        return document["latest"]

    @app.get("/api/v1/documents/{id}/content", response_model=documents.LinkOut)
    async def content(id: str) -> dict[str, Any]:
        return {"url": f"{world.url}/objects/{id}/{world.documents[id]['committed_generation']}", "expires_in": 300}

    @app.get("/api/v1/documents/{id}/text", response_model=documents.TextOut)
    async def text(id: str, start: int = 0, end: int | None = None, version: int | None = None) -> Any:
        whole = world.documents[id]["text"]
        last = min(len(whole), len(whole) if end is None else end, start + 200_000)
        about = {
            "title": "",
            "language": "en",
            "media_type": "text/plain",
            "pages": [],
            "properties": {},
            "warnings": [],
        }
        return {"text": whole[start:last], "start": start, "end": last, "characters": len(whole), **about}


def _deletions(app: FastAPI, world: World) -> None:
    @app.delete("/api/v1/documents/{id}", response_model=ReceiptOut, status_code=202)
    async def delete(id: str) -> Any:
        if world.documents.pop(id, None) is None:
            return problem(404, *MISSING)
        world.receipts[id] = _receipt("document", id)
        return world.receipts[id]

    @app.get("/api/v1/documents/{id}/receipt", response_model=ReceiptOut)
    async def receipt(id: str) -> Any:
        if id not in world.receipts:
            return problem(404, "receipt_not_found", "there is no deletion receipt for this document")
        if not world.stuck:
            done = {
                "completed_at": NOW,
                "complete": True,
                "removed": {"chunks": 3, "vectors": 3, "uploads": 1},
                "remaining": {"chunks": 0, "vectors": 0, "uploads": 0},
            }
            world.receipts[id].update(done)
        return world.receipts[id]


def _signed(receipt: dict[str, Any]) -> dict[str, Any]:
    """As the service completes it."""
    about = {"requested_at": NOW, "completed_at": NOW, "remaining": {"chunks": 0}}
    said = {"kind": receipt["kind"], "subject_id": receipt["subject_id"], **about}
    signature = {"public_key": PUBLIC_KEY, "value": ed25519.sign(SEED, canonical(said)).hex()}
    return {**receipt, "complete": True, "completed_at": NOW, "statement": said, "signature": signature}


def _receipts(app: FastAPI, world: World) -> None:
    @app.get("/api/v1/receipts", response_model=ReceiptPage)
    async def list_receipts(kind: str = "") -> dict[str, Any]:
        found = [one for one in world.receipts.values() if kind in ("", one["kind"])]
        return {"items": found, "next": None}

    @app.get("/api/v1/receipts/key", response_model=KeyOut)
    async def key() -> dict[str, str]:
        return {"public_key": PUBLIC_KEY}

    @app.get("/api/v1/receipts/{id}", response_model=ReceiptOut)
    async def one(id: str) -> Any:
        found = next((one for one in world.receipts.values() if one["id"] == id), None)
        return problem(404, "receipt_not_found", "no such receipt in this project") if found is None else _signed(found)

    @app.delete("/api/v1/projects/{id}", response_model=ReceiptOut, status_code=202)
    async def delete_project(id: str, body: Sure) -> dict[str, Any]:
        world.bodies.append(body.model_dump())
        world.receipts[id] = _receipt("project", id)
        return world.receipts[id]


def _receipt(kind: str, id: str) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "kind": kind,
        "subject_id": id,
        "parent_id": None,
        "requested_by": "api_key:1",
        "requested_at": NOW,
        "completed_at": None,
        "complete": False,
        "documents": 0,
        "removed": {},
        "remaining": {},
        "statement": {"kind": kind, "subject_id": id},
        "signature": None,
    }


def parts_of(content_type: str, body: bytes) -> dict[str, bytes]:
    """The parts of multipart/form-data, in order, by name (RFC 7578)."""
    boundary = b"--" + content_type.partition("boundary=")[2].strip('"').encode()
    parts = {}
    for part in body.split(boundary)[1:-1]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        name = re.search(rb'name="([^"]*)"', head)
        assert name is not None
        parts[name.group(1).decode()] = content.removesuffix(b"\r\n")
    return parts


def _objects(app: FastAPI, world: World) -> None:
    @app.post("/objects")
    async def upload(request: Request) -> Response:
        parts = parts_of(request.headers["content-type"], await request.body())
        # S3 ignores every field after the file.
        if list(parts)[-1] != "file" or "policy" not in parts or "content-length" not in request.headers:
            return Response("<Error><Code>InvalidArgument</Code><Message>fields after the file</Message></Error>", 400)
        world.objects[parts["key"].decode()] = parts["file"]
        return Response(status_code=204)

    @app.get("/objects/{key:path}")
    async def fetch(key: str) -> Response:
        if key not in world.objects:
            return Response("<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>", 404)
        return Response(world.objects[key])
