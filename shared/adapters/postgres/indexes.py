"""Indexes, the questions they are scored by, and how far one is behind another."""

import json
from collections.abc import Sequence
from functools import lru_cache
from uuid import UUID

from sqlalchemy import TextClause, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.adapters.postgres.document_rows import read_generation
from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.index_rows import changing_values, index_values, read_index
from shared.adapters.postgres.models import indexes, questions
from shared.adapters.postgres.statements import ID, PROJECT, TENANT
from shared.domain.documents import Generation
from shared.domain.errors import Conflict
from shared.domain.indexes import OPEN, Index, Progress
from shared.domain.questions import Expected, Question, as_values
from shared.domain.tenants import Scope
from shared.ports.indexes import UnfinishedIndex

X, Q = indexes.c, questions.c

OPEN_STATES = X.state.in_([state.value for state in sorted(OPEN)])
ADD = (
    upsert(indexes)
    .on_conflict_do_nothing(index_elements=[X.tenant_id, X.collection_id, X.slot], index_where=OPEN_STATES)
    .returning(X.id)
)
MINE = (X.tenant_id == TENANT) & (X.project_id == PROJECT)
GET = select(indexes).where(MINE & (X.id == ID))
# Generations that refer to it may still be added.
LOCK = GET.with_for_update(key_share=True)
OF = select(indexes).where(MINE & (X.collection_id == ID)).order_by(X.created_at.desc(), X.id.desc())
SAVE = update(indexes).where(MINE & (X.id == ID))

# For every document: the upload that is committed in the index ahead, the one this index has, and its latest try. A
# first index is not named by its generations.
COMPARED = """
WITH compared AS (
  SELECT d.created_at AS since, ahead.*, coalesce(nullif(ahead.origin, 0), ahead.number) AS wanted,
    coalesce(nullif(mine.origin, 0), mine.number, 0) AS has
  FROM documents d
  JOIN generations ahead ON ahead.tenant_id = :tenant AND ahead.document_id = d.id
    AND ahead.number = d.committed_{ahead} AND coalesce(ahead.index_id, d.collection_id) = :ahead
  LEFT JOIN generations mine ON mine.tenant_id = :tenant AND mine.document_id = d.id
    AND mine.number = d.committed_{mine} AND coalesce(mine.index_id, d.collection_id) = :index
  WHERE d.tenant_id = :tenant AND d.project_id = :project AND d.collection_id = :collection
    AND d.tombstoned_at IS NULL
), tried AS (
  SELECT c.*, latest.state AS latest_state, latest.due_at AS latest_due, coalesce(latest.upload, 0) AS latest_upload
  FROM compared c LEFT JOIN LATERAL (
    SELECT g.state, g.due_at, coalesce(nullif(g.origin, 0), g.number) AS upload FROM generations g
    WHERE c.has < c.wanted AND g.tenant_id = :tenant AND g.document_id = c.document_id
      AND coalesce(g.index_id, :collection) = :index
    ORDER BY g.number DESC LIMIT 1
  ) latest ON true
)
"""
IN_STEP = "(has >= wanted OR (latest_state = 'unchanged' AND latest_upload >= wanted))"
PROGRESS = """
SELECT count(*) AS documents, count(*) FILTER (WHERE {in_step}) AS in_step,
  count(*) FILTER (WHERE NOT {in_step} AND latest_state = 'failed' AND latest_upload >= wanted) AS failed
FROM tried
"""
BEHIND = """
SELECT * FROM tried
WHERE NOT {in_step} AND latest_due IS NULL
  AND NOT (coalesce(latest_state, '') = 'failed' AND latest_upload >= wanted)
ORDER BY since, document_id LIMIT :most
"""

OF_INDEX = """
FROM generations g JOIN documents d ON d.tenant_id = :tenant AND d.id = g.document_id
WHERE g.tenant_id = :tenant AND d.project_id = :project AND d.collection_id = :collection
  AND coalesce(g.index_id, d.collection_id) = :index
"""
UNDER_WAY = text(f"SELECT count(*) {OF_INDEX} AND g.due_at IS NOT NULL")
GENERATIONS = text(f"SELECT g.* {OF_INDEX} AND g.due_at IS NOT NULL ORDER BY g.due_at LIMIT :most")
BUSY = text("""
SELECT count(*) FROM generations g
WHERE g.tenant_id = :tenant AND g.project_id = :project AND g.due_at IS NOT NULL AND g.state <> 'awaiting_upload'
  AND g.index_id IS DISTINCT FROM :index
""")
REMAINS = text(f"""
SELECT DISTINCT g.document_id {OF_INDEX} AND EXISTS (
  SELECT FROM chunks c WHERE c.tenant_id = :tenant AND c.document_id = g.document_id AND c.generation = g.number
) LIMIT :most
""")
RESTATE = """
UPDATE documents d SET status = CASE WHEN d.committed_{slot} IS NULL THEN 'failed' ELSE 'indexed' END
WHERE d.tenant_id = :tenant AND d.project_id = :project AND d.collection_id = :collection AND d.tombstoned_at IS NULL
  AND d.status = CASE WHEN d.committed_{slot} IS NULL THEN 'indexed' ELSE 'failed' END
"""
FORGET = """
UPDATE documents d SET committed_{slot} = NULL
WHERE d.tenant_id = :tenant AND d.project_id = :project AND d.id = :document AND d.committed_{slot} IN (
  SELECT g.number FROM generations g
  WHERE g.tenant_id = :tenant AND g.document_id = :document AND coalesce(g.index_id, d.collection_id) = :index
)
"""
UNFINISHED = text("SELECT tenant_id, project_id, collection_id, id FROM lambent_unfinished_indexes(:most)")

QUESTIONS = select(Q.text, Q.expected).where(
    (Q.tenant_id == TENANT) & (Q.project_id == PROJECT) & (Q.collection_id == ID)
)
CLEAR = text("""
DELETE FROM questions WHERE tenant_id = :tenant AND project_id = :project AND collection_id = :collection
""")
ASK = text("""
INSERT INTO questions (tenant_id, id, project_id, collection_id, position, text, expected)
SELECT :tenant, gen_random_uuid(), :project, :collection, q.position, q.text, q.expected
FROM json_to_recordset(CAST(:rows AS json)) AS q (position integer, text text, expected jsonb)
""")


@lru_cache
def compared(statement: str, mine: int, ahead: int) -> TextClause:
    """A statement over `tried`, for the two slots."""
    return text(COMPARED.format(mine=mine, ahead=ahead) + statement.format(in_step=IN_STEP))


class PgIndexes:
    """Storage of indexes and questions."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: Scope, index: Index) -> None:
        """Store a new index.

        Raises:
            Conflict: the collection has another open index in this slot.
        """
        if await self._session.first(ADD, {"tenant_id": scope.tenant_id, **index_values(index)}) is None:
            raise Conflict("the collection has another index beside the searched one", code="reindex_running")

    async def get(self, scope: Scope, index_id: UUID, *, lock: bool = False) -> Index | None:
        """One index, locked until the transaction ends if asked."""
        parameters = {"tenant": scope.tenant_id, "project": scope.project_id, "of_id": index_id}
        row = await self._session.first(LOCK if lock else GET, parameters)
        return None if row is None else read_index(row)

    async def of(self, scope: Scope, collection_id: UUID) -> Sequence[Index]:
        """Every index of a collection, newest first."""
        parameters = {"tenant": scope.tenant_id, "project": scope.project_id, "of_id": collection_id}
        return [read_index(row) for row in await self._session.all(OF, parameters)]

    async def save(self, scope: Scope, index: Index) -> None:
        """Write a changed index back; its slot stays."""
        parameters = {"tenant": scope.tenant_id, "project": scope.project_id, "of_id": index.id}
        await self._session.run(SAVE.values(changing_values(index)), parameters)

    async def progress(self, scope: Scope, index: Index, ahead: Index) -> Progress:
        """How far `index` is behind `ahead`, both of one collection."""
        row = await self._session.first(compared(PROGRESS, index.slot, ahead.slot), _both(scope, index, ahead))
        under_way = await self.under_way(scope, index)
        return Progress() if row is None else Progress(row.documents, row.in_step, under_way, row.failed)

    async def restate(self, scope: Scope, index: Index) -> int:
        """The index is searched from now on: documents that are not in it are failed, those that are, indexed."""
        statement = text(RESTATE.format(slot=index.slot))
        return (await self._session.run(statement, {**_mine(scope), "collection": index.collection_id})).rowcount

    async def behind(self, scope: Scope, index: Index, ahead: Index, limit: int) -> Sequence[Generation]:
        """Generations committed in `ahead` whose upload is newer than what `index` has.

        Left out are documents with a generation under way for `index`, and those whose try with this upload failed.
        """
        parameters = {**_both(scope, index, ahead), "most": limit}
        rows = await self._session.all(compared(BEHIND, index.slot, ahead.slot), parameters)
        return [read_generation(row) for row in rows]

    async def under_way(self, scope: Scope, index: Index) -> int:
        """Generations under way for the index, those that wait for their upload included."""
        return int(await self._session.scalar(UNDER_WAY, _one(scope, index)))

    async def generations(self, scope: Scope, index: Index, limit: int) -> Sequence[Generation]:
        """Generations under way for the index, up to `limit`."""
        rows = await self._session.all(GENERATIONS, {**_one(scope, index), "most": limit})
        return [read_generation(row) for row in rows]

    async def busy(self, scope: Scope, index: Index) -> int:
        """Generations under way in the project for anything but this index, without those that wait for an upload."""
        return int(await self._session.scalar(BUSY, {**_mine(scope), "index": index.id}))

    async def remains(self, scope: Scope, index: Index, limit: int) -> Sequence[UUID]:
        """Documents that have chunks in the index, up to `limit`."""
        return [row[0] for row in await self._session.all(REMAINS, {**_one(scope, index), "most": limit})]

    async def forget(self, scope: Scope, index: Index, document_id: UUID) -> None:
        """Take the index's generation off the document's slot, if it is there."""
        statement = text(FORGET.format(slot=index.slot))
        await self._session.run(statement, {**_mine(scope), "index": index.id, "document": document_id})

    async def unfinished(self, limit: int) -> Sequence[UnfinishedIndex]:
        """Across tenants: indexes that are building, ready, retired or dropping. Ids only."""
        return [UnfinishedIndex(*row) for row in await self._session.all(UNFINISHED, {"most": limit})]

    async def questions(self, scope: Scope, collection_id: UUID) -> Sequence[Question]:
        """The collection's own questions, in their order."""
        parameters = {"tenant": scope.tenant_id, "project": scope.project_id, "of_id": collection_id}
        rows = await self._session.all(QUESTIONS.order_by(Q.position), parameters)
        return [
            Question(
                row.text,
                tuple(Expected(UUID(one["document_id"]), one["start"], one["end"]) for one in row.expected),
            )
            for row in rows
        ]

    async def ask(self, scope: Scope, collection_id: UUID, questions: Sequence[Question]) -> None:
        """Make these the collection's questions."""
        where = {**_mine(scope), "collection": collection_id}
        await self._session.run(CLEAR, where)
        rows = [
            {"position": place, "text": one.text, "expected": as_values(one)} for place, one in enumerate(questions)
        ]
        if rows:
            await self._session.run(ASK, {**where, "rows": json.dumps(rows, ensure_ascii=False)})


def _mine(scope: Scope) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "project": scope.project_id}


def _one(scope: Scope, index: Index) -> dict[str, object]:
    return {**_mine(scope), "collection": index.collection_id, "index": index.id}


def _both(scope: Scope, index: Index, ahead: Index) -> dict[str, object]:
    return {**_one(scope, index), "ahead": ahead.id}
