"""Where work that is done a little at a time goes on, and what time it is for all who do it."""

from datetime import datetime
from typing import Protocol


class Cursors(Protocol):
    """Places by name; they hold ids and keys of ours only, never a person's text."""

    async def get(self, name: str) -> str:
        """The place; '' at the beginning."""
        ...

    async def now(self) -> datetime:
        """The database's time: for what several processes compare, whose clocks differ."""
        ...

    async def put(self, name: str, place: str, now: datetime) -> None:
        """Remember the place."""
        ...
