"""Generated calls against the API's description; more of them by `python -m tests.schemas --calls 200000`."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis

from shared.adapters.postgres.store import PgStore
from shared.runtime.openapi import merged
from tests.fixtures.postgres import PostgresUrls
from tests.functions.requests import Things
from tests.functions.world import World
from tests.schemas.calling import Tally, answered, call_all, deployment, report

SEED = 7
CALLS = 5_000


@pytest.fixture
def deployed(database: PostgresUrls) -> Iterator[tuple[World, Things]]:
    """A deployment on PostgreSQL."""
    with deployment(PgStore(database.app)) as found:
        yield found


@pytest.mark.slow
def test_generated_calls_break_nothing_and_are_answered_as_described(deployed: tuple[World, Things]) -> None:
    tally = call_all(*deployed, calls=CALLS, seed=SEED)
    assert (tally.crashes, tally.breaks) == ([], []), report(tally, SEED)
    assert tally.calls >= CALLS * 0.9
    # They get somewhere: what is asked for exists, is made, and is refused for a reason.
    assert tally.statuses[200] > CALLS * 0.1
    assert {201, 202, 204, 401, 404, 409, 422} <= set(tally.statuses)
    assert tally.shut_out == 0


@pytest.mark.parametrize(
    ("status", "media_type", "body", "found"),
    [
        (200, "application/json", '{"status": "alive"}', (False, False)),
        (500, "application/problem+json", "{}", (True, False)),
        (200, "application/json", '{"status": 3}', (False, True)),
        (200, "text/html", '{"status": "alive"}', (False, True)),
        (418, "application/json", "{}", (False, True)),
    ],
)
def test_answered_with_planted_faults_finds_them(
    status: int, media_type: str, body: str, found: tuple[bool, bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object) -> dict[str, Any]:
        return {"statusCode": status, "headers": {"content-type": media_type}, "body": body}

    operation = schemathesis.openapi.from_dict(merged())["/api/v1/health/live"]["GET"]
    monkeypatch.setattr(World, "call", answer)
    tally = Tally()
    answered(operation.Case(), World(), None, tally)
    assert (bool(tally.crashes), bool(tally.breaks)) == found
