"""The doors of the queued steps of ingestion.

A stage with a lease claims, works and stores, each in its own transaction (see shared/usecases/ingest/stage.py).
"""

import asyncio
import random
from collections.abc import Awaitable, Callable

import structlog

from shared import bootstrap
from shared.domain.errors import Delayed, LambentError, Outage, Rejected, Unavailable
from shared.domain.events import ExtractMessage, GenerationMessage
from shared.domain.tenants import Scope, system_scope
from shared.ports.meter import Unit
from shared.runtime.logging import bound
from shared.runtime.transactions import transaction
from shared.runtime.worker import Worker, sqs_function
from shared.usecases.ingest.stage import Claimed, Stage, beat, retake, settle, take

log = structlog.get_logger()

BEAT_SECONDS = 20.0
"""Between two signs of life of a worker, at the most; less where its lease is short."""


STORE_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before what was worked out is stored again, when the database does not take it."""


class Unwanted(Exception):
    """Nobody waits any more for what a worker is doing."""


def stage_function[Work, Result](stage: Stage[Work, Result]) -> Worker:
    """The Lambda handler of a stage that claims, works and stores."""

    async def handle(message: GenerationMessage) -> bool:
        return await run_stage(stage, message)

    return step_function(GenerationMessage, handle)


def step_function[Body: GenerationMessage | ExtractMessage](
    kind: type[Body], handle: Callable[[Body], Awaitable[bool]]
) -> Worker:
    """The Lambda handler of any step of ingestion: its log lines name the generation, its time and age are measured.

    Args:
        kind: the messages of its queue.
        handle: works on one; says whether there was anything to do.
    """

    async def measured(message: Body) -> None:
        powers = bootstrap.powers()
        with bound(tenant_id=message.tenant_id, document_id=message.document_id, generation=message.generation):
            started, age = powers.clock.monotonic(), powers.clock.now() - message.sent_at
            if not await handle(message):
                return
            spent, stage = (powers.clock.monotonic() - started) * 1000, message.stage.value
            powers.meter.add("stage_age_ms", age.total_seconds() * 1000, Unit.MILLISECONDS, stage=stage)
            powers.meter.add("stage_ms", spent, Unit.MILLISECONDS, stage=stage)
            log.info("stage.ended", stage=stage, ms=round(spent, 1))

    return sqs_function(kind, measured)


async def run_stage[Work, Result](stage: Stage[Work, Result], message: GenerationMessage) -> bool:
    """Take one message through a stage; False when there was nothing to do.

    What went wrong with the document is recorded on it; only a database that cannot be reached raises.
    """
    scope = system_scope(message.tenant_id, message.project_id, stage.queue.value)
    claimed: Claimed | None = None
    try:
        async with transaction(scope) as ports:
            claimed = await take(scope, ports, message, stage.queue)
            if claimed is None:
                return False
            work = await stage.load(scope, ports, claimed)
        held, result = claimed, await _performed(scope, stage, claimed, work)
        await _insisting(stage.queue.value, lambda: _stored(stage, scope, held, result))
    except Unwanted:
        await _let_go(scope, claimed)
    except Exception as error:
        if claimed is None:
            raise
        held, reason = claimed, error
        _told(error, stage.queue.value)
        await _insisting(stage.queue.value, lambda: _settled(scope, held, reason))
    return True


async def _insisting(stage: str, write: Callable[[], Awaitable[None]]) -> None:
    """Write once more what could not be written, and in an outage several times: the work is done and may have cost
    money. Whatever did commit has given up its lease, so that nothing is written twice.
    """
    for pause in STORE_PAUSES:
        try:
            await write()
        except Unavailable as error:
            _told(error, stage)
            if pause and not isinstance(error, Outage):
                raise
        else:
            return
        await asyncio.sleep(pause)
    await write()


async def _stored[Work, Result](stage: Stage[Work, Result], scope: Scope, claimed: Claimed, result: Result) -> None:
    async with transaction(scope) as ports:
        held = await retake(scope, ports, claimed)
        if held is None:
            await stage.salvage(scope, ports, claimed, result)
        else:
            await stage.store(scope, ports, held, result)


async def _performed[Work, Result](scope: Scope, stage: Stage[Work, Result], claimed: Claimed, work: Work) -> Result:
    """The slow part, with a sign of life now and then: a slow worker that lives is not given up.

    Raises:
        Unwanted: its lease is somebody else's, or the document was deleted or overtaken.
    """
    pace = bootstrap.powers().pace.lease(claimed.generation.state).total_seconds() / 3
    performing = asyncio.ensure_future(stage.perform(bootstrap.powers(), claimed, work))
    try:
        while not (await asyncio.wait((performing,), timeout=min(pace, BEAT_SECONDS)))[0]:
            if not await _beat(scope, claimed):
                raise Unwanted
        return performing.result()
    finally:
        if not performing.done():
            performing.cancel()
            await asyncio.gather(performing, return_exceptions=True)


async def _beat(scope: Scope, claimed: Claimed) -> bool:
    try:
        async with transaction(scope) as ports:
            return await beat(scope, ports, claimed)
    except Unavailable as error:
        # The lease holds for some beats more.
        log.warning("stage.beat_failed", code=error.code, error=error.detail)
        return True


async def _let_go(scope: Scope, claimed: Claimed | None) -> None:
    """Say why the work stopped, and end what was overtaken."""
    if claimed is not None:
        async with transaction(scope) as ports:
            await retake(scope, ports, claimed)


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
