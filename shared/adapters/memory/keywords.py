"""The keyword leg: BM25 by its formula, with the statistics and the frozen mean length that an index would keep."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from shared.adapters.memory.chunks import document_in, generations_of, index_of
from shared.adapters.memory.documents import shown
from shared.adapters.memory.rows_transaction import Key, Transaction
from shared.adapters.memory.tombstones import collection_gone
from shared.domain import bm25
from shared.domain.chunks import ChunkId, ChunkTerms
from shared.domain.errors import NotFound
from shared.domain.filters import Filter, matches
from shared.domain.indexes import Index
from shared.domain.search import LegHit
from shared.domain.tenants import Scope, TenantScope, system_scope


@dataclass(frozen=True, slots=True)
class Words:
    """The terms of one chunk, by dimension."""

    counts: Mapping[int, int]
    length: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is counted over an index."""

    chunks: int = 0
    length: int = 0
    average: float | None = None
    """Frozen mean length."""
    containing: Mapping[int, int] = field(default_factory=dict)
    """Chunks with a term, by its dimension."""

    @property
    def mean(self) -> float:
        """The mean length as of now."""
        return self.length / self.chunks if self.chunks else 0.0


class MemoryKeywords:
    """A keyword index: one row holds the words of all chunks of a generation."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def put(self, scope: Scope, index_id: UUID, terms: Sequence[ChunkTerms]) -> None:
        """Store the terms of chunks of one generation (after `Chunks.replace`); the same id again replaces them.

        Raises:
            NotFound: the document is none of this project and collection.
        """
        for one in terms:
            document = document_in(self._transaction, scope, one.id.document_id)
            index = self._index(scope, index_id)
            if document is None or index is None or document.collection_id != index.collection_id:
                raise NotFound("no such document in this collection", code="document_not_found")
            key = (one.id.document_id, one.id.generation)
            await self._transaction.lock("keywords", scope.tenant_id, key)
            known = self._transaction.get("keywords", scope.tenant_id, key) or {}
            words = Words(bm25.indexed(one.frequencies), one.length)
            await self._transaction.put("keywords", scope.tenant_id, key, {**known, one.id.ordinal: words})

    async def publish(
        self, scope: Scope, index_id: UUID, document_id: UUID, *, add: int | None, remove: int | None
    ) -> None:
        """Count generation `add` of the document into the statistics and `remove` out of them; None: nothing to do.

        A generation is counted once however often it is added, and counted out only when it is in.
        """
        statistics = await self._lock(scope, index_id)
        if statistics is None or add == remove:
            return
        arriving = add is not None and self._counted(scope, document_id, add) is None
        # One that was committed in the same place for an index before this one is counted there, not here.
        mine = remove is not None and self._index_of(scope, (document_id, remove)) == index_id
        leaving = self._counted(scope, document_id, remove) if mine and remove is not None else None
        containing = Counter(statistics.containing)
        chunks, length = statistics.chunks, statistics.length
        if remove is not None and leaving is not None:
            chunks, length = chunks - leaving.chunks, length - leaving.length
            for words in self._words(scope, document_id, remove).values():
                containing.subtract(words.counts.keys())
            await self._transaction.remove("counted", scope.tenant_id, (document_id, remove))
        if add is not None and arriving:
            new = self._words(scope, document_id, add)
            size = sum(words.length for words in new.values())
            chunks, length = chunks + len(new), length + size
            for words in new.values():
                containing.update(words.counts.keys())
            await self._transaction.put("counted", scope.tenant_id, (document_id, add), Statistics(len(new), size))
        updated = Statistics(chunks, length, statistics.average, {term: n for term, n in containing.items() if n > 0})
        average = updated.average or updated.mean or None
        await self._store(scope, index_id, Statistics(chunks, length, average, updated.containing))

    async def query(
        self,
        scope: Scope,
        index_ids: Sequence[UUID],
        terms: Sequence[str],
        limit: int,
        *,
        filter: Filter | None = None,
        document_ids: Sequence[UUID] | None = None,
    ) -> Sequence[LegHit]:
        """Chunks of committed generations that share at least one term, best BM25 first; scores above 0."""
        wanted = {bm25.term_index(term) for term in terms}
        indexes = {one.collection_id: one for one in (self._index(scope, id) for id in index_ids) if one is not None}
        questions = {one.id: self._question(scope, one.id, wanted) for one in indexes.values()}
        hits: list[LegHit] = []
        for document in shown(self._transaction, scope):
            index = indexes.get(document.collection_id)
            question, average = questions[index.id] if index else ({}, 0.0)
            if index is None or not question or (document_ids is not None and document.id not in document_ids):
                continue
            if filter is not None and not matches(filter, document):
                continue
            generation = document.committed_in(index.slot) or 0
            if index_of(self._transaction, document, generation) != index.id:
                continue
            for ordinal, words in self._words(scope, document.id, generation).items():
                shared = {index: count for index, count in words.counts.items() if index in question}
                score = bm25.score(question, bm25.encode(shared, words.length, average))
                if score > 0:
                    hits.append(LegHit(ChunkId(document.id, generation, ordinal), score))
        return sorted(hits, key=lambda hit: (-hit.score, hit.id.document_id, hit.id.ordinal))[:limit]

    async def counted(self, scope: Scope, index_id: UUID, document_id: UUID) -> Sequence[int]:
        """Generations of a document that are counted into the index's statistics."""
        keys = generations_of(self._transaction, "counted", scope, document_id, None, index_id)
        return sorted(number for _, number in keys)

    async def recount(self, scope: TenantScope) -> int:
        """Make the totals of each index of the tenant what its counted generations add up to."""
        wrong = 0
        for _, index in self._transaction.items("indexes", scope.tenant_id):
            index_id = index.id
            if not index.open or collection_gone(self._transaction, index) is not None:
                continue
            room = system_scope(scope.tenant_id, index.project_id, scope.principal.id)
            statistics = await self._lock(room, index_id)
            documents = self._transaction.items("documents", scope.tenant_id)
            mine = [one for _, one in documents if one.collection_id == index.collection_id]
            counted = [
                self._transaction.get("counted", scope.tenant_id, key)
                for one in mine
                for key in generations_of(self._transaction, "counted", room, one.id, None, index_id)
            ]
            sums = sum(one.chunks for one in counted), sum(one.length for one in counted)
            if statistics is not None and (statistics.chunks, statistics.length) != sums:
                wrong += 1
                await self._store(room, index_id, Statistics(*sums, statistics.average, statistics.containing))
        return wrong

    async def discard(self, scope: Scope, index_id: UUID, document_id: UUID) -> int:
        """Remove the words of every generation of a deleted document, and that they were counted.

        The index's statistics stay as they are. Returns how many rows went.
        """
        gone = await self.count(scope, index_id, document_id)
        for table in ("keywords", "counted"):
            for key in generations_of(self._transaction, table, scope, document_id, None, index_id):
                await self._transaction.remove(table, scope.tenant_id, key)
        return gone

    async def count(self, scope: Scope, index_id: UUID, document_id: UUID) -> int:
        """Rows about a document: words of its chunks, and generations counted."""
        words = generations_of(self._transaction, "keywords", scope, document_id, None, index_id)
        counted = generations_of(self._transaction, "counted", scope, document_id, None, index_id)
        return sum(len(self._words(scope, *key)) for key in words) + len(counted)

    async def forget(self, scope: Scope, index_id: UUID, limit: int) -> int:
        """Remove the statistics of an index that is done with, up to `limit` terms; returns how many rows went."""
        statistics = await self._lock(scope, index_id)
        if statistics is None or self._transaction.get("statistics", scope.tenant_id, (index_id,)) is None:
            return 0
        doomed = sorted(statistics.containing)[:limit]
        kept = {term: count for term, count in statistics.containing.items() if term not in set(doomed)}
        if kept:
            await self._store(scope, index_id, Statistics(containing=kept))
        else:
            await self._transaction.remove("statistics", scope.tenant_id, (index_id,))
        return len(doomed) + 1

    async def rebalance(self, scope: Scope, index_id: UUID) -> int:
        """Freeze the mean length anew when it has drifted by a factor of two; returns how many chunks that concerns."""
        statistics = await self._lock(scope, index_id)
        if statistics is None or not statistics.average or not bm25.drifted(statistics.average, statistics.mean):
            return 0
        changed = Statistics(statistics.chunks, statistics.length, statistics.mean, statistics.containing)
        await self._store(scope, index_id, changed)
        return sum(
            len(words)
            for key, words in self._transaction.items("keywords", scope.tenant_id)
            if self._index_of(scope, key) == index_id
        )

    def _index(self, scope: Scope, index_id: UUID) -> Index | None:
        found: Index | None = self._transaction.get("indexes", scope.tenant_id, (index_id,))
        return found if found is not None and found.project_id == scope.project_id else None

    def _index_of(self, scope: Scope, key: Key) -> UUID:
        document = self._transaction.get("documents", scope.tenant_id, key[:1])
        return index_of(self._transaction, document, int(str(key[1])))

    def _question(self, scope: Scope, index_id: UUID, wanted: set[int]) -> tuple[dict[int, float], float]:
        found: Statistics | None = self._transaction.get("statistics", scope.tenant_id, (index_id,))
        if found is None or not found.average:
            return {}, 0.0
        known = {term: found.containing[term] for term in wanted if term in found.containing}
        return {term: bm25.idf(found.chunks, count) for term, count in known.items()}, found.average

    def _words(self, scope: Scope, document_id: UUID, generation: int) -> Mapping[int, Words]:
        found: Mapping[int, Words] | None = self._transaction.get(
            "keywords", scope.tenant_id, (document_id, generation)
        )
        return found or {}

    def _counted(self, scope: Scope, document_id: UUID, generation: int) -> Statistics | None:
        found: Statistics | None = self._transaction.get("counted", scope.tenant_id, (document_id, generation))
        return found

    async def _lock(self, scope: Scope, index_id: UUID) -> Statistics | None:
        """The collection's statistics, held until the transaction ends; None when it is none of the project's."""
        if self._index(scope, index_id) is None:
            return None
        await self._transaction.lock("statistics", scope.tenant_id, (index_id,))
        found: Statistics | None = self._transaction.get("statistics", scope.tenant_id, (index_id,))
        return found or Statistics()

    async def _store(self, scope: Scope, index_id: UUID, statistics: Statistics) -> None:
        await self._transaction.put("statistics", scope.tenant_id, (index_id,), statistics)
