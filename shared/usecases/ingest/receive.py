"""Take notice of an object that appeared: a new upload, or its text or a part of it, which `ingest_extract` made."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import structlog

from shared.domain.documents import (
    Document,
    Generation,
    GenerationState,
    Progress,
    Source,
    advance,
    newer_sequencer,
    parse_extracted_key,
    parse_upload_key,
)
from shared.domain.events import ObjectCreated
from shared.domain.ingestions import CANCELLED
from shared.domain.parts import parse_part_key
from shared.domain.tenants import Scope, TenantScope, system_scope, system_tenant
from shared.ports.blobs import Bucket
from shared.ports.ports import Ports
from shared.usecases.admissions.line import first_state, send_first
from shared.usecases.documents.upload import new_generation
from shared.usecases.ingest.stage import overtaken, save
from shared.usecases.outbox.send import send_step, send_sweep

log = structlog.get_logger()


def tenant_of(created: ObjectCreated) -> TenantScope | None:
    """The tenant whose object it is, by its key; None when the key is none of ours."""
    named = parse_upload_key(created.key) or parse_extracted_key(created.key) or parse_part_key(created.key)
    if named is None:
        return None
    return system_tenant(named[0], "ingest_receive")


async def receive(tenant: TenantScope, ports: Ports, created: ObjectCreated) -> None:
    """Move the object's generation on. Events may come twice, late, in any order, and for things long gone.

    Args:
        tenant: from `tenant_of`.
        ports: in a transaction of that tenant.
        created: the event.
    """
    upload, part = parse_upload_key(created.key), parse_part_key(created.key)
    named = upload or parse_extracted_key(created.key) or (part and part[:3])
    if named is None:
        return
    _, document_id, number = named
    scope = await _scope(tenant, ports, document_id)
    document, generation = await _locked(scope, ports, document_id, number) if scope else (None, None)
    if scope is None or document is None:
        log.warning("upload.unknown", key=created.key)
        return
    if document.deleted:
        # The form was still valid after the delete: what it brought in is swept again.
        log.info("upload.after_delete", document_id=str(document_id))
        await send_sweep(scope, ports, document_id)
    elif generation is None:
        log.warning("upload.unknown", key=created.key)
    elif upload:
        await uploaded(scope, ports, document, generation, created)
    elif part:
        await progressed(scope, ports, document, generation, part[3])
    else:
        await extracted(scope, ports, document, generation)


async def uploaded(
    scope: Scope, ports: Ports, document: Document, generation: Generation, created: ObjectCreated
) -> None:
    """An upload is there: start reading it. A second, later upload through the same form is a generation of its own."""
    source = Source(created.key, created.version_id, created.sequencer, created.size)
    if generation.state is GenerationState.AWAITING_UPLOAD:
        await start(scope, ports, document, generation, source)
        return
    if generation.failure is not None and generation.failure.code == CANCELLED:
        # Sent before its run was cancelled, or after. Kept for whoever processes the document again; nobody does now.
        if newer_sequencer(created.sequencer, generation.source.sequencer):
            await ports.documents.save_generation(scope, replace(generation, source=source))
        log.info("upload.cancelled", document_id=str(document.id), generation=generation.number)
        return
    known = [one for one in await ports.documents.generations(scope, document.id) if one.source.key == created.key]
    if any(one.source.version_id == created.version_id for one in known) or not await _newest(ports, created, known):
        log.info("upload.duplicate", document_id=str(document.id), generation=generation.number)
        return
    collection = await ports.collections.get(scope, document.collection_id)
    if collection is None:
        log.info("upload.after_delete", document_id=str(document.id))
        return
    fresh = new_generation(scope, ports, document, document.latest_generation + 1, collection)
    await ports.documents.add_generation(scope, fresh)
    document = replace(document, latest_generation=fresh.number)
    await ports.documents.save(scope, document)
    await start(scope, ports, document, fresh, source)


async def _newest(ports: Ports, created: ObjectCreated, known: Sequence[Generation]) -> bool:
    """Whether the object came after those that are known from the same place."""
    latest = max(known, key=lambda one: one.number).source
    if latest.version_id and not latest.sequencer:
        # The sweep found that one itself, so its place in the order is not known; the store knows what is newest now.
        # If that is yet another, its own event tells of it.
        current = await ports.blobs.head(Bucket.UPLOADS, created.key)
        return current.version_id == created.version_id
    return newer_sequencer(created.sequencer, max((one.source.sequencer for one in known), key=_padded))


def _padded(sequencer: str) -> str:
    return sequencer.ljust(64, "0")


async def start(scope: Scope, ports: Ports, document: Document, generation: Generation, source: Source) -> None:
    """The generation has its upload: have it read, when its turn has come."""
    now = ports.clock.now()
    state = await first_state(scope, ports, GenerationState.EXTRACTING)
    started = advance(replace(generation, source=source), state, now, due=ports.pace.patience(state))
    await save(scope, ports, document, started)
    await send_first(scope, ports, document, started)
    log.info("document.received", document_id=str(document.id), generation=generation.number, bytes=source.size)


async def extracted(scope: Scope, ports: Ports, document: Document, generation: Generation) -> None:
    """The text (or the reason why there is none) is in the work bucket: cut it next."""
    if generation.state is not GenerationState.EXTRACTING:
        log.info("extraction.duplicate", document_id=str(document.id), generation=generation.number)
        return
    now = ports.clock.now()
    if generation.progress is not None:
        await send_sweep(scope, ports, document.id)
    if overtaken(document, generation):
        await save(scope, ports, document, advance(generation, GenerationState.SUPERSEDED, now, due=None))
        return
    moved = advance(generation, GenerationState.CHUNKING, now, due=ports.pace.patience(GenerationState.CHUNKING))
    await save(scope, ports, document, moved)
    await send_step(scope, ports, document, moved)


async def progressed(
    scope: Scope, ports: Ports, document: Document, generation: Generation, said: Progress, *, silent: bool = False
) -> None:
    """A part of a long file is read: its reader lives. If it ran out of time, have another go on where it stopped.

    Args:
        scope: the system's.
        ports: in a transaction that holds the document's lock.
        document: the row.
        generation: its generation.
        said: how far the reading has come; what was known better already changes nothing.
        silent: nobody told of it, it was found when its time was up: whoever read so far may be gone.
    """
    known = generation.progress or Progress(0, said.total)
    further, handed = said.done > known.done, said.handed > known.handed
    if generation.state is not GenerationState.EXTRACTING or not (further or handed):
        log.info("part.duplicate", document_id=str(document.id), generation=generation.number)
        return
    now = ports.clock.now()
    if overtaken(document, generation):
        await save(scope, ports, document, advance(generation, GenerationState.SUPERSEDED, now, due=None))
        await send_sweep(scope, ports, document.id)
        return
    progress = Progress(max(said.done, known.done), said.total, max(said.handed, known.handed))
    due = now + ports.pace.patience(GenerationState.EXTRACTING)
    alive = replace(generation, progress=progress, due_at=due, attempts=0 if further else generation.attempts)
    await save(scope, ports, document, alive)
    if handed or silent:
        await send_step(scope, ports, document, alive)


async def _locked(
    scope: Scope, ports: Ports, document_id: UUID, number: int
) -> tuple[Document | None, Generation | None]:
    both = await ports.documents.lock_with(scope, document_id, number)
    return both or (await ports.documents.lock(scope, document_id), None)


async def _scope(tenant: TenantScope, ports: Ports, document_id: UUID) -> Scope | None:
    project_id = await ports.documents.project_of(tenant, document_id)
    return None if project_id is None else system_scope(tenant.tenant_id, project_id, tenant.principal.id)
