"""Signing in this process, with a seed from the configuration."""

from shared.domain import ed25519
from shared.domain.errors import Unavailable


class SeedSigner:
    """Implements `shared.ports.signer.Signer`."""

    def __init__(self, seed: str) -> None:
        """Args:
        seed: 32 bytes in hexadecimal.

        Raises:
            Unavailable: it is something else. The text does not tell what.
        """
        try:
            self._seed = bytes.fromhex(seed)
            self._key = ed25519.public_key(self._seed)
        except ValueError:
            raise Unavailable("the signing key is not 32 bytes in hexadecimal", code="not_configured") from None

    async def public_key(self) -> bytes:
        """See the port."""
        return self._key

    async def sign(self, message: bytes) -> bytes:
        """See the port."""
        return ed25519.sign(self._seed, message)
