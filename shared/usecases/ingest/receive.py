"""Take notice of an object that appeared: a new upload, or its text or a part of it, which `ingest_extract` made."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from shared.usecases.admissions.line import Places, send_first
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


@dataclass(frozen=True, slots=True)
class _Object:
    """An object by what its key says."""

    created: ObjectCreated
    document_id: UUID
    number: int
    part: Progress | None
    """How far the reading has come, if it is a part of a text."""
    upload: bool

    @property
    def place(self) -> tuple[UUID, int, str]:
        """Orders objects as documents are locked, and those of one key as they came."""
        return self.document_id, self.number, _padded(self.created.sequencer)


async def receive_all(tenant: TenantScope, ports: Ports, created: Sequence[ObjectCreated]) -> None:
    """Move the generations of one tenant's objects on, all in one transaction: of a flood each costs little.

    Events may come twice, late, in any order, and for things long gone.

    Args:
        tenant: from `tenant_of`.
        ports: in a transaction of that tenant.
        created: the events.
    """
    objects = sorted((known for one in created if (known := _object(one))), key=lambda one: one.place)
    # Every document's lock comes before anything else that is locked, and in one order everywhere.
    locked = dict(await ports.documents.lock_all(tenant, [(one.document_id, one.number) for one in objects]))
    places = Places()
    for number, one in enumerate(objects):
        again = number > 0 and objects[number - 1].document_id == one.document_id
        both = None if again else locked.get((one.document_id, one.number))
        document, generation = both or await _locked(tenant, ports, one.document_id, one.number)
        if document is None:
            log.warning("upload.unknown", key=one.created.key)
        else:
            await receive(tenant, ports, one, document, generation, places)


async def receive(
    tenant: TenantScope, ports: Ports, one: _Object, document: Document, generation: Generation | None, places: Places
) -> None:
    """Move the object's generation on.

    Args:
        tenant: whose it is.
        ports: in a transaction that holds the document's lock.
        one: the object.
        document: the row.
        generation: the one that its key names, if there is one.
        places: what is left of the tenant's.
    """
    scope = _scope(tenant, document.project_id)
    if document.deleted:
        # The form was still valid after the delete: what it brought in is swept again.
        log.info("upload.after_delete", document_id=str(document.id))
        await send_sweep(scope, ports, document.id)
    elif generation is None:
        log.warning("upload.unknown", key=one.created.key)
    elif one.upload:
        await uploaded(scope, ports, document, generation, one.created, places)
    elif one.part:
        await progressed(scope, ports, document, generation, one.part)
    else:
        await extracted(scope, ports, document, generation)


async def uploaded(
    scope: Scope, ports: Ports, document: Document, generation: Generation, created: ObjectCreated, places: Places
) -> None:
    """An upload is there: start reading it. A second, later upload through the same form is a generation of its own."""
    source = Source(created.key, created.version_id, created.sequencer, created.size)
    if generation.state is GenerationState.AWAITING_UPLOAD:
        await start(scope, ports, document, generation, source, places)
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
    await start(scope, ports, document, fresh, source, places)


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


async def start(
    scope: Scope,
    ports: Ports,
    document: Document,
    generation: Generation,
    source: Source,
    places: Places | None = None,
) -> None:
    """The generation has its upload: have it read, when its turn has come."""
    now = ports.clock.now()
    state = await (places or Places()).first_state(scope, ports, GenerationState.EXTRACTING)
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


def _object(created: ObjectCreated) -> _Object | None:
    upload, part = parse_upload_key(created.key), parse_part_key(created.key)
    named = upload or parse_extracted_key(created.key) or (part and part[:3])
    if named is None:
        return None
    return _Object(created, named[1], named[2], part[3] if part else None, upload is not None)


async def _locked(
    tenant: TenantScope, ports: Ports, document_id: UUID, number: int
) -> tuple[Document | None, Generation | None]:
    """As they are by now; a document whose key names a generation that it does not have comes alone."""
    project_id = await ports.documents.project_of(tenant, document_id)
    if project_id is None:
        return None, None
    scope = _scope(tenant, project_id)
    both = await ports.documents.lock_with(scope, document_id, number)
    return both or (await ports.documents.lock(scope, document_id), None)


def _scope(tenant: TenantScope, project_id: UUID) -> Scope:
    return system_scope(tenant.tenant_id, project_id, tenant.principal.id)
