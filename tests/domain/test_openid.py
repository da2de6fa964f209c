"""Providers as they are configured, and where people are sent."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.domain.errors import Unavailable
from shared.domain.openid import Provider, authorization_url, providers_of

GOOD: dict[str, Any] = {
    "name": "one",
    "issuer": "https://id.example",
    "client_id": "lambent",
    "redirect_uris": ["https://app.example/back"],
}


def test_providers_are_read_from_a_list() -> None:
    found = providers_of(json.dumps([GOOD, {**GOOD, "name": "two", "issuer": "http://127.0.0.1:5000", "title": "Two"}]))
    assert found["one"] == Provider("one", "https://id.example", "lambent", ("https://app.example/back",))
    assert found["two"].title == "Two"
    assert providers_of("") == {}


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"name": "One"},
        {"name": "a/b"},
        {"name": "x" * 33},
        {"issuer": "http://id.example"},
        {"issuer": "https://id.example?tenant=1"},
        {"issuer": "https://id.example#x"},
        {"issuer": "https://user@id.example"},
        {"issuer": "id.example"},
        {"issuer": "http://127.0.0.1.evil.example"},
        {"client_id": ""},
        {"client_id": 5},
        {"redirect_uris": []},
        {"redirect_uris": "https://app.example/back"},
        {"redirect_uris": ["http://app.example/back"]},
        {"redirect_uris": ["https://app.example/back#x"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"scopes": ["email"]},
        {"email_domains": ["@example.com"]},
        {"email_domains": ["EXAMPLE.com"]},
        {"email_domains": ["com"]},
        {"client_secret": "…"},
    ],
    ids=str,
)
def test_provider_that_cannot_be_used_is_said_to_be_so(change: dict[str, object]) -> None:
    with pytest.raises(Unavailable) as caught:
        providers_of(json.dumps([{**GOOD, **change}]))
    assert caught.value.code == "not_configured"


@pytest.mark.parametrize("text", ["{", "5", "[5]", "{}x", '["a"]', "[[]]", '[{"name": "one"}]'])
def test_text_that_is_no_list_of_providers_is_said_to_be_so(text: str) -> None:
    with pytest.raises(Unavailable):
        providers_of(text)


@pytest.mark.parametrize("change", [{"issuer": "https://other.example"}, {"name": "two"}])
def test_two_of_one_name_or_one_issuer_are_not_told_apart(change: dict[str, object]) -> None:
    with pytest.raises(Unavailable):
        providers_of(json.dumps([GOOD, {**GOOD, **change}]))


@pytest.mark.parametrize(
    ("address", "own"),
    [
        *(("a@example.com", True), ("a@EXAMPLE.com", True), ("a@sub.example.com", False), ("a@example.org", False)),
        *(("a@example.com@evil.example", False), ("example.com", True), ("", False)),
    ],
)
def test_provider_speaks_for_addresses_of_its_domains(address: str, *, own: bool) -> None:
    provider = Provider("one", "https://id.example", "lambent", ("https://a.example/",), email_domains=("example.com",))
    assert provider.speaks_for(address) is own


def test_authorization_url_keeps_what_the_endpoint_asks_with() -> None:
    """The challenge is the one of RFC 7636, appendix B."""
    provider = Provider("one", "https://id.example", "a b&c", ("https://app.example/back?x=1",))
    url = authorization_url(
        "https://id.example/authorize?policy=p1",
        provider,
        redirect_uri="https://app.example/back?x=1",
        state="s",
        nonce="n",
        verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    )
    asked = parse_qs(urlsplit(url).query)
    assert asked["code_challenge"] == ["E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"]
    assert asked["policy"] == ["p1"]
    assert asked["client_id"] == ["a b&c"]
    assert asked["redirect_uri"] == ["https://app.example/back?x=1"]
