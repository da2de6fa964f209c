"""Ingestion runs: documents that are sent together, and what becomes of them."""

from uuid import UUID

from functions.ingestions import schemas as s
from shared.domain.documents import GenerationState
from shared.runtime.auth import Authorised
from shared.runtime.http import http_function
from shared.runtime.ingestions import IngestionEventOut, IngestionOut, IngestionViewOut
from shared.runtime.paging import Cursor, Limit, Position
from shared.runtime.web import Router
from shared.usecases.ingestions import manage, read

router = Router()


@router.post("/ingestions", status_code=201)
async def create_ingestion(body: s.NewIngestion, call: Authorised) -> IngestionOut:
    """Open a run; name it as `ingestion_id` when you announce a file."""
    return IngestionOut.model_validate(await manage.create(call.scope, call.ports, **body.model_dump()))


@router.get("/ingestions")
async def list_ingestions(
    call: Authorised, collection_id: UUID | None = None, cursor: Cursor = None, limit: Limit = 50
) -> s.IngestionPage:
    """List runs, newest first."""
    page = await read.list_runs(call.scope, call.ports, collection_id=collection_id, cursor=cursor, limit=limit)
    return s.IngestionPage.model_validate(page)


@router.get("/ingestions/{ingestion_id}")
async def get_ingestion(ingestion_id: UUID, call: Authorised) -> IngestionViewOut:
    """One run: how far it is, what it took, what failed and why."""
    return IngestionViewOut.of(await read.view(call.scope, call.ports, ingestion_id))


@router.get("/ingestions/{ingestion_id}/documents")
async def list_documents(
    ingestion_id: UUID,
    call: Authorised,
    state: GenerationState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> s.MemberPage:
    """The documents of a run."""
    page = await read.list_members(call.scope, call.ports, ingestion_id, state=state, cursor=cursor, limit=limit)
    return s.MemberPage(items=[s.MemberOut.of(one) for one in page.items], next=page.next)


@router.get("/ingestions/{ingestion_id}/events")
async def list_events(
    ingestion_id: UUID, call: Authorised, after: Position = 0, limit: Limit = 50
) -> s.IngestionEvents:
    """What happened after the event of that number, in order."""
    found = await read.events(call.scope, call.ports, ingestion_id, after=after, limit=limit)
    return s.IngestionEvents(items=[IngestionEventOut.of(one) for one in found])


@router.post("/ingestions/{ingestion_id}/close")
async def close_ingestion(ingestion_id: UUID, call: Authorised) -> IngestionViewOut:
    """Say that no more files come: the run completes with the last of those it has."""
    await manage.close(call.scope, call.ports, ingestion_id)
    return IngestionViewOut.of(await read.view(call.scope, call.ports, ingestion_id))


@router.post("/ingestions/{ingestion_id}/cancel", status_code=202)
async def cancel_ingestion(ingestion_id: UUID, call: Authorised) -> IngestionViewOut:
    """End what has not ended; what is indexed stays."""
    await manage.cancel(call.scope, call.ports, ingestion_id)
    return IngestionViewOut.of(await read.view(call.scope, call.ports, ingestion_id))


@router.post("/ingestions/{ingestion_id}/retry", status_code=202)
async def retry_ingestion(ingestion_id: UUID, call: Authorised) -> IngestionViewOut:
    """Take every failed document up again."""
    await manage.retry_failed(call.scope, call.ports, ingestion_id)
    return IngestionViewOut.of(await read.view(call.scope, call.ports, ingestion_id))


handler = http_function(router)
