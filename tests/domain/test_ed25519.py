"""Ed25519 against the test vectors of RFC 8032, section 7.1, and against what is no signature."""

import pytest

from shared.domain import ed25519

VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe246"
            "55141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb0"
            "0d291612bb0c00"
        ),
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        (
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc0"
            "27beceea1ec40a"
        ),
    ),
]


@pytest.mark.parametrize(("seed", "key", "message", "signature"), VECTORS)
def test_sign_gives_the_signature_of_the_standard(seed: str, key: str, message: str, signature: str) -> None:
    assert ed25519.public_key(bytes.fromhex(seed)).hex() == key
    assert ed25519.sign(bytes.fromhex(seed), bytes.fromhex(message)).hex() == signature
    assert ed25519.verifies(bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature))


def test_verifies_refuses_everything_else() -> None:
    _, key, message, signature = (bytes.fromhex(one) for one in VECTORS[1])
    for place in range(0, 64, 7):
        changed = bytearray(signature)
        changed[place] ^= 1
        assert not ed25519.verifies(key, message, bytes(changed))
    assert not ed25519.verifies(key, b"other", signature)
    assert not ed25519.verifies(bytes.fromhex(VECTORS[0][1]), message, signature)
    assert not ed25519.verifies(key, message, signature[:63])
    assert not ed25519.verifies(key[:31], message, signature)
    assert not ed25519.verifies(b"\xff" * 32, message, signature)
    # The same point by a number over the order is another spelling of the signature: refused, as RFC 8032 says.
    answer = int.from_bytes(signature[32:], "little") + ed25519.ORDER
    assert not ed25519.verifies(key, message, signature[:32] + answer.to_bytes(32, "little"))


def test_seed_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        ed25519.sign(b"short", b"")
