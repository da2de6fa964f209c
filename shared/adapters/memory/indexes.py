"""Indexes, the questions they are scored by, and how far one is behind another."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from uuid import UUID

from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.documents import Document, DocumentStatus, Generation, GenerationState
from shared.domain.errors import Conflict
from shared.domain.indexes import Index, IndexState, Progress
from shared.domain.questions import Question
from shared.domain.tenants import Scope
from shared.ports.indexes import UnfinishedIndex

UNFINISHED = frozenset({IndexState.BUILDING, IndexState.READY, IndexState.RETIRED, IndexState.DROPPING})


class MemoryIndexes:
    """Storage of indexes and questions."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    async def add(self, scope: Scope, index: Index) -> None:
        """Store a new index.

        Raises:
            Conflict: the collection has another open index in this slot.
        """
        await self._transaction.lock("indexes.slot", scope.tenant_id, (index.collection_id, index.slot))
        if any(one.open and one.slot == index.slot for one in await self.of(scope, index.collection_id)):
            raise Conflict("the collection has another index beside the searched one", code="reindex_running")
        await self._transaction.put("indexes", scope.tenant_id, (index.id,), index)

    async def get(self, scope: Scope, index_id: UUID, *, lock: bool = False) -> Index | None:
        """One index, locked until the transaction ends if asked."""
        if lock:
            await self._transaction.lock("indexes", scope.tenant_id, (index_id,))
        found: Index | None = self._transaction.get("indexes", scope.tenant_id, (index_id,))
        return found if found is not None and found.project_id == scope.project_id else None

    async def of(self, scope: Scope, collection_id: UUID) -> Sequence[Index]:
        """Every index of a collection, newest first."""
        rows: list[Index] = [row for _, row in self._transaction.items("indexes", scope.tenant_id)]
        mine = [row for row in rows if row.collection_id == collection_id and row.project_id == scope.project_id]
        return sorted(mine, key=lambda row: (row.created_at, row.id), reverse=True)

    async def save(self, scope: Scope, index: Index) -> None:
        """Write a changed index back; its slot stays."""
        known = await self.get(scope, index.id, lock=True)
        if known is not None:
            kept = replace(index, slot=known.slot, created_at=known.created_at)
            await self._transaction.put("indexes", scope.tenant_id, (index.id,), kept)

    async def progress(self, scope: Scope, index: Index, ahead: Index) -> Progress:
        """How far `index` is behind `ahead`, both of one collection."""
        compared = list(self._compared(scope, index, ahead))
        return Progress(
            documents=len(compared),
            in_step=sum(_in_step(*one) for one in compared),
            in_flight=await self.under_way(scope, index),
            failed=sum(not _in_step(*one) and _failed(*one) for one in compared),
        )

    async def restate(self, scope: Scope, index: Index) -> int:
        """The index is searched from now on: documents that are not in it are failed, those that are, indexed."""
        rows: list[Document] = [row for _, row in self._transaction.items("documents", scope.tenant_id)]
        changed = 0
        for row in rows:
            there = row.committed_in(index.slot) is not None
            before, after = DocumentStatus.FAILED, DocumentStatus.INDEXED
            if not there:
                before, after = after, before
            mine = row.project_id == scope.project_id and row.collection_id == index.collection_id
            if mine and row.tombstoned_at is None and row.status is before:
                await self._transaction.lock("documents", scope.tenant_id, (row.id,))
                await self._transaction.put("documents", scope.tenant_id, (row.id,), replace(row, status=after))
                changed += 1
        return changed

    async def behind(self, scope: Scope, index: Index, ahead: Index, limit: int) -> Sequence[Generation]:
        """Generations committed in `ahead` whose upload is newer than what `index` has.

        Left out are documents with a generation under way for `index`, and those whose try with this upload failed.
        """
        return [
            theirs
            for theirs, has, latest in self._compared(scope, index, ahead)
            if not _in_step(theirs, has, latest)
            and not _failed(theirs, has, latest)
            and (latest is None or latest.due_at is None)
        ][:limit]

    async def under_way(self, scope: Scope, index: Index) -> int:
        """Generations under way for the index, those that wait for their upload included."""
        return sum(row.due_at is not None for row in self._made_for(scope, index))

    async def generations(self, scope: Scope, index: Index, limit: int) -> Sequence[Generation]:
        """Generations under way for the index, up to `limit`."""
        return [row for row in self._made_for(scope, index) if row.due_at is not None][:limit]

    async def busy(self, scope: Scope, index: Index) -> int:
        """Generations under way in the project for anything but this index, without those that wait for an upload."""
        rows: list[Generation] = [row for _, row in self._transaction.items("generations", scope.tenant_id)]
        return sum(
            row.project_id == scope.project_id
            and row.due_at is not None
            and row.state is not GenerationState.AWAITING_UPLOAD
            and row.index != index.id
            for row in rows
        )

    async def remains(self, scope: Scope, index: Index, limit: int) -> Sequence[UUID]:
        """Documents that have chunks in the index, up to `limit`."""
        found = {
            row.document_id
            for row in self._made_for(scope, index)
            if self._transaction.get("chunks", scope.tenant_id, (row.document_id, row.number))
        }
        return sorted(found)[:limit]

    async def forget(self, scope: Scope, index: Index, document_id: UUID) -> None:
        """Take the index's generation off the document's slot, if it is there."""
        await self._transaction.lock("documents", scope.tenant_id, (document_id,))
        row: Document | None = self._transaction.get("documents", scope.tenant_id, (document_id,))
        numbers = {one.number for one in self._made_for(scope, index) if one.document_id == document_id}
        if row is not None and row.committed_in(index.slot) in numbers:
            name = "standby_generation" if index.slot else "committed_generation"
            changed = replace(row, **{name: None})  # type: ignore[arg-type]
            await self._transaction.put("documents", scope.tenant_id, (document_id,), changed)

    async def unfinished(self, limit: int) -> Sequence[UnfinishedIndex]:
        """Across tenants: indexes that are building, ready, retired or dropping. Ids only."""
        rows: list[Index] = [row for _, _, row in self._transaction.everyones("indexes") if row.state in UNFINISHED]
        rows.sort(key=lambda row: (row.changed_at, row.id))
        return [UnfinishedIndex(row.tenant_id, row.project_id, row.collection_id, row.id) for row in rows[:limit]]

    async def questions(self, scope: Scope, collection_id: UUID) -> Sequence[Question]:
        """The collection's own questions, in their order."""
        found: tuple[UUID, Sequence[Question]] | None = self._transaction.get(
            "questions", scope.tenant_id, (collection_id,)
        )
        return found[1] if found and found[0] == scope.project_id else []

    async def ask(self, scope: Scope, collection_id: UUID, questions: Sequence[Question]) -> None:
        """Make these the collection's questions."""
        kept = (scope.project_id, list(questions))
        await self._transaction.put("questions", scope.tenant_id, (collection_id,), kept)

    def _made_for(self, scope: Scope, index: Index) -> Iterator[Generation]:
        documents = {key[0]: row for key, row in self._transaction.items("documents", scope.tenant_id)}
        for _, row in self._transaction.items("generations", scope.tenant_id):
            # Of a document that this transaction may not read, nothing is seen.
            of = documents[row.document_id].collection_id if row.document_id in documents else None
            if of == index.collection_id and (row.index or of) == index.id:
                yield row

    def _compared(
        self, scope: Scope, index: Index, ahead: Index
    ) -> Iterator[tuple[Generation, int, Generation | None]]:
        """The generation ahead of every document, the upload that `index` has of it (0: none), and its latest try."""
        mine = {(row.document_id, row.number): row for row in self._made_for(scope, index)}
        theirs = {(row.document_id, row.number): row for row in self._made_for(scope, ahead)}
        rows: list[Document] = [row for _, row in self._transaction.items("documents", scope.tenant_id)]
        for row in sorted(rows, key=lambda row: (row.created_at, row.id)):
            found = theirs.get((row.id, row.committed_in(ahead.slot) or 0))
            if row.deleted or found is None:
                continue
            has = mine.get((row.id, row.committed_in(index.slot) or 0))
            tries = [one for one in mine.values() if one.document_id == row.id]
            yield found, has.upload if has else 0, max(tries, key=lambda one: one.number, default=None)


def _in_step(theirs: Generation, has: int, latest: Generation | None) -> bool:
    unchanged = latest is not None and latest.state is GenerationState.UNCHANGED and latest.upload >= theirs.upload
    return has >= theirs.upload or unchanged


def _failed(theirs: Generation, has: int, latest: Generation | None) -> bool:
    return latest is not None and latest.state is GenerationState.FAILED and latest.upload >= theirs.upload
