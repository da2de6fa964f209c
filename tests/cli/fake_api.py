"""An API like the real one, in memory: the same routes, the same response models, its own object store, and no clock.

A document takes one step of the pipeline each time somebody looks at it, so that nothing here depends on time.
"""

import hashlib
import json
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.middleware.base import RequestResponseEndpoint

from functions.chats import schemas as chats
from functions.collections import schemas as collections
from functions.documents import schemas as documents
from functions.health import schemas as health
from functions.projects import schemas as projects
from functions.search import schemas as search
from shared.runtime.messages import AnswerOut, MessageOut

KEY = "lam_" + "k" * 43
NOW = "2026-03-02T09:00:00+00:00"
STEPS = ("awaiting_upload", "extracting", "chunking", "embedding", "publishing", "committed")
MODEL = {"name": "local/all-minilm-l6-v2", "dimensions": 384}
MAX_BYTES = 1000
CHUNKING = {"method": "structure", "size": 200, "overlap": 0}


def problem(status: int, code: str, detail: str, hint: str = "", **more: Any) -> JSONResponse:
    """An error as the API writes it."""
    body = {
        "type": f"urn:lambent:problem:{code}",
        "title": "Error",
        "status": status,
        "code": code,
        "detail": detail,
        "hint": hint,
        "request_id": "req-1",
        "errors": more.pop("errors", []),
    }
    return JSONResponse(body, status, media_type="application/problem+json", headers=more.pop("headers", None))


@dataclass
class World:
    """What the API holds, and how it is to misbehave."""

    url: str = ""
    projects: dict[str, dict[str, Any]] = field(default_factory=dict)
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    chats: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    page: int = 200
    """The most rows a page has, whatever is asked for."""
    refusals: list[Response] = field(default_factory=list)
    """Answers to the next requests, before anything else is looked at."""
    store_refusals: list[Response] = field(default_factory=list)
    """The same for the object store."""
    stuck: bool = False
    """Documents never move."""
    wrong_quote: bool = False
    healthy: bool = True

    def add_collection(self, name: str) -> dict[str, Any]:
        """Make one."""
        made: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "name": name,
            "description": "",
            "language": "",
            "chunking": CHUNKING,
            "model": MODEL,
            "created_at": NOW,
        }
        self.collections[made["id"]] = made
        return made

    def add_document(
        self, collection: dict[str, Any], path: str, content: bytes = b"Some text. It says 42."
    ) -> dict[str, Any]:
        """Make one that is indexed."""
        document = self.new_document(collection["id"], path)
        self.objects[f"{document['id']}/1"] = content
        document.update(status="indexed", committed_generation=1, content_hash=hashlib.sha256(content).hexdigest())
        document["latest"] = version(1, "committed", chunks=3)
        document["text"] = content.decode()
        return document

    def new_document(self, collection_id: str, path: str) -> dict[str, Any]:
        """Make one that waits for its file."""
        document: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "collection_id": collection_id,
            "name": path.rpartition("/")[2],
            "path": path,
            "title": "",
            "media_type": "text/plain",
            "language": "en",
            "size": 0,
            "tags": [],
            "metadata": {},
            "status": "awaiting_upload",
            "committed_generation": None,
            "latest_generation": 1,
            "content_hash": "",
            "duplicate_of": None,
            "created_at": NOW,
            "updated_at": NOW,
            "latest": version(1, "awaiting_upload"),
            "text": "",
        }
        self.documents[document["id"]] = document
        return document

    def step(self, document: dict[str, Any]) -> None:
        """One step further, if its file has come."""
        latest = document["latest"]
        uploaded = self.objects.get(f"{document['id']}/{latest['version']}")
        if self.stuck or uploaded is None or latest["state"] in {"committed", "failed"}:
            return
        if b"BROKEN" in uploaded and latest["state"] == "extracting":
            latest.update(
                state="failed", failure={"code": "unreadable_file", "detail": "the file is damaged"}, finished_at=NOW
            )
            document["status"] = "indexed" if document["committed_generation"] else "failed"
            return
        following = STEPS[STEPS.index(latest["state"]) + 1]
        document["latest"] = {
            **version(latest["version"], following, chunks=3),
            "timings": {**latest["timings"], latest["state"]: 1200},
        }
        document["status"] = "processing"
        if following == "committed":
            document["latest"]["warnings"] = ["page 2 has no text"] if b"SCAN" in uploaded else []
            document.update(
                status="indexed", committed_generation=latest["version"], text=uploaded.decode("utf-8", "replace")
            )
            document["content_hash"] = hashlib.sha256(uploaded).hexdigest()


def version(number: int, state: str, chunks: int = 0) -> dict[str, Any]:
    """A version's progress."""
    return {
        "version": number,
        "state": state,
        "since": NOW,
        "attempts": 0,
        "waiting": "",
        "failure": None,
        "counts": {
            "pages": 1 if chunks else 0,
            "characters": 22 if chunks else 0,
            "chunks": chunks,
            "embedded": chunks,
            "reused": 0,
        },
        "timings": {},
        "warnings": [],
        "finished_at": None,
    }


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
    _document(app, world)
    _deletions(app, world)
    _questions(app, world)
    _objects(app, world)
    return app


def _page(world: World, rows: list[Any], cursor: str | None, limit: int) -> dict[str, Any]:
    first = int(cursor or 0)
    last = first + min(limit, world.page)
    return {"items": rows[first:last], "next": str(last) if last < len(rows) else None}


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


def _rooms(app: FastAPI, world: World) -> None:
    @app.get("/api/v1/projects", response_model=projects.ProjectPage)
    async def list_projects(cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
        return _page(world, list(world.projects.values()), cursor, limit)

    @app.post("/api/v1/projects", response_model=projects.ProjectOut, status_code=201)
    async def create_project(body: projects.NewProject) -> dict[str, Any]:
        made = {"id": str(uuid.uuid4()), "name": body.name, "created_at": NOW}
        world.projects[made["id"]] = made
        return made

    @app.get("/api/v1/collections", response_model=collections.CollectionPage)
    async def list_collections(cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
        return _page(world, list(world.collections.values()), cursor, limit)

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

    @app.delete("/api/v1/collections/{id}", response_model=collections.DeletedOut)
    async def delete_collection(id: str) -> dict[str, Any]:
        del world.collections[id]
        inside = [key for key, one in world.documents.items() if one["collection_id"] == id]
        for key in inside:
            del world.documents[key]
        return {"id": id, "documents": len(inside)}


def _documents(app: FastAPI, world: World) -> None:
    @app.post("/api/v1/documents", response_model=documents.UploadSlotOut, status_code=201)
    async def create_document(body: documents.NewDocument) -> Any:
        world.bodies.append(body.model_dump(mode="json"))
        if (body.size or 0) > MAX_BYTES:
            return problem(
                413, "file_too_large", f"the file has {body.size} bytes; {MAX_BYTES} at most", "split the file"
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
        return _page(world, rows, cursor, limit)


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


MISSING = ("document_not_found", "no such document in this project")


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
    @app.delete("/api/v1/documents/{id}", response_model=documents.ReceiptOut, status_code=202)
    async def delete(id: str) -> Any:
        if world.documents.pop(id, None) is None:
            return problem(404, *MISSING)
        world.receipts[id] = {
            "id": str(uuid.uuid4()),
            "document_id": id,
            "requested_by": "api_key:1",
            "requested_at": NOW,
            "completed_at": None,
            "complete": False,
            "removed": {},
            "remaining": {},
        }
        return world.receipts[id]

    @app.get("/api/v1/documents/{id}/receipt", response_model=documents.ReceiptOut)
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


def _questions(app: FastAPI, world: World) -> None:
    @app.post("/api/v1/search", response_model=search.SearchOut)
    async def find(body: search.SearchIn) -> Any:
        world.bodies.append(body.model_dump(mode="json"))
        inside = [
            one
            for one in world.documents.values()
            if one["committed_generation"] and one["collection_id"] in map(str, body.collection_ids)
        ]
        hits = [_hit(one) for one in inside if "nothing" not in body.query][: body.limit]
        return {"hits": hits, "milliseconds": {"embed": 4.0, "vector": 2.5, "keyword": 1.5}, "model": MODEL["name"]}

    @app.post("/api/v1/chats", response_model=chats.ChatOut, status_code=201)
    async def create_chat(body: chats.NewChat) -> dict[str, Any]:
        ids = [str(one) for one in body.collection_ids]
        made: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "title": "",
            "collection_ids": ids,
            "created_at": NOW,
            "updated_at": NOW,
        }
        world.chats[made["id"]], world.messages[made["id"]] = made, []
        return made

    @app.get("/api/v1/chats", response_model=chats.ChatPage)
    async def list_chats(cursor: str | None = None, limit: int = 50) -> dict[str, Any]:
        return _page(world, list(world.chats.values()), cursor, limit)

    @app.delete("/api/v1/chats/{id}", status_code=204)
    async def delete_chat(id: str) -> Response:
        if world.chats.pop(id, None) is None:
            return problem(404, "chat_not_found", "no such chat")
        return Response(status_code=204)

    @app.get("/api/v1/chats/{id}/messages", response_model=list[MessageOut])
    async def list_messages(id: str) -> Any:
        return world.messages[id] if id in world.messages else problem(404, "chat_not_found", "no such chat")

    @app.post("/api/v1/streams/chats/{id}/messages")
    async def ask(id: str, request: Request) -> Response:
        if id not in world.chats:
            return problem(404, "chat_not_found", "no such chat of yours")
        question = (await request.json())["question"]
        return StreamingResponse(_events(world, id, question), media_type="text/event-stream")


def _hit(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "chunk_id": f"{document['id']}:1:0",
        "document_id": document["id"],
        "document_name": document["name"],
        "document_title": "",
        "version": document["committed_generation"],
        "collection_id": document["collection_id"],
        "text": document["text"],
        "start": 0,
        "end": len(document["text"]),
        "page_first": 1,
        "page_last": 2,
        "heading_path": ["Leave", "Carrying over"],
        "kind": "text",
        "score": 0.91,
        "vector_score": 0.71,
        "keyword_score": 5.2,
        "tags": [],
        "metadata": {},
    }


def _events(world: World, chat_id: str, question: str) -> Iterator[str]:
    def event(name: str, data: Any) -> str:
        return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"

    source = next((one for one in world.documents.values() if one["committed_generation"]), None)
    yield event("sources", {"sources": []})
    found = source is not None and "unknown" not in question
    content = "It is 42 [1]. Trust me." if found else "Not found in the documents."
    for word in re.findall(r"\S+\s*", content):
        yield event("delta", {"text": word})
        if "break" in question:
            return
        if "explode" in question:
            yield event("error", {"code": "unavailable", "detail": "the model is down", "hint": "ask again later"})
            return
    if "corrected" in question:
        content = "It is 42 [1]."
    answer = _answer(source if found else None, question, content, "a wrong quote" if world.wrong_quote else None)
    world.messages[chat_id] += [answer["question"], answer["answer"]]
    yield event("answer", AnswerOut.model_validate(answer).model_dump(mode="json"))


def _answer(source: dict[str, Any] | None, question: str, content: str, quote: str | None) -> dict[str, Any]:
    def message(role: str, text: str, **more: Any) -> dict[str, Any]:
        plain = {"found": True, "citations": [], "sentences": [], "receipt": None, "metadata": {}, "created_at": NOW}
        return {"id": str(uuid.uuid4()), "role": role, "content": text, **plain, **more}

    receipt = {
        "model": "extractive",
        "input_tokens": 120,
        "output_tokens": 9,
        "milliseconds": {"search": 12.0, "answer": 30.0},
    }
    if source is None:
        return {
            "question": message("user", question),
            "answer": message("assistant", content, found=False, receipt=receipt),
        }
    text = source["text"]
    citation = {
        "number": 1,
        "chunk_id": f"{source['id']}:1:0",
        "document_id": source["id"],
        "document_name": source["name"],
        "version": source["committed_generation"],
        "start": 0,
        "end": min(40, len(text)),
        "quote": quote or text[:40],
        "page": 3,
        "heading_path": ["Leave"],
        "support": 1.0,
    }
    sentences = [{"start": 0, "end": 13, "citations": [1], "supported": True}]
    if len(content) > 13:
        sentences.append({"start": 14, "end": len(content), "citations": [], "supported": False})
    about = {"citations": [citation], "sentences": sentences, "receipt": receipt}
    return {"question": message("user", question), "answer": message("assistant", content, **about)}


def _parts(content_type: str, body: bytes) -> dict[str, bytes]:
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
        parts = _parts(request.headers["content-type"], await request.body())
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
