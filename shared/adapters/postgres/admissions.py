"""The lines before ingestion."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, cast, func, literal_column, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from shared.adapters.postgres.document_rows import read_both
from shared.adapters.postgres.documents import WITH_GENERATIONS
from shared.adapters.postgres.engine import Session
from shared.adapters.postgres.lookup import Lookup
from shared.adapters.postgres.models import documents, generations
from shared.adapters.postgres.statements import TENANT
from shared.domain.documents import IN_PROGRESS, Document, Generation
from shared.domain.tenants import TenantScope

D, G = documents.c, generations.c
STATES = sorted(state.value for state in IN_PROGRESS)

SPARE = 8
"""Places looked at beyond those that are free: some may be held by others, and are passed over."""

# Spelled out, not bound: only so do the partial indexes answer.
BUSY = (
    select(literal_column("1"))
    .where((G.tenant_id == TENANT) & literal_column(f"generations.state IN ({', '.join(map(repr, STATES))})"))
    .limit(bindparam("most"))
    .subquery()
)
COUNTED = select(func.count()).select_from(BUSY)
COUNT = Lookup(COUNTED)
ROOM = select(func.greatest(0, bindparam("most") - COUNTED.scalar_subquery()).label("places")).cte("room")
PLACES = select(ROOM.c.places).scalar_subquery()
IN_LINE = (
    select(G.document_id)
    .where((G.tenant_id == TENANT) & literal_column("generations.state = 'queued'"))
    .order_by(G.entered_at, G.document_id, G.number)
    .limit(PLACES + SPARE * func.least(PLACES, 1))
)
FIRST = select(func.array(IN_LINE.scalar_subquery(), type_=ARRAY(Uuid)).label("ids")).cte("first")
CHOSEN = any_(cast(select(FIRST.c.ids).scalar_subquery(), ARRAY(Uuid)))
# Chosen first, then fetched by their ids. Left to join the line with the documents, a server whose statistics are of a
# time when the tenant had few looks at every document of the tenant for every place in the line. For the same reason
# the state is asked in a way that no index answers: that would be the whole line.
NEXT = Lookup(
    WITH_GENERATIONS.where(
        (G.tenant_id == TENANT)
        & (D.tenant_id == TENANT)
        & (D.id == CHOSEN)
        & (G.document_id == CHOSEN)
        & (func.coalesce(G.state, literal_column("''")) == literal_column("'queued'"))
    )
    .order_by(G.entered_at, G.document_id, G.number)
    .limit(PLACES)
    .with_for_update(of=(documents, generations), skip_locked=True)
)
WAITING = text("SELECT tenant_id FROM lambent_in_line(:most)")


class PgAdmissions:
    """Which generations are in progress, and which wait for their turn."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def in_progress(self, scope: TenantScope, most: int) -> int:
        """How many of the tenant's generations are in progress, counted up to `most`."""
        return int(await self._session.scalar(COUNT, {"tenant": scope.tenant_id, "most": most}))

    async def next(self, scope: TenantScope, most: int) -> Sequence[tuple[Document, Generation]]:
        """The longest waiting of the tenant, as many as make up `most` in progress; locked.

        Rows locked by others are passed over.
        """
        rows = await self._session.all(NEXT, {"tenant": scope.tenant_id, "most": most})
        return [read_both(row) for row in rows]

    async def waiting(self, limit: int) -> Sequence[UUID]:
        """Across tenants: those with generations in line. Ids only."""
        return [row[0] for row in await self._session.all(WAITING, {"most": limit})]
