"""The scheduled reindex: every collection of every project, each in a transaction of its own."""

import structlog

from shared import bootstrap
from shared.domain.collections import Collection
from shared.domain.errors import LambentError
from shared.domain.pages import After
from shared.domain.tenants import Permission, Principal, PrincipalKind, Project, Scope, TenantScope
from shared.runtime.transactions import transaction
from shared.usecases.ingest.reindex import reindex_collection

log = structlog.get_logger()

PER_COLLECTION = 50
"""Documents started per collection and run: a changed setting spreads over some hours and floods no queue."""
PAGE = 200
BUDGET_SECONDS = 200.0
PERMISSIONS = frozenset(
    {Permission.PROJECTS_READ, Permission.COLLECTIONS_READ, Permission.DOCUMENTS_READ, Permission.DOCUMENTS_PROCESS}
)
PRINCIPAL = Principal(PrincipalKind.SYSTEM, "reindex")


async def reindex_everything() -> None:
    """Process stale documents again, re-encode weights that have drifted, and let the vector store keep house."""
    clock = bootstrap.powers().clock
    until = clock.monotonic() + BUDGET_SECONDS
    started = encoded = tended = 0
    for project in await _projects():
        scope = Scope(project.tenant_id, PRINCIPAL, PERMISSIONS, project.id)
        for collection in await _collections(scope):
            if clock.monotonic() > until:
                log.warning("reindex.out_of_time")
                return
            try:
                async with transaction(scope) as ports:
                    started += await reindex_collection(scope, ports, collection, limit=PER_COLLECTION)
                    encoded += await ports.keywords.rebalance(scope, collection.id)
                # By itself: making an index takes long, and nothing should wait for what else is locked meanwhile.
                async with transaction(scope) as ports:
                    tended += await ports.vectors.tend(scope, collection, ports.clock.now())
            except LambentError as error:
                log.warning("reindex.failed", collection_id=str(collection.id), code=error.code, error=error.detail)
    log.info("reindex.ended", documents=started, chunks=encoded, tended=tended)


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
