"""Make an ingestion run, close it, and ask for its documents to be cancelled or retried."""

from dataclasses import replace
from uuid import UUID

from shared.domain.errors import Conflict, NotFound
from shared.domain.events import IngestionAction
from shared.domain.ingestions import Happening, Ingestion, IngestionStatus, News
from shared.domain.labels import clean_name
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.happenings.tell import tell
from shared.usecases.outbox.send import send_ingestion


async def create(
    scope: Scope,
    ports: Ports,
    *,
    name: str,
    collection_id: UUID,
    expected: int | None,
    webhook_id: UUID | None = None,
) -> Ingestion:
    """Open a run.

    Args:
        scope: the caller's.
        ports: in a transaction.
        name: for people.
        collection_id: which its documents go into.
        expected: how many versions will be sent, if known: the run then closes by itself.
        webhook_id: an endpoint of the project that is told when the run completes.

    Raises:
        NotFound: no such collection, or no such webhook.
        Invalid: a name that is not accepted.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    if await ports.collections.get(scope, collection_id) is None:
        raise NotFound("no such collection in this project", code="collection_not_found")
    webhook = None if webhook_id is None else await ports.webhooks.get(scope, webhook_id)
    if webhook_id is not None and (webhook is None or webhook.deleted_at is not None):
        raise NotFound("no such webhook in this project", code="webhook_not_found")
    made = Ingestion(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        collection_id=collection_id,
        name=clean_name(name),
        created_by=str(scope.principal),
        created_at=ports.clock.now(),
        expected=expected,
        webhook_id=webhook_id,
    )
    await ports.ingestions.add(scope, made)
    await tell(scope, ports, made.id, [News(Happening.STARTED, data={"name": made.name})])
    return made


async def close(scope: Scope, ports: Ports, ingestion_id: UUID) -> None:
    """Say that no more documents come: the run completes with the last of those it has. Closing twice changes nothing.

    Raises:
        NotFound: no such run in this project.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    run = await _locked(scope, ports, ingestion_id)
    if run.closed_at is None:
        await ports.ingestions.save(scope, replace(run, closed_at=ports.clock.now()))
        await tell(scope, ports, run.id, [News(Happening.CLOSED, data={"by": str(scope.principal)})])


async def cancel(scope: Scope, ports: Ports, ingestion_id: UUID) -> None:
    """End what has not ended; what is indexed stays. Cancelling twice, or what has completed, changes nothing.

    The run takes no more documents from this moment; those it has are ended by `steer_ingestion`.

    Raises:
        NotFound: no such run in this project.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    run = await _locked(scope, ports, ingestion_id)
    if run.completed_at is not None:
        return
    now = ports.clock.now()
    if run.cancelled_at is None:
        await ports.ingestions.save(scope, replace(run, closed_at=run.closed_at or now, cancelled_at=now))
        await tell(scope, ports, run.id, [News(Happening.CANCELLED, data={"by": str(scope.principal)})])
    # Asked again while it is under way, it is queued again: should the first message be lost, this finds the rest.
    await send_ingestion(scope, ports, run.id, IngestionAction.CANCEL, asked_at=now)


async def retry_failed(scope: Scope, ports: Ports, ingestion_id: UUID) -> None:
    """Have every failed document of the run taken up again; the run is complete when these have ended too.

    Raises:
        NotFound: no such run in this project.
        Conflict: the run was cancelled.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    run = await _locked(scope, ports, ingestion_id)
    if run.cancelled_at is not None:
        raise Conflict(
            "the ingestion was cancelled",
            code="ingestion_cancelled",
            hint="send its documents in another ingestion, or process them one by one",
        )
    now = ports.clock.now()
    if not await ports.ingestions.failed(scope, run.id, now, None, 1):
        return
    # Open until the worker has looked at each: it tells the run when it is through.
    await tell(scope, ports, run.id, [News(Happening.RETRIED, data={"by": str(scope.principal)})])
    await ports.ingestions.save(scope, replace(run, completed_at=None))
    await send_ingestion(scope, ports, run.id, IngestionAction.RETRY, asked_at=now)


async def _locked(scope: Scope, ports: Ports, ingestion_id: UUID) -> Ingestion:
    run = await ports.ingestions.lock(scope, ingestion_id)
    if run is None or await ports.collections.get(scope, run.collection_id) is None:
        raise NotFound("no such ingestion in this project", code="ingestion_not_found")
    return run


def finished(run: Ingestion) -> bool:
    """Whether nothing more happens in it unless somebody asks."""
    return run.status in {IngestionStatus.COMPLETED, IngestionStatus.CANCELLED}
