"""Signing what others shall be able to verify without asking."""

from typing import Protocol


class Signer(Protocol):
    """An Ed25519 key that signs. The secret part never leaves whoever keeps it."""

    async def public_key(self) -> bytes:
        """The 32 bytes that verify its signatures.

        Raises:
            Unavailable: the key cannot be reached.
        """
        ...

    async def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the message's signature (RFC 8032, the pure variant).

        Raises:
            Unavailable: the key cannot be reached.
        """
        ...
