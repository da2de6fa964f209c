"""Reindexes: what is stale in a collection."""

from uuid import UUID

from fastapi import APIRouter

from functions.reindexes.schemas import PlanOut
from shared.runtime.auth import Authorised
from shared.runtime.http import PREFIX, http_function
from shared.usecases.reindexes.plan import plan

router = APIRouter(prefix=PREFIX)


@router.get("/reindexes/plan")
async def plan_reindex(collection_id: UUID, call: Authorised) -> PlanOut:
    """What is stale in a collection, and what making its index anew would take."""
    return PlanOut.of(await plan(call.scope, call.ports, collection_id))


handler = http_function(router)
