"""Chunks, and the read gate in front of them."""

import json
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.statements import ROOM_LIVE_TEXT
from shared.domain.chunks import Chunk, ChunkId
from shared.domain.errors import NotFound
from shared.domain.search import VisibleChunk
from shared.domain.tenants import Scope

MAX_NUMBER = 2**31 - 1
BATCH = 500
"""Rows sent at once: about a megabyte."""

# The document must be one of the scope's project; one that is not has no chunks.
DOCUMENT = "(SELECT d.id FROM documents d WHERE d.tenant_id = :tenant AND d.project_id = :project AND d.id = :document)"
COLLECTION = DOCUMENT.replace("d.id FROM", "d.collection_id FROM")

DELETE = """
WITH words AS (
  DELETE FROM keywords
  WHERE tenant_id = :tenant AND index_id IN ({indexes}) AND document_id = :document AND {generations}
)
DELETE FROM chunks WHERE tenant_id = :tenant AND document_id = {document} AND {generations}
"""
OF_INDEX = """generation < :keep AND generation IN (
  SELECT g.number FROM generations g JOIN documents d ON d.tenant_id = :tenant AND d.id = g.document_id
  WHERE g.tenant_id = :tenant AND g.document_id = :document AND coalesce(g.index_id, d.collection_id) = :index
)"""
EVERY_INDEX = f"SELECT i.id FROM indexes i WHERE i.tenant_id = :tenant AND i.collection_id = {COLLECTION}"
DELETE_ONE = text(DELETE.format(indexes=":index", document=DOCUMENT, generations="generation = :generation"))
DELETE_ALL = text(DELETE.format(indexes=EVERY_INDEX, document=DOCUMENT, generations="true"))
DELETE_BEFORE = text(DELETE.format(indexes=":index", document=DOCUMENT, generations=OF_INDEX))

INSERT = text(f"""
INSERT INTO chunks (
  tenant_id, document_id, generation, ordinal, text, start_offset, end_offset, content_hash,
  heading_path, page_first, page_last, kind, tokens, language
)
SELECT :tenant, {DOCUMENT}, :generation, r.ordinal, r.text, r.start_offset, r.end_offset, r.content_hash,
  r.heading_path, r.page_first, r.page_last, r.kind, r.tokens, r.language
FROM json_to_recordset(CAST(:rows AS json)) AS r (
  ordinal integer, text text, start_offset integer, end_offset integer, content_hash text,
  heading_path text[], page_first integer, page_last integer, kind text, tokens integer, language text
)
WHERE {DOCUMENT} IS NOT NULL
""")

COLUMNS = (
    "c.document_id, c.generation, c.ordinal, c.text, c.start_offset, c.end_offset, c.content_hash, c.heading_path, "
    "c.page_first, c.page_last, c.kind, c.tokens, c.language"
)
LIST = text(f"""
SELECT {COLUMNS} FROM chunks c
WHERE c.tenant_id = :tenant AND c.document_id = {DOCUMENT} AND c.generation = :generation AND c.ordinal >= :first
ORDER BY c.ordinal LIMIT :most
""")
VISIBLE = text(f"""
SELECT {COLUMNS}, d.collection_id, d.name, d.title, d.media_type, d.tags, d.metadata
FROM unnest(
  CAST(:documents AS uuid[]), CAST(:generations AS integer[]), CAST(:ordinals AS integer[])
) AS w (document_id, generation, ordinal)
JOIN documents d ON d.tenant_id = :tenant AND d.project_id = :project AND d.id = w.document_id
  AND w.generation IN (d.committed_0, d.committed_1) AND d.tombstoned_at IS NULL
JOIN collections l ON l.tenant_id = :tenant AND l.id = d.collection_id AND l.deleted_at IS NULL
JOIN chunks c ON c.tenant_id = :tenant
  AND c.document_id = w.document_id AND c.generation = w.generation AND c.ordinal = w.ordinal
WHERE {ROOM_LIVE_TEXT}
""")
COUNT = text(f"SELECT count(*) FROM chunks WHERE tenant_id = :tenant AND document_id = {DOCUMENT}")
IDS = text(f"SELECT generation, ordinal FROM chunks WHERE tenant_id = :tenant AND document_id = {DOCUMENT}")
HASHES = text(
    f"SELECT DISTINCT content_hash FROM chunks "
    f"WHERE tenant_id = :tenant AND document_id = {DOCUMENT} ORDER BY content_hash"
)


class PgChunks:
    """Storage of chunk texts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def replace(
        self, scope: Scope, index_id: UUID, document_id: UUID, generation: int, chunks: Sequence[Chunk]
    ) -> None:
        """Make `chunks` the whole content of the generation; their keywords go too and are put anew.

        Raises:
            NotFound: no such document in the project.
        """
        where = {**_document(scope, document_id), "index": index_id, "generation": generation}
        self._session.later(DELETE_ONE, where)
        for first in range(0, len(chunks), BATCH):
            batch = chunks[first : first + BATCH]
            rows = json.dumps([_values(chunk) for chunk in batch], ensure_ascii=False)
            if (await self._session.run(INSERT, {**where, "rows": rows})).rowcount != len(batch):
                raise NotFound("no such document in this project", code="document_not_found")

    async def list(
        self, scope: Scope, document_id: UUID, generation: int, *, first: int = 0, limit: int | None = None
    ) -> Sequence[Chunk]:
        """Chunks of a generation in order, from ordinal `first`."""
        parameters = {**_document(scope, document_id), "generation": generation, "first": first, "most": limit}
        return [_chunk(row) for row in await self._session.all(LIST, parameters)]

    async def visible(self, scope: Scope, ids: Sequence[ChunkId]) -> dict[ChunkId, VisibleChunk]:
        """The read gate: those of the ids whose generation is its document's committed one and whose document and
        collection are not deleted.
        """
        if not ids:
            return {}
        documents, generations, ordinals = zip(*map(astuple, ids), strict=True)
        parameters = {
            "tenant": scope.tenant_id,
            "project": scope.project_id,
            "documents": list(documents),
            "generations": list(generations),
            "ordinals": list(ordinals),
        }
        rows = await self._session.all(VISIBLE, parameters)
        return {chunk.chunk.id: chunk for chunk in map(_visible, rows)}

    async def delete(self, scope: Scope, document_id: UUID) -> int:
        """Remove every chunk of the document and its keywords, in all indexes; returns how many chunks."""
        return (await self._session.run(DELETE_ALL, _document(scope, document_id))).rowcount

    async def delete_from(self, scope: Scope, index_id: UUID, document_id: UUID, *, keep: int | None) -> int:
        """Remove the chunks of every generation made for the index up to `keep` exclusive, and their keywords.

        Of all when None. Returns how many chunks.
        """
        before = MAX_NUMBER if keep is None else keep
        where = {**_document(scope, document_id), "index": index_id, "keep": before}
        return (await self._session.run(DELETE_BEFORE, where)).rowcount

    async def count(self, scope: Scope, document_id: UUID) -> int:
        """Chunks of a document in all generations."""
        return int(await self._session.scalar(COUNT, _document(scope, document_id)))

    async def ids(self, scope: Scope, document_id: UUID) -> Sequence[ChunkId]:
        """Of every chunk of a document, all generations."""
        rows = await self._session.all(IDS, _document(scope, document_id))
        return [ChunkId(document_id, row.generation, row.ordinal) for row in rows]

    async def hashes(self, scope: Scope, document_id: UUID) -> Sequence[str]:
        """Distinct content hashes of a document's chunks, all generations."""
        return [row[0] for row in await self._session.all(HASHES, _document(scope, document_id))]


def _document(scope: Scope, document_id: UUID) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "project": scope.project_id, "document": document_id}


def _values(chunk: Chunk) -> dict[str, object]:
    return {
        "ordinal": chunk.id.ordinal,
        "text": chunk.text,
        "start_offset": chunk.start,
        "end_offset": chunk.end,
        "content_hash": chunk.content_hash,
        "heading_path": chunk.heading_path,
        "page_first": chunk.page_first,
        "page_last": chunk.page_last,
        "kind": chunk.kind,
        "tokens": chunk.tokens,
        "language": chunk.language,
    }


def _chunk(row: Row[Any]) -> Chunk:
    return Chunk(
        id=ChunkId(row.document_id, row.generation, row.ordinal),
        text=row.text,
        start=row.start_offset,
        end=row.end_offset,
        content_hash=row.content_hash,
        heading_path=tuple(row.heading_path),
        page_first=row.page_first,
        page_last=row.page_last,
        kind=row.kind,
        tokens=row.tokens,
        language=row.language,
    )


def _visible(row: Row[Any]) -> VisibleChunk:
    return VisibleChunk(
        chunk=_chunk(row),
        collection_id=row.collection_id,
        document_name=row.name,
        document_title=row.title,
        media_type=row.media_type,
        tags=tuple(row.tags),
        metadata=row.metadata,
    )
