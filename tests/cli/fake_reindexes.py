"""Reindexes in the fake API."""

import uuid
from typing import Any

from fastapi import FastAPI

from functions.reindexes import schemas as reindexes
from tests.cli.fake_world import NOW, World, problem

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

    @app.post("/api/v1/reindexes", response_model=reindexes.IndexOut, status_code=202)
    async def start(body: reindexes.NewReindexIn) -> Any:
        found = world.reindexes.setdefault(str(body.collection_id), [index(str(body.collection_id), "live")])
        if found[0]["state"] == "building":
            return problem(409, "reindex_running", "a reindex is building", "promote it")
        world.bodies.append(body.model_dump(mode="json"))
        found.insert(0, index(str(body.collection_id), "building"))
        return found[0]

    @app.get("/api/v1/reindexes", response_model=reindexes.IndexList)
    async def all_of(collection_id: str) -> Any:
        return {"items": world.reindexes.setdefault(collection_id, [index(collection_id, "live")])}

    @app.get("/api/v1/reindexes/questions", response_model=reindexes.QuestionsOut)
    async def questions(collection_id: str) -> Any:
        return {"questions": world.questions.get(collection_id, [])}

    @app.put("/api/v1/reindexes/questions", response_model=reindexes.QuestionsOut)
    async def ask(body: reindexes.QuestionsIn) -> Any:
        kept = body.model_dump(mode="json")["questions"]
        world.questions[str(body.collection_id)] = kept
        return {"questions": kept}

    _one(app, world)


def _one(app: FastAPI, world: World) -> None:
    @app.get("/api/v1/reindexes/{id}", response_model=reindexes.IndexOut)
    async def one(id: str) -> Any:
        return {**find(world, id), "progress": {"documents": 3, "in_step": 2, "in_flight": 1, "failed": 0}}

    @app.post("/api/v1/reindexes/{id}/{step}", response_model=reindexes.IndexOut)
    async def move(id: str, step: str) -> Any:
        found = find(world, id)
        if step == "promote" and found["state"] == "building":
            return problem(409, "not_ready", "this reindex is building", "its status tells what is missing")
        if world.uploads_on_their_way:
            world.uploads_on_their_way -= 1
            return found
        found["state"] = "live" if step == "promote" else "dropping"
        return found


def index(collection_id: str, state: str) -> dict[str, Any]:
    """An index as the API tells of it."""
    return {
        "id": str(uuid.uuid4()),
        "collection_id": collection_id,
        "state": state,
        "settings": PRESENT,
        "reasons": ["model"],
        "requested_by": "api_key:k",
        "automatic": False,
        "budget": dict.fromkeys(reindexes.BudgetOut.model_fields, 0),
        "spent": {"day": "", "documents": 0, "tokens": 0},
        "scores": {
            "old": {"ndcg": 0.8, "recall": 0.9},
            "new": {"ndcg": 0.85, "recall": 0.95},
            "questions": 20,
            "generated": True,
            "at": NOW,
        },
        "progress": None,
        "created_at": NOW,
        "changed_at": NOW,
        "expires_at": None,
        "problem": "",
    }


def find(world: World, id: str) -> dict[str, Any]:
    """The index of this id."""
    return next(one for found in world.reindexes.values() for one in found if one["id"] == id)
