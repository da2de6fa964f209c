"""Passwords hashed in no time: for tests of what is done with them."""

import hashlib


class MemoryPasswords:
    """Implements `shared.ports.passwords.Passwords`."""

    def __init__(self, scheme: str = "sha256") -> None:
        """Args:
        scheme: begins what is stored; what begins otherwise is stale.
        """
        self._scheme = scheme
        self.checked: list[str | None] = []
        """What was stored of those that were checked."""

    async def hash(self, password: str) -> str:
        """See the port."""
        return f"{self._scheme}:{hashlib.sha256(password.encode()).hexdigest()}"

    async def matches(self, password: str, stored: str | None) -> bool:
        """See the port."""
        self.checked.append(stored)
        digest = hashlib.sha256(password.encode()).hexdigest()
        return stored is not None and stored.partition(":")[2] == digest

    def stale(self, stored: str) -> bool:
        """See the port."""
        return not stored.startswith(f"{self._scheme}:")
