"""A message that nobody could process: its document ends as failed, with the reason."""

import structlog

from shared.domain.documents import Reason
from shared.domain.events import ExtractMessage, GenerationMessage
from shared.domain.ingestion import LONGEST_OUTAGE, STAGE_STATES
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.ingest.outages import struck
from shared.usecases.ingest.stage import end, requeue

log = structlog.get_logger()


async def reject(scope: Scope, ports: Ports, message: GenerationMessage | ExtractMessage) -> None:
    """End the generation as failed, unless it has moved on or someone is on it right now.

    When there was an outage since the message was sent, nothing is known against the document: it is queued again.
    """
    scope.require(Permission.DOCUMENTS_PROCESS)
    found = await ports.documents.lock_with(scope, message.document_id, message.generation)
    if found is None or found[1].state is not STAGE_STATES[message.stage]:
        log.info("reject.not_needed", stage=message.stage, state=found[1].state.value if found else "unknown")
        return
    document, generation = found
    if generation.leased(ports.clock.now()):
        log.info("reject.leased", stage=message.stage)
        return
    spent = ports.clock.now() - generation.entered_at
    if spent <= LONGEST_OUTAGE and await struck(ports, message.sent_at):
        log.info("reject.after_outage", stage=message.stage)
        await requeue(scope, ports, document, generation, generation.attempts)
        return
    why = (
        generation.last_error.detail
        if generation.last_error
        else "the function ended each time without an answer (out of time or memory)"
    )
    detail = (
        f"gave up while {generation.state.value}: every delivery of its message to {message.stage.value} failed: {why}"
    )
    await end(scope, ports, document, generation, Reason("gave_up", detail))
