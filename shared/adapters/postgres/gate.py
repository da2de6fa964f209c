"""The read gate, as the search legs join it: the committed generation of a document that is not deleted, in a live
collection of the scope's project.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Table, Uuid, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY

from shared.adapters.postgres.filters import compiled
from shared.adapters.postgres.models import collections, documents
from shared.adapters.postgres.statements import PROJECT, TENANT
from shared.domain.filters import Filter
from shared.domain.tenants import Scope

D, C = documents.c, collections.c


def gated(index: Table) -> FromClause:
    """`index` (vectors or keywords) joined with the documents and collections that let its rows be seen."""
    i = index.c
    document = (
        (D.tenant_id == TENANT)
        & (D.project_id == PROJECT)
        & (D.id == i.document_id)
        & (D.committed_generation == i.generation)
        & D.tombstoned_at.is_(None)
    )
    collection = (C.tenant_id == TENANT) & (C.id == i.collection_id) & C.deleted_at.is_(None)
    return index.join(documents, document).join(collections, collection)


def narrowed(index: Table, filter: Filter | None, document_ids: Sequence[UUID] | None) -> list[ColumnElement[bool]]:
    """What else the caller asks of the documents."""
    conditions: list[ColumnElement[bool]] = []
    if filter is not None:
        conditions.append(compiled(filter))
    if document_ids is not None:
        conditions.append(index.c.document_id == any_(literal(list(document_ids), ARRAY(Uuid))))
    return conditions


def within(scope: Scope) -> dict[str, Any]:
    """The parameters of `gated`."""
    return {"tenant": scope.tenant_id, "project": scope.project_id}
