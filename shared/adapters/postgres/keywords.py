"""The keyword leg: BM25 as sparse vectors, scanned exactly, with the statistics of each index kept beside them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import Double, Label, Row, Select, TextClause, bindparam, column, select, text

from shared.adapters.postgres.binary import array, integers, read_sparse, sparse, sparse_indexes
from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.gate import MAX_PARTS, hits_of, narrowed, page, paged, scanned, within
from shared.adapters.postgres.models import keywords
from shared.adapters.postgres.statements import TENANT
from shared.domain import bm25
from shared.domain.chunks import ChunkId, ChunkTerms
from shared.domain.errors import NotFound
from shared.domain.filters import Filter
from shared.domain.search import LegHit
from shared.domain.tenants import Scope, TenantScope

BATCH = 500
K = keywords.c

AVERAGE = text("SELECT average FROM keyword_statistics WHERE tenant_id = :tenant AND index_id = :index")
PUT = text("""
INSERT INTO keywords (tenant_id, index_id, document_id, generation, ordinal, length, average, weights)
SELECT :tenant, :index, d.id, new.generation, new.ordinal, new.length, :average, new.weights
FROM unnest(
  CAST(:generations AS integer[]), CAST(:ordinals AS integer[]), CAST(:lengths AS integer[]),
  CAST(:weights AS sparsevec[])
) AS new (generation, ordinal, length, weights)
JOIN indexes i ON i.tenant_id = :tenant AND i.id = :index
JOIN documents d ON d.tenant_id = :tenant AND d.project_id = :project
  AND d.collection_id = i.collection_id AND d.id = :document
ON CONFLICT (tenant_id, index_id, document_id, generation, ordinal)
DO UPDATE SET length = excluded.length, average = excluded.average, weights = excluded.weights
""")

# Whoever changes an index's statistics holds this row, so counts of terms are never waited for in different orders.
LOCK = text("""
SELECT s.chunks, s.length, s.average FROM keyword_statistics s
JOIN indexes i ON i.tenant_id = :tenant AND i.project_id = :project AND i.id = s.index_id
WHERE s.tenant_id = :tenant AND s.index_id = :index FOR UPDATE OF s
""")
START = text("""
INSERT INTO keyword_statistics (tenant_id, index_id, chunks, length)
SELECT :tenant, i.id, 0, 0 FROM indexes i
WHERE i.tenant_id = :tenant AND i.project_id = :project AND i.id = :index
ON CONFLICT DO NOTHING
""")
COUNTED = text("""
SELECT generation, chunks, length FROM keyword_generations
WHERE tenant_id = :tenant AND index_id = :index AND document_id = :document
  AND generation = ANY (CAST(:generations AS integer[]))
""")
WORDS = text("""
SELECT document_id, generation, ordinal, length, average, sparsevec_send(weights) AS weights FROM keywords
WHERE tenant_id = :tenant AND index_id = :index AND document_id = :document
  AND generation = ANY (CAST(:generations AS integer[]))
""")
CHANGE = text("""
WITH leaving AS (
  DELETE FROM keyword_generations
  WHERE tenant_id = :tenant AND index_id = :index AND document_id = :document AND generation = :leaving
), arriving AS (
  INSERT INTO keyword_generations (tenant_id, index_id, document_id, generation, chunks, length)
  SELECT :tenant, :index, :document, CAST(:arriving AS integer), :new_chunks, :new_length
  WHERE CAST(:arriving AS integer) IS NOT NULL
), terms AS (
  INSERT INTO keyword_terms AS t (tenant_id, index_id, term, chunks)
  SELECT :tenant, :index, changed.term, changed.chunks
  FROM unnest(CAST(:terms AS integer[]), CAST(:counts AS integer[])) AS changed (term, chunks)
  ON CONFLICT (tenant_id, index_id, term) DO UPDATE SET chunks = t.chunks + excluded.chunks
)
UPDATE keyword_statistics SET chunks = :chunks, length = :length, average = :average
WHERE tenant_id = :tenant AND index_id = :index
""")
REFREEZE = text("""
UPDATE keyword_statistics SET average = :average WHERE tenant_id = :tenant AND index_id = :index
""")
STALE = text("""
SELECT document_id, generation, ordinal, length, average, sparsevec_send(weights) AS weights FROM keywords
WHERE tenant_id = :tenant AND index_id = :index AND average <> :average
ORDER BY document_id, generation, ordinal LIMIT :most
""")
ENCODE = text("""
UPDATE keywords k SET average = :average, weights = new.weights
FROM unnest(
  CAST(:documents AS uuid[]), CAST(:generations AS integer[]), CAST(:ordinals AS integer[]),
  CAST(:weights AS sparsevec[])
) AS new (document_id, generation, ordinal, weights)
WHERE k.tenant_id = :tenant AND k.index_id = :index
  AND k.document_id = new.document_id AND k.generation = new.generation AND k.ordinal = new.ordinal
""")
FORGET = text("DELETE FROM keyword_terms WHERE tenant_id = :tenant AND index_id = :index AND chunks <= 0")
MINE = """tenant_id = :tenant AND index_id = (
  SELECT i.id FROM indexes i WHERE i.tenant_id = :tenant AND i.project_id = :project AND i.id = :index
)"""
COUNTED_OF = text(f"SELECT generation FROM keyword_generations WHERE {MINE} AND document_id = :document")
MISCOUNTED = text("""
SELECT s.index_id FROM keyword_statistics s
JOIN indexes i ON i.tenant_id = :tenant AND i.id = s.index_id AND i.state NOT IN ('dropping', 'dropped')
JOIN collections c ON c.tenant_id = :tenant AND c.id = i.collection_id AND c.deleted_at IS NULL
JOIN projects p ON p.tenant_id = :tenant AND p.id = c.project_id AND p.deleted_at IS NULL
LEFT JOIN keyword_generations g ON g.tenant_id = :tenant AND g.index_id = s.index_id
WHERE s.tenant_id = :tenant
GROUP BY s.index_id, s.chunks, s.length
HAVING (s.chunks, s.length) IS DISTINCT FROM (coalesce(sum(g.chunks), 0), coalesce(sum(g.length), 0))
ORDER BY s.index_id
""")
HOLD = text("SELECT FROM keyword_statistics WHERE tenant_id = :tenant AND index_id = :index FOR UPDATE")
RECOUNT = text("""
UPDATE keyword_statistics s SET chunks = sums.chunks, length = sums.length
FROM (
  SELECT coalesce(sum(chunks), 0) AS chunks, coalesce(sum(length), 0) AS length
  FROM keyword_generations WHERE tenant_id = :tenant AND index_id = :index
) sums
WHERE s.tenant_id = :tenant AND s.index_id = :index
""")
DISCARD = text(f"""
WITH words AS (DELETE FROM keywords WHERE {MINE} AND document_id = :document RETURNING 1),
counted AS (DELETE FROM keyword_generations WHERE {MINE} AND document_id = :document RETURNING 1)
SELECT (SELECT count(*) FROM words) + (SELECT count(*) FROM counted)
""")
COUNT = text(f"""
SELECT (SELECT count(*) FROM keywords WHERE {MINE} AND document_id = :document)
  + (SELECT count(*) FROM keyword_generations WHERE {MINE} AND document_id = :document)
""")
FORGET_ALL = text(f"""
WITH terms AS (
  DELETE FROM keyword_terms WHERE {MINE} AND term IN (
    SELECT t.term FROM keyword_terms t WHERE t.tenant_id = :tenant AND t.index_id = :index LIMIT :most
  ) RETURNING 1
), totals AS (DELETE FROM keyword_statistics WHERE {MINE} RETURNING 1)
SELECT (SELECT count(*) FROM terms) + (SELECT count(*) FROM totals)
""")

# An index's own idf weights as a sparse vector, whose text form counts from 1; null when it has none of the terms.
IDF = "ln(1 + (s.chunks - t.chunks + CAST(0.5 AS float8)) / (t.chunks + CAST(0.5 AS float8)))"
WEIGHTS = f"CAST('{{' || string_agg((t.term + 1) || ':' || {IDF}, ',') || '}}/{bm25.DIMENSIONS}' AS sparsevec)"
KNOWN_TERMS = """
FROM keyword_statistics s
JOIN keyword_terms t ON t.tenant_id = :tenant AND t.index_id = s.index_id
  AND t.term = ANY (CAST(:terms AS integer[])) AND t.chunks > 0
WHERE s.tenant_id = :tenant"""
QUESTIONS = (
    text(
        f"SELECT s.index_id, {WEIGHTS} AS weights {KNOWN_TERMS} "
        "AND s.index_id = ANY (CAST(:indexes AS uuid[])) GROUP BY s.index_id"
    )
    .columns(K.index_id, column("weights"))
    .cte("question")
)
SCORE: Label[float] = (-K.weights.op("<#>", return_type=Double())(QUESTIONS.c.weights)).label("score")
SCAN: Select[Any] = (
    select(K.document_id, K.generation, K.ordinal, SCORE)
    .select_from(scanned(keywords).join(QUESTIONS, QUESTIONS.c.index_id == K.index_id))
    .where(K.tenant_id == TENANT)
    .order_by(SCORE.desc(), K.document_id, K.ordinal)
    .limit(bindparam("most"))
)
# The question is a single value here: read from a table it would be unpacked anew for every chunk.
BEST = f"""
SELECT {{part}} AS part, k.document_id, k.generation, k.ordinal,
  -(k.weights <#> (SELECT {WEIGHTS} {KNOWN_TERMS} AND s.index_id = :index_{{part}})) AS score
FROM keywords k WHERE k.tenant_id = :tenant AND k.index_id = :index_{{part}}
ORDER BY score DESC NULLS LAST, k.document_id, k.ordinal LIMIT :reach
"""


@lru_cache
def best(parts: int) -> TextClause:
    """The paged statement over this many indexes."""
    return paged([BEST.replace("{part}", str(part)) for part in range(parts)], counted="score > 0")


@dataclass(frozen=True, slots=True)
class Words:
    """The encoded terms of one chunk."""

    id: ChunkId
    length: int
    average: float
    weights: bytes

    def encoded(self, average: float) -> bytes:
        """The weights under another mean length."""
        counts = bm25.decode(read_sparse(self.weights), self.length, self.average)
        return sparse(bm25.encode(counts, self.length, average))


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is counted over an index."""

    chunks: int
    length: int
    average: float | None

    @property
    def mean(self) -> float:
        """The mean length as of now."""
        return self.length / self.chunks if self.chunks else 0.0


class PgKeywords:
    """A keyword index within the database."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def put(self, scope: Scope, index_id: UUID, terms: Sequence[ChunkTerms]) -> None:
        """Store the terms of chunks of one generation (after `Chunks.replace`); the same id again replaces them.

        Raises:
            NotFound: the document is none of this project, or not of the index's collection.
        """
        if not terms:
            return
        where = _index(scope, index_id)
        # Until the first publish freezes a mean, that of these chunks is as good as any; publish encodes anew what
        # differs.
        average = await self._session.scalar(AVERAGE, where) or _mean([one.length for one in terms])
        for first in range(0, len(terms), BATCH):
            batch = terms[first : first + BATCH]
            weights = [sparse(bm25.encode(bm25.indexed(one.frequencies), one.length, average)) for one in batch]
            parameters = {
                **where,
                "document": batch[0].id.document_id,
                "generations": [one.id.generation for one in batch],
                "ordinals": [one.id.ordinal for one in batch],
                "lengths": [one.length for one in batch],
                "average": average,
                "weights": array(await self._session.oid("sparsevec"), weights),
            }
            if (await self._session.run(PUT, parameters)).rowcount != len(batch):
                raise NotFound("no such document in this collection", code="document_not_found")

    async def publish(
        self, scope: Scope, index_id: UUID, document_id: UUID, *, add: int | None, remove: int | None
    ) -> None:
        """Count generation `add` of the document into the index's statistics and `remove` out of them; None:
        nothing to add or remove.

        A generation is counted once however often it is added, and counted out only when it is in.
        """
        where = {**_index(scope, index_id), "document": document_id}
        statistics = await self._lock(where)
        if statistics is None or add == remove:
            return
        named = [number for number in (add, remove) if number is not None]
        counted = {row.generation: row for row in await self._session.all(COUNTED, {**where, "generations": named})}
        arriving = None if add in counted else add
        leaving = remove if remove in counted else None
        chosen = [number for number in (arriving, leaving) if number is not None]
        if not chosen:
            return
        words = [_words(row) for row in await self._session.all(WORDS, {**where, "generations": chosen})]
        new = [one for one in words if one.id.generation == arriving]
        old = [one for one in words if one.id.generation == leaving]
        new_length = sum(one.length for one in new)
        gone = (0, 0) if leaving is None else (counted[leaving].chunks, counted[leaving].length)
        updated = Statistics(
            statistics.chunks + len(new) - gone[0], statistics.length + new_length - gone[1], statistics.average
        )
        average = updated.average or updated.mean or None
        changes = {
            **where,
            **_changes(new, old),
            "arriving": arriving,
            "leaving": leaving,
            "new_chunks": len(new),
            "new_length": new_length,
            "chunks": updated.chunks,
            "length": updated.length,
            "average": average,
        }
        self._session.later(CHANGE, changes)
        if average is not None:
            await self._encode(where, [one for one in new if one.average != average], average)

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
        if not index_ids or not terms or (document_ids is not None and not document_ids):
            return []
        named = list(dict.fromkeys(index_ids))
        asked = {**within(scope, named), "terms": sorted({bm25.term_index(term) for term in terms})}
        narrowing = narrowed(keywords, filter, document_ids)
        found = None
        if not narrowing and len(named) <= MAX_PARTS:
            found = await page(self._session, best(len(named)), asked, limit)
        if found is None:
            found = hits_of(await self._session.all(SCAN.where(*narrowing), {**asked, "most": limit}))
        return [hit for hit in found if hit.score > 0]

    async def counted(self, scope: Scope, index_id: UUID, document_id: UUID) -> Sequence[int]:
        """Generations of a document that are counted into the index's statistics."""
        rows = await self._session.all(COUNTED_OF, {**_index(scope, index_id), "document": document_id})
        return [row.generation for row in rows]

    async def recount(self, scope: TenantScope) -> int:
        """Make the totals of each index of the tenant what its counted generations add up to."""
        wrong = await self._session.all(MISCOUNTED, {"tenant": scope.tenant_id})
        for row in wrong:
            where = {"tenant": scope.tenant_id, "index": row.index_id}
            # Whoever publishes holds this row, so what is added up afterwards is all there is.
            await self._session.first(HOLD, where)
            await self._session.run(RECOUNT, where)
        return len(wrong)

    async def discard(self, scope: Scope, index_id: UUID, document_id: UUID) -> int:
        """Remove the words of every generation of a deleted document, and that they were counted; the index's
        statistics stay as they are. Returns how many rows went.
        """
        where = {**_index(scope, index_id), "document": document_id}
        return int(await self._session.scalar(DISCARD, where))

    async def count(self, scope: Scope, index_id: UUID, document_id: UUID) -> int:
        """Rows about a document: words of its chunks, and generations counted."""
        where = {**_index(scope, index_id), "document": document_id}
        return int(await self._session.scalar(COUNT, where))

    async def forget(self, scope: Scope, index_id: UUID, limit: int) -> int:
        """Remove the statistics of an index that is done with, up to `limit` terms; returns how many rows went."""
        return int(await self._session.scalar(FORGET_ALL, {**_index(scope, index_id), "most": limit}))

    async def rebalance(self, scope: Scope, index_id: UUID) -> int:
        """Re-encode the index's weights when the mean length has drifted by a factor of two; returns how many
        chunks were re-encoded.
        """
        where = _index(scope, index_id)
        statistics = await self._lock(where)
        if statistics is None or statistics.average is None or not bm25.drifted(statistics.average, statistics.mean):
            return 0
        average = statistics.mean
        await self._session.run(REFREEZE, {**where, "average": average})
        await self._session.run(FORGET, where)
        encoded = 0
        while rows := await self._session.all(STALE, {**where, "average": average, "most": BATCH}):
            await self._encode(where, [_words(row) for row in rows], average)
            encoded += len(rows)
        return encoded

    async def _lock(self, where: Mapping[str, object]) -> Statistics | None:
        """The index's statistics, locked; None when the project has no such index."""
        row = await self._session.first(LOCK, where)
        if row is None:
            await self._session.run(START, where)
            row = await self._session.first(LOCK, where)
        return None if row is None else Statistics(*row)

    async def _encode(self, where: Mapping[str, object], words: Sequence[Words], average: float) -> None:
        for first in range(0, len(words), BATCH):
            batch = words[first : first + BATCH]
            weights = [one.encoded(average) for one in batch]
            parameters = {
                **where,
                "average": average,
                "documents": [one.id.document_id for one in batch],
                "generations": [one.id.generation for one in batch],
                "ordinals": [one.id.ordinal for one in batch],
                "weights": array(await self._session.oid("sparsevec"), weights),
            }
            self._session.later(ENCODE, parameters)


def _index(scope: Scope, index_id: UUID) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "project": scope.project_id, "index": index_id}


def _changes(new: Sequence[Words], old: Sequence[Words]) -> dict[str, object]:
    """By how many chunks each term's count changes, in the order of the terms."""
    counts = Counter(chain.from_iterable(sparse_indexes(one.weights) for one in new))
    counts.subtract(Counter(chain.from_iterable(sparse_indexes(one.weights) for one in old)))
    terms = sorted(term for term, count in counts.items() if count)
    return {"terms": integers(terms), "counts": integers([counts[term] for term in terms])}


def _mean(lengths: Sequence[int]) -> float:
    return sum(lengths) / len(lengths) or 1.0


def _words(row: Row[Any]) -> Words:
    id = ChunkId(row.document_id, row.generation, row.ordinal)
    return Words(id, row.length, row.average, row.weights)
