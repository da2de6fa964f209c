"""Give a document a place to be uploaded to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from shared.domain.collections import Collection
from shared.domain.documents import (
    Document,
    DocumentStatus,
    Generation,
    GenerationState,
    Recipe,
    Source,
    advance,
    status_of,
    upload_key,
)
from shared.domain.errors import Conflict, NotFound, TooLarge
from shared.domain.ingestion import PIPELINE_VERSION, READER_VERSION, UPLOAD_LOOK, UPLOAD_SECONDS
from shared.domain.labels import clean_metadata, clean_name, clean_path, clean_tags
from shared.domain.tenants import Permission, Scope
from shared.ports.blobs import UploadForm
from shared.ports.ports import Ports
from shared.usecases.documents.read import shown
from shared.usecases.happenings.tell import check_run, joined


@dataclass(frozen=True, slots=True)
class NewUpload:
    """A file that is about to be sent."""

    collection_id: UUID
    name: str
    size: int | None = None
    media_type: str = ""
    path: str = ""
    content_hash: str = ""
    """sha256, hexadecimal, if the sender knows it: an unchanged file need not be sent."""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, object] = field(default_factory=dict)
    ingestion_id: UUID | None = None
    """The run this upload belongs to."""


@dataclass(frozen=True, slots=True)
class UploadSlot:
    """Where to send the file; `form` is None when what is served is byte for byte the same already."""

    document: Document
    generation: int
    form: UploadForm | None


async def upload(scope: Scope, ports: Ports, new: NewUpload, *, max_bytes: int) -> UploadSlot:
    """Create the document, or a further generation of the one with the same path, and presign its upload.

    Raises:
        NotFound: no such collection, or no such ingestion.
        Conflict: the ingestion fills another collection or takes no more documents.
        Invalid: a name, tag or metadata that is not accepted.
        TooLarge: the announced size is over `max_bytes`.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    if new.size is not None and new.size > max_bytes:
        raise TooLarge(
            f"the file has {new.size} bytes; {max_bytes} at most",
            code="file_too_large",
            hint="split the file, or raise the deployment's limit",
        )
    collection = await ports.collections.get(scope, new.collection_id)
    if collection is None:
        raise NotFound(
            "no such collection in this project",
            code="collection_not_found",
            hint="list collections to see which exist",
        )
    await check_run(scope, ports, new.ingestion_id, collection.id)
    path = clean_path(new.path)
    known = await ports.documents.get_by_path(scope, collection.id, path) if path else None
    if known is None:
        return await _first(scope, ports, collection, new, path, max_bytes)
    relabelled = replace(
        known,
        name=clean_name(new.name),
        tags=clean_tags(new.tags) or known.tags,
        metadata=clean_metadata(new.metadata) or known.metadata,
    )
    slot = await further(
        scope,
        ports,
        relabelled,
        collection,
        content_hash=new.content_hash,
        media_type=new.media_type,
        max_bytes=max_bytes,
        ingestion_id=new.ingestion_id,
    )
    return replace(slot, document=await shown(scope, ports, slot.document))


async def upload_version(
    scope: Scope,
    ports: Ports,
    document_id: UUID,
    *,
    content_hash: str,
    media_type: str,
    max_bytes: int,
    ingestion_id: UUID | None = None,
) -> UploadSlot:
    """A slot for new content of a document that exists.

    Raises:
        NotFound: no such document, or it is deleted, or no such ingestion.
        Conflict: the ingestion fills another collection or takes no more documents.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    document = await ports.documents.lock(scope, document_id)
    if document is None or document.deleted:
        raise NotFound("no such document in this project", code="document_not_found")
    collection = await ports.collections.get(scope, document.collection_id)
    if collection is None:
        raise NotFound("the document's collection is deleted", code="collection_not_found")
    await check_run(scope, ports, ingestion_id, collection.id)
    slot = await further(
        scope,
        ports,
        document,
        collection,
        content_hash=content_hash,
        media_type=media_type,
        max_bytes=max_bytes,
        ingestion_id=ingestion_id,
    )
    return replace(slot, document=await shown(scope, ports, slot.document))


async def form_again(
    scope: Scope, ports: Ports, document_id: UUID, number: int, *, max_bytes: int
) -> UploadForm | None:
    """Another form for a slot that was given; None when its file has come.

    Raises:
        NotFound: the document is deleted.
        Conflict: nobody waits for the file any more.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    document = await ports.documents.lock(scope, document_id)
    slot = await ports.documents.generation(scope, document_id, number)
    if document is None or document.deleted or slot is None:
        raise NotFound("no such document in this project", code="document_not_found")
    if slot.state is GenerationState.AWAITING_UPLOAD:
        now = ports.clock.now()
        await ports.documents.save_generation(scope, replace(slot, entered_at=now, due_at=now + UPLOAD_LOOK))
        return await _form(ports, slot, document.media_type, max_bytes)
    if not slot.source.version_id:
        hint = "announce it again, with another key"
        raise Conflict("nobody waits for this file any more", code="upload_given_up", hint=hint)
    return None


async def further(
    scope: Scope,
    ports: Ports,
    document: Document,
    collection: Collection,
    *,
    content_hash: str,
    media_type: str,
    max_bytes: int,
    ingestion_id: UUID | None,
) -> UploadSlot:
    """A slot for the next generation of a locked document.

    An unused earlier slot is given again rather than a new one made, unless it belongs to another run.
    """
    now = ports.clock.now()
    committed = document.committed_generation
    if committed is not None and content_hash and content_hash == document.content_hash:
        generations = {one.number: one for one in await ports.documents.generations(scope, document.id)}
        # Not while another is on its way: it would be served in place of what the caller has.
        settled = all(
            one.terminal or one.number < committed or one.slot != collection.slot for one in generations.values()
        )
        if settled and generations[committed].recipe == recipe_of(collection):
            return UploadSlot(await _unchanged(scope, ports, document, collection, ingestion_id), committed, None)
    latest = await ports.documents.generation(scope, document.id, document.latest_generation)
    fits = latest is not None and ingestion_id in (None, latest.ingestion_id)
    if latest is not None and fits and latest.state is GenerationState.AWAITING_UPLOAD:
        slot = replace(
            latest,
            entered_at=now,
            due_at=now + UPLOAD_LOOK,
            recipe=recipe_of(collection),
            index=collection.index,
            slot=collection.slot,
        )
        await ports.documents.save_generation(scope, slot)
        fresh = False
    else:
        slot = new_generation(scope, ports, document, document.latest_generation + 1, collection)
        slot = replace(slot, ingestion_id=ingestion_id)
        await ports.documents.add_generation(scope, slot)
        fresh = True
    document = replace(
        document, latest_generation=slot.number, media_type=media_type or document.media_type, updated_at=now
    )
    document = replace(document, status=status_of(document, slot))
    await ports.documents.save(scope, document)
    if fresh:
        await joined(scope, ports, document, slot)
    return UploadSlot(document, slot.number, await _form(ports, slot, document.media_type, max_bytes))


async def _unchanged(
    scope: Scope, ports: Ports, document: Document, collection: Collection, ingestion_id: UUID | None
) -> Document:
    """Nothing is to be sent; a run that was told of the file has it as a generation that ended there and then."""
    now = ports.clock.now()
    latest = await ports.documents.generation(scope, document.id, document.latest_generation)
    told = latest is not None and latest.ingestion_id == ingestion_id and latest.state is GenerationState.UNCHANGED
    if ingestion_id is None or told:
        touched = replace(document, updated_at=now)
        await ports.documents.save(scope, touched)
        return touched
    made = new_generation(scope, ports, document, document.latest_generation + 1, collection)
    made = replace(
        advance(made, GenerationState.UNCHANGED, now, due=None),
        ingestion_id=ingestion_id,
        content_hash=document.content_hash,
    )
    await ports.documents.add_generation(scope, made)
    changed = replace(document, latest_generation=made.number, updated_at=now)
    await ports.documents.save(scope, changed)
    await joined(scope, ports, changed, made)
    return changed


async def _first(
    scope: Scope, ports: Ports, collection: Collection, new: NewUpload, path: str, max_bytes: int
) -> UploadSlot:
    now = ports.clock.now()
    document = Document(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        collection_id=collection.id,
        name=clean_name(new.name),
        path=path,
        media_type=new.media_type,
        size=new.size or 0,
        tags=clean_tags(new.tags),
        metadata=clean_metadata(new.metadata),
        status=DocumentStatus.AWAITING_UPLOAD,
        created_at=now,
        updated_at=now,
    )
    generation = new_generation(scope, ports, document, 1, collection)
    generation = replace(generation, ingestion_id=new.ingestion_id)
    await ports.documents.add(scope, document, generation)
    await joined(scope, ports, document, generation)
    return UploadSlot(document, 1, await _form(ports, generation, new.media_type, max_bytes))


def new_generation(scope: Scope, ports: Ports, document: Document, number: int, collection: Collection) -> Generation:
    """A generation that waits for its upload, made for the index that the collection is seen through."""
    now: datetime = ports.clock.now()
    return Generation(
        tenant_id=scope.tenant_id,
        project_id=document.project_id,
        document_id=document.id,
        number=number,
        state=GenerationState.AWAITING_UPLOAD,
        source=Source(upload_key(scope.tenant_id, document.id, number)),
        recipe=recipe_of(collection),
        created_at=now,
        entered_at=now,
        due_at=now + UPLOAD_LOOK,
        index=collection.index,
        slot=collection.slot,
    )


def recipe_of(collection: Collection) -> Recipe:
    """What a generation of this collection is made by, as of now, for the index it is seen through."""
    return Recipe(READER_VERSION, collection.chunking.key, collection.model.name, PIPELINE_VERSION)


async def _form(ports: Ports, generation: Generation, media_type: str, max_bytes: int) -> UploadForm:
    if generation.state is not GenerationState.AWAITING_UPLOAD:
        raise Conflict("this generation has its upload already", code="already_uploaded")
    return await ports.blobs.upload_form(
        generation.source.key,
        max_bytes=max_bytes,
        seconds=UPLOAD_SECONDS,
        content_type=media_type or "application/octet-stream",
    )
