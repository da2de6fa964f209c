"""How often callers may ask: through the doors."""

from collections.abc import Iterator

import pytest

from shared import bootstrap
from shared.domain.rates import Limit, Part
from shared.runtime import rates
from shared.runtime.routes import ROUTES
from tests.functions.gateway import Answer
from tests.functions.gateway import request as event
from tests.functions.requests import SCOPED, make_things, probe
from tests.functions.world import Client, World

LIST = ("GET", "/api/v1/collections")


@pytest.fixture
def few(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Of everything little."""
    limits = {Part.ADDRESS: Limit(6, 60), Part.PRINCIPAL: Limit(3, 60), Part.TENANT: Limit(4, 60)}
    monkeypatch.setattr(rates, "KINDS", dict.fromkeys(rates.KINDS, limits))
    with bootstrap.override(rate_factor=1.0):
        yield


def test_kinds_are_of_routes_that_exist_and_each_is_limited() -> None:
    assert rates.KIND_OF.keys() <= ROUTES.keys()
    assert set(rates.KIND_OF.values()) <= rates.KINDS.keys()
    for route in ROUTES:
        assert Part.ADDRESS in rates.KINDS[rates.kind_of(*route)]


def test_kinds_that_make_or_destroy_are_stricter_than_ordinary_ones() -> None:
    for part in Part:
        ordinary = rates.KINDS["write"][part]
        for kind in ("ask", "grave"):
            assert rates.KINDS[kind][part].requests < ordinary.requests
    for kind in ("sign_in", "register", "reset"):
        assert rates.KINDS[kind][Part.ADDRESS].requests <= 20


def test_answer_says_where_the_caller_is(api_client: Client) -> None:
    with bootstrap.override(rate_factor=1.0):
        answer = api_client.get("/collections")
    assert answer.headers["ratelimit-policy"] == '"address";q=3000;w=60, "principal";q=1500;w=60, "tenant";q=6000;w=60'
    assert answer.headers["ratelimit"] == '"principal";r=1499;t=60'


@pytest.mark.usefixtures("few")
def test_request_over_the_limit_is_a_problem_with_a_wait(world: World, api_client: Client) -> None:
    assert [api_client.get("/collections").status for _ in range(4)] == [200, 200, 200, 429]
    refused = api_client.get("/collections")
    assert (refused.code, refused.headers["ratelimit"]) == ("rate_limited", '"principal";r=0;t=60')
    assert "this credential" in refused.json["detail"]
    world.clock.advance(float(refused.headers["retry-after"]))
    assert api_client.get("/collections").status == 200
    assert api_client.get("/collections").status == 429


@pytest.mark.usefixtures("few")
def test_key_at_its_limit_leaves_the_tenants_others_alone(world: World, api_client: Client) -> None:
    other = world.key(api_client)
    for _ in range(9):
        api_client.get("/collections")
    assert [other.get("/collections").status for _ in range(2)] == [200, 429]
    stranger = world.owner("Other")
    assert [stranger.get("/collections").status for _ in range(3)] == [200, 200, 429]


@pytest.mark.usefixtures("few")
def test_guessing_keys_is_limited_by_address(world: World) -> None:
    def guess(number: int) -> int:
        key = f"lam_{number:043d}"
        return world.api(*LIST, headers={"Authorization": f"Bearer {key}"}).status

    assert [guess(number) for number in range(8)] == [401] * 6 + [429] * 2


@pytest.mark.usefixtures("few")
def test_failed_requests_are_counted(world: World, api_client: Client) -> None:
    assert [api_client.get("/collections", cursor="nonsense").status for _ in range(4)] == [422, 422, 422, 429]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"])
def test_address_is_what_the_gateway_saw(header: str, world: World) -> None:
    statuses = []
    for number in range(7):
        sent = event(*LIST, headers={header: f"203.0.113.{number}", "Authorization": f"Bearer lam_{number:043d}"})
        statuses.append(Answer.of(world.call("collections", sent)).status)
    assert statuses[-1] == 429


@pytest.mark.usefixtures("few")
def test_addresses_of_one_ipv6_network_are_one(world: World) -> None:
    def guess(number: int, network: int) -> int:
        sent = event(*LIST, headers={"Authorization": f"Bearer lam_{number:043d}"})
        sent["requestContext"]["identity"]["sourceIp"] = f"2001:db8:0:{network}::{number:x}"
        return Answer.of(world.call("collections", sent)).status

    assert [guess(number, 1) for number in range(8)] == [401] * 6 + [429] * 2
    assert guess(9, 2) == 401


def test_every_route_behind_a_credential_is_counted(world: World) -> None:
    things = make_things(world, "Acme")
    for route in SCOPED:
        if route[0] == "DELETE":
            continue
        answer = things.client(*probe(route, things, things.client)[:3], query=probe(route, things, things.client)[3])
        assert answer.headers.get("ratelimit"), route
