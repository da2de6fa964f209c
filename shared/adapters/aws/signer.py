"""Signing by a key in KMS (key spec ECC_NIST_EDWARDS25519)."""

from typing import Any

from shared.adapters.aws.calls import call
from shared.adapters.aws.clients import Clients, clients
from shared.domain.errors import Unavailable

DER_PREFIX = bytes.fromhex("302a300506032b6570032100")
"""What comes before the 32 bytes of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410)."""
MAX_MESSAGE = 4096
"""Bytes KMS takes of a message that it hashes itself."""


class KmsSigner:
    """Implements `shared.ports.signer.Signer`. The public key is asked for once."""

    def __init__(self, arn: str, clients: Clients | None = None) -> None:
        """Nothing is opened before the first call.

        Args:
            arn: of the key.
            clients: those of the process when None.
        """
        self._arn = arn
        self._clients = clients
        self._key: bytes | None = None

    async def public_key(self) -> bytes:
        """See the port.

        Raises:
            Unavailable: KMS cannot be reached, or the key is of another kind.
        """
        if self._key is None:
            answer = await call("asking for the signing key", lambda: self._kms().get_public_key(KeyId=self._arn))
            der: bytes = answer["PublicKey"]
            if len(der) != len(DER_PREFIX) + 32 or not der.startswith(DER_PREFIX):
                raise Unavailable("the signing key is no Ed25519 key", code="not_configured")
            self._key = der[len(DER_PREFIX) :]
        return self._key

    async def sign(self, message: bytes) -> bytes:
        """See the port.

        Raises:
            Unavailable: KMS cannot be reached, or refuses; over 4096 bytes it always does.
        """
        asked = {
            "KeyId": self._arn,
            "Message": message,
            "MessageType": "RAW",
            "SigningAlgorithm": "ED25519_SHA_512",
        }
        signature: bytes = (await call("signing", lambda: self._kms().sign(**asked)))["Signature"]
        return signature

    def _kms(self) -> Any:
        return (self._clients or clients()).get("kms")
