"""Say what is stale in a collection, and what making its index anew would take."""

from dataclasses import replace
from uuid import UUID

from shared.domain.collections import Collection
from shared.domain.errors import NotFound
from shared.domain.reindexing import Plan
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.documents.upload import recipe_of


async def plan(scope: Scope, ports: Ports, collection_id: UUID) -> Plan:
    """Compare what is searched with this deployment's model, readers and pipeline and the collection's settings.

    Raises:
        NotFound: no such collection in this project.
    """
    scope.require(Permission.COLLECTIONS_READ)
    await ports.access.everything()
    collection = await ports.collections.get(scope, collection_id)
    if collection is None:
        raise NotFound("no such collection in this project", code="collection_not_found")
    return await plan_of(scope, ports, collection)


async def plan_of(scope: Scope, ports: Ports, collection: Collection) -> Plan:
    """The same for a collection at hand."""
    target = replace(collection, model=ports.embedder.model)
    return Plan(
        collection_id=collection.id,
        name=collection.name,
        model=collection.model,
        chunking=collection.chunking,
        target_model=target.model,
        target_chunking=target.chunking,
        staleness=await ports.documents.staleness(scope, collection.id, recipe_of(target)),
    )
