"""Process a document again from the file it has."""

from dataclasses import replace
from uuid import UUID

from shared.domain.collections import Collection
from shared.domain.documents import Document, Generation, GenerationState, advance, status_of
from shared.domain.errors import Conflict, NotFound
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.admissions.line import Places, send_first
from shared.usecases.documents.upload import new_generation


async def process(scope: Scope, ports: Ports, document_id: UUID) -> Generation:
    """Start a further generation from the latest uploaded file, with the collection's present settings.

    Raises:
        NotFound: no such document, or it or its collection is deleted.
        Conflict: nothing was uploaded yet, or the latest generation, or an upload before it, is still on its way.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    document = await ports.documents.lock(scope, document_id)
    if document is None or document.deleted:
        raise NotFound("no such document in this project", code="document_not_found")
    generations = await ports.documents.generations(scope, document.id)
    newest = max((one.upload for one in generations if one.source.version_id), default=0)
    # Not the latest alone: that may have been made for another index, while an upload from before it is on its way. A
    # generation made now would come after that upload and put the file before it in its place.
    for one in generations:
        elsewhere = one.slot != document.slot and one.number != document.latest_generation
        superseded = one.state is GenerationState.AWAITING_UPLOAD and one.number < newest
        if one.terminal or elsewhere or superseded:
            continue
        raise Conflict(
            f"version {one.number} is still {one.state.value.replace('_', ' ')}",
            code="still_processing",
            hint="GET documents/{id}/why tells what it waits for",
        )
    return await process_again(scope, ports, document)


async def process_again(scope: Scope, ports: Ports, document: Document) -> Generation:
    """The next generation of a locked document whose file is there already."""
    collection = await collection_of(scope, ports, document)
    generations = await ports.documents.generations(scope, document.id)
    uploads = [generation for generation in generations if generation.source.version_id]
    uploaded = max(uploads, key=lambda one: (one.upload, one.number), default=None)
    if uploaded is None:
        raise Conflict("the document has no upload yet", code="not_uploaded", hint="upload the file first")
    return await begin(scope, ports, document, collection, uploaded, GenerationState.EXTRACTING)


async def begin(
    scope: Scope,
    ports: Ports,
    document: Document,
    collection: Collection,
    earlier: Generation,
    state: GenerationState,
    *,
    ingestion_id: UUID | None = None,
    at_once: bool = False,
) -> Generation:
    """The next generation of a locked document, from the file of an earlier one, and queue its first step.

    Args:
        scope: who asks.
        ports: in a transaction that holds the document's lock.
        document: the row.
        collection: its collection, seen through the index that the generation is made for.
        earlier: the generation with the file.
        state: where it begins: `EXTRACTING`, or `CHUNKING` to be cut from the text of `earlier`.
        ingestion_id: the run it belongs to.
        at_once: it does not stand in line: others wait for it.
    """
    now = ports.clock.now()
    fresh = new_generation(scope, ports, document, document.latest_generation + 1, collection)
    fresh = replace(fresh, source=earlier.source, origin=earlier.upload, ingestion_id=ingestion_id)
    first = state if at_once else await Places().first_state(scope, ports, state)
    fresh = advance(fresh, first, now, due=ports.pace.patience(first))
    if state is GenerationState.CHUNKING:
        fresh = replace(fresh, text_generation=earlier.text_generation or earlier.number)
    await ports.documents.add_generation(scope, fresh)
    changed = replace(document, latest_generation=fresh.number, updated_at=now)
    changed = replace(changed, status=status_of(changed, fresh))
    await ports.documents.save(scope, changed)
    await send_first(scope, ports, changed, fresh)
    return fresh


async def collection_of(scope: Scope, ports: Ports, document: Document) -> Collection:
    """The document's collection.

    Raises:
        NotFound: it is deleted.
    """
    collection = await ports.collections.get(scope, document.collection_id)
    if collection is None:
        raise NotFound("the document's collection is deleted", code="collection_not_found")
    return collection
