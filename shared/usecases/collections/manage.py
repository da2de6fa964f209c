"""Collections as things: make, list, change."""

from dataclasses import replace
from uuid import UUID

from shared.domain.chunks import DEFAULT_CHUNKING, Chunking
from shared.domain.collections import Collection, CollectionSummary
from shared.domain.errors import NotFound
from shared.domain.labels import clean_name
from shared.domain.pages import After, Page, decode_cursor, fingerprint, page_of
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports


async def create(
    scope: Scope,
    ports: Ports,
    *,
    name: str,
    description: str = "",
    chunking: Chunking | None = None,
    language: str = "",
) -> Collection:
    """A new, empty collection embedded by this deployment's model.

    Raises:
        Conflict: the project has a collection of this name.
        Invalid: a name that is not accepted.
    """
    scope.require(Permission.COLLECTIONS_WRITE)
    collection = Collection(
        id=ports.ids.new(),
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        name=clean_name(name),
        description=description.strip(),
        model=ports.embedder.model,
        chunking=chunking or DEFAULT_CHUNKING,
        language=language,
        created_at=ports.clock.now(),
    )
    await ports.collections.add(scope, collection)
    return collection


async def summary(scope: Scope, ports: Ports, collection_id: UUID) -> CollectionSummary:
    """One collection with its counts.

    Raises:
        NotFound: none of this project's.
    """
    scope.require(Permission.COLLECTIONS_READ)
    found = await ports.collections.summary(scope, collection_id)
    if found is None:
        raise NotFound("no such collection in this project", code="collection_not_found")
    return found


async def list_collections(scope: Scope, ports: Ports, *, cursor: str | None, limit: int) -> Page[Collection]:
    """A page of collections, newest first."""
    scope.require(Permission.COLLECTIONS_READ)
    listing = fingerprint("collections", scope.project_id)
    rows = await ports.collections.list(scope, decode_cursor(cursor, listing) if cursor else None, limit + 1)
    return page_of(rows, limit, listing, lambda row: After(row.created_at, row.id))


async def change(
    scope: Scope,
    ports: Ports,
    collection_id: UUID,
    *,
    name: str | None = None,
    description: str | None = None,
    chunking: Chunking | None = None,
) -> Collection:
    """Rename, describe, or set how documents are cut from now on.

    Those already indexed keep their cut until they are processed again.

    Raises:
        NotFound: none of this project's.
        Conflict: the new name is taken.
    """
    scope.require(Permission.COLLECTIONS_WRITE)
    known = await ports.collections.lock(scope, collection_id)
    if known is None:
        raise NotFound("no such collection in this project", code="collection_not_found")
    changed = replace(
        known,
        name=known.name if name is None else clean_name(name),
        description=known.description if description is None else description.strip(),
        chunking=known.chunking if chunking is None else chunking,
    )
    await ports.collections.save(scope, changed)
    return changed


async def _existing(scope: Scope, ports: Ports, collection_id: UUID) -> Collection:
    found = await ports.collections.get(scope, collection_id)
    if found is None:
        raise NotFound("no such collection in this project", code="collection_not_found")
    return found
