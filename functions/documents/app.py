"""Documents: uploads, listing, progress, text, deletion."""

from typing import Annotated
from uuid import UUID

from functions.documents import schemas as s
from shared.runtime.access import serve_document_access
from shared.runtime.auth import Authorised
from shared.runtime.http import http_function
from shared.runtime.paging import Limit, Position, Version
from shared.runtime.receipts import ReceiptOut
from shared.runtime.web import Query, Router
from shared.settings import settings
from shared.usecases.documents import delete, edit, process, read, retry, upload, why

router = Router()
serve_document_access(router)


@router.post("/documents", status_code=201)
async def create_document(body: s.NewDocument, call: Authorised) -> s.UploadSlotOut:
    """Make a document, or a further version of the one with the same path, and get a form to upload its file with."""
    return s.UploadSlotOut.of(
        await upload.upload(call.scope, call.ports, body.domain(), max_bytes=settings().max_upload_bytes)
    )


@router.get("/documents")
async def list_documents(call: Authorised, asked: Annotated[s.Listing, Query()]) -> s.DocumentPage:
    """List documents, newest first."""
    page = await read.list_documents(call.scope, call.ports, asked.domain(), cursor=asked.cursor, limit=asked.limit)
    return s.DocumentPage.model_validate(page)


@router.post("/documents/retry", status_code=202)
async def retry_documents(body: s.RetryFailed, call: Authorised) -> s.RetriesOut:
    """Take up documents whose latest version failed, newest first; send `next` back as `cursor` for the others."""
    found = await retry.retry_failed(call.scope, call.ports, body.domain(), cursor=body.cursor, limit=body.limit)
    return s.RetriesOut.of(found)


@router.get("/documents/{document_id}")
async def get_document(document_id: UUID, call: Authorised) -> s.DocumentViewOut:
    """One document with the progress of its latest version."""
    return s.DocumentViewOut.of(await read.get(call.scope, call.ports, document_id))


@router.patch("/documents/{document_id}")
async def change_document(document_id: UUID, body: s.DocumentChange, call: Authorised) -> s.DocumentOut:
    """Change name, tags or metadata; a field left out stays."""
    changed = await edit.edit(
        call.scope, call.ports, document_id, name=body.name, tags=body.tags, metadata=body.metadata
    )
    return s.DocumentOut.model_validate(changed)


@router.delete("/documents/{document_id}", status_code=202)
async def delete_document(document_id: UUID, call: Authorised) -> ReceiptOut:
    """Delete it: no search or answer shows it from this moment. The receipt is completed by the sweep."""
    return ReceiptOut.of(await delete.delete(call.scope, call.ports, document_id))


@router.post("/documents/{document_id}/versions", status_code=201)
async def create_version(document_id: UUID, body: s.NewVersion, call: Authorised) -> s.UploadSlotOut:
    """Get a form to upload new content with; the present version is served until the new one is indexed."""
    allowed = settings().max_upload_bytes
    slot = await upload.upload_version(call.scope, call.ports, document_id, **body.model_dump(), max_bytes=allowed)
    return s.UploadSlotOut.of(slot)


@router.post("/documents/{document_id}/process", status_code=202)
async def process_document(document_id: UUID, call: Authorised) -> s.VersionOut:
    """Process the uploaded file again with the collection's present settings."""
    return s.VersionOut.of(await process.process(call.scope, call.ports, document_id))


@router.post("/documents/{document_id}/retry", status_code=202)
async def retry_document(document_id: UUID, call: Authorised) -> s.VersionOut:
    """Take it up again if its latest version failed, from the furthest step that can be repeated; twice starts one."""
    return s.VersionOut.of(await retry.retry(call.scope, call.ports, document_id))


@router.get("/documents/{document_id}/why")
async def explain_document(document_id: UUID, call: Authorised) -> s.ExplanationOut:
    """In words: where it is, since when, what was tried, what happens next."""
    return s.ExplanationOut.model_validate(await why.why(call.scope, call.ports, document_id))


@router.get("/documents/{document_id}/content")
async def download_document(document_id: UUID, call: Authorised) -> s.LinkOut:
    """A link to the original file, valid for five minutes."""
    return s.LinkOut(
        url=await read.download_link(call.scope, call.ports, document_id), expires_in=read.DOWNLOAD_SECONDS
    )


@router.get("/documents/{document_id}/text")
async def get_text(
    document_id: UUID, call: Authorised, start: Position = 0, end: Position | None = None, version: Version = None
) -> s.TextOut:
    """The extracted text, or the part from `start` to `end` (200,000 characters at most a call)."""
    return s.TextOut.of(await read.text(call.scope, call.ports, document_id, generation=version), start, end)


@router.get("/documents/{document_id}/chunks")
async def list_chunks(document_id: UUID, call: Authorised, first: Position = 0, limit: Limit = 50) -> list[s.ChunkOut]:
    """The chunks that are searched, in order."""
    return [
        s.ChunkOut.of(one) for one in await read.chunks(call.scope, call.ports, document_id, first=first, limit=limit)
    ]


@router.get("/documents/{document_id}/receipt")
async def get_receipt(document_id: UUID, call: Authorised) -> ReceiptOut:
    """The proof of a deletion."""
    return ReceiptOut.of(await delete.receipt(call.scope, call.ports, document_id))


handler = http_function(router)
