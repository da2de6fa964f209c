"""The read gate before both search legs.

Through it passes the committed generation of a document that is not deleted, in a live collection of the scope's
project, itself alive: the one committed in the index that was asked. A generation is in one index only, so once the
index is named, the generation of the document's other slot is not among the rows. There are two ways through. `scanned`
joins every row of an index with its document: always right, and the only way when a filter asks for something. `paged`
takes a little more than a page of the best rows first and looks at their documents only, which spares a third of the
time; when too few of them pass, the caller must scan.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Label, Table, TextClause, Uuid, any_, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.filters import compiled
from shared.adapters.postgres.models import collections, documents
from shared.adapters.postgres.schema import Instant
from shared.adapters.postgres.statements import PROJECT, ROOM_LIVE, ROOM_LIVE_TEXT, TENANT
from shared.domain.chunks import ChunkId
from shared.domain.filters import Filter
from shared.domain.search import LegHit
from shared.domain.tenants import Scope

D, C = documents.c, collections.c

# When the collection, project or tenant that a document is in was deleted: a column beside those of `documents`.
GONE_WITH: Label[Any] = func.lambent_gone_with(D.tenant_id, D.collection_id, type_=Instant).label("gone_with")

# The place of the index that is searched: another column beside them.
LIVE_SLOT = (
    select(C.slot)
    .where((C.tenant_id == D.tenant_id) & (C.id == D.collection_id))
    .correlate(documents)
    .scalar_subquery()
    .label("live_slot")
)

MAX_PARTS = 8
"""Indexes asked in one paged statement; each is planned by itself, so for many a scan is quicker."""

# There is always a row: `reached` tells how many the fullest part gave, also when none of them passed.
PAGE = f"""
WITH found AS MATERIALIZED (
{{parts}}
)
SELECT total.reached, seen.document_id, seen.generation, seen.ordinal, seen.score
FROM (SELECT max(one.count) AS reached FROM (SELECT count(*) FROM found WHERE {{counted}} GROUP BY part) one) total
LEFT JOIN (
  SELECT f.document_id, f.generation, f.ordinal, f.score FROM found f
  JOIN documents d ON d.tenant_id = :tenant AND d.project_id = :project AND d.id = f.document_id
    AND f.generation IN (d.committed_0, d.committed_1) AND d.tombstoned_at IS NULL
  JOIN collections c ON c.tenant_id = :tenant AND c.id = d.collection_id AND c.deleted_at IS NULL
  WHERE {ROOM_LIVE_TEXT}
) seen ON true
ORDER BY seen.score DESC NULLS LAST, seen.document_id, seen.ordinal
LIMIT :most
"""


def paged(parts: Sequence[str], counted: str = "true") -> TextClause:
    """The statement for `page`.

    Args:
        parts: one SELECT for each index, of part, document_id, generation, ordinal and score, ordered, and limited
            to `:reach`.
        counted: which of their rows are hits at all.
    """
    return text(PAGE.format(parts="\nUNION ALL\n".join(f"({part})" for part in parts), counted=counted))


async def page(session: Session, statement: TextClause, asked: dict[str, Any], limit: int) -> list[LegHit] | None:
    """The best that pass the gate; None when there may be more than these, behind others that did not pass."""
    reach = limit + limit // 4 + 10
    rows = await session.all(statement, {**asked, "most": limit, "reach": reach})
    hits = hits_of(rows)
    return None if len(hits) < limit and (rows[0].reached or 0) >= reach else hits


def hits_of(rows: Sequence[Any]) -> list[LegHit]:
    """Rows of document_id, generation, ordinal and score; those without a score are no hits."""
    return [
        LegHit(ChunkId(row.document_id, row.generation, row.ordinal), row.score)
        for row in rows
        if row.score is not None
    ]


def scanned(index: Table) -> FromClause:
    """`index` (vectors or keywords) joined with the documents and collections that let its rows be seen."""
    i = index.c
    document = (
        (D.tenant_id == TENANT)
        & (D.project_id == PROJECT)
        & (D.id == i.document_id)
        & or_(D.committed_0 == i.generation, D.committed_1 == i.generation)
        & D.tombstoned_at.is_(None)
    )
    collection = (C.tenant_id == TENANT) & (C.id == D.collection_id) & C.deleted_at.is_(None) & ROOM_LIVE
    return index.join(documents, document).join(collections, collection)


def narrowed(index: Table, filter: Filter | None, document_ids: Sequence[UUID] | None) -> list[ColumnElement[bool]]:
    """What else the caller asks of the documents."""
    conditions: list[ColumnElement[bool]] = []
    if filter is not None:
        conditions.append(compiled(filter))
    if document_ids is not None:
        conditions.append(index.c.document_id == any_(literal(list(document_ids), ARRAY(Uuid))))
    return conditions


def within(scope: Scope, index_ids: Sequence[UUID]) -> dict[str, Any]:
    """The parameters that both ways take: tenant, project, the indexes together and one by one."""
    return {
        "tenant": scope.tenant_id,
        "project": scope.project_id,
        "indexes": list(index_ids),
        **{f"index_{part}": index_id for part, index_id in enumerate(index_ids)},
    }
