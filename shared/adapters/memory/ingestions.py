"""Ingestion runs and their events."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.adapters.memory.tombstones import collection_gone, is_within
from shared.domain.documents import Document, Generation, GenerationState
from shared.domain.errors import Conflict
from shared.domain.ingestions import (
    CANCELLED,
    Example,
    Happening,
    Ingestion,
    IngestionEvent,
    Member,
    News,
    Tally,
)
from shared.domain.pages import After
from shared.domain.receipts import Subject
from shared.domain.tenants import Scope, TenantScope
from shared.ports.documents import DueGeneration

EXAMPLES = 3


class MemoryIngestions:
    """Storage of runs."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: Scope, ingestion: Ingestion) -> None:
        """Store a new run."""
        self._transaction.require(scope.tenant_id)
        collection = self._transaction.get("collections", scope.tenant_id, (ingestion.collection_id,))
        if collection is None or collection.project_id != scope.project_id:
            raise Conflict("it refers to something that is not there", code="missing_reference")
        await self._transaction.put("ingestions", scope.tenant_id, (ingestion.id,), ingestion)

    async def get(self, scope: Scope, ingestion_id: UUID) -> Ingestion | None:
        """One run."""
        row: Ingestion | None = self._transaction.get("ingestions", scope.tenant_id, (ingestion_id,))
        return row if row is not None and row.project_id == scope.project_id else None

    async def list(
        self, scope: Scope, collection_id: UUID | None, after: After | None, limit: int
    ) -> Sequence[Ingestion]:
        """Runs of the project, or of one collection, newest first."""
        rows: list[Ingestion] = [
            row
            for _, row in self._transaction.items("ingestions", scope.tenant_id)
            if row.project_id == scope.project_id
            and collection_gone(self._transaction, row) is None
            and (collection_id is None or row.collection_id == collection_id)
            and (after is None or (row.created_at, row.id) < (after.at, after.id))
        ]
        return sorted(rows, key=lambda row: (row.created_at, row.id), reverse=True)[:limit]

    async def troubled(self, scope: Scope, limit: int) -> Sequence[Ingestion]:
        """Runs of the project in whose way something is, the newest first; none of a deleted collection."""
        return [row for row in await self.list(scope, None, None, 10**9) if row.trouble][:limit]

    async def lock(self, scope: Scope, ingestion_id: UUID) -> Ingestion | None:
        """One run, locked until the transaction ends."""
        if await self.get(scope, ingestion_id) is None:
            return None
        await self._transaction.lock("ingestions", scope.tenant_id, (ingestion_id,))
        return await self.get(scope, ingestion_id)

    async def save(self, scope: Scope, ingestion: Ingestion) -> None:
        """Write back when a locked run was closed, cancelled and completed, its trouble, and nothing else."""
        known = await self.lock(scope, ingestion.id)
        if known is not None:
            changed = replace(
                known,
                closed_at=ingestion.closed_at,
                cancelled_at=ingestion.cancelled_at,
                completed_at=ingestion.completed_at,
                trouble=ingestion.trouble,
            )
            await self._transaction.put("ingestions", scope.tenant_id, (ingestion.id,), changed)

    async def join(self, scope: Scope, ingestion_id: UUID, now: datetime) -> Ingestion | None:
        """Take in one more version, closing the run with the last expected one; None when it takes no more."""
        known = await self.lock(scope, ingestion_id)
        if known is None or known.closed_at is not None:
            return None
        announced = known.announced + 1
        joined = replace(known, announced=announced, closed_at=now if announced == known.expected else None)
        await self._transaction.put("ingestions", scope.tenant_id, (ingestion_id,), joined)
        return joined

    async def happened(self, scope: Scope, ingestion_id: UUID, news: Sequence[News], now: datetime) -> bool:
        """Append events, and find out whether the run is complete."""
        known = await self.lock(scope, ingestion_id)
        if known is None:
            return False
        run = known
        for one in news:
            run = await self._append(scope, run, one, now)
        unfinished = any(not row.terminal for row in self._generations(scope, ingestion_id))
        completed = run.closed_at is not None and not unfinished and run.completed_at is None
        if completed:
            run = await self._append(scope, replace(run, completed_at=now), News(Happening.COMPLETED), now)
        elif unfinished:
            run = replace(run, completed_at=None)
        await self._transaction.put("ingestions", scope.tenant_id, (ingestion_id,), run)
        return completed

    async def _append(self, scope: Scope, run: Ingestion, one: News, now: datetime) -> Ingestion:
        event = IngestionEvent(run.sequence + 1, now, one.kind, one.document_id, one.generation, dict(one.data))
        await self._transaction.put("ingestion_events", scope.tenant_id, (run.id, event.sequence), event)
        return replace(run, sequence=event.sequence)

    async def purge(self, scope: TenantScope, subject: Subject, limit: int) -> int:
        """Remove the events of runs within a deleted collection, project or tenant, up to `limit`, and their names.

        Returns how many rows that concerned.
        """
        rows = [row for _, row in self._transaction.items("ingestions", scope.tenant_id) if is_within(row, subject)]
        runs = {row.id for row in rows}
        told = [key for key, _ in self._transaction.items("ingestion_events", scope.tenant_id) if key[0] in runs][
            :limit
        ]
        for key in told:
            await self._transaction.remove("ingestion_events", scope.tenant_id, key)
        named = [row for row in rows if row.name]
        for row in named:
            await self._transaction.put("ingestions", scope.tenant_id, (row.id,), replace(row, name=""))
        return len(told) + len(named)

    async def tallies(self, scope: Scope, ingestion_id: UUID) -> Sequence[Tally]:
        """Its generations by state and reason, in one look."""
        groups: dict[tuple[GenerationState, str], list[tuple[Generation, bool]]] = defaultdict(list)
        rows = self._generations(scope, ingestion_id)
        latest = _latest(rows)
        for row in rows:
            group = (row.state, row.failure.code if row.failure else "")
            groups[group].append((row, latest[row.document_id] == row))
        return [self._tally(state, code, groups[state, code]) for state, code in sorted(groups)]

    def _tally(self, state: GenerationState, code: str, rows: Sequence[tuple[Generation, bool]]) -> Tally:
        failed = sorted((row for row, latest in rows if latest and row.failure), key=lambda row: row.document_id)
        # Everything is counted; what is named, the reader may read.
        named = [(row, document) for row in failed if (document := self._document(row)) is not None]
        return Tally(
            state,
            code,
            documents=sum(latest for _, latest in rows),
            pages=sum(row.counts.pages for row, _ in rows),
            characters=sum(row.counts.characters for row, _ in rows),
            chunks=sum(row.counts.chunks for row, _ in rows),
            embedded=sum(row.counts.embedded for row, _ in rows),
            reused=sum(row.counts.reused for row, _ in rows),
            tokens=sum(row.counts.tokens for row, _ in rows),
            examples=tuple(
                Example(row.document_id, "" if of.tombstoned_at else of.name, row.number, row.failure.detail)
                for row, of in named[:EXAMPLES]
                if row.failure
            ),
        )

    async def members(
        self, scope: Scope, ingestion_id: UUID, state: GenerationState | None, after: UUID | None, limit: int
    ) -> Sequence[Member]:
        """Its documents with their latest generation in the run, by document id, from behind `after`."""
        latest = sorted(_latest(self._generations(scope, ingestion_id)).values(), key=lambda row: row.document_id)
        found = [
            Member(document, row)
            for row in latest
            if (state is None or row.state is state)
            and (after is None or row.document_id > after)
            and (document := self._document(row)) is not None
        ]
        return found[:limit]

    async def unfinished(self, scope: Scope, ingestion_id: UUID, limit: int) -> Sequence[DueGeneration]:
        """Generations of the run that have not ended, by document id."""
        rows = [row for row in self._generations(scope, ingestion_id) if not row.terminal]
        return _named(rows)[:limit]

    async def failed(
        self, scope: Scope, ingestion_id: UUID, before: datetime, after: UUID | None, limit: int
    ) -> Sequence[DueGeneration]:
        """Latest generations of the run's documents that failed before a moment, by document id."""
        every: dict[UUID, list[Generation]] = defaultdict(list)
        for _, row in self._transaction.items("generations", scope.tenant_id):
            every[row.document_id].append(row)
        rows = [
            row
            for row in self._generations(scope, ingestion_id)
            if _in_vain(row, before)
            and (after is None or row.document_id > after)
            and (document := self._document(row)) is not None
            and not document.deleted
            and not any(_follows(one, row, before) for one in every[row.document_id])
        ]
        return _named(rows)[:limit]

    async def events(self, scope: Scope, ingestion_id: UUID, after: int, limit: int) -> Sequence[IngestionEvent]:
        """What happened after the event of that number, in order."""
        if await self.get(scope, ingestion_id) is None:
            return []
        rows: list[IngestionEvent] = [
            row
            for key, row in self._transaction.items("ingestion_events", scope.tenant_id)
            if key[0] == ingestion_id
            and row.sequence > after
            and (row.document_id is None or self._transaction.get("documents", scope.tenant_id, (row.document_id,)))
        ]
        return sorted(rows, key=lambda row: row.sequence)[:limit]

    def _generations(self, scope: Scope, ingestion_id: UUID) -> Sequence[Generation]:
        return [
            row
            for _, row in self._transaction.items("generations", scope.tenant_id)
            if row.ingestion_id == ingestion_id and row.project_id == scope.project_id
        ]

    def _document(self, of: Generation) -> Document | None:
        found: Document | None = self._transaction.get("documents", of.tenant_id, (of.document_id,))
        gone = None if found is None else collection_gone(self._transaction, found)
        return found if found is None or gone is None else replace(found, gone_with=gone)


def _latest(rows: Sequence[Generation]) -> dict[UUID, Generation]:
    return {row.document_id: row for row in sorted(rows, key=lambda row: row.number)}


def _in_vain(row: Generation, before: datetime) -> bool:
    """Whether it failed, and by itself, before a moment."""
    failed = row.state is GenerationState.FAILED and row.failure is not None and row.failure.code != CANCELLED
    return failed and row.finished_at is not None and row.finished_at <= before


def _follows(one: Generation, failed: Generation, before: datetime) -> bool:
    """Whether the file of a failed generation was taken up again by `one`, or followed by its newer one."""
    if one.number <= failed.number or one.upload < failed.upload:
        return False
    same = one.upload == failed.upload and one.ingestion_id != failed.ingestion_id
    return not (same and _in_vain(one, before))


def _named(rows: Sequence[Generation]) -> list[DueGeneration]:
    ordered = sorted(rows, key=lambda row: (row.document_id, row.number))
    return [DueGeneration(row.tenant_id, row.project_id, row.document_id, row.number) for row in ordered]
