"""Ingestion runs in the fake API. Their events are those of the documents that took their last step."""

import uuid
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Header
from fastapi.responses import StreamingResponse

from functions.ingestions import schemas as ingestions
from shared.runtime.events import sse
from shared.runtime.ingestions import IngestionOut, IngestionViewOut
from tests.cli.fake_world import NOW, World, page_of, problem

MISSING = (404, "ingestion_not_found", "no such ingestion in this project")


def view(world: World, run: dict[str, Any]) -> dict[str, Any]:
    """A run as one that is shown."""
    inside = [one for one in world.documents.values() if one.get("ingestion_id") == run["id"]]
    states: dict[str, int] = {}
    for one in inside:
        states[one["latest"]["state"]] = states.get(one["latest"]["state"], 0) + 1
    failed = [one for one in inside if one["latest"]["state"] == "failed"]
    finished = len(failed) + states.get("committed", 0)
    if run["closed_at"] and not run["cancelled_at"]:
        run["status"] = "completed" if finished == len(inside) else "running"
    examples = [
        {"document_id": one["id"], "name": one["name"], "generation": 1, "detail": one["latest"]["failure"]["detail"]}
        for one in failed
    ]
    errors = [{"code": "unreadable_file", "documents": len(failed), "examples": examples[:3]}] if failed else []
    cost = {"pages": 1, "characters": 22, "chunks": 3, "embedded": 2, "reused": 1, "tokens": 40}
    progress = {
        "documents": len(inside),
        "finished": finished,
        "fraction": finished / len(inside) if inside else 0,
        "states": states,
        "cancelled": 0,
        "cost": cost,
        "errors": errors,
    }
    return {**run, "sequence": len(events_of(world, run["id"])), "progress": progress}


def events_of(world: World, id: str) -> list[dict[str, Any]]:
    """What happened in a run."""
    return [
        {"number": number, "at": NOW, **one}
        for number, one in enumerate((one for run, one in world.happened if run == id), start=1)
    ]


def add_ingestions(app: FastAPI, world: World) -> None:
    """Add the routes."""

    @app.post("/api/v1/ingestions", response_model=IngestionOut, status_code=201)
    async def create(body: ingestions.NewIngestion) -> Any:
        made: dict[str, Any] = {
            **body.model_dump(mode="json"),
            "trouble": "",
            **dict.fromkeys(("closed_at", "cancelled_at", "completed_at")),
            "id": str(uuid.uuid4()),
            "status": "open",
            "created_by": "api_key:1",
            "created_at": NOW,
            "sequence": 0,
        }
        world.ingestions[made["id"]] = made
        return made

    @app.get("/api/v1/ingestions", response_model=ingestions.IngestionPage)
    async def list_runs(collection_id: str = "", cursor: str | None = None, limit: int = 50) -> Any:
        rows = [one for one in world.ingestions.values() if collection_id in ("", one["collection_id"])]
        return page_of(world, rows[::-1], cursor, limit)

    @app.get("/api/v1/ingestions/{id}", response_model=IngestionViewOut)
    async def get(id: str) -> Any:
        return view(world, world.ingestions[id]) if id in world.ingestions else problem(*MISSING)

    @app.get("/api/v1/ingestions/{id}/events", response_model=ingestions.IngestionEvents)
    async def list_events(id: str, after: int = 0, limit: int = 50) -> Any:
        return {"items": events_of(world, id)[after : after + min(limit, world.page)]}

    @app.post("/api/v1/ingestions/{id}/{action}", response_model=IngestionViewOut, status_code=202)
    async def act(id: str, action: str) -> Any:
        run = world.ingestions[id]
        world.actions.append((id, action))
        if action == "close":
            run["closed_at"] = NOW
        if action == "cancel":
            run.update(closed_at=NOW, cancelled_at=NOW, status="cancelled")
        return view(world, run)

    @app.get("/api/v1/streams/ingestions/{id}")
    async def watch(id: str, last_event_id: int = Header(0)) -> Any:
        if id not in world.ingestions:
            return problem(*MISSING)
        return StreamingResponse(told(world, id, last_event_id), media_type="text/event-stream")


def told(world: World, id: str, after: int) -> Iterator[str]:
    """Two events, and the end when there are no more: a longer story takes several streams."""
    left = events_of(world, id)[after:]
    yield sse("progress", {}, retry=1000)
    yield ": nothing new\n\n"
    for one in left[:2]:
        yield sse(one["kind"], one, id=one["number"])
    if len(left) <= 2:
        yield sse("end", {"status": "completed"})
