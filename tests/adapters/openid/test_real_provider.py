"""The whole way through a provider that others wrote: over HTTP, with its own pages, keys and tokens."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from shared import bootstrap
from shared.adapters.http.egress import HttpEgress
from shared.adapters.openid.issuers import OpenidIssuers
from shared.adapters.system.clock import SystemClock
from tests.functions.gateway import Answer
from tests.functions.world import World

BACK = "https://app.example.com/back"
SOMEBODY = {"email": "ada@example.com", "email_verified": True, "name": "Ada Lovelace"}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where it listens."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    from oidc_provider_mock import run_server_in_thread

    with run_server_in_thread(require_nonce=True) as server:
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    with made.active(), bootstrap.override(clock=SystemClock()):
        yield made


def registered(provider: str, **more: Any) -> dict[str, Any]:
    """A client of ours there, with a secret that is checked."""
    made = httpx.post(f"{provider}/oauth2/clients", json={"redirect_uris": [BACK], **more}, trust_env=False)
    found: dict[str, Any] = made.raise_for_status().json()
    return found


def issuers(provider: str, client_id: str, secret: str = "", *, loopback: bool = True) -> OpenidIssuers:
    configured = {
        "name": "real",
        "issuer": provider,
        "client_id": client_id,
        "redirect_uris": [BACK],
        "email_domains": ["example.com"],
    }
    return OpenidIssuers(json.dumps([configured]), lambda: json.dumps({"real": secret}), HttpEgress(loopback=loopback))


def begin(world: World) -> Answer:
    return world.api("POST", "/api/v1/auth/oidc/real/start", {"redirect_uri": BACK})


def consent(url: str, sub: str = "ada-1") -> dict[str, str]:
    """Somebody who fills in its form; returns what they come back with."""
    with httpx.Client(trust_env=False) as browser:
        assert browser.get(url).status_code == 200
        sent = browser.post(url, data={"sub": sub})
    assert sent.status_code == 302, sent.text
    back = urlsplit(sent.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    return dict(parse_qsl(back.query))


def finish(world: World, begun: Answer, back: dict[str, str]) -> Answer:
    return world.api("POST", "/api/v1/auth/oidc/real/callback", {**back, "binding": begun.json["binding"]})


def told(provider: str, sub: str, claims: dict[str, Any]) -> None:
    httpx.put(f"{provider}/users/{sub}", json=claims, trust_env=False).raise_for_status()


@pytest.mark.parametrize("method", ["client_secret_basic", "none"])
def test_sign_in_through_a_real_provider(world: World, provider: str, method: str) -> None:
    told(provider, "ada-1", SOMEBODY)
    client = registered(provider, token_endpoint_auth_method=method)
    with bootstrap.override(issuers=issuers(provider, client["client_id"], client.get("client_secret", ""))):
        begun = begin(world)
        back = consent(begun.json["authorization_url"])
        assert back["state"] == begun.json["state"]
        signed = finish(world, begun, back)
        assert signed.status == 200, signed.body
        headers = {"Authorization": f"Bearer {signed.json['access_token']}"}
        me = world.api("GET", "/api/v1/users/me", headers=headers).json
        assert (me["email"], me["name"]) == (SOMEBODY["email"], SOMEBODY["name"])
        assert finish(world, begun, back).code == "invalid_state"
        other = begin(world)
        assert finish(world, other, {**back, "state": other.json["state"]}).code == "code_refused"


def test_sign_in_with_a_secret_that_it_does_not_know(world: World, provider: str) -> None:
    client = registered(provider)
    with bootstrap.override(issuers=issuers(provider, client["client_id"], "another secret")):
        begun = begin(world)
        answer = finish(world, begun, consent(begun.json["authorization_url"]))
        assert (answer.status, answer.code) == (503, "issuer_failed")


def test_sign_in_of_somebody_whose_address_it_has_not_proven(world: World, provider: str) -> None:
    client = registered(provider)
    with bootstrap.override(issuers=issuers(provider, client["client_id"], client["client_secret"])):
        begun = begin(world)
        # Of whom it knows nothing it says an address, and not that it is proven.
        answer = finish(world, begun, consent(begun.json["authorization_url"], "eve@example.com"))
        assert (answer.status, answer.code) == (403, "email_not_verified")


def test_provider_on_this_machine_is_for_local_use(world: World, provider: str) -> None:
    with bootstrap.override(issuers=issuers(provider, "lambent", loopback=False)):
        answer = begin(world)
        assert (answer.status, answer.code) == (503, "issuer_unusable")
