"""What a fake API holds. It has no clock: a document takes a step whenever it is looked at."""

import hashlib
import uuid
from dataclasses import dataclass, field
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

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
    webhooks: dict[str, dict[str, Any]] = field(default_factory=dict)
    deliveries: list[dict[str, Any]] = field(default_factory=list)
    collections: dict[str, dict[str, Any]] = field(default_factory=dict)
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    objects: dict[str, bytes] = field(default_factory=dict)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    chats: dict[str, dict[str, Any]] = field(default_factory=dict)
    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    reindexes: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    uploads_on_their_way: int = 0
    """So many times a cut is asked for in vain."""
    """By collection, newest first."""
    questions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ingestions: dict[str, dict[str, Any]] = field(default_factory=dict)
    happened: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Run and event, in order."""
    actions: list[tuple[str, str]] = field(default_factory=list)
    """Run and what was asked for it."""
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
    waiting: dict[str, Any] = field(default_factory=dict)
    """What waits, as the API tells it."""

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
            self._tell(document, "document.failed", **latest["failure"])
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
            self._tell(document, "document.indexed", chunks=3)

    def _tell(self, document: dict[str, Any], kind: str, **data: Any) -> None:
        event = {"kind": kind, "document_id": document["id"], "version": document["latest"]["version"]}
        self.happened.append((document.get("ingestion_id", ""), {**event, "data": {"path": document["path"], **data}}))


def version(number: int, state: str, chunks: int = 0) -> dict[str, Any]:
    """A version's progress."""
    return {
        "version": number,
        "state": state,
        "since": NOW,
        "attempts": 0,
        "waiting": "",
        "progress": None,
        "failure": None,
        "counts": {
            "pages": 1 if chunks else 0,
            "characters": 22 if chunks else 0,
            "chunks": chunks,
            "embedded": chunks,
            "reused": 0,
            "tokens": 10 * chunks,
        },
        "timings": {},
        "warnings": [],
        "finished_at": None,
        "ingestion_id": None,
    }


def page_of(world: World, rows: list[Any], cursor: str | None, limit: int) -> dict[str, Any]:
    """One page of a listing; the cursor is the number of the row it starts with."""
    first = int(cursor or 0)
    last = first + min(limit, world.page)
    return {"items": rows[first:last], "next": str(last) if last < len(rows) else None}
