"""Do to the documents of a run what was asked for the run: each in a transaction of its own, some with each message."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import structlog

from shared.domain.errors import Conflict, NotFound
from shared.domain.events import IngestionAction, IngestionMessage
from shared.domain.ingestions import Happening, News, cancelled_reason
from shared.domain.tenants import Permission, Scope
from shared.ports.documents import DueGeneration
from shared.ports.ports import Ports
from shared.usecases.documents.retry import retry
from shared.usecases.happenings.tell import tell
from shared.usecases.ingest.stage import stop
from shared.usecases.outbox.send import MAX_DELAY, send_ingestion

log = structlog.get_logger()

BATCH = 100
"""Documents a message: seconds of work."""

ROUNDS = 5
"""How often a dead letter is sent anew."""

FIRST_PAUSE = timedelta(minutes=1)
"""Before it is; twice as long each time."""


async def pending(scope: Scope, ports: Ports, message: IngestionMessage) -> Sequence[DueGeneration]:
    """The next documents that the message concerns."""
    scope.require(Permission.DOCUMENTS_PROCESS)
    if message.action is IngestionAction.CANCEL:
        return await ports.ingestions.unfinished(scope, message.ingestion_id, BATCH)
    return await ports.ingestions.failed(scope, message.ingestion_id, message.asked_at, message.after, BATCH)


async def steer(scope: Scope, ports: Ports, message: IngestionMessage, one: DueGeneration) -> None:
    """Cancel or retry one document, as it is by now; doing it twice changes nothing."""
    if message.action is IngestionAction.CANCEL:
        await _cancel(scope, ports, one)
    else:
        await _retry(scope, ports, one, message.ingestion_id)


async def go_on(scope: Scope, ports: Ports, message: IngestionMessage, done: Sequence[DueGeneration]) -> None:
    """Queue the rest, or tell the run that this was all."""
    if len(done) < BATCH:
        run = await ports.ingestions.lock(scope, message.ingestion_id)
        if run is not None and run.trouble:
            await ports.ingestions.save(scope, replace(run, trouble=""))
        await tell(scope, ports, message.ingestion_id, [])
        return
    await send_ingestion(
        scope, ports, message.ingestion_id, message.action, asked_at=message.asked_at, after=done[-1].document_id
    )


async def resume(scope: Scope, ports: Ports, message: IngestionMessage) -> None:
    """The message was a dead letter: have it delivered anew, later each time, and in the end give up and say so.

    What is left then goes on as if nothing had been asked, and asking again begins anew.
    """
    scope.require(Permission.DOCUMENTS_PROCESS)
    run = await ports.ingestions.lock(scope, message.ingestion_id)
    if run is None:
        log.info("ingestion.unknown", ingestion_id=str(message.ingestion_id))
        return
    doing = "to cancel the rest of it" if message.action is IngestionAction.CANCEL else "to retry what failed in it"
    if message.rounds < ROUNDS:
        pause = min(FIRST_PAUSE * 2**message.rounds, MAX_DELAY)
        minutes = f"{pause.total_seconds() / 60:.0f} min"
        words = f"every delivery of the message {doing} failed; the next follows in {minutes}"
        await ports.ingestions.save(scope, replace(run, trouble=words))
        await send_ingestion(
            scope,
            ports,
            run.id,
            message.action,
            asked_at=message.asked_at,
            after=message.after,
            rounds=message.rounds + 1,
            delay=pause,
        )
        log.warning("ingestion.resumed", ingestion_id=str(run.id), action=message.action.value, rounds=message.rounds)
        return
    words = f"gave up {doing}: every delivery of the message failed, {ROUNDS + 1} times over; ask for it again"
    await ports.ingestions.save(scope, replace(run, trouble=words))
    await tell(scope, ports, run.id, [News(Happening.STALLED, data={"action": message.action.value, "detail": words})])
    log.error("ingestion.stalled", ingestion_id=str(run.id), action=message.action.value)


async def _cancel(scope: Scope, ports: Ports, one: DueGeneration) -> None:
    """End the generation whatever step it is in: a worker that holds it finds its lease gone and writes nothing."""
    found = await ports.documents.lock_with(scope, one.document_id, one.number)
    if found is None or found[1].terminal:
        return
    document, generation = found
    await stop(scope, ports, document, generation, cancelled_reason())
    ports.meter.add("documents_cancelled", 1)
    log.info("document.cancelled", document_id=str(document.id), generation=generation.number)


async def _retry(scope: Scope, ports: Ports, one: DueGeneration, ingestion_id: UUID) -> None:
    try:
        await retry(scope, ports, one.document_id, ingestion_id=ingestion_id)
    except (Conflict, NotFound) as error:
        # No try would end otherwise, or the document is gone: it stays as it is, with its reason.
        log.info("document.not_retried", document_id=str(one.document_id), code=error.code, why=error.detail)
