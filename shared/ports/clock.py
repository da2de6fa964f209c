"""Time and chance."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The current time, UTC, timezone-aware."""
        ...

    def monotonic(self) -> float:
        """Seconds that only grow, for measuring durations."""
        ...


class Ids(Protocol):
    """Where new identifiers come from."""

    def new(self) -> UUID:
        """A fresh identifier that sorts by time (version 7)."""
        ...

    def secret(self) -> str:
        """256 random bits as 43 URL-safe characters."""
        ...
