"""The door of a queued ingestion stage.

Claim, work, store, each in its own transaction (see shared/usecases/ingest/stage.py).
"""

import random

import structlog

from shared import bootstrap
from shared.domain.errors import Delayed, LambentError, Rejected
from shared.domain.events import GenerationMessage
from shared.domain.tenants import Scope, system_scope
from shared.ports.meter import Unit
from shared.runtime.logging import bound
from shared.runtime.transactions import transaction
from shared.runtime.worker import Worker, sqs_function
from shared.usecases.ingest.stage import Claimed, Stage, retake, settle, take

log = structlog.get_logger()


def stage_function[Work, Result](stage: Stage[Work, Result]) -> Worker:
    """The Lambda handler of one stage."""

    async def handle(message: GenerationMessage) -> None:
        await run_stage(stage, message)

    return sqs_function(GenerationMessage, handle)


async def run_stage[Work, Result](stage: Stage[Work, Result], message: GenerationMessage) -> None:
    """Take one message through a stage.

    What went wrong with the document is recorded on it; only a database that cannot be reached raises.
    """
    scope = system_scope(message.tenant_id, message.project_id, stage.queue.value)
    with bound(tenant_id=message.tenant_id, document_id=message.document_id, generation=message.generation):
        clock = bootstrap.powers().clock
        started = clock.monotonic()
        claimed: Claimed | None = None
        try:
            async with transaction(scope) as ports:
                claimed = await take(scope, ports, message, stage.queue)
                if claimed is None:
                    return
                work = await stage.load(scope, ports, claimed)
            result = await stage.perform(bootstrap.powers(), claimed, work)
            async with transaction(scope) as ports:
                held = await retake(scope, ports, claimed)
                if held is not None:
                    await stage.store(scope, ports, held, result)
        except Exception as error:
            if claimed is None:
                raise
            _told(error, stage.queue.value)
            await _settled(scope, claimed, error)
        spent = (clock.monotonic() - started) * 1000
        bootstrap.powers().meter.add("stage_ms", spent, Unit.MILLISECONDS, stage=stage.queue.value)
        log.info("stage.ended", stage=stage.queue.value, ms=round(spent, 1))


async def _settled(scope: Scope, claimed: Claimed, error: Exception) -> None:
    async with transaction(scope) as ports:
        await settle(scope, ports, claimed, error, random.random())


def _told(error: Exception, stage: str) -> None:
    if isinstance(error, Rejected | Delayed):
        log.info("stage.stopped", stage=stage, code=error.code, error=error.detail)
    elif isinstance(error, LambentError):
        log.warning("stage.failed", stage=stage, code=error.code, error=error.detail)
    else:
        log.error("stage.crashed", stage=stage, exc_info=error)
