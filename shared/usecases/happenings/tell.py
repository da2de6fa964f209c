"""Tell an ingestion run what happened to one of its documents, in the transaction in which it happened.

A document in no run costs nothing here; one in a run costs one statement when a version of it ends.
"""

from collections.abc import Sequence
from uuid import UUID

import structlog

from shared.domain.documents import Document, Generation
from shared.domain.errors import Conflict, NotFound
from shared.domain.ingestions import Happening, News, end_of
from shared.domain.tenants import Scope
from shared.ports.ports import Ports
from shared.usecases.webhooks.announce import announce

log = structlog.get_logger()


async def tell(scope: Scope, ports: Ports, ingestion_id: UUID, news: Sequence[News]) -> None:
    """Append to a run's events. Comes after everything else that the transaction locks."""
    if await ports.ingestions.happened(scope, ingestion_id, news, ports.clock.now()):
        ports.meter.add("ingestions_completed", 1)
        log.info("ingestion.completed", ingestion_id=str(ingestion_id))
        await announce(scope, ports, ingestion_id)


async def ended(scope: Scope, ports: Ports, document: Document, generation: Generation) -> None:
    """A generation was saved: tell its run, if it has one and this was the end."""
    if generation.ingestion_id is not None and generation.terminal:
        await tell(scope, ports, generation.ingestion_id, [end_of(document, generation)])


async def check_run(scope: Scope, ports: Ports, ingestion_id: UUID | None, collection_id: UUID) -> None:
    """See that a document of the collection may name this run.

    Raises:
        NotFound: no such run in this project.
        Conflict: it fills another collection.
    """
    if ingestion_id is None:
        return
    run = await ports.ingestions.get(scope, ingestion_id)
    if run is None:
        raise NotFound("no such ingestion in this project", code="ingestion_not_found")
    if run.collection_id != collection_id:
        raise Conflict(
            "the ingestion fills another collection",
            code="other_collection",
            hint="make one ingestion for each collection",
        )


async def joined(scope: Scope, ports: Ports, document: Document, generation: Generation) -> None:
    """A further generation was added: have its run take it in.

    Raises:
        Conflict: the run takes no more documents.
    """
    if generation.ingestion_id is None:
        return
    run = await ports.ingestions.join(scope, generation.ingestion_id, ports.clock.now())
    if run is None:
        raise Conflict(
            "the ingestion takes no more documents: it was closed or cancelled, or has as many as it expected",
            code="ingestion_closed",
            hint="make another ingestion, or leave ingestion_id out",
        )
    news = [News(Happening.CLOSED, data={"by": "expected count"})] if run.closed_at is not None else []
    if generation.terminal:
        news.append(end_of(document, generation))
    if news:
        await tell(scope, ports, run.id, news)


async def run_going_on(scope: Scope, ports: Ports, ingestion_id: UUID | None) -> UUID | None:
    """The run that another try of a failed generation belongs to: the same one, unless it was cancelled.

    Whoever adds that try tells the run, which is complete no longer.
    """
    if ingestion_id is None:
        return None
    run = await ports.ingestions.get(scope, ingestion_id)
    return None if run is None or run.cancelled_at is not None else run.id
