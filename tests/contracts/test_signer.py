"""Signers: what each signs verifies with the key it shows, and only that."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.adapters.aws.clients import Clients
from shared.adapters.aws.signer import DER_PREFIX, KmsSigner
from shared.adapters.seed.signer import SeedSigner
from shared.domain import ed25519
from shared.domain.errors import Unavailable
from shared.ports.signer import Signer

SEED = "11" * 32


class FakeKms:
    """Answers as KMS documents it for an Ed25519 key; the client's own model checks the requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.der = DER_PREFIX + ed25519.public_key(bytes.fromhex(SEED))

    def get_public_key(self, **asked: Any) -> dict[str, Any]:
        self.asked.append("key")
        return {"KeyId": asked["KeyId"], "PublicKey": self.der, "KeySpec": "ECC_NIST_EDWARDS25519"}

    def sign(self, **asked: Any) -> dict[str, Any]:
        self.asked.append("sign")
        assert (asked["MessageType"], asked["SigningAlgorithm"]) == ("RAW", "ED25519_SHA_512")
        return {"KeyId": asked["KeyId"], "Signature": ed25519.sign(bytes.fromhex(SEED), asked["Message"])}


class OneClient(Clients):
    """Clients with a KMS of one's own."""

    def __init__(self, kms: FakeKms) -> None:
        super().__init__(region="eu-central-1", access_key="x", secret_key="x")
        self.kms = kms

    def get(self, service: str) -> Any:
        assert service == "kms"
        return self.kms


SIGNERS: dict[str, Callable[[], Signer]] = {
    "seed": lambda: SeedSigner(SEED),
    "kms": lambda: KmsSigner("arn:aws:kms:eu-central-1:1:key/x", OneClient(FakeKms())),
}


@pytest.mark.parametrize("name", SIGNERS)
async def test_sign_verifies_with_the_public_key(name: str) -> None:
    signer = SIGNERS[name]()
    key, value = await signer.public_key(), await signer.sign(b"a message")
    assert ed25519.verifies(key, b"a message", value)
    assert not ed25519.verifies(key, b"another message", value)


async def test_kms_is_asked_for_its_key_once_and_one_of_another_kind_is_refused() -> None:
    kms = FakeKms()
    signer = KmsSigner("arn", OneClient(kms))
    assert await signer.public_key() == await signer.public_key()
    assert kms.asked == ["key"]
    kms.der = b"x" * 91
    with pytest.raises(Unavailable, match="no Ed25519 key"):
        await KmsSigner("arn", OneClient(kms)).public_key()


@pytest.mark.parametrize("seed", ["", "11" * 31, "zz" * 32])
def test_seed_that_is_none_is_refused_without_telling_it(seed: str) -> None:
    with pytest.raises(Unavailable) as raised:
        SeedSigner(seed)
    assert seed == "" or seed not in str(raised.value)


def test_kms_client_knows_the_algorithm() -> None:
    client = Clients(region="eu-central-1", access_key="x", secret_key="x").get("kms")
    shape = client.meta.service_model.shape_for("SigningAlgorithmSpec")
    assert "ED25519_SHA_512" in shape.enum
