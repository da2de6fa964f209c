"""The database as the bootstrap sees it: transactions, and a way to close."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from shared.adapters.postgres.engine import Session, open_engine
from shared.adapters.postgres.line import Line, Timeouts
from shared.adapters.postgres.rows import PgRows
from shared.domain.errors import Outage
from shared.domain.tenants import TenantScope


class PgStore:
    """One PostgreSQL database, reached over one connection that is opened when first needed."""

    def __init__(self, url: str, timeouts: Timeouts | None = None) -> None:
        """Args:
        url: of the application role, `postgresql://lambent_app:…@host/name`.
        timeouts: how long the server may take.
        """
        chosen = timeouts or Timeouts()
        self._engine = open_engine(url, chosen)
        self._line = Line(self._engine, chosen)

    @asynccontextmanager
    async def transaction(self, scope: TenantScope | None) -> AsyncIterator[PgRows]:
        """One transaction, committed when the block ends and rolled back when it raises.

        Args:
            scope: whose rows can be seen; None: nobody's, until `keys.authenticate` has found a key.

        Raises:
            StandingChanged: what `ahead` took for granted is not so any more.
            Unavailable: the database cannot be reached or did not finish in time.
            CommitUnknown: the connection broke while committing: the work is to be repeated.
        """
        session = Session(self._line, await self._line.take(scope))
        try:
            try:
                yield PgRows(session)
            except Outage:
                # There is nobody to ask.
                raise
            except Exception:
                # A refusal, too, is only as good as what it was found on.
                await session.confirmed()
                raise
            await session.confirmed()
            await self._line.commit(session)
        finally:
            await self._line.leave()

    async def close(self) -> None:
        """Close the connection; the next transaction opens another."""
        await self._line.drop()
