"""Begin an index beside the one that is searched."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import structlog

from shared.domain.chunks import Chunking
from shared.domain.errors import Conflict, NotFound
from shared.domain.indexes import Budget, Index, IndexState
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.documents.upload import recipe_of
from shared.usecases.reindexes.build import build

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class NewReindex:
    """What is asked for; what is left out is the deployment's model and the collection's own cut."""

    collection_id: UUID
    model: str = ""
    chunking: Chunking | None = None
    budget: Budget = field(default_factory=Budget)
    automatic: bool = False
    discard_previous: bool = False
    """Give up the index that is kept for a rollback, if there is one: there is room for one beside the searched."""


async def start(scope: Scope, ports: Ports, wanted: NewReindex) -> Index:
    """Begin building; what is searched is not touched. Of two starts at once, one is refused.

    Raises:
        NotFound: no such collection.
        Conflict: another reindex is under way, an index is kept for a rollback, or nobody configured the model.
    """
    scope.require(Permission.COLLECTIONS_WRITE)
    await ports.access.everything()
    collection = await ports.collections.lock(scope, wanted.collection_id)
    if collection is None:
        raise NotFound("no such collection in this project", code="collection_not_found")
    now = ports.clock.now()
    indexes = await ports.indexes.of(scope, collection.id)
    await _make_room(scope, ports, [one for one in indexes if one.open and one.id != collection.index_id], wanted, now)
    model = ports.embedders.of(wanted.model).model if wanted.model else ports.embedder.model
    chunking = wanted.chunking or collection.chunking
    recipe = recipe_of(replace(collection, model=model, chunking=chunking))
    stale = await ports.documents.staleness(scope, collection.id, recipe)
    index = Index(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        collection_id=collection.id,
        slot=1 - collection.slot,
        state=IndexState.BUILDING,
        model=model,
        chunking=chunking,
        created_at=now,
        changed_at=now,
        recipe=recipe.key,
        reasons=stale.reasons,
        requested_by=str(scope.principal),
        automatic=wanted.automatic,
        budget=wanted.budget,
    )
    await ports.indexes.add(scope, index)
    log.info("reindex.started", collection_id=str(collection.id), index_id=str(index.id), model=model.name)
    await build(scope, ports, index.id)
    return await ports.indexes.get(scope, index.id) or index


async def _make_room(scope: Scope, ports: Ports, others: Sequence[Index], wanted: NewReindex, now: datetime) -> None:
    for other in others:
        if other.state is not IndexState.RETIRED:
            raise Conflict(
                f"reindex {other.id} of this collection is {other.state.value}",
                code="reindex_running",
                hint="promote it, or give it up with a rollback",
            )
        if not wanted.discard_previous:
            raise Conflict(
                f"the index before the searched one is kept for a rollback until {other.expires_at:%Y-%m-%d %H:%M} UTC",
                code="previous_index_kept",
                hint="wait, or say that it may be discarded",
            )
        await give_up(scope, ports, other, now)


async def give_up(scope: Scope, ports: Ports, index: Index, now: datetime) -> None:
    """Close an index that is not searched; the schedule sweeps it.

    Raises:
        Conflict: uploads that began before the last cut are still on their way through it.
    """
    uploads = [one for one in await ports.indexes.generations(scope, index, 1000) if not one.origin]
    if uploads:
        raise Conflict(
            f"{len(uploads)} uploads that began before the last cut are still on their way through this index",
            code="uploads_under_way",
            hint="try again in some minutes",
        )
    await ports.indexes.save(scope, replace(index, state=IndexState.DROPPING, changed_at=now, expires_at=None))
