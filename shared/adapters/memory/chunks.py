"""Chunks, and the read gate in front of them."""

from collections.abc import Sequence
from uuid import UUID

from shared.adapters.memory.documents import shown
from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.chunks import Chunk, ChunkId
from shared.domain.documents import Document
from shared.domain.errors import NotFound
from shared.domain.search import VisibleChunk
from shared.domain.tenants import Scope


def document_in(transaction: Transaction, scope: Scope, document_id: UUID) -> Document | None:
    """A document of the scope's project."""
    row: Document | None = transaction.get("documents", scope.tenant_id, (document_id,))
    return row if row is not None and row.project_id == scope.project_id else None


def generations_of(
    transaction: Transaction,
    table: str,
    scope: Scope,
    document_id: UUID,
    keep: int | None,
    index_id: UUID | None = None,
) -> list[tuple[UUID, int]]:
    """The (document, generation) keys of a table that are up to `keep` exclusive; all when None.

    Those of one index only, unless that is None.
    """
    document = document_in(transaction, scope, document_id)
    if document is None:
        return []
    found = []
    for key, _ in transaction.items(table, scope.tenant_id):
        if key[0] != document_id:
            continue
        number = int(str(key[1]))
        wanted = index_id is None or index_of(transaction, document, number) == index_id
        if wanted and (keep is None or number < keep):
            found.append((document_id, number))
    return sorted(found)


def index_of(transaction: Transaction, document: Document, generation: int) -> UUID:
    """The index that a generation of the document was made for."""
    made = transaction.get("generations", document.tenant_id, (document.id, generation))
    return (made.index if made else None) or document.collection_id


class MemoryChunks:
    """Storage of chunk texts: one row holds all chunks of a generation."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def replace(
        self, scope: Scope, index_id: UUID, document_id: UUID, generation: int, chunks: Sequence[Chunk]
    ) -> None:
        """Make `chunks` the whole content of the generation; their keywords go too and are put anew.

        Raises:
            NotFound: no such document in the project.
        """
        if document_in(self._transaction, scope, document_id) is None:
            raise NotFound("no such document in this project", code="document_not_found")
        key = (document_id, generation)
        await self._transaction.remove("keywords", scope.tenant_id, key)
        ordered = {chunk.id.ordinal: chunk for chunk in sorted(chunks, key=lambda chunk: chunk.id.ordinal)}
        await self._transaction.put("chunks", scope.tenant_id, key, ordered)

    async def list(
        self, scope: Scope, document_id: UUID, generation: int, *, first: int = 0, limit: int | None = None
    ) -> Sequence[Chunk]:
        """Chunks of a generation in order, from ordinal `first`."""
        if document_in(self._transaction, scope, document_id) is None:
            return []
        chunks = self._of(scope, document_id, generation)
        return [chunk for ordinal, chunk in chunks.items() if ordinal >= first][:limit]

    async def visible(self, scope: Scope, ids: Sequence[ChunkId]) -> dict[ChunkId, VisibleChunk]:
        """The read gate.

        Those of the ids whose generation is its document's committed one and whose document and collection are not
        deleted.
        """
        documents = {row.id: row for row in shown(self._transaction, scope)}
        found: dict[ChunkId, VisibleChunk] = {}
        for id in ids:
            document = documents.get(id.document_id)
            if document is None or id.generation not in (document.committed_generation, document.standby_generation):
                continue
            chunk = self._of(scope, id.document_id, id.generation).get(id.ordinal)
            if chunk is not None:
                found[id] = VisibleChunk(
                    chunk=chunk,
                    collection_id=document.collection_id,
                    document_name=document.name,
                    document_title=document.title,
                    media_type=document.media_type,
                    tags=document.tags,
                    metadata=document.metadata,
                )
        return found

    async def delete(self, scope: Scope, document_id: UUID) -> int:
        """Remove every chunk of the document and its keywords, in all indexes; returns how many chunks."""
        return await self._remove(scope, generations_of(self._transaction, "chunks", scope, document_id, None))

    async def delete_from(self, scope: Scope, index_id: UUID, document_id: UUID, *, keep: int | None) -> int:
        """Remove the chunks of every generation made for the index up to `keep` exclusive, and their keywords.

        Of all when None. Returns how many chunks.
        """
        return await self._remove(
            scope, generations_of(self._transaction, "chunks", scope, document_id, keep, index_id)
        )

    async def _remove(self, scope: Scope, keys: Sequence[tuple[UUID, int]]) -> int:
        gone = 0
        for key in keys:
            gone += len(self._of(scope, *key))
            await self._transaction.remove("keywords", scope.tenant_id, key)
            await self._transaction.remove("chunks", scope.tenant_id, key)
        return gone

    async def count(self, scope: Scope, document_id: UUID) -> int:
        """Chunks of a document in all generations."""
        keys = generations_of(self._transaction, "chunks", scope, document_id, None)
        return sum(len(self._of(scope, *key)) for key in keys)

    async def ids(self, scope: Scope, document_id: UUID) -> Sequence[ChunkId]:
        """Of every chunk of a document, all generations."""
        keys = generations_of(self._transaction, "chunks", scope, document_id, None)
        return [ChunkId(*key, ordinal) for key in keys for ordinal in self._of(scope, *key)]

    async def hashes(self, scope: Scope, document_id: UUID) -> Sequence[str]:
        """Distinct content hashes of a document's chunks, all generations."""
        keys = generations_of(self._transaction, "chunks", scope, document_id, None)
        return sorted({chunk.content_hash for key in keys for chunk in self._of(scope, *key).values()})

    def _of(self, scope: Scope, document_id: UUID, generation: int) -> dict[int, Chunk]:
        found: dict[int, Chunk] | None = self._transaction.get("chunks", scope.tenant_id, (document_id, generation))
        return found or {}
