"""What providers say of people and of themselves, and by whom it is signed."""

import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.fixtures.openid_issuer import Json, ec_key, public, rsa_key, unpadded
from tests.functions.ways import BACK, Ways

# What it says.

WRONG: dict[str, Json] = {
    "another issuer": {"iss": "https://id.example"},
    "issuer with a slash": {"iss": "https://login.example.com/tenant/"},
    "no issuer": {"iss": None},
    "for somebody else": {"aud": "other"},
    "for nobody": {"aud": None},
    "for a list without us": {"aud": ["other", "lambent2"]},
    "for several, asked by another": {"aud": ["lambent", "other"], "azp": "other"},
    "for several, asked by nobody": {"aud": ["lambent", "other"]},
    "for us, asked by another": {"azp": "other"},
    "over": {"exp": 1767225600 - 61},
    "never over": {"exp": None},
    "over at a word": {"exp": "1867225600"},
    "over at no number": {"exp": float("nan")},
    "over at true": {"exp": True},
    "of tomorrow": {"iat": 1767225600 + 61},
    "of yesterday": {"iat": 1767225600 - 661},
    "of no time": {"iat": None},
    "not yet": {"nbf": 1767225600 + 61},
    "not yet at a word": {"nbf": "soon"},
    "another nonce": {"nonce": "a" * 43},
    "no nonce": {"nonce": None},
    "nonce of another kind": {"nonce": 5},
    "half a character": {"nonce": "\ud800"},
    "about nobody": {"sub": None},
    "about an empty one": {"sub": ""},
    "about a number": {"sub": 7},
    "about a long one": {"sub": "x" * 256},
    "about a line": {"sub": "a\nb"},
    "another access token": {"at_hash": "MTIzNDU2Nzg5MDEyMzQ1Ng"},
    "no hash": {"at_hash": ""},
    "a hash of another kind": {"at_hash": ["x"]},
}


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("name", ["public", "company"])
def test_token_that_says_something_else_is_refused(ways: Ways, name: str, what: str) -> None:
    issuer = ways.company if name == "company" else ways.public
    issuer.claims = WRONG[what]
    if what == "another issuer" and name == "public":
        issuer.claims = {"iss": ways.company.url}
    answer = ways.sign_in(name, email="new@example.com")
    assert (answer.status, answer.code) == (401, "identity_token_refused")
    issuer.claims = {}
    assert ways.sign_in(name, email="new@example.com").status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["lambent"]},
        {"aud": ["other", "lambent"], "azp": "lambent"},
        {"azp": "lambent"},
        {"exp": 1767225600 - 59},
        {"iat": 1767225600 + 59, "nbf": 1767225600 + 59},
        {"iat": 1767225600.5},
        {"at_hash": None},
        {"email_verified": "true"},
        {"extra": {"deep": [1, 2]}},
    ],
)
def test_token_that_says_it_otherwise_is_believed(ways: Ways, claims: Json) -> None:
    ways.company.claims = claims
    assert ways.sign_in().status == 200


# By whom it is signed.


def unsigned(claims: Json) -> str:
    return jwt.encode(claims, "", algorithm="none")


def by_the_secret(claims: Json) -> str:
    return jwt.encode(claims, "the client's secret: with & and ü", algorithm="HS256", headers={"kid": "one"})


def by_the_public_key(claims: Json) -> str:
    # By hand: no library of today writes such a token.
    parts = [{"alg": "HS256", "typ": "JWT", "kid": "one"}, claims]
    signed = ".".join(unpadded(json.dumps(one).encode()) for one in parts)
    known = rsa_key("one").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{signed}.{unpadded(hmac.digest(known, signed.encode(), 'sha256'))}"


def by_another_key(claims: Json) -> str:
    return jwt.encode(claims, rsa_key("mallory"), algorithm="RS256", headers={"kid": "one"})


def by_a_key_of_its_own(claims: Json) -> str:
    header = {"kid": "one", "jwk": public(rsa_key("mallory"), "one"), "jku": "https://evil.example/keys"}
    return jwt.encode(claims, rsa_key("mallory"), algorithm="RS256", headers=header)


def by_another_algorithm(claims: Json) -> str:
    return jwt.encode(claims, rsa_key("one"), algorithm="PS256", headers={"kid": "one"})


def of_another_kind(claims: Json) -> str:
    return jwt.encode(claims, rsa_key("one"), algorithm="RS256", headers={"kid": "one", "typ": "at+jwt"})


def with_a_condition(claims: Json) -> str:
    return jwt.encode(claims, rsa_key("one"), algorithm="RS256", headers={"kid": "one", "crit": ["b64"], "b64": True})


def with_another_body(claims: Json) -> str:
    good = jwt.encode(claims, rsa_key("one"), algorithm="RS256", headers={"kid": "one"})
    other = jwt.encode({**claims, "sub": "root"}, rsa_key("one"), algorithm="RS256", headers={"kid": "one"})
    return ".".join([good.split(".")[0], other.split(".")[1], good.split(".")[2]])


def without_a_signature(claims: Json) -> str:
    return jwt.encode(claims, rsa_key("one"), algorithm="RS256", headers={"kid": "one"}).rpartition(".")[0] + "."


def too_long(claims: Json) -> str:
    return jwt.encode({**claims, "x": "x" * 40_000}, rsa_key("one"), algorithm="RS256", headers={"kid": "one"})


def deep(claims: Json) -> str:
    return "eyJhbGciOiJSUzI1NiJ9." + "W1tb" * 5000 + ".AAAA"


@pytest.mark.parametrize(
    "written",
    [
        *(unsigned, by_the_secret, by_the_public_key, by_another_key, by_a_key_of_its_own, by_another_algorithm),
        *(of_another_kind, with_a_condition, with_another_body, without_a_signature, too_long, deep),
        *(lambda claims: "", lambda claims: "a.b.c", lambda claims: "…", lambda claims: '{"payload": "x"}'),
    ],
    ids=lambda one: one.__name__,
)
def test_token_that_is_not_signed_by_the_issuer_is_refused(ways: Ways, written: Any) -> None:
    ways.public.token = written
    answer = ways.sign_in("public")
    assert (answer.status, answer.code) == (401, "identity_token_refused"), answer.body
    assert all(not one.startswith("https://evil") for one in ways.public.calls)


@pytest.mark.parametrize("value", [None, 5, "", "A", "RS256\n", "rs256", "NONE", ["RS256"], {"a": 1}, "ES256"])
def test_token_by_any_other_algorithm_is_refused(ways: Ways, value: object) -> None:
    def written(claims: Json) -> str:
        head, body, signature = ways.public.sign(claims).split(".")
        header = {**jwt.get_unverified_header(f"{head}.{body}.{signature}"), "alg": value}
        return ".".join([jwt.utils.base64url_encode(json.dumps(header).encode()).decode(), body, signature])

    ways.public.token = written
    assert ways.sign_in("public").code == "identity_token_refused"


def test_keys_are_kept_and_fetched_again_when_an_unknown_one_signs(ways: Ways) -> None:
    issuer, clock = ways.public, ways.world.clock

    def fetched() -> int:
        return issuer.calls.count("GET /keys")

    about: Json = {"email": "bo@elsewhere.example"}
    assert ways.sign_in("public", **about).status == 200
    clock.advance(61)
    assert ways.sign_in("public", **about).status == 200
    assert fetched() == 1
    issuer.kid = "two"
    assert ways.sign_in("public", **about).status == 200
    assert fetched() == 2, "it signs by a new key, and that is found out"
    issuer.token = by_kid("three")
    for _ in range(5):
        assert ways.sign_in("public", **about).code == "identity_token_refused"
    assert fetched() == 2, "no more often than once a minute"
    clock.advance(60)
    for _ in range(5):
        assert ways.sign_in("public", **about).code == "identity_token_refused"
    assert fetched() == 3
    issuer.token = None
    assert ways.sign_in("public", **about).status == 200
    clock.advance(3600)
    assert ways.sign_in("public", **about).status == 200
    assert fetched() == 4, "kept for an hour"
    assert issuer.calls.count("GET /.well-known/openid-configuration") == 2


def by_kid(kid: str) -> Any:
    return lambda claims: jwt.encode(claims, rsa_key(kid), algorithm="RS256", headers={"kid": kid})


def test_key_that_its_issuer_took_back_is_good_no_more(ways: Ways) -> None:
    assert ways.sign_in("public", email="bo@elsewhere.example").status == 200
    ways.public.keys = [public(rsa_key("two"), "two")]
    ways.world.clock.advance(3600)
    assert ways.sign_in("public", email="bo@elsewhere.example").code == "identity_token_refused"


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [{}],
        ["one"],
        [{"kty": "RSA", "kid": "one"}],
        [{"kty": "RSA", "kid": "one", "n": "AQAB", "e": "AQAB"}],
        [{"kty": "RSA", "kid": "one", "n": 5, "e": []}],
        [{"kty": "oct", "kid": "one", "k": "AAAA"}],
        [{**public(rsa_key("one"), "one"), "use": "enc"}],
        [{**public(rsa_key("one"), "one"), "alg": "PS256"}],
        [public(ec_key("one"), "one")],
        [public(rsa_key("one"), "one"), public(rsa_key("mallory"), "one")],
    ],
    ids=range(11),
)
def test_key_that_is_not_fit_signs_nothing(ways: Ways, keys: Any) -> None:
    ways.public.keys = keys
    answer = ways.sign_in("public")
    assert (answer.status, answer.code) == (401, "identity_token_refused")


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning", "ignore::joserfc.errors.SecurityWarning")
def test_key_that_is_short_signs_nothing(ways: Ways) -> None:
    weak = rsa_key("weak", 1024)
    ways.public.keys = [public(weak, "one")]
    ways.public.token = lambda claims: jwt.encode(claims, weak, algorithm="RS256", headers={"kid": "one"})
    answer = ways.sign_in("public")
    assert (answer.status, answer.code) == (401, "identity_token_refused")


def test_token_without_a_key_name_is_read_by_the_only_key_there_is(ways: Ways) -> None:
    ways.public.header = {"kid": None}
    about: Json = {"email": "bo@elsewhere.example"}
    assert ways.sign_in("public", **about).status == 200
    ways.public.keys = [public(rsa_key("one"), "one"), public(ec_key("x"), "x")]
    ways.world.clock.advance(3600)
    assert ways.sign_in("public", **about).status == 200, "of its type"
    ways.public.keys = [public(rsa_key("one"), "one"), public(rsa_key("two"), "two")]
    ways.world.clock.advance(3600)
    assert ways.sign_in("public", **about).code == "identity_token_refused"


# What it says of itself.


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://login.example.com/tenant"},
        {"issuer": "https://id.example/"},
        {"issuer": None},
        {"issuer": ["https://id.example"]},
        {"token_endpoint": "http://id.example/token"},
        {"token_endpoint": "https://10.0.0.1/token"},
        {"token_endpoint": "https://169.254.169.254/latest/meta-data"},
        {"token_endpoint": "https://id.example:8443/token"},
        {"token_endpoint": None},
        {"jwks_uri": "https://localhost/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": 5},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "http://id.example/authorize"},
        {"authorization_endpoint": None},
        {"userinfo_endpoint": "http://127.0.0.1/person"},
    ],
)
def test_description_that_cannot_be_trusted_is_not(ways: Ways, change: Json) -> None:
    ways.public.description = change
    answer = ways.post("/public/start", {"redirect_uri": BACK})
    assert (answer.status, answer.code) == (503, "issuer_unusable")
    assert ways.public.calls == ["GET /.well-known/openid-configuration"]
    ways.public.description = {}
    assert ways.start("public")["state"], "and what it says later is heard"


@pytest.mark.parametrize("status", [301, 302, 307, 308, 404, 500])
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
def test_provider_that_answers_anything_else_does_not_work(ways: Ways, path: str, status: int) -> None:
    ways.public.status = {path: status}
    answer = ways.post("/public/start", {"redirect_uri": BACK}) if "known" in path else ways.sign_in("public")
    assert (answer.status, answer.code) == (503, "issuer_failed")


def test_provider_that_refuses_this_deployment_does_not_work(ways: Ways) -> None:
    ways.public.secret = "another one"
    answer = ways.sign_in("public")
    assert (answer.status, answer.code) == (503, "issuer_failed")
    assert "secret" not in answer.body


def test_provider_that_nobody_finds_does_not_work(ways: Ways) -> None:
    ways.public.url = "https://moved.example"
    answer = ways.post("/public/start", {"redirect_uri": BACK})
    assert (answer.status, answer.code) == (503, "issuer_failed")


def test_sign_in_at_one_provider_goes_on_while_another_is_down(ways: Ways) -> None:
    ways.public.status = {"/.well-known/openid-configuration": 500}
    assert ways.post("/public/start", {"redirect_uri": BACK}).status == 503
    assert ways.sign_in().status == 200
