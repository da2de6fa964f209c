"""Access tokens: ours are read, everything else is not."""

import base64
import hmac
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from shared.adapters.jose.tokens import JoseTokens, _key, _name
from shared.domain.errors import Unavailable
from shared.domain.tokens import AccessClaims

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
CLAIMS = AccessClaims(UUID(int=1), UUID(int=2), NOW, NOW + timedelta(minutes=10))
OLD, NEW = "the old secret of this deployment", "the new secret of this deployment"
TOKENS = JoseTokens(OLD)
TOKEN = TOKENS.issue(CLAIMS)
KEY = _key(OLD)
BODY = jwt.decode(TOKEN, options={"verify_signature": False})
HEADER = jwt.get_unverified_header(TOKEN)
MUTATIONS = 10_000


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(
    body: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: bytes = KEY, digest: str = "sha256"
) -> str:
    """Signed by our own key, whatever it says."""
    message = f"{part(HEADER if header is None else header)}.{part(BODY if body is None else body)}"
    return f"{message}.{base64.urlsafe_b64encode(hmac.digest(key, message.encode(), digest)).rstrip(b'=').decode()}"


def test_read_of_what_was_issued_gives_it_back() -> None:
    assert TOKENS.read(TOKEN, NOW) == CLAIMS
    assert TOKENS.read(signed(), NOW) == CLAIMS, "positive control: the forger here knows how"


def test_token_is_good_for_its_time() -> None:
    assert TOKENS.read(TOKEN, CLAIMS.expires_at - timedelta(seconds=1)) == CLAIMS
    assert TOKENS.read(TOKEN, CLAIMS.expires_at) is None
    assert TOKENS.read(TOKEN, NOW - timedelta(seconds=60)) == CLAIMS
    assert TOKENS.read(TOKEN, NOW - timedelta(seconds=61)) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["lambent-api", "other"], "iss": "x"},
        {"exp": BODY["iat"] + 901},
        {"exp": float(BODY["exp"])},
        {"exp": True},
        {"exp": str(BODY["exp"])},
        {"exp": 10**30},
        {"exp": None},
        {"iat": None},
        {"iat": -(10**30)},
        {"sub": "someone"},
        {"sub": 1},
        {"sub": None},
        {"sid": ""},
        {"sid": ["x"]},
    ],
)
def test_token_that_says_something_else_is_refused_though_we_signed_it(changed: dict[str, Any]) -> None:
    assert TOKENS.read(signed({**BODY, **changed}), NOW) is None


@pytest.mark.parametrize("lacks", sorted(BODY))
def test_token_that_lacks_a_claim_is_refused(lacks: str) -> None:
    assert TOKENS.read(signed({name: value for name, value in BODY.items() if name != lacks}), NOW) is None


@pytest.mark.parametrize(
    "header",
    [
        {**HEADER, "typ": "JWT"},
        {**HEADER, "typ": "at+JWT"},
        {**HEADER, "typ": None},
        {**HEADER, "alg": "none"},
        {**HEADER, "alg": "HS512"},
        {**HEADER, "alg": "hs256"},
        {**HEADER, "alg": "RS256"},
        {**HEADER, "kid": "other"},
        {**HEADER, "kid": None},
        {**HEADER, "kid": ["x"]},
        {**HEADER, "crit": ["exp"]},
        {**HEADER, "jku": "https://attacker.example/keys"},
        {**HEADER, "jwk": {"kty": "oct", "k": "AA"}},
        {**HEADER, "b64": False},
        {"alg": "HS256", "typ": "at+jwt"},
        [],
        "x",
    ],
)
def test_token_with_another_header_is_refused_though_we_signed_it(header: Any) -> None:
    assert TOKENS.read(signed(header=header), NOW) is None


def test_token_of_other_keys_and_algorithms_is_refused() -> None:
    stranger = _key("a secret of somebody else, long enough")
    forged = [signed(key=stranger), signed(header={**HEADER, "kid": _name(stranger)}, key=stranger)]
    headers = {"typ": "at+jwt", "kid": HEADER["kid"]}
    # What anybody knows of a key is its name; the secret itself is not what signs either.
    forged += [signed(key=HEADER["kid"].encode()), signed(key=OLD.encode()), signed(key=b"")]
    forged += [signed(header={**HEADER, "alg": "HS512"}, digest="sha512"), signed(digest="sha512")]
    forged.append(f"{part({**HEADER, 'alg': 'none'})}.{part(BODY)}.")
    forged.append(jwt.encode(BODY, generate_private_key(65537, 2048), algorithm="RS256", headers=headers))
    assert [TOKENS.read(one, NOW) for one in forged] == [None] * len(forged)


def test_mutated_tokens_are_all_refused() -> None:
    chance, accepted = random.Random(20261121), []
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\x00é"
    for _ in range(MUTATIONS):
        letters = list(TOKEN)
        for _ in range(chance.choice((1, 1, 1, 2, 5))):
            place = chance.randrange(len(letters))
            kind = chance.randrange(4)
            if kind == 0:
                letters[place] = chance.choice(alphabet)
            elif kind == 1:
                letters.insert(place, chance.choice(alphabet))
            elif kind == 2:
                del letters[place]
            else:
                other = chance.randrange(len(letters))
                letters[place], letters[other] = letters[other], letters[place]
        mutated = "".join(letters)
        if mutated != TOKEN and TOKENS.read(mutated, NOW) is not None:
            accepted.append(mutated)
    assert accepted == []


@pytest.mark.parametrize("tail", [*"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"])
def test_token_spelled_otherwise_is_refused(tail: str) -> None:
    """The last character stands for four bits, so four of them spell the same signature."""
    spelled = TOKEN[:-1] + tail
    assert (TOKENS.read(spelled, NOW) is not None) is (spelled == TOKEN)


@pytest.mark.parametrize("around", [" {}", "{} ", "{}\n", "{}.", "{}=", "{}.e30", "Bearer {}", ""])
def test_token_with_something_around_it_is_refused(around: str) -> None:
    assert TOKENS.read(around.format(TOKEN), NOW) is None


def test_rotation_signs_nobody_out() -> None:
    both = JoseTokens(f"{NEW}, {OLD}")
    assert both.read(TOKEN, NOW) == CLAIMS
    assert TOKENS.read(both.issue(CLAIMS), NOW) is None, "the new one signs"
    after = JoseTokens(NEW)
    assert after.read(both.issue(CLAIMS), NOW) == CLAIMS
    assert after.read(TOKEN, NOW) is None


@pytest.mark.parametrize("secrets", ["", " , ", "short", f"{OLD},short"])
def test_tokens_without_a_secret_worth_its_name_cannot_be_made(secrets: str) -> None:
    with pytest.raises(Unavailable):
        JoseTokens(secrets)
