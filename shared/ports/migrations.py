"""The shape of the database and its versions."""

from collections.abc import Mapping
from typing import Protocol


class Migrations(Protocol):
    """Brings a database to the version this code needs."""

    async def migrate(self) -> Mapping[str, object]:
        """Make roles and tables as they should be; safe to repeat and to run twice at once.

        Returns what version it was and is.

        Raises:
            Unavailable: the database cannot be reached.
        """
        ...

    def head(self) -> str:
        """The version this code needs."""
        ...
