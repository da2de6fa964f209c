"""Look at ingestion runs: how far they are, their documents, what happened in them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from shared.domain.documents import GenerationState
from shared.domain.errors import NotFound
from shared.domain.ingestions import Ingestion, IngestionEvent, IngestionView, Member, progress_of
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports


@dataclass(frozen=True, slots=True)
class Glance:
    """A run as a watcher sees it, and what happened since the watcher looked last."""

    view: IngestionView
    events: Sequence[IngestionEvent]


async def view(scope: Scope, ports: Ports, ingestion_id: UUID) -> IngestionView:
    """One run with its progress.

    Raises:
        NotFound: no such run in this project.
    """
    run = await _existing(scope, ports, ingestion_id)
    return IngestionView(run, progress_of(run, await ports.ingestions.tallies(scope, run.id)))


async def glance(scope: Scope, ports: Ports, ingestion_id: UUID, *, after: int, limit: int) -> Glance:
    """One run with its progress and the events after a number.

    The run is read first, so the events are no older than it: with `limit` to spare they reach its `sequence`.

    Raises:
        NotFound: no such run in this project.
    """
    run = await _existing(scope, ports, ingestion_id)
    happened = await ports.ingestions.events(scope, run.id, after, limit)
    progress = progress_of(run, await ports.ingestions.tallies(scope, run.id))
    return Glance(IngestionView(run, progress), happened)


async def list_runs(
    scope: Scope, ports: Ports, *, collection_id: UUID | None, cursor: str | None, limit: int
) -> Page[Ingestion]:
    """A page of runs, newest first.

    Raises:
        InvalidCursor: a cursor of another listing.
    """
    scope.require(Permission.DOCUMENTS_READ)
    listing = fingerprint("ingestions", scope.project_id, collection_id)
    after = decode_cursor(cursor, listing) if cursor else None
    rows = await ports.ingestions.list(scope, collection_id, after, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))


async def list_members(
    scope: Scope, ports: Ports, ingestion_id: UUID, *, state: GenerationState | None, cursor: str | None, limit: int
) -> Page[Member]:
    """A page of a run's documents, in the order they were made.

    Raises:
        NotFound: no such run in this project.
        InvalidCursor: a cursor of another listing.
    """
    run = await _existing(scope, ports, ingestion_id)
    listing = fingerprint("members", run.id, state)
    after = decode_cursor(cursor, listing).id if cursor else None
    rows = [unnamed(row) for row in await ports.ingestions.members(scope, run.id, state, after, limit + 1)]
    return page_of(rows, limit, listing, lambda row: After(row.document.created_at, row.document.id))


def unnamed(member: Member) -> Member:
    """The member, without what people called its document when that is deleted."""
    if not member.document.deleted:
        return member
    return replace(member, document=replace(member.document, name="", path="", title="", tags=(), metadata={}))


async def events(scope: Scope, ports: Ports, ingestion_id: UUID, *, after: int, limit: int) -> Sequence[IngestionEvent]:
    """What happened after the event of that number, in order.

    Raises:
        NotFound: no such run in this project.
    """
    run = await _existing(scope, ports, ingestion_id)
    return await ports.ingestions.events(scope, run.id, after, limit)


async def _existing(scope: Scope, ports: Ports, ingestion_id: UUID) -> Ingestion:
    scope.require(Permission.DOCUMENTS_READ)
    run = await ports.ingestions.get(scope, ingestion_id)
    if run is None or await ports.collections.get(scope, run.collection_id) is None:
        raise NotFound("no such ingestion in this project", code="ingestion_not_found")
    return run
