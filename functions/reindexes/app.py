"""Reindexes: what is stale, an index beside the searched one, its score, the cut and the way back."""

from uuid import UUID

from functions.reindexes.schemas import IndexList, IndexOut, NewReindexIn, PlanOut, QuestionsIn, QuestionsOut
from shared.runtime.auth import Authorised
from shared.runtime.http import http_function
from shared.runtime.web import Router
from shared.usecases.reindexes import cut, look
from shared.usecases.reindexes.plan import plan
from shared.usecases.reindexes.start import start

router = Router()


@router.get("/reindexes/plan")
async def plan_reindex(collection_id: UUID, call: Authorised) -> PlanOut:
    """What is stale in a collection, and what making its index anew would take."""
    return PlanOut.of(await plan(call.scope, call.ports, collection_id))


@router.get("/reindexes/questions")
async def get_questions(collection_id: UUID, call: Authorised) -> QuestionsOut:
    """The questions that indexes of a collection are scored by; none of its own: they are made from its documents."""
    return QuestionsOut.of(await look.questions(call.scope, call.ports, collection_id))


@router.put("/reindexes/questions")
async def put_questions(body: QuestionsIn, call: Authorised) -> QuestionsOut:
    """Set the questions of a collection and what should be found for each."""
    return QuestionsOut.of(await look.ask(call.scope, call.ports, body.collection_id, body.domain()))


@router.post("/reindexes", status_code=202)
async def start_reindex(body: NewReindexIn, call: Authorised) -> IndexOut:
    """Build an index beside the one that is searched: another model, another cut, or just the present versions."""
    return IndexOut.of(await start(call.scope, call.ports, body.domain()))


@router.get("/reindexes")
async def list_reindexes(collection_id: UUID, call: Authorised) -> IndexList:
    """Every index of a collection, newest first; the last is its first."""
    return IndexList.of(await look.list_reindexes(call.scope, call.ports, collection_id))


@router.get("/reindexes/{reindex_id}")
async def get_reindex(reindex_id: UUID, call: Authorised) -> IndexOut:
    """Where it is, how far it is behind what is searched, what it cost and how it scored."""
    found = await look.status(call.scope, call.ports, reindex_id)
    return IndexOut.of(found.index, found.progress)


@router.post("/reindexes/{reindex_id}/promote")
async def promote_reindex(reindex_id: UUID, call: Authorised, despite_failures: bool = False) -> IndexOut:
    """Search it from now on. The one before is kept for a rollback.

    While uploads are on their way into it, it is not live yet: publishing waits for it, so ask again until it is.
    """
    return IndexOut.of(await cut.promote(call.scope, call.ports, reindex_id, despite_failures=despite_failures))


@router.post("/reindexes/{reindex_id}/rollback")
async def roll_back_reindex(reindex_id: UUID, call: Authorised) -> IndexOut:
    """Give it up, or search the index before it again: as with promoting, ask again while it is still live."""
    return IndexOut.of(await cut.rollback(call.scope, call.ports, reindex_id))


handler = http_function(router)
