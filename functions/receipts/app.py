"""Receipts: the proof of every deletion."""

from uuid import UUID

from functions.receipts.schemas import ReceiptPage
from shared.domain.receipts import SubjectKind
from shared.ports.receipts import ReceiptFilter
from shared.runtime.auth import Authorised
from shared.runtime.http import http_function
from shared.runtime.paging import Cursor, Limit
from shared.runtime.receipts import KeyOut, ReceiptOut, signing_key
from shared.runtime.web import Router
from shared.usecases.deletion import read

router = Router()


@router.get("/receipts")
async def list_receipts(
    call: Authorised,
    kind: SubjectKind | None = None,
    parent_id: UUID | None = None,
    complete: bool | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> ReceiptPage:
    """List receipts, newest first; who sees projects is shown those of deleted ones too."""
    wanted = ReceiptFilter(kind, parent_id, complete, read.sees_deleted_projects(call.scope))
    return ReceiptPage.of(await read.list_receipts(call.scope, call.ports, wanted, cursor=cursor, limit=limit))


@router.get("/receipts/key")
async def get_key() -> KeyOut:
    """The public key that verifies receipts: keep it, and no receipt needs to be believed."""
    return KeyOut(public_key=(await signing_key()).hex())


@router.get("/receipts/{receipt_id}")
async def get_receipt(receipt_id: UUID, call: Authorised) -> ReceiptOut:
    """One receipt, with its signature once it is complete."""
    return ReceiptOut.of(await read.get_receipt(call.scope, call.ports, receipt_id))


handler = http_function(router)
