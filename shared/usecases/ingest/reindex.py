"""Find what was indexed by settings that are no longer its collection's, and process it again."""

import structlog

from shared.domain.collections import Collection
from shared.domain.documents import Document, DocumentStatus, Recipe
from shared.domain.pages import After
from shared.domain.tenants import Scope
from shared.ports.documents import DocumentFilter
from shared.ports.ports import Ports
from shared.usecases.documents.process import process_again
from shared.usecases.documents.upload import recipe_of

log = structlog.get_logger()

PAGE = 100


async def reindex_collection(scope: Scope, ports: Ports, collection: Collection, *, limit: int) -> int:
    """Start a further generation of stale documents that are not on their way already.

    Returns how many, `limit` at the most.

    The present generation is served until the new one is published, so search is never interrupted.
    """
    started, after = 0, None
    wanted = DocumentFilter(collection_id=collection.id, status=DocumentStatus.INDEXED)
    recipe = recipe_of(collection)
    while started < limit and (rows := await ports.documents.list(scope, wanted, after, PAGE)):
        for row in rows:
            if started == limit:
                break
            document = await ports.documents.lock(scope, row.id)
            if document is not None and await _stale(scope, ports, document, recipe):
                await process_again(scope, ports, document)
                started += 1
        after = After(rows[-1].created_at, rows[-1].id)
    if started:
        log.info("reindex.started", collection_id=str(collection.id), documents=started)
    return started


async def _stale(scope: Scope, ports: Ports, document: Document, recipe: Recipe) -> bool:
    """Whether the document is served by another recipe, is not on its way, and was not tried with this one in vain."""
    if document.deleted or document.committed_generation is None:
        return False
    served = await ports.documents.generation(scope, document.id, document.committed_generation)
    latest = await ports.documents.generation(scope, document.id, document.latest_generation)
    if served is None or latest is None or served.recipe == recipe or not latest.terminal:
        return False
    tried = latest.recipe == recipe and bool(latest.source.version_id)
    return not tried
