"""Passwords, as they may be stored."""

from typing import Protocol


class Passwords(Protocol):
    """A slow hash that takes memory."""

    async def hash(self, password: str) -> str:
        """How a password is stored."""
        ...

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether it is the stored one; None, a user without one, takes as long and is never so."""
        ...

    def stale(self, stored: str) -> bool:
        """Whether it was hashed by other parameters than today's."""
        ...
