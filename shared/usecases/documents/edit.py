"""Change what people say about a document."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from shared.domain.documents import Document
from shared.domain.errors import NotFound
from shared.domain.labels import clean_metadata, clean_name, clean_tags
from shared.domain.tenants import Permission, Scope
from shared.ports.ports import Ports
from shared.usecases.documents.read import shown


async def edit(
    scope: Scope,
    ports: Ports,
    document_id: UUID,
    *,
    name: str | None = None,
    tags: Sequence[str] | None = None,
    metadata: Mapping[str, object] | None = None,
) -> Document:
    """Replace the name, the tags or the metadata; None leaves each as it is.

    Raises:
        NotFound: no such document, or it is deleted.
        Invalid: a value that is not accepted.
    """
    scope.require(Permission.DOCUMENTS_WRITE)
    document = await ports.documents.lock(scope, document_id)
    if document is None or document.deleted:
        raise NotFound("no such document in this project", code="document_not_found")
    changed = replace(
        document,
        name=document.name if name is None else clean_name(name),
        tags=document.tags if tags is None else clean_tags(tags),
        metadata=document.metadata if metadata is None else clean_metadata(metadata),
        updated_at=ports.clock.now(),
    )
    await ports.documents.save(scope, changed)
    return await shown(scope, ports, changed)
