"""What every queued stage has in common: claim the generation, do the work, hand it on, or say why not.

A stage runs in three parts, so that no transaction is open while a model or a bucket is waited for:

    claim + load   one transaction: take the lease, read what the work needs
    perform        no transaction: the slow part
    store          one transaction: fenced by the lease, writes results and the message for the next stage

A worker that lost its lease (its document was deleted, overtaken, or given to another worker) writes nothing.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

import structlog

from shared.domain.collections import Collection
from shared.domain.documents import (
    Document,
    Generation,
    GenerationState,
    Progress,
    Reason,
    advance,
    claim,
    delay,
    fail,
    prolong,
    release,
    status_of,
)
from shared.domain.errors import Delayed, LambentError, Outage, Rejected
from shared.domain.events import GenerationMessage, Queue
from shared.domain.ingestion import LONGEST_OUTAGE, MAX_ATTEMPTS, STAGE_STATES, retry_wait
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports, Powers
from shared.usecases.admissions.line import admit
from shared.usecases.happenings.tell import ended
from shared.usecases.outbox.send import send_step, send_sweep

log = structlog.get_logger()

LONGEST_PATIENCE = timedelta(minutes=10)
"""Between two messages for a step that nobody takes."""
OUTAGE_PAUSE = 2
"""After an outage a step pauses as after so many tries, though none counts."""


@dataclass(slots=True)
class Achieved:
    """How far a worker has come with a step that takes long; it is told of with each sign of life."""

    done: int = 0
    total: int = 0

    @property
    def progress(self) -> Progress | None:
        """What is told; None when the step does not count."""
        return Progress(self.done, self.total) if self.total else None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A generation this worker holds, as of its claim."""

    document: Document
    generation: Generation
    collection: Collection
    owner: str
    """Lease token; no two claims share one."""
    before: Generation
    """As it was before the claim."""
    granted: int = 0
    """Requests to a model that the shared limit set aside for the message."""
    achieved: Achieved = field(default_factory=Achieved)
    """For `perform` to count in."""


class Stage[Work, Result](Protocol):
    """One step of ingestion. `load` and `store` run inside a transaction, `perform` outside."""

    queue: Queue

    async def load(self, scope: Scope, ports: Ports, claimed: Claimed) -> Work:
        """Read what the work needs."""
        ...

    async def perform(self, powers: Powers, claimed: Claimed, work: Work) -> Result:
        """Do the slow part."""
        ...

    async def store(self, scope: Scope, ports: Ports, claimed: Claimed, result: Result) -> None:
        """Write the outcome on `claimed`, which holds the rows as they are now, and move the generation on."""
        ...

    async def salvage(self, scope: Scope, ports: Ports, claimed: Claimed, result: Result) -> None:
        """The lease was somebody else's by then, or the work not wanted any more: keep what of the outcome has cost."""
        ...


async def take(scope: Scope, ports: Ports, message: GenerationMessage, queue: Queue) -> Claimed | None:
    """Claim the message's generation.

    None when there is nothing to do (done already, overtaken, deleted, or someone else is on it).
    """
    scope.require(Permission.DOCUMENTS_PROCESS)
    found = await ports.documents.lock_with(scope, message.document_id, message.generation)
    if found is None or found[1].state is not STAGE_STATES[queue]:
        log.info("stage.not_needed", stage=queue, state=found[1].state.value if found else "unknown")
        return None
    document, generation = found
    collection = await ports.collections.through(scope, document.collection_id, generation.index)
    if collection is None or overtaken(document, generation):
        await save(scope, ports, document, advance(generation, GenerationState.SUPERSEDED, ports.clock.now(), due=None))
        log.info("stage.overtaken", stage=queue)
        return None
    now = ports.clock.now()
    if generation.leased(now):
        log.info("stage.leased", stage=queue, until=str(generation.lease_until))
        return None
    owner = str(ports.ids.new())
    claimed = claim(generation, owner, now, ports.pace.lease(generation.state))
    await ports.documents.claim(scope, claimed)
    return Claimed(document, claimed, collection, owner, generation, message.granted)


async def _locked(scope: Scope, ports: Ports, claimed: Claimed) -> tuple[Document, Generation] | None:
    """The rows of a claim as they are now.

    Nobody waited for the claim's commit. If the database forgot it in a crash, and nobody has come since, it holds.
    """
    found = await ports.documents.lock_with(scope, claimed.document.id, claimed.generation.number)
    if found is not None and found[1] == claimed.before:
        return found[0], claimed.generation
    return found


async def beat(scope: Scope, ports: Ports, claimed: Claimed) -> bool:
    """A sign of life: extend the lease, note the progress.

    Returns:
        False when the lease is no longer this worker's, or its work is no longer wanted: it may stop.
    """
    found = await _locked(scope, ports, claimed)
    if found is None or found[1].lease_owner != claimed.owner or found[1].state is not claimed.generation.state:
        return False
    document, generation = found
    if overtaken(document, generation):
        return False
    ttl = ports.pace.lease(generation.state)
    await ports.documents.save_generation(scope, prolong(generation, ports.clock.now(), ttl, claimed.achieved.progress))
    return True


async def retake(scope: Scope, ports: Ports, claimed: Claimed) -> Claimed | None:
    """The claim as the database knows it now, locked; None when the lease is no longer this worker's."""
    found = await _locked(scope, ports, claimed)
    if found is None or found[1].lease_owner != claimed.owner or found[1].state is not claimed.generation.state:
        log.warning("stage.fenced", stage=claimed.generation.state.value)
        return None
    document, generation = found
    if overtaken(document, generation):
        await save(scope, ports, document, advance(generation, GenerationState.SUPERSEDED, ports.clock.now(), due=None))
        log.info("stage.overtaken", stage=claimed.generation.state.value)
        return None
    return replace(claimed, document=document, generation=generation)


async def settle(scope: Scope, ports: Ports, claimed: Claimed, error: Exception, jitter: float) -> None:
    """Record what went wrong: end the generation, make it wait, or queue another try.

    Args:
        scope: the stage's.
        ports: in a fresh transaction.
        claimed: what the worker held.
        error: what `perform` or `store` raised.
        jitter: uniformly random, 0 to 1.
    """
    found = await _locked(scope, ports, claimed)
    now = ports.clock.now()
    if found is None or found[1].state is not claimed.generation.state:
        return
    document, generation = found
    if generation.leased(now) and generation.lease_owner != claimed.owner:
        return
    if isinstance(error, Rejected):
        await end(scope, ports, document, generation, Reason(error.code, error.detail))
        return
    if isinstance(error, Delayed):
        await wait(scope, ports, document, generation, error)
        return
    reason = reason_of(error)
    # What met an outage is repeated without counting: nothing was wrong with the document.
    counts = not isinstance(error, Outage) or now - generation.entered_at > LONGEST_OUTAGE
    attempts = generation.attempts + counts
    if attempts >= MAX_ATTEMPTS:
        detail = f"gave up after {attempts} tries while {generation.state.value}; the last error was: {reason.detail}"
        await end(scope, ports, document, generation, Reason(reason.code, detail))
        return
    pause = retry_wait(max(attempts, OUTAGE_PAUSE) if isinstance(error, Outage) else attempts, jitter)
    released = release(generation, now, reason, retry_in=pause + ports.pace.patience(generation.state))
    await save(scope, ports, document, replace(released, attempts=attempts))
    await send_step(scope, ports, document, released, delay=pause)


async def wait(
    scope: Scope, ports: Ports, document: Document, generation: Generation, error: Delayed, *, granted: int = 0
) -> None:
    """Make the generation wait as a provider asked, and queue it again; it counts as no failure.

    Args:
        scope: the stage's.
        ports: in the transaction that stores what was done so far.
        document: locked.
        generation: as it is now.
        error: how long, and why in words.
        granted: requests to a model set aside for when it comes back.
    """
    pause = timedelta(seconds=error.seconds)
    later = delay(generation, ports.clock.now(), pause, error.detail, grace=ports.pace.patience(generation.state))
    await save(scope, ports, document, later)
    await send_step(scope, ports, document, later, delay=pause, granted=granted)
    ports.meter.add("documents_delayed", 1, stage=generation.step)


async def requeue(scope: Scope, ports: Ports, document: Document, generation: Generation, attempts: int) -> None:
    """Queue its step once more for whoever comes; a worker that still holds it writes nothing any more.

    Args:
        scope: the system's.
        ports: in a transaction that holds the document's lock.
        document: the row.
        generation: at a step that a queue serves.
        attempts: tries that count.
    """
    now = ports.clock.now()
    # The longer a queue is, the less often it is given the same message again.
    patience = max(ports.pace.patience(generation.state), min((now - generation.entered_at) / 2, LONGEST_PATIENCE))
    queued = replace(generation, attempts=attempts, lease_owner=None, lease_until=None, due_at=now + patience)
    await save(scope, ports, document, queued)
    await send_step(scope, ports, document, queued)


async def end(scope: Scope, ports: Ports, document: Document, generation: Generation, reason: Reason) -> None:
    """End the generation as failed(reason)."""
    await stop(scope, ports, document, generation, reason)
    ports.meter.add("documents_failed", 1, reason=reason.code)
    log.warning(
        "document.failed",
        document_id=str(document.id),
        generation=generation.number,
        code=reason.code,
        reason=reason.detail,
    )


async def stop(scope: Scope, ports: Ports, document: Document, generation: Generation, reason: Reason) -> None:
    """End the generation for a reason, whether anything went wrong or not; parts of its text are swept."""
    if generation.state is GenerationState.EXTRACTING and generation.progress is not None:
        await send_sweep(scope, ports, document.id)
    await save(scope, ports, document, fail(generation, reason, ports.clock.now()))


async def save(scope: Scope, ports: Ports, document: Document, generation: Generation) -> None:
    """Store a changed generation, and its document's status with it when it is the latest and changes that.

    One that ended is told to its run, and lets the next of its tenant in.
    """
    await ports.documents.save_generation(scope, generation)
    status = status_of(document, generation)
    if generation.number == document.latest_generation and status is not document.status:
        await ports.documents.save(scope, replace(document, status=status, updated_at=ports.clock.now()))
    if generation.terminal:
        await admit(scope, ports)
    await ended(scope, ports, document, generation)


def overtaken(document: Document, generation: Generation) -> bool:
    """True when a newer generation is committed in the same index, or the document is deleted."""
    committed = document.committed_in(generation.slot)
    return document.deleted or (committed is not None and committed >= generation.number)


def reason_of(error: Exception) -> Reason:
    """Words for an error: our own are written for people; of others only the kind is told, the log has the rest."""
    if isinstance(error, LambentError):
        return Reason(error.code, error.detail)
    return Reason("internal_error", f"an unexpected {type(error).__name__} in this service; its log has the details")
