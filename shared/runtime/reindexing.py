"""The scheduled reindex: every index that is not yet, or no longer, searched; and, less often, every collection."""

from collections.abc import Coroutine
from dataclasses import replace
from uuid import UUID

import structlog

from shared import bootstrap
from shared.domain.collections import Collection
from shared.domain.errors import LambentError
from shared.domain.indexes import HOLD, REST, Budget, Index, IndexState, Progress, no_worse, seen_through
from shared.domain.pages import After
from shared.domain.tenants import Permission, Principal, PrincipalKind, Project, Scope, TenantScope
from shared.ports.indexes import UnfinishedIndex
from shared.ports.ports import Ports
from shared.runtime.transactions import transaction
from shared.settings import settings
from shared.usecases.documents.upload import recipe_of
from shared.usecases.reindexes import score
from shared.usecases.reindexes.build import build
from shared.usecases.reindexes.cut import promote
from shared.usecases.reindexes.drop import drop
from shared.usecases.reindexes.plan import plan_of
from shared.usecases.reindexes.start import NewReindex, give_up, start

log = structlog.get_logger()

BATCH = 200
PAGE = 200
DROP_BATCHES = 40
BUDGET_SECONDS = 200.0
ROUND_SECONDS = 3600.0
"""Every collection is visited once in so long, whichever process comes first."""
PERMISSIONS = frozenset(
    {
        Permission.PROJECTS_READ,
        Permission.COLLECTIONS_READ,
        Permission.COLLECTIONS_WRITE,
        Permission.DOCUMENTS_READ,
        Permission.DOCUMENTS_DELETE,
        Permission.DOCUMENTS_PROCESS,
        Permission.SEARCH_QUERY,
    }
)
PRINCIPAL = Principal(PrincipalKind.SYSTEM, "reindex")


async def reindex_everything() -> None:
    """Move unfinished indexes on; once in each round visit all collections for what is stale, drifted or grown."""
    clock = bootstrap.powers().clock
    until = clock.monotonic() + BUDGET_SECONDS
    async with bootstrap.transaction(None) as ports:
        unfinished = list(await ports.indexes.unfinished(BATCH))
        wait = await ports.limits.reserve(
            "reindex/round", 1.0, capacity=1.0, per_second=1 / ROUND_SECONDS, now=clock.now(), within=0.0
        )
    for one in unfinished:
        if clock.monotonic() > until:
            log.warning("reindex.out_of_time")
            return
        await _told(one.collection_id, _move_on(one))
    for project in await _projects() if not wait else []:
        scope = _scope(project.tenant_id, project.id)
        for collection in await _collections(scope):
            if clock.monotonic() > until:
                log.warning("reindex.out_of_time")
                return
            await _told(collection.id, _visit(scope, collection))
    log.info("reindex.ended", indexes=len(unfinished), round=not wait)


async def _told(collection_id: UUID, work: Coroutine[None, None, None]) -> None:
    """Await the work; one collection that fails is logged and does not stop the others."""
    try:
        await work
    except LambentError as error:
        log.warning("reindex.failed", collection_id=str(collection_id), code=error.code, error=error.detail)


async def _move_on(one: UnfinishedIndex) -> None:
    """Whatever an index waits for."""
    scope = _scope(one.tenant_id, one.project_id)
    async with transaction(scope) as ports:
        index = await ports.indexes.get(scope, one.id)
        collection = await ports.collections.get(scope, one.collection_id)
        if index is None:
            return
        expired = index.expires_at is not None and index.expires_at <= ports.clock.now()
        if index.state is not IndexState.DROPPING and (collection is None or expired):
            await give_up(scope, ports, index, ports.clock.now())
    if collection is None or expired or index.state is IndexState.DROPPING:
        await _drop(scope, index)
        return
    await _build(scope, index)
    if index.state is IndexState.BUILDING and (await _progress(scope, index)).settled:
        await _finish(scope, index, collection)
    elif index.state is IndexState.READY and index.automatic and not (await _progress(scope, index)).failed:
        # It was not whole when it was scored, or uploads keep it from being so.
        await _take_over(scope, index)


async def _build(scope: Scope, index: Index) -> None:
    """Begin what is missing; where uploads keep it from ever being whole, publishing waits for it to be scored."""
    close = index.state is IndexState.BUILDING and (await _progress(scope, index)).close
    async with transaction(scope) as ports:
        if await build(scope, ports, index.id, hurried=close) and close:
            await ports.collections.hold(scope, index.collection_id, HOLD, REST)


async def _drop(scope: Scope, index: Index) -> None:
    for _ in range(DROP_BATCHES):
        async with transaction(scope) as ports:
            if await drop(scope, ports, index.id):
                return


async def _progress(scope: Scope, index: Index) -> Progress:
    async with transaction(scope) as ports:
        collection = await ports.collections.get(scope, index.collection_id)
        live = None if collection is None else await ports.indexes.get(scope, collection.index_id)
        return Progress(documents=1) if live is None else await ports.indexes.progress(scope, index, live)


async def _finish(scope: Scope, index: Index, collection: Collection) -> None:
    """A settled index: let the store tend it, score it, and promote it if it is whole and may."""
    # By itself: making an index takes long, and nothing should wait for what else is locked meanwhile.
    async with transaction(scope) as ports:
        await ports.vectors.tend(scope, seen_through(collection, index), ports.clock.now())
    scored = await score_index(scope, index.id)
    if scored is not None and scored.automatic and (await _progress(scope, scored)).whole:
        await _take_over(scope, scored)
    async with transaction(scope) as ports:
        await ports.collections.release(scope, collection.id)


async def _take_over(scope: Scope, scored: Index) -> None:
    """Promote it, unless it finds less than what is searched."""
    if scored.scores is None:
        return
    if no_worse(scored.scores):
        async with transaction(scope) as ports:
            await promote(scope, ports, scored.id)
        return
    why = "it finds less than the searched index does; promote it by hand if it should be searched all the same"
    if scored.problem != why:
        async with transaction(scope) as ports:
            await ports.indexes.save(scope, replace(scored, problem=why))


async def score_index(scope: Scope, index_id: UUID) -> Index | None:
    """Ask both indexes every question; None when it was not, or is no longer, to be scored."""
    async with transaction(scope) as ports:
        trial = await score.load(scope, ports, index_id)
    if trial is None:
        return None
    found = []
    for question in trial.questions:
        asked = await score.embed(bootstrap.powers(), trial, question)
        async with transaction(scope) as ports:
            found.append(await score.ask(scope, ports, trial, question, asked))
    async with transaction(scope) as ports:
        return await score.store(scope, ports, index_id, trial, found)


async def _visit(scope: Scope, collection: Collection) -> None:
    """Begin a reindex if something is stale; re-encode drifted weights; let the vector store keep house."""
    async with transaction(scope) as ports:
        await _begin(scope, ports, collection)
        await ports.keywords.rebalance(scope, collection.index_id)
    async with transaction(scope) as ports:
        await ports.vectors.tend(scope, collection, ports.clock.now())


async def _begin(scope: Scope, ports: Ports, collection: Collection) -> None:
    """An automatic reindex of what is stale, once for each recipe: one that was given up is not begun again."""
    chosen = settings()
    target = replace(collection, model=ports.embedder.model)
    if not chosen.reindex_automatic or not (await plan_of(scope, ports, collection)).needed:
        return
    indexes = await ports.indexes.of(scope, collection.id)
    besides = [one for one in indexes if one.open and one.id != collection.index_id]
    if besides or any(one.recipe == recipe_of(target).key for one in indexes):
        return
    budget = Budget(
        documents_per_day=chosen.reindex_documents_per_day,
        tokens_per_day=chosen.reindex_tokens_per_day,
        money_per_day=chosen.reindex_money_per_day,
        price=chosen.embedding_price,
    )
    await start(scope, ports, NewReindex(collection.id, budget=budget, automatic=True))


def _scope(tenant_id: UUID, project_id: UUID) -> Scope:
    return Scope(tenant_id, PRINCIPAL, PERMISSIONS, project_id)


async def _projects() -> list[Project]:
    async with bootstrap.transaction(None) as ports:
        tenants = await ports.tenants.ids()
    found: list[Project] = []
    for tenant_id in tenants:
        scope = TenantScope(tenant_id, PRINCIPAL, PERMISSIONS)
        async with bootstrap.transaction(scope) as ports:
            after: After | None = None
            while rows := await ports.projects.list(scope, after, PAGE):
                found += rows
                after = After(rows[-1].created_at, rows[-1].id)
    return found


async def _collections(scope: Scope) -> list[Collection]:
    found: list[Collection] = []
    async with bootstrap.transaction(scope) as ports:
        after: After | None = None
        while rows := await ports.collections.list(scope, after, PAGE):
            found += rows
            after = After(rows[-1].created_at, rows[-1].id)
    return found
