"""Whatever is sent, nothing crashes: generated bodies, queries and paths get an answer of the caller's own fault."""

import json
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.runtime.routes import ROUTES
from tests.functions.requests import PROBES, SCOPED, WITH_BODY, Route, Things, make_things, probe
from tests.functions.world import World

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))

texts = st.text(max_size=12) | st.sampled_from(
    ["\0", "\ud800", "a" * 5000, "' OR 1=1 --", "{0}%s", "../..", "null", "💥"]
)
numbers = st.integers() | st.integers(-(10**40), 10**40) | st.floats()
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=8,
)
query_values = texts.filter(lambda text: text.isprintable()) | numbers.map(str)


@cache
def town() -> tuple[World, Things]:
    """Made once; what the fuzz makes or deletes in it does not matter."""
    world = World()
    with world.active():
        return world, make_things(world, "Fuzz")


def answered(method: str, path: str, body: Any, query: dict[str, str] | None = None) -> None:
    world, things = town()
    with world.active():
        answer = things.client(method, path, body, query=query)
    assert answer.status < 500, (answer.body, body, query)
    if answer.status >= 400:
        assert answer.code


@pytest.mark.parametrize("route", WITH_BODY, ids=" ".join)
@QUICK
@given(data=st.data())
def test_body_with_one_field_replaced_is_answered(route: Route, data: st.DataObject) -> None:
    method, path, body, query = probe(route, town()[1], town()[1].client)
    optional = {"tags", "metadata", "filter", "chunking", "language", "limit", "vector_weight", "title", "path", "size"}
    field = data.draw(st.sampled_from(sorted({*body, *optional})))
    answered(method, path, {**body, field: data.draw(values)}, dict(query))


@pytest.mark.parametrize("route", WITH_BODY, ids=" ".join)
@QUICK
@given(
    body=values.filter(lambda value: not isinstance(value, str)) | st.text(st.characters(codec="utf-8"), max_size=20)
)
def test_body_of_anything_is_answered(route: Route, body: Any) -> None:
    method, path, _, query = probe(route, town()[1], town()[1].client)
    answered(method, path, body if isinstance(body, str) else json.dumps(body), dict(query))


@pytest.mark.parametrize("route", [route for route in SCOPED if route[0] == "GET"], ids=" ".join)
@QUICK
@given(query=st.dictionaries(
    st.sampled_from(["limit", "cursor", "filter", "status", "collection_id", "start", "end", "version", "first", "x"]),
    query_values,
    max_size=3,
))  # fmt: skip
def test_query_of_anything_is_answered(route: Route, query: dict[str, str]) -> None:
    method, path, body, _ = probe(route, town()[1], town()[1].client)
    answered(method, path, body, query)


@QUICK
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "FETCH"]),
    area=st.sampled_from(sorted({path.split("/")[3] for _, path in ROUTES})),
    rest=st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=40),
)
def test_path_of_anything_is_answered(method: str, area: str, rest: str) -> None:
    answered(method, f"/{area}/{rest}", None)


@QUICK
@given(value=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=60))
def test_headers_of_anything_are_answered(value: str) -> None:
    world, things = town()
    for name in ("Authorization", "Lambent-Project", "Content-Type", "Host", "X-Forwarded-Port", "Origin", "Cookie"):
        with world.active():
            answer = things.client("GET", "/collections", headers={name: value})
        assert answer.status < 500, (name, value, answer.body)


def test_probes_are_the_routes_fuzzed() -> None:
    assert set(SCOPED) < PROBES.keys()
