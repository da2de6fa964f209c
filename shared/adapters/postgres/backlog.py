"""Looking at everything that waits."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import BindParameter, DateTime, bindparam, case, func, select, text

from shared.adapters.postgres.document_rows import read_both
from shared.adapters.postgres.documents import FAILED, NOT_DELETED, WITH_GENERATIONS
from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.models import documents, generations, outbox
from shared.adapters.postgres.statements import PROJECT, TENANT
from shared.domain.backlog import BacklogLine, Unsent
from shared.domain.documents import Document, Generation, GenerationState
from shared.domain.tenants import Scope, TenantScope

D, G, MESSAGES = documents.c, generations.c, outbox.c

NOW = bindparam("now", type_=DateTime(timezone=True))
MOST: BindParameter[int] = bindparam("most")
REASON = case((G.waiting != text("''"), G.waiting), else_=func.coalesce(G.last_error["code"].as_string(), text("''")))
# The condition of the index that holds what is unfinished only.
UNFINISHED = WITH_GENERATIONS.where(
    (D.tenant_id == TENANT) & (D.project_id == PROJECT) & NOT_DELETED & G.due_at.is_not(None)
)
LONGEST = UNFINISHED.order_by(G.entered_at, D.id, G.number).limit(MOST)
LINES = (
    UNFINISHED.with_only_columns(
        G.state,
        REASON.label("reason"),
        func.count().label("versions"),
        func.min(G.entered_at).label("oldest"),
        func.count().filter(G.due_at <= NOW).label("overdue"),
        func.count().filter(G.lease_until > NOW).label("leased"),
    )
    .group_by(text("1"), text("2"))
    .order_by(text("3 DESC, 1, 2"))
    .limit(MOST)
)
CODE = G.failure["code"].as_string()
FAILURES = FAILED.with_only_columns(CODE.label("code"), func.count().label("documents")).group_by(text("1"))
DELETING = select(func.count()).where(
    (D.tenant_id == TENANT) & (D.project_id == PROJECT) & D.tombstoned_at.is_not(None) & D.swept_at.is_(None)
)
UNSENT = select(func.count(), func.min(MESSAGES.added_at)).where(
    (MESSAGES.tenant_id == TENANT) & (MESSAGES.added_at < NOW)
)


class PgBacklog:
    """Implements `shared.ports.backlog.BacklogView`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def lines(self, scope: Scope, now: datetime, limit: int) -> Sequence[BacklogLine]:
        """Unfinished versions by step and reason, the most frequent first."""
        rows = await self._session.all(LINES, {**_mine(scope), "now": now, "most": limit})
        return [BacklogLine(GenerationState(row[0]), *row[1:]) for row in rows]

    async def longest(self, scope: Scope, limit: int) -> Sequence[tuple[Document, Generation]]:
        """Unfinished versions, those first that have been at their step for the longest time."""
        return [read_both(row) for row in await self._session.all(LONGEST, {**_mine(scope), "most": limit})]

    async def failed(self, scope: Scope) -> Mapping[str, int]:
        """Documents whose latest version failed, by code."""
        return {row[0]: row[1] for row in await self._session.all(FAILURES, _mine(scope))}

    async def deleting(self, scope: Scope) -> int:
        """Documents that have a tombstone and are not swept."""
        return int(await self._session.scalar(DELETING, _mine(scope)))

    async def unsent(self, scope: TenantScope, before: datetime) -> Unsent:
        """Messages of the tenant that were added before then and are still in the outbox."""
        row = await self._session.first(UNSENT, {"tenant": scope.tenant_id, "now": before})
        return Unsent(row[0], row[1])


def _mine(scope: Scope) -> dict[str, object]:
    return {"tenant": scope.tenant_id, "project": scope.project_id}
