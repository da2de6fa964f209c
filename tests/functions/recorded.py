"""The examples in the API's description: what the routes really answer to the valid requests of `requests.PROBES`.

`uv run python -m tests.functions.recorded` writes shared/runtime/examples/<area>.json anew; `test_recorded.py` holds
them equal to what the API answers.
"""

import json
import re
from collections.abc import Iterable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from shared.runtime.openapi import EXAMPLES
from shared.runtime.routes import ROUTES, area_of
from tests.functions.gateway import Answer, example
from tests.functions.people import CASES, seed
from tests.functions.requests import OF_PEOPLE, Route, make_things, probe
from tests.functions.world import World

ROLLBACK = ("POST", "/api/v1/reindexes/{reindex_id}/rollback")
DESCRIPTION = {"/api/v1/openapi.json", "/api/v1/docs", "/api/v1/docs/redoc.js"}
"""Whose answers are the description itself: an example of it is the whole of it."""


def record(route: Route) -> dict[str, Any]:
    """Request and response of one route, in a world of its own."""
    if route in OF_PEOPLE:
        return record_event(*CASES[route])
    world = World()
    with world.active():
        things = make_things(world, "Acme")
        method, path, body, query = probe(route, things, things.client)
        if route == ROLLBACK:
            started = things.client.post("/reindexes", {"collection_id": things.collection_id})
            path = path.replace(things.collection_id, started.json["id"])
        answer = things.client(method, path, body, query=query)
        assert answer.status < 400, answer.body
    found: dict[str, Any] = {} if body is None else {"request": body}
    return {**found, "status": answer.status, "response": _response(answer)}


def record_event(area: str, case: str) -> dict[str, Any]:
    """The same, of a route whose valid request is the one in events/."""
    world, event = World(), example(area, case)
    with world.active():
        seed(world)
        answer = Answer.of(world.call(area, event))
        assert answer.status < 400, answer.body
    found: dict[str, Any] = {} if event["body"] is None else {"request": json.loads(event["body"])}
    return {**found, "status": answer.status, "response": _response(answer)}


def described(routes: Iterable[Route] = ROUTES) -> Mapping[str, Mapping[str, Any]]:
    """By area, then by route as `METHOD path`."""
    areas: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route[1] not in DESCRIPTION:
            areas.setdefault(area_of(route[1]), {})[" ".join(route)] = record(route)
    return areas


def written(examples: Mapping[str, Any]) -> str:
    """As it stands in the file."""
    return json.dumps(examples, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def file_of(area: str) -> Path:
    """Where the examples of an area are kept."""
    return EXAMPLES / f"{area}.json"


def _response(answer: Answer) -> Any:
    if answer.headers.get("content-type") != "application/json":
        return answer.body or None
    # What looks like a key is found by those who look for keys that got out.
    return json.loads(re.sub(r"(lam_[A-Za-z0-9_-]{6})[A-Za-z0-9_-]{37}", r"\1…", answer.body))


if __name__ == "__main__":
    with redirect_stdout(StringIO()):
        recorded = described()
    for area, examples in recorded.items():
        EXAMPLES.mkdir(exist_ok=True)
        file_of(area).write_text(written(examples), encoding="utf-8")
