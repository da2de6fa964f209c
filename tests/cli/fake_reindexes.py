"""Reindexes in the fake API."""

from typing import Any

from fastapi import FastAPI

from functions.reindexes import schemas as reindexes
from tests.cli.fake_world import World, problem

PRESENT = {"model": "local/small", "dimensions": 384, "method": "structure", "size": 200, "overlap": 20}


def add_reindexes(app: FastAPI, world: World) -> None:
    """Add the routes."""

    @app.get("/api/v1/reindexes/plan", response_model=reindexes.PlanOut)
    async def plan(collection_id: str) -> Any:
        found = world.collections.get(collection_id)
        if found is None:
            return problem(404, "collection_not_found", "no such collection in this project")
        inside = sum(one["collection_id"] == collection_id for one in world.documents.values())
        return {
            **dict.fromkeys(("model", "chunking", "reader", "pipeline", "chunks"), 0),
            "collection_id": collection_id,
            "name": found["name"],
            "present": PRESENT,
            "target": {**PRESENT, "model": "local/large"},
            "documents": inside,
            "stale": inside,
            "model": inside,
            "tokens": 1200 * inside,
            "reasons": ["model"] if inside else [],
            "needed": bool(inside),
        }
