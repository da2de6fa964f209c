"""The scheduled comparison of rows and stores: one tenant after the other, some of each store at a time."""

from uuid import UUID

import structlog

from shared import bootstrap
from shared.domain.errors import LambentError
from shared.domain.tenants import Permission, Principal, PrincipalKind, TenantScope, system_scope
from shared.runtime.logging import bound
from shared.runtime.transactions import transaction
from shared.usecases.reconcile.documents import reconcile_document
from shared.usecases.reconcile.stores import (
    FOLDERS,
    reconcile_cache,
    reconcile_objects,
    reconcile_statistics,
    reconcile_vectors,
)

log = structlog.get_logger()

DOCUMENTS = 50
TURN = "reconcile"
PRINCIPAL = Principal(PrincipalKind.SYSTEM, "reconcile")


async def reconcile_some() -> None:
    """Go on with the tenant whose turn it is; the next run does the next one."""
    async with bootstrap.transaction(None) as ports:
        tenants = list(await ports.tenants.ids())
        last = await ports.cursors.get(TURN)
        after = [tenant_id for tenant_id in tenants if str(tenant_id) > last] or tenants
        if not after:
            return
        await ports.cursors.put(TURN, str(after[0]), ports.clock.now())
    scope = TenantScope(after[0], PRINCIPAL, frozenset({Permission.DOCUMENTS_DELETE}))
    with bound(tenant_id=after[0]):
        wrong = await _stores(scope) + await _documents(scope)
        log.info("reconcile.ended", wrong=wrong)


async def _stores(scope: TenantScope) -> int:
    wrong = 0
    try:
        for bucket, folder in FOLDERS:
            async with transaction(scope) as ports:
                wrong += await reconcile_objects(scope, ports, bucket, folder)
        async with transaction(scope) as ports:
            wrong += await reconcile_vectors(scope, ports)
        async with transaction(scope) as ports:
            wrong += await reconcile_cache(scope, ports)
        async with transaction(scope) as ports:
            wrong += await reconcile_statistics(scope, ports)
    except LambentError as error:
        log.warning("reconcile.failed", code=error.code, error=error.detail)
    return wrong


async def _documents(scope: TenantScope) -> int:
    name = f"documents/{scope.tenant_id}"
    async with bootstrap.transaction(scope) as ports:
        place = await ports.cursors.get(name)
        chosen = list(await ports.documents.indexed(scope, UUID(place) if place else None, DOCUMENTS))
        following = str(chosen[-1][1]) if len(chosen) == DOCUMENTS else ""
        await ports.cursors.put(name, following, ports.clock.now())
    wrong = 0
    for project_id, document_id in chosen:
        room = system_scope(scope.tenant_id, project_id, "reconcile")
        try:
            async with transaction(room) as ports:
                wrong += await reconcile_document(room, ports, document_id)
        except LambentError as error:
            log.warning("reconcile.failed", document_id=str(document_id), code=error.code, error=error.detail)
    return wrong
