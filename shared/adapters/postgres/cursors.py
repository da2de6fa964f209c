"""Where work that is done a little at a time goes on."""

from datetime import datetime

from sqlalchemy import text

from shared.adapters.postgres.engine import Session

GET = text("SELECT place FROM cursors WHERE name = :name")
NOW = text("SELECT clock_timestamp()")
PUT = text("""
INSERT INTO cursors (name, place, at) VALUES (:name, :place, :now)
ON CONFLICT (name) DO UPDATE SET place = excluded.place, at = excluded.at
""")


class PgCursors:
    """Places by name."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, name: str) -> str:
        """The place; '' at the beginning."""
        return await self._session.scalar(GET, {"name": name}) or ""

    async def now(self) -> datetime:
        """The database's time."""
        moment: datetime = await self._session.scalar(NOW)
        return moment

    async def put(self, name: str, place: str, now: datetime) -> None:
        """Remember the place."""
        await self._session.run(PUT, {"name": name, "place": place, "now": now})
