"""Looking at everything that waits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.adapters.memory.documents import MemoryDocuments
from shared.adapters.memory.outbox import Kept
from shared.adapters.memory.rows_transaction import Transaction
from shared.domain.backlog import BacklogLine, Unsent
from shared.domain.documents import Document, Generation, GenerationState
from shared.domain.tenants import Scope, TenantScope
from shared.ports.documents import DocumentFilter, FailedFilter

_ALL = 10**9


class MemoryBacklog:
    """Implements `shared.ports.backlog.BacklogView`."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._documents = MemoryDocuments(transaction)

    async def lines(self, scope: Scope, now: datetime, limit: int) -> Sequence[BacklogLine]:
        """Unfinished versions by step and reason, the most frequent first."""
        groups: dict[tuple[GenerationState, str], list[Generation]] = {}
        for _, one in await self.longest(scope, _ALL):
            reason = one.waiting or (one.last_error.code if one.last_error else "")
            groups.setdefault((one.state, reason), []).append(one)
        lines = [
            BacklogLine(
                state,
                reason,
                len(inside),
                min(one.entered_at for one in inside),
                sum(one.due_at is not None and one.due_at <= now for one in inside),
                sum(one.leased(now) for one in inside),
            )
            for (state, reason), inside in groups.items()
        ]
        return sorted(lines, key=lambda line: (-line.count, line.state, line.reason))[:limit]

    async def longest(self, scope: Scope, limit: int) -> Sequence[tuple[Document, Generation]]:
        """Unfinished versions, those first that have been at their step for the longest time."""
        found = [
            (document, one)
            for document in await self._documents.list(scope, DocumentFilter(), None, _ALL)
            for one in await self._documents.generations(scope, document.id)
            if one.due_at is not None
        ]
        return sorted(found, key=lambda both: (both[1].entered_at, both[0].id, both[1].number))[:limit]

    async def failed(self, scope: Scope) -> Mapping[str, int]:
        """Documents whose latest version failed, by code."""
        counts: Counter[str] = Counter()
        for document in await self._documents.failed(scope, FailedFilter(), None, _ALL):
            latest = await self._documents.generation(scope, document.id, document.latest_generation)
            if latest is not None and latest.failure is not None:
                counts[latest.failure.code] += 1
        return counts

    async def deleting(self, scope: Scope) -> int:
        """Documents that have a tombstone and are not swept."""
        rows: list[Document] = [row for _, row in self._transaction.items("documents", scope.tenant_id)]
        mine = [row for row in rows if row.project_id == scope.project_id]
        return sum(row.tombstoned_at is not None and row.swept_at is None for row in mine)

    async def unsent(self, scope: TenantScope, before: datetime) -> Unsent:
        """Messages of the tenant that were added before then and are still in the outbox."""
        rows: list[Kept] = [row for _, row in self._transaction.items("outbox", scope.tenant_id)]
        times = [row.added_at for row in rows if row.added_at < before]
        return Unsent(len(times), min(times, default=None))
