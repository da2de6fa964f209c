"""Argon2id (RFC 9106) with what OWASP asks for at least: 19 MiB, two passes, one lane."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
NOBODYS = (
    f"$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$bm9ib2R5J3Mgc2FsdCEhIQ$"
    "3q2+796tvu/erb7v3q2+796tvu/erb7v3q2+796tvu8"
)
"""The digest of no password: who has none is checked against it, which takes as long."""


class Argon2Passwords:
    """Implements `shared.ports.passwords.Passwords`. Hashing runs in a thread: it takes some 30 ms."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)

    async def hash(self, password: str) -> str:
        """See the port."""
        return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """See the port."""
        return await asyncio.to_thread(self._verified, password, stored or NOBODYS) and stored is not None

    def stale(self, stored: str) -> bool:
        """See the port."""
        return self._hasher.check_needs_rehash(stored)

    def _verified(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
