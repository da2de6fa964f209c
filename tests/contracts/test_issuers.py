"""Providers that vouch for users, in every adapter: a code is good once, for whoever asked for it, where they asked."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from shared.adapters.memory.clock import ManualClock
from shared.adapters.memory.issuers import MemoryIssuers
from shared.adapters.openid.issuers import OpenidIssuers
from shared.domain.errors import Unauthenticated, Unavailable
from shared.domain.openid import Provider, authorization_url, read_claims
from shared.ports.issuers import Issuers
from tests.fixtures.openid_issuer import Issuer, Outside

BACK = "https://app.example/back"
PROVIDER = Provider("one", "https://id.example", "lambent", (BACK,))
CLOCK = ManualClock()


@dataclass
class Party:
    """A provider, and somebody who signs in there."""

    issuers: Issuers
    visit: Callable[[str], str]
    """Follows an address; returns the code."""
    fail: Callable[[], None]
    tell: Callable[[], None]
    """Say from now on who it is when it sends people back."""


def memory() -> Party:
    issuers = MemoryIssuers({"one": PROVIDER})
    times = {"iat": CLOCK.now().timestamp(), "exp": CLOCK.now().timestamp() + 60}

    def visit(url: str) -> str:
        return issuers.visit(PROVIDER, url, "code", sub="ada-1", **times)["code"]

    def fail() -> None:
        issuers.down = True

    def tell() -> None:
        issuers.names_itself = True

    return Party(issuers, visit, fail, tell)


def openid() -> Party:
    issuer = Issuer(CLOCK)
    fields = {"name": "one", "issuer": issuer.url, "client_id": issuer.client_id, "redirect_uris": [BACK]}
    issuers = OpenidIssuers(json.dumps([fields]), lambda: json.dumps({"one": issuer.secret}), Outside([issuer]))

    def fail() -> None:
        issuer.status = dict.fromkeys(("/.well-known/openid-configuration", "/token"), 500)

    def tell() -> None:
        issuer.description = {"authorization_response_iss_parameter_supported": True}

    return Party(issuers, lambda url: str(issuer.visit(url)["code"]), fail, tell)


@pytest.fixture(params=[memory, openid], ids=lambda one: one.__name__)
def party(request: pytest.FixtureRequest) -> Party:
    made: Party = request.param()
    return made


async def code_of(party: Party, verifier: str = "verifier") -> str:
    endpoints = await party.issuers.endpoints(PROVIDER)
    asked: dict[str, Any] = {"redirect_uri": BACK, "state": "state", "nonce": "nonce", "verifier": verifier}
    return party.visit(authorization_url(endpoints.authorization, PROVIDER, **asked))


def test_providers_are_known_by_name(party: Party) -> None:
    assert party.issuers.providers == {"one": PROVIDER}


async def test_code_is_exchanged_for_what_the_provider_says(party: Party) -> None:
    code = await code_of(party)
    redeemed = await party.issuers.redeem(PROVIDER, code, verifier="verifier", redirect_uri=BACK)
    assert read_claims(PROVIDER, redeemed, nonce="nonce", now=CLOCK.now()).subject == "ada-1"


@pytest.mark.parametrize(
    "wrong", [{"code": "other"}, {"verifier": "other"}, {"redirect_uri": "https://app.example/other"}]
)
async def test_code_with_something_else_is_refused(party: Party, wrong: dict[str, str]) -> None:
    given = {"code": await code_of(party), "verifier": "verifier", "redirect_uri": BACK, **wrong}
    with pytest.raises(Unauthenticated) as caught:
        await party.issuers.redeem(PROVIDER, **given)
    assert caught.value.code == "code_refused"


async def test_code_is_good_once(party: Party) -> None:
    code = await code_of(party)
    await party.issuers.redeem(PROVIDER, code, verifier="verifier", redirect_uri=BACK)
    with pytest.raises(Unauthenticated):
        await party.issuers.redeem(PROVIDER, code, verifier="verifier", redirect_uri=BACK)


async def test_provider_that_says_who_it_is_is_known_to(party: Party) -> None:
    party.tell()
    assert (await party.issuers.endpoints(PROVIDER)).names_itself


async def test_provider_that_is_down_is_unavailable(party: Party) -> None:
    code = await code_of(party)
    party.fail()
    with pytest.raises(Unavailable):
        await party.issuers.redeem(PROVIDER, code, verifier="verifier", redirect_uri=BACK)
