"""Look at documents: one, many, their text, their chunks, their original."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from shared.domain.chunks import Chunk
from shared.domain.documents import Document, Generation, text_key
from shared.domain.errors import Conflict, NotFound
from shared.domain.extracted import Extracted
from shared.domain.extraction import read_extraction
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.tenants import Permission, Scope
from shared.ports.blobs import Bucket
from shared.ports.documents import DocumentFilter
from shared.ports.ports import Ports

DOWNLOAD_SECONDS = 300


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document with its latest generation (whose progress people watch)."""

    document: Document
    latest: Generation | None


async def get(scope: Scope, ports: Ports, document_id: UUID) -> DocumentView:
    """One document that is not deleted.

    Raises:
        NotFound: no such document in this project, or it is deleted.
    """
    scope.require(Permission.DOCUMENTS_READ)
    found = await ports.documents.latest(scope, document_id)
    if found is None or found[0].deleted:
        raise NotFound("no such document in this project", code="document_not_found")
    return DocumentView(await shown(scope, ports, found[0]), found[1])


async def shown(scope: Scope, ports: Ports, document: Document) -> Document:
    """The document as the caller may see it."""
    (found,) = await all_shown(scope, ports, [document])
    return found


async def all_shown(scope: Scope, ports: Ports, documents: Sequence[Document]) -> Sequence[Document]:
    """The documents without a word of others with the same bytes that the caller may not read, or that are deleted."""
    equal = {document.duplicate_of for document in documents} - {None}
    if not equal:
        return documents
    seen = await ports.documents.living(scope, [one for one in equal if one is not None])
    return [
        document if document.duplicate_of in seen else replace(document, duplicate_of=None) for document in documents
    ]


async def existing(scope: Scope, ports: Ports, document_id: UUID) -> Document:
    """The document, or NotFound when it is none of this project's or deleted."""
    document = await ports.documents.get(scope, document_id)
    if document is None or document.deleted:
        raise NotFound("no such document in this project", code="document_not_found")
    return document


async def list_documents(
    scope: Scope, ports: Ports, wanted: DocumentFilter, *, cursor: str | None, limit: int
) -> Page[Document]:
    """A page of documents, newest first.

    Raises:
        InvalidCursor: a cursor of another listing.
    """
    scope.require(Permission.DOCUMENTS_READ)
    listing = fingerprint("documents", scope.project_id, wanted)
    after = decode_cursor(cursor, listing) if cursor else None
    rows = await all_shown(scope, ports, await ports.documents.list(scope, wanted, after, limit + 1))
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))


async def chunks(scope: Scope, ports: Ports, document_id: UUID, *, first: int, limit: int) -> Sequence[Chunk]:
    """Chunks of the generation that is being served, from ordinal `first`."""
    scope.require(Permission.DOCUMENTS_READ)
    document = await existing(scope, ports, document_id)
    return await ports.chunks.list(scope, document.id, _served(document), first=first, limit=limit)


async def text(scope: Scope, ports: Ports, document_id: UUID, *, generation: int | None = None) -> Extracted:
    """The extracted text of the generation being served, or of another one whose text is kept.

    Raises:
        Conflict: the document is not indexed yet.
        NotFound: no such document, or the text of that generation is gone.
    """
    scope.require(Permission.DOCUMENTS_READ)
    document = await existing(scope, ports, document_id)
    number = generation if generation is not None else _served(document)
    found = await ports.documents.generation(scope, document.id, number)
    if found is None:
        raise NotFound(f"the document has no version {number}", code="version_not_found")
    extraction = read_extraction(await ports.blobs.get(Bucket.WORK, text_key(found)))
    if isinstance(extraction, Extracted):
        return extraction
    raise Conflict(f"version {number} has no text: {extraction.detail}", code="no_text")


async def download_link(scope: Scope, ports: Ports, document_id: UUID) -> str:
    """A short-lived link to the original file of the generation being served, or of the latest one that has an upload.

    Raises:
        Conflict: nothing was uploaded yet.
    """
    scope.require(Permission.DOCUMENTS_READ)
    document = await existing(scope, ports, document_id)
    number = document.committed_generation or document.latest_generation
    generation = await ports.documents.generation(scope, document.id, number)
    if generation is None or not generation.source.version_id:
        raise Conflict("the document has no upload yet", code="not_uploaded", hint="upload the file first")
    return await ports.blobs.download_url(
        Bucket.UPLOADS,
        generation.source.key,
        version_id=generation.source.version_id,
        seconds=DOWNLOAD_SECONDS,
        file_name=document.name,
        content_type=document.media_type or "application/octet-stream",
    )


def _served(document: Document) -> int:
    if document.committed_generation is None:
        raise Conflict(
            "the document is not indexed yet",
            code="not_indexed",
            hint="GET documents/{id}/why tells where it is and what happens next",
        )
    return document.committed_generation
