"""Make a generation the one that its index serves, if nothing newer is."""

from dataclasses import replace

import structlog

from shared.domain.documents import Document, DocumentStatus, Generation, GenerationState, advance
from shared.domain.errors import Delayed
from shared.domain.events import GenerationMessage, Queue
from shared.domain.indexes import HELD_PAUSE
from shared.domain.ingestion import STAGE_STATES
from shared.domain.tenants import Permission, Scope
from shared.ports.meter import Unit
from shared.ports.ports import Ports
from shared.usecases.ingest.stage import overtaken, save, wait
from shared.usecases.outbox.send import send_sweep

log = structlog.get_logger()

HELD = "the collection is about to be searched by another index, which is brought in step first"


async def publish(scope: Scope, ports: Ports, message: GenerationMessage) -> bool:
    """Commit the generation by compare-and-set, count its words into the index, and have the one before it swept.

    All of it is one transaction: a publish either happened whole or not at all, and happening twice changes nothing.
    The collection is held meanwhile, so that what a cut sees is what it leaves: a generation is committed before it,
    and counted, or after it. While a cut is near and the index is the one that is searched, it waits, which counts as
    no try.

    Returns:
        Whether there was anything to do.
    """
    scope.require(Permission.DOCUMENTS_PROCESS)
    found = await ports.documents.lock_with(scope, message.document_id, message.generation)
    if found is None or found[1].state is not STAGE_STATES[Queue.INGEST_PUBLISH]:
        log.info("stage.not_needed", stage=Queue.INGEST_PUBLISH, state=found[1].state.value if found else "unknown")
        return False
    document, generation = found
    now = ports.clock.now()
    before = document.committed_in(generation.slot)
    collection = await ports.collections.through(scope, document.collection_id, generation.index, hold=True)
    won = collection is not None and not overtaken(document, generation)
    if collection is not None and won and collection.live and collection.held:
        why = Delayed(HELD, seconds=min(collection.held, HELD_PAUSE).total_seconds())
        await wait(scope, ports, document, generation, why)
        return True
    if collection is None or not (
        won and await ports.documents.commit(scope, document.id, generation.number, generation.slot)
    ):
        await save(scope, ports, document, advance(generation, GenerationState.SUPERSEDED, now, due=None))
        await send_sweep(scope, ports, document.id)
        log.info("stage.overtaken", stage=Queue.INGEST_PUBLISH)
        return True
    await ports.keywords.publish(scope, collection.index_id, document.id, add=generation.number, remove=before)
    committed = advance(generation, GenerationState.COMMITTED, now, due=None)
    if collection.live:
        await _serve(scope, ports, document, committed)
    else:
        await save(scope, ports, document, committed)
    # Also when nothing was served before: an older generation that was still on its way has written chunks as well.
    if generation.number > 1:
        await send_sweep(scope, ports, document.id)
    log.info(
        "document.indexed" if collection.live else "document.mirrored",
        document_id=str(document.id),
        generation=generation.number,
        chunks=generation.counts.chunks,
    )
    return True


async def _serve(scope: Scope, ports: Ports, document: Document, generation: Generation) -> None:
    """The document is what its searched generation says it is."""
    now = ports.clock.now()
    described = replace(
        document,
        committed_generation=generation.number,
        status=DocumentStatus.INDEXED,
        title=generation.title,
        language=generation.language,
        media_type=generation.media_type,
        size=generation.source.size,
        content_hash=generation.content_hash,
        duplicate_of=await ports.documents.same_content(scope, document.id, generation.content_hash),
    )
    await ports.documents.save(scope, replace(described, updated_at=now))
    await save(scope, ports, described, generation)
    ports.meter.add("documents_indexed", 1)
    ports.meter.add("document_ms", (now - generation.created_at).total_seconds() * 1000, Unit.MILLISECONDS)
