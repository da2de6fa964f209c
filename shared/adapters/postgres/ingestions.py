"""Ingestion runs and their events."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, case, exists, false, func, select, text, update
from sqlalchemy.dialects.postgresql import distinct_on, insert

from shared.adapters.postgres.document_rows import SHOWN, read_both
from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.gate import GONE_WITH, LIVE_SLOT
from shared.adapters.postgres.models import collections, documents, generations, ingestion_events, ingestions
from shared.adapters.postgres.statements import ID, PROJECT, ROOM_LIVE, TENANT, page_after, within
from shared.domain.documents import GenerationState
from shared.domain.ingestions import CANCELLED, Example, Happening, Ingestion, IngestionEvent, Member, News, Tally
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.tenants import Scope, TenantScope
from shared.ports.documents import DueGeneration

EXAMPLES = 3

R, E, D, G, C = ingestions.c, ingestion_events.c, documents.c, generations.c, collections.c
MINE = (R.tenant_id == TENANT) & (R.project_id == PROJECT)
ONE = MINE & (R.id == ID)
MEMBER = (G.tenant_id == TENANT) & (G.project_id == PROJECT) & (G.ingestion_id == ID)

ADD = insert(ingestions)
GET = select(ingestions).where(ONE)
LIST = select(ingestions).where(
    MINE & ROOM_LIVE & exists().where((C.tenant_id == R.tenant_id) & (C.id == R.collection_id) & C.deleted_at.is_(None))
)
TROUBLED = LIST.where(R.trouble != text("''")).order_by(R.created_at.desc(), R.id.desc()).limit(bindparam("most"))
LOCK = GET.with_for_update(key_share=True)
SAVE = update(ingestions).where(ONE)
JOIN = (
    update(ingestions)
    .where(ONE & R.closed_at.is_(None))
    .values(announced=R.announced + 1, closed_at=case((R.expected == R.announced + 1, bindparam("now"))))
    .returning(*ingestions.columns)
)
HAPPENED = text("SELECT lambent_happened(:tenant, :project, :of_id, CAST(:news AS jsonb), :now)")
# Everything is counted; what is named, the reader may read.
TALLIES = text(f"""
WITH mine AS (
  SELECT g.document_id, g.number, g.state, coalesce(g.failure ->> 'code', '') AS code, g.failure, g.counts,
    g.number = max(g.number) OVER (PARTITION BY g.document_id) AS latest,
    d.id IS NOT NULL AND g.failure IS NOT NULL AS shown
  FROM generations g LEFT JOIN documents d ON d.tenant_id = :tenant AND d.id = g.document_id
  WHERE g.tenant_id = :tenant AND g.project_id = :project AND g.ingestion_id = :of_id
), grouped AS (
  SELECT state, code, count(*) FILTER (WHERE latest) AS documents,
    coalesce(sum((counts ->> 'pages')::bigint), 0) AS pages,
    coalesce(sum((counts ->> 'characters')::bigint), 0) AS characters,
    coalesce(sum((counts ->> 'chunks')::bigint), 0) AS chunks,
    coalesce(sum((counts ->> 'embedded')::bigint), 0) AS embedded,
    coalesce(sum((counts ->> 'reused')::bigint), 0) AS reused,
    coalesce(sum((counts ->> 'tokens')::bigint), 0) AS tokens,
    (array_agg(document_id ORDER BY document_id) FILTER (WHERE latest AND shown))[1:{EXAMPLES}] AS ids,
    (array_agg(number ORDER BY document_id) FILTER (WHERE latest AND shown))[1:{EXAMPLES}] AS numbers,
    (array_agg(failure ->> 'detail' ORDER BY document_id)
      FILTER (WHERE latest AND shown))[1:{EXAMPLES}] AS details
  FROM mine GROUP BY state, code
)
SELECT q.*, (
  SELECT array_agg(CASE WHEN d.tombstoned_at IS NULL THEN d.name ELSE '' END ORDER BY d.id)
  FROM documents d WHERE d.tenant_id = :tenant AND d.id = ANY (q.ids)
) AS names
FROM grouped q ORDER BY q.state, q.code
""")


def upload(of: Any) -> ColumnElement[int]:
    """As `Generation.upload`."""
    found: ColumnElement[int] = func.coalesce(func.nullif(of.origin, 0), of.number)
    return found


def in_vain(of: Any) -> ColumnElement[bool]:
    """It failed, and by itself, before a moment."""
    failed = (of.state == GenerationState.FAILED.value) & (of.failure["code"].astext != CANCELLED)
    found: ColumnElement[bool] = failed & (of.finished_at <= bindparam("before"))
    return found


# A later generation of the same file or a newer one, but for a further try outside the run that failed as well.
B = generations.alias("behind").c
TAKEN_UP = exists().where(
    (B.tenant_id == G.tenant_id)
    & (B.document_id == G.document_id)
    & (B.number > G.number)
    & (upload(B) >= upload(G))
    & (
        (upload(B) > upload(G))
        | B.ingestion_id.is_not_distinct_from(G.ingestion_id)
        | ~func.coalesce(in_vain(B), false())
    )
)
LATEST = (
    select(*SHOWN, GONE_WITH, LIVE_SLOT, *(column.label(f"generation_{column.name}") for column in G))
    .join(generations, (G.tenant_id == D.tenant_id) & (G.document_id == D.id))
    .where(MEMBER)
    .ext(distinct_on(G.document_id))
    .order_by(G.document_id, G.number.desc())
)
UNFINISHED = (
    select(G.tenant_id, G.project_id, G.document_id, G.number)
    .where(MEMBER & G.due_at.is_not(None))
    .order_by(G.document_id, G.number)
    .limit(bindparam("most"))
)
FAILED = (
    select(G.tenant_id, G.project_id, G.document_id, G.number)
    .join(documents, (D.tenant_id == G.tenant_id) & (D.id == G.document_id))
    .where(MEMBER & in_vain(G) & D.tombstoned_at.is_(None) & ~TAKEN_UP)
    .order_by(G.document_id)
    .limit(bindparam("most"))
)
EVENTS = (
    select(ingestion_events)
    .join(ingestions, (R.tenant_id == E.tenant_id) & (R.id == E.ingestion_id))
    .where(ONE & (E.tenant_id == TENANT) & (E.sequence > bindparam("after")))
    .where(E.document_id.is_(None) | exists().where((D.tenant_id == TENANT) & (D.id == E.document_id)))
    .order_by(E.sequence)
    .limit(bindparam("most"))
)
PURGE = """
WITH runs AS (SELECT id FROM ingestions WHERE tenant_id = :tenant AND {within}),
told AS (
  DELETE FROM ingestion_events e USING (
    SELECT ingestion_id, sequence FROM ingestion_events
    WHERE tenant_id = :tenant AND ingestion_id IN (SELECT id FROM runs) LIMIT :most
  ) doomed
  WHERE e.tenant_id = :tenant AND e.ingestion_id = doomed.ingestion_id AND e.sequence = doomed.sequence RETURNING 1
), named AS (
  UPDATE ingestions SET name = '' WHERE tenant_id = :tenant AND {within} AND name <> '' RETURNING 1
)
SELECT (SELECT count(*) FROM told) + (SELECT count(*) FROM named)
"""


class PgIngestions:
    """Storage of runs."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, scope: Scope, ingestion: Ingestion) -> None:
        """Store a new run."""
        values = {
            "tenant_id": scope.tenant_id,
            "id": ingestion.id,
            "project_id": scope.project_id,
            "collection_id": ingestion.collection_id,
            "name": ingestion.name,
            "created_by": ingestion.created_by,
            "created_at": ingestion.created_at,
            "expected": ingestion.expected,
            "announced": ingestion.announced,
            "closed_at": ingestion.closed_at,
            "cancelled_at": ingestion.cancelled_at,
            "completed_at": ingestion.completed_at,
            "sequence": ingestion.sequence,
            "webhook_id": ingestion.webhook_id,
            "trouble": ingestion.trouble,
        }
        await self._session.run(ADD, values)

    async def get(self, scope: Scope, ingestion_id: UUID) -> Ingestion | None:
        """One run."""
        return _read(await self._session.first(GET, _one(scope, ingestion_id)))

    async def list(
        self, scope: Scope, collection_id: UUID | None, after: After | None, limit: int
    ) -> Sequence[Ingestion]:
        """Runs of the project, or of one collection, newest first."""
        wanted = LIST if collection_id is None else LIST.where(R.collection_id == collection_id)
        statement, place = page_after(wanted, ingestions, after, limit)
        rows = await self._session.all(statement, {"tenant": scope.tenant_id, "project": scope.project_id, **place})
        return [run for row in rows if (run := _read(row))]

    async def troubled(self, scope: Scope, limit: int) -> Sequence[Ingestion]:
        """Runs of the project in whose way something is, the newest first; none of a deleted collection."""
        place = {"tenant": scope.tenant_id, "project": scope.project_id, "most": limit}
        return [run for row in await self._session.all(TROUBLED, place) if (run := _read(row))]

    async def lock(self, scope: Scope, ingestion_id: UUID) -> Ingestion | None:
        """One run, locked until the transaction ends; rows that refer to it may still be written."""
        return _read(await self._session.first(LOCK, _one(scope, ingestion_id)))

    async def save(self, scope: Scope, ingestion: Ingestion) -> None:
        """Write back when a locked run was closed, cancelled and completed, its trouble, and nothing else."""
        values = {
            "closed_at": ingestion.closed_at,
            "cancelled_at": ingestion.cancelled_at,
            "completed_at": ingestion.completed_at,
            "trouble": ingestion.trouble,
        }
        await self._session.run(SAVE.values(values), _one(scope, ingestion.id))

    async def join(self, scope: Scope, ingestion_id: UUID, now: datetime) -> Ingestion | None:
        """Take in one more version, closing the run with the last expected one; None when it takes no more."""
        return _read(await self._session.first(JOIN, {**_one(scope, ingestion_id), "now": now}))

    async def happened(self, scope: Scope, ingestion_id: UUID, news: Sequence[News], now: datetime) -> bool:
        """Append events, and find out whether the run is complete."""
        items = [
            {
                "kind": one.kind.value,
                "document_id": None if one.document_id is None else str(one.document_id),
                "generation": one.generation,
                "data": dict(one.data),
            }
            for one in news
        ]
        parameters = {**_one(scope, ingestion_id), "news": json.dumps(items, ensure_ascii=False), "now": now}
        return bool(await self._session.scalar(HAPPENED, parameters))

    async def purge(self, scope: TenantScope, subject: Subject, limit: int) -> int:
        """Remove the events of runs within a deleted collection, project or tenant, up to `limit`, and their names.

        Returns how many rows that concerned.
        """
        parameters = {"tenant": scope.tenant_id, "subject": subject.id, "most": limit}
        return int(await self._session.scalar(text(PURGE.format(within=within(subject))), parameters))

    async def tallies(self, scope: Scope, ingestion_id: UUID) -> Sequence[Tally]:
        """Its generations by state and reason, in one look."""
        return [_tally(row) for row in await self._session.all(TALLIES, _one(scope, ingestion_id))]

    async def members(
        self, scope: Scope, ingestion_id: UUID, state: GenerationState | None, after: UUID | None, limit: int
    ) -> Sequence[Member]:
        """Its documents with their latest generation in the run, by document id, from behind `after`."""
        latest = (LATEST if after is None else LATEST.where(G.document_id > after)).subquery()
        found = select(latest).order_by(latest.c.id).limit(bindparam("most"))
        if state is not None:
            found = found.where(latest.c.generation_state == state.value)
        rows = await self._session.all(found, {**_one(scope, ingestion_id), "most": limit})
        return [Member(*read_both(row)) for row in rows]

    async def unfinished(self, scope: Scope, ingestion_id: UUID, limit: int) -> Sequence[DueGeneration]:
        """Generations of the run that have not ended, by document id."""
        rows = await self._session.all(UNFINISHED, {**_one(scope, ingestion_id), "most": limit})
        return [DueGeneration(*row) for row in rows]

    async def failed(
        self, scope: Scope, ingestion_id: UUID, before: datetime, after: UUID | None, limit: int
    ) -> Sequence[DueGeneration]:
        """Latest generations of the run's documents that failed before a moment, by document id."""
        statement = FAILED if after is None else FAILED.where(G.document_id > after)
        parameters = {**_one(scope, ingestion_id), "before": before, "most": limit}
        return [DueGeneration(*row) for row in await self._session.all(statement, parameters)]

    async def events(self, scope: Scope, ingestion_id: UUID, after: int, limit: int) -> Sequence[IngestionEvent]:
        """What happened after the event of that number, in order."""
        rows = await self._session.all(EVENTS, {**_one(scope, ingestion_id), "after": after, "most": limit})
        return [
            IngestionEvent(row.sequence, row.at, Happening(row.kind), row.document_id, row.generation, row.data)
            for row in rows
        ]


def _one(scope: Scope, ingestion_id: UUID) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "project": scope.project_id, "of_id": ingestion_id}


def _read(row: Row[Any] | None) -> Ingestion | None:
    if row is None:
        return None
    return Ingestion(
        id=row.id,
        tenant_id=row.tenant_id,
        project_id=row.project_id,
        collection_id=row.collection_id,
        name=row.name,
        created_by=row.created_by,
        created_at=row.created_at,
        expected=row.expected,
        announced=row.announced,
        closed_at=row.closed_at,
        cancelled_at=row.cancelled_at,
        completed_at=row.completed_at,
        sequence=row.sequence,
        webhook_id=row.webhook_id,
        trouble=row.trouble,
    )


def _tally(row: Row[Any]) -> Tally:
    shown = zip(row.ids or (), row.names or (), row.numbers or (), row.details or (), strict=True)
    return Tally(
        GenerationState(row.state),
        row.code,
        documents=row.documents,
        pages=int(row.pages),
        characters=int(row.characters),
        chunks=int(row.chunks),
        embedded=int(row.embedded),
        reused=int(row.reused),
        tokens=int(row.tokens),
        examples=tuple(Example(*one) for one in shown),
    )
