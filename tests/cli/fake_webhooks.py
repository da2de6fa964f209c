"""Webhooks in the fake API."""

import uuid
from typing import Any

from fastapi import FastAPI, Response

from functions.webhooks import schemas as webhooks
from tests.cli.fake_world import NOW, World, problem


def add_webhooks(app: FastAPI, world: World) -> None:
    """Add the routes."""

    @app.get("/api/v1/webhooks", response_model=webhooks.WebhookPage)
    async def all_of() -> Any:
        return {"items": list(world.webhooks.values()), "next": None}

    @app.post("/api/v1/webhooks", response_model=webhooks.WebhookSecretOut, status_code=201)
    async def make(body: webhooks.NewWebhook) -> Any:
        id = str(uuid.uuid4())
        nothing = dict.fromkeys(("rotated_at", "failing_since", "disabled_at"))
        made = {"id": id, **body.model_dump(), "created_by": "k", "created_at": NOW, **nothing, "disabled_reason": ""}
        world.webhooks[id] = made
        return {**made, "secret": "whsec_once"}

    @app.delete("/api/v1/webhooks/{id}", status_code=204)
    async def remove(id: str) -> Response:
        del world.webhooks[id]
        return Response(status_code=204)

    @app.get("/api/v1/webhooks/{id}/deliveries", response_model=webhooks.DeliveryPage)
    async def sent(id: str) -> Any:
        return {"items": [one for one in world.deliveries if one["webhook_id"] == id], "next": None}

    @app.post(
        "/api/v1/webhooks/{id}/deliveries/{delivery}/redeliver",
        response_model=webhooks.DeliveryOut,
        status_code=202,
    )
    async def again(id: str, delivery: str) -> Any:
        found = next((one for one in world.deliveries if one["id"] == delivery), None)
        if found is None:
            return problem(404, "delivery_not_found", "no such delivery to this endpoint")
        return {**found, "state": "pending"}
