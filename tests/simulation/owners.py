"""Owners of collections, projects and tenants: they change how documents are indexed, and delete what they own."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

from shared.domain.indexes import Index, IndexState
from shared.domain.receipts import SubjectKind
from shared.domain.tenants import Scope
from shared.ports.documents import FailedFilter
from shared.ports.ports import Ports
from shared.usecases.collections import manage
from shared.usecases.deletion import request
from shared.usecases.documents import retry
from shared.usecases.reindexes import cut
from shared.usecases.reindexes.start import NewReindex, start
from tests.simulation import contents

if TYPE_CHECKING:
    from tests.simulation.clients import Clients, Tenant

PROJECT, TENANT = "default", "a tenant"


async def changer(clients: "Clients", tenant: "Tenant") -> None:
    """Changes how a collection is cut and has it indexed anew, or has what failed taken up again."""
    chance = clients.chance
    await clients.wait(chance.uniform(20, 400))
    collection = chance.choice(tenant.collections)
    if chance.random() < 0.4:
        wanted = FailedFilter(chance.choice((None, collection)))
        await clients.asked(
            tenant, lambda ports: retry.retry_failed(tenant.scope, ports, wanted, cursor=None, limit=10)
        )
        return
    chunking = chance.choice(contents.CHUNKINGS)
    await clients.asked(tenant, lambda ports: manage.change(tenant.scope, ports, collection, chunking=chunking))
    await clients.wait(chance.uniform(1, 200))
    clients.history.cloud.tick("reindex")


async def deleter(clients: "Clients", tenant: "Tenant") -> None:
    """Deletes a collection, the project or the tenant, perhaps one after the other."""
    chance = clients.chance
    for _ in range(chance.choice((1, 1, 2))):
        await clients.wait(chance.uniform(20, 400))
        collection = chance.choice(tenant.collections)
        await _room_deleted(clients, tenant, collection)
        await clients.search(tenant, collection)


async def _room_deleted(clients: "Clients", tenant: "Tenant", collection: UUID) -> None:
    """Delete a collection, the project or the whole tenant, and know that all in it is gone once that is answered."""
    scope, rooms = tenant.scope, clients.history.model.rooms_deleted
    act = clients.chance.random()
    if act < 0.5:
        kind, id = SubjectKind.COLLECTION, collection
        asked = await clients.asked(tenant, lambda ports: request.delete_collection(scope, ports, collection))
    elif act < 0.8:
        kind, id = SubjectKind.PROJECT, scope.project_id
        asked = await clients.asked(tenant, lambda ports: request.delete_project(scope, ports, id, PROJECT))
    else:
        kind, id = SubjectKind.TENANT, scope.tenant_id
        asked = await clients.asked(tenant, lambda ports: request.delete_tenant(scope, ports, id, TENANT))
    if asked is None:
        return
    for room in {id, *((collection,) if kind is SubjectKind.COLLECTION else tenant.collections)}:
        rooms.setdefault(room, kind)


async def reindexer(clients: "Clients", tenant: "Tenant") -> None:
    """Builds indexes beside the one that is searched, cuts over and back, and gives up, at any moment."""
    chance, scope = clients.chance, tenant.scope
    collection = chance.choice(tenant.collections)
    await clients.wait(chance.choice((0, 60, 300)))
    index: Index | None = None
    for _ in range(chance.choice((2, 3, 4, 6))):
        act = chance.random()
        if index is None or act < 0.25:
            wanted = NewReindex(
                collection,
                chunking=chance.choice(contents.CHUNKINGS),
                automatic=chance.random() < 0.3,
                discard_previous=chance.random() < 0.5,
            )
            index = await clients.asked(tenant, partial(_begun, scope, wanted)) or index
        else:
            to = cut.promote if act < 0.65 else cut.rollback
            for _ in range(chance.choice((1, 4))):
                told = await clients.asked(tenant, partial(_cut, scope, to, index.id))
                if told is None or (told.state is IndexState.LIVE) == (to is cut.promote):
                    break
                await clients.wait(chance.choice((3, 30, 100)))
        await clients.wait(chance.choice((5, 90, 200, 400)))


async def _begun(scope: Scope, wanted: NewReindex, ports: Ports) -> Index:
    return await start(scope, ports, wanted)


async def _cut(scope: Scope, to: Callable[[Scope, Ports, UUID], Awaitable[Index]], index: UUID, ports: Ports) -> Index:
    return await to(scope, ports, index)
