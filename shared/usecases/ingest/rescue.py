"""Nothing stays stuck.

A generation whose deadline passed is moved on, queued again or ended, needing no other event than the schedule.
"""

from dataclasses import replace

import structlog

from shared.domain.documents import (
    Document,
    Generation,
    GenerationState,
    Progress,
    Reason,
    Source,
    advance,
    extracted_key,
)
from shared.domain.errors import NotFound
from shared.domain.ingestion import LONGEST_OUTAGE, MAX_ATTEMPTS, UPLOAD_LIFE, UPLOAD_LOOK
from shared.domain.parts import checkpoint_key, next_key, parts_prefix, read_checkpoint
from shared.domain.tenants import Permission, Scope
from shared.ports.blobs import Bucket
from shared.ports.documents import DueGeneration
from shared.ports.ports import Ports
from shared.usecases.ingest.extract import UPLOAD_MISSING
from shared.usecases.ingest.outages import excused
from shared.usecases.ingest.receive import extracted, progressed, start
from shared.usecases.ingest.stage import end, requeue, save

log = structlog.get_logger()


async def rescue(scope: Scope, ports: Ports, due: DueGeneration) -> None:
    """A generation whose deadline passed: find out what really happened, then move it on, queue it again, or end it."""
    scope.require(Permission.DOCUMENTS_PROCESS)
    found = await ports.documents.lock_with(scope, due.document_id, due.number)
    now = ports.clock.now()
    if found is None or found[1].due_at is None or now < found[1].due_at:
        return
    document, generation = found
    log.info(
        "document.rescued", document_id=str(document.id), generation=generation.number, state=generation.state.value
    )
    if document.deleted:
        await save(scope, ports, document, advance(generation, GenerationState.SUPERSEDED, now, due=None))
    elif generation.state is GenerationState.AWAITING_UPLOAD:
        await _awaiting_upload(scope, ports, document, generation)
    elif generation.state is GenerationState.EXTRACTING and await _has_text(scope, ports, generation):
        # The text is there; its event was lost.
        await extracted(scope, ports, document, generation)
    elif generation.state is GenerationState.EXTRACTING and not await _has_upload(ports, generation):
        # The reader may not list the bucket, so S3 tells it "forbidden" where it tells us "missing".
        await end(scope, ports, document, generation, UPLOAD_MISSING)
    elif generation.state is GenerationState.EXTRACTING and (said := await _further(ports, generation)) is not None:
        # Parts have been read since, and their events were lost, or came so late that their reader may be gone.
        await progressed(scope, ports, document, generation, said, silent=True)
    else:
        await _again(scope, ports, document, generation)


async def _awaiting_upload(scope: Scope, ports: Ports, document: Document, generation: Generation) -> None:
    try:
        found = await ports.blobs.head(Bucket.UPLOADS, generation.source.key)
    except NotFound:
        now, closes = ports.clock.now(), generation.entered_at + UPLOAD_LIFE
        if now < closes:
            looked = replace(generation, due_at=min(closes, now + UPLOAD_LOOK))
            await ports.documents.save_generation(scope, looked)
            return
        detail = "no file arrived before the upload form expired; ask for a new upload"
        await end(scope, ports, document, generation, Reason("upload_never_arrived", detail))
        return
    # The file is there; its event was lost, and with it the sequencer. `uploaded` knows what to do without one.
    await start(scope, ports, document, generation, Source(generation.source.key, found.version_id, "", found.size))


async def _again(scope: Scope, ports: Ports, document: Document, generation: Generation) -> None:
    """Queue the step again; as a try counts only what says something of the document."""
    counts = not await excused(ports, generation)
    attempts, now = generation.attempts + counts, ports.clock.now()
    spent = now - generation.entered_at
    if attempts >= MAX_ATTEMPTS or (not counts and spent > LONGEST_OUTAGE):
        why = generation.last_error.detail if generation.last_error else "no worker finished it in time"
        tries = f"{attempts} tries" if counts else f"{spent.total_seconds() / 3600:.0f} hours"
        detail = f"gave up after {tries} while {generation.state.value}: {why}"
        await end(scope, ports, document, generation, Reason("gave_up", detail))
        return
    await requeue(scope, ports, document, generation, attempts)


async def _further(ports: Ports, generation: Generation) -> Progress | None:
    """How far the reading of a long file has come, if that is further than what is known."""
    prefix = parts_prefix(generation.tenant_id, generation.document_id, generation.number)
    known = generation.progress or Progress(0, 0)
    try:
        found = read_checkpoint(await ports.blobs.get(Bucket.WORK, checkpoint_key(prefix)))
    except NotFound:
        return None
    if found is None:
        return None
    try:
        await ports.blobs.head(Bucket.WORK, next_key(prefix, found.done, found.total))
    except NotFound:
        handed = 0
    else:
        handed = found.done
    return Progress(found.done, found.total, handed) if found.done > known.done or handed > known.handed else None


async def _has_upload(ports: Ports, generation: Generation) -> bool:
    source = generation.source
    try:
        await ports.blobs.head(Bucket.UPLOADS, source.key, version_id=source.version_id)
    except NotFound:
        return False
    return True


async def _has_text(scope: Scope, ports: Ports, generation: Generation) -> bool:
    try:
        await ports.blobs.head(Bucket.WORK, extracted_key(scope.tenant_id, generation.document_id, generation.number))
    except NotFound:
        return False
    return True
