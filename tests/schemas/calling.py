"""Generated calls of every operation of the API's description, each answer held against what the description says.

schemathesis makes the calls, fitting the description and not; half of them name things that exist. They go through the
functions' own handlers as API Gateway would send them, with PostgreSQL behind.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core import NotSet
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared import bootstrap
from shared.adapters.postgres.revision import HEAD
from shared.adapters.postgres.store import PgStore
from shared.runtime.invocation import run
from shared.runtime.openapi import merged
from shared.runtime.routes import area_of
from tests.functions.gateway import request
from tests.functions.requests import Things, make_things
from tests.functions.world import World

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
WAYS = (
    (GenerationMode.POSITIVE, True, 0.5),
    (GenerationMode.NEGATIVE, True, 0.3),
    (GenerationMode.POSITIVE, False, 0.1),
    (GenerationMode.NEGATIVE, False, 0.1),
)
"""Fitting the description or not, with the key or without, and how much of all."""
LAST = {"delete": 1}
"""What takes things away comes when all else was asked of them."""
QUIET = {"get": "/api/v1/openapi.json"}
"""The description itself is a third of a megabyte, and the same whatever is sent."""


@dataclass
class Tally:
    """What came of it."""

    calls: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)
    shut_out: int = 0
    """Calls with the key that were answered as if there were none."""
    seconds: float = 0.0


@contextmanager
def deployment(store: PgStore) -> Iterator[tuple[World, Things]]:
    """Every function on a database, with a tenant that has one of each thing."""
    world = World()
    with world.active(), bootstrap.override(store=store, revision=HEAD):
        try:
            yield world, make_things(world, "Acme")
        finally:
            run(store.close())


def call_all(world: World, things: Things, *, calls: int, seed: int) -> Tally:
    """So many calls, as many of each operation."""
    found = schemathesis.openapi.from_dict(merged()).get_all_operations()
    operations = [one.ok() for one in found if isinstance(one, Ok)]
    operations = [one for one in operations if QUIET.get(one.method) != one.path]
    operations.sort(key=lambda one: LAST.get(one.method, 0))
    tally, began = Tally(), time.perf_counter()
    for number, operation in enumerate(operations):
        share = (calls - tally.calls) / (len(operations) - number)
        for mode, with_key, part in WAYS:
            most = max(1, round(share * part))
            _some(operation.as_strategy(generation_mode=mode), world, things, tally, most, seed, with_key=with_key)
    tally.seconds = time.perf_counter() - began
    return tally


def _some(
    cases: st.SearchStrategy[Case[Any]],
    world: World,
    things: Things,
    tally: Tally,
    most: int,
    seed: int,
    *,
    with_key: bool,
) -> None:
    known = ids_of(things)

    @seeded(seed)
    @settings(
        max_examples=most,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, real=st.booleans())
    def one(case: Case[Any], real: bool) -> None:
        if tally.calls >= ceiling:
            return
        if real:
            naming(case, known)
        answered(case, world, things.client.key if with_key else None, tally)

    ceiling = tally.calls + most
    # An operation that takes nothing has no call that does not fit.
    with suppress(Unsatisfiable):
        one()


def ids_of(things: Things) -> Mapping[str, str]:
    """Things that exist, by what a parameter or field calls them."""
    return {
        "project_id": things.project_id,
        "org_id": str(things.client.tenant_id),
        **{name: getattr(things, name) for name in vars(type(things))["__slots__"] if name.endswith("_id")},
        "reindex_id": things.collection_id,
    }


def naming(case: Case[Any], known: Mapping[str, str]) -> None:
    """Let a call name what exists."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: known[name] for name in part if name in known})


def answered(case: Case[Any], world: World, key: str | None, tally: Tally) -> None:
    """Send one call and hold its answer against the description."""
    path = case.formatted_path
    event = event_of(case, path, key)
    returned = world.call(area_of(path), event)
    tally.calls += 1
    tally.statuses[returned["statusCode"]] += 1
    tally.shut_out += key is not None and '"code": "unauthenticated"' in returned["body"]
    headers = {name.lower(): [value] for name, value in returned["headers"].items()}
    sent = requests.Request(case.method, f"https://api.example.com{path}").prepare()
    response = Response(returned["statusCode"], headers, returned["body"].encode(), sent, 0.0, verify=True)
    told = f"{event['httpMethod']} {event['path']} {event['queryStringParameters']} {event['body']!r}: "
    told += f"{returned['statusCode']} {returned['body'][:300]}"
    if returned["statusCode"] >= 500:
        tally.crashes.append(told)
        return
    try:
        case.validate_response(response, checks=CHECKS)
    except FailureGroup as group:
        tally.breaks += [f"{told}\n  {failure}" for failure in group.exceptions]


def event_of(case: Case[Any], path: str, key: str | None) -> dict[str, Any]:
    """The call as API Gateway hands it over."""
    headers = {name: str(value) for name, value in (case.headers or {}).items() if name.lower() != "authorization"}
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    body = None if isinstance(case.body, NotSet) else case.body
    if isinstance(body, bytes):
        body = body.decode("utf-8", "replace")
    elif body is not None:
        body = json.dumps(body)
    query = {name: _written(value) for name, value in (case.query or {}).items()}
    return {**request(case.method.upper(), "", body, query=query, headers=headers), "path": unquote(path)}


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def report(tally: Tally, seed: int) -> str:
    """In lines."""
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(tally.statuses.items()))
    lines = [
        f"{tally.calls} calls with seed {seed} in {tally.seconds:.1f} s ({tally.calls / tally.seconds:.0f}/s)",
        f"{len(tally.crashes)} answers 5xx, {len(tally.breaks)} breaks of the description; {statuses}",
        f"{tally.shut_out} calls with the key were not let in",
    ]
    return "\n".join([*lines, *sorted(set(tally.crashes))[:20], *sorted(set(tally.breaks))[:20]])
