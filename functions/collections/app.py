"""Collections of a project."""

from uuid import UUID

from functions.collections.schemas import (
    CollectionChange,
    CollectionOut,
    CollectionPage,
    CollectionSummaryOut,
    NewCollection,
)
from shared.runtime.access import serve_collection_access
from shared.runtime.auth import Authorised
from shared.runtime.http import http_function
from shared.runtime.paging import Cursor, Limit
from shared.runtime.receipts import ReceiptOut
from shared.runtime.web import Router
from shared.usecases.collections import manage
from shared.usecases.deletion import request

router = Router()
serve_collection_access(router)


@router.post("/collections", status_code=201)
async def create_collection(body: NewCollection, call: Authorised) -> CollectionOut:
    """Make a collection, embedded by this deployment's model."""
    made = await manage.create(
        call.scope,
        call.ports,
        name=body.name,
        description=body.description,
        language=body.language,
        chunking=body.chunking.domain() if body.chunking else None,
    )
    return CollectionOut.model_validate(made)


@router.get("/collections")
async def list_collections(call: Authorised, cursor: Cursor = None, limit: Limit = 50) -> CollectionPage:
    """List collections, newest first."""
    return CollectionPage.model_validate(
        await manage.list_collections(call.scope, call.ports, cursor=cursor, limit=limit)
    )


@router.get("/collections/{collection_id}")
async def get_collection(collection_id: UUID, call: Authorised) -> CollectionSummaryOut:
    """One collection with counts of what is in it."""
    return CollectionSummaryOut.of(await manage.summary(call.scope, call.ports, collection_id))


@router.patch("/collections/{collection_id}")
async def change_collection(collection_id: UUID, body: CollectionChange, call: Authorised) -> CollectionOut:
    """Rename or describe it, or set how documents are cut from now on."""
    changed = await manage.change(
        call.scope,
        call.ports,
        collection_id,
        name=body.name,
        description=body.description,
        chunking=body.chunking.domain() if body.chunking else None,
    )
    return CollectionOut.model_validate(changed)


@router.delete("/collections/{collection_id}", status_code=202)
async def delete_collection(collection_id: UUID, call: Authorised) -> ReceiptOut:
    """Delete it with its documents: nothing of it is found from this moment, and the sweep completes the receipt."""
    return ReceiptOut.of(await request.delete_collection(call.scope, call.ports, collection_id))


handler = http_function(router)
