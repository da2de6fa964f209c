"""Nobody gets at what is not theirs; 100,000 probes by `python -m tests.isolation --probes 100000`."""

from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, cast

import pytest

from shared.runtime.routes import PUBLIC, ROUTES, Access
from tests.isolation.asking import example_of
from tests.isolation.attackers import ATTACKERS, Crowds
from tests.isolation.cells import cells
from tests.isolation.positions import Operation, Place, Undescribed, operations, positions_of
from tests.isolation.probing import Campaign, report
from tests.isolation.town import Town
from tests.schemas.__main__ import Nowhere

SEED = 1
PROBES = 5_000
OPEN = {
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/docs"),
    ("GET", "/api/v1/docs/redoc.js"),
    ("POST", "/api/v1/auth/register"),
    ("POST", "/api/v1/auth/verify"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("GET", "/api/v1/auth/providers"),
    ("POST", "/api/v1/auth/oidc/{provider}/start"),
    ("POST", "/api/v1/auth/oidc/{provider}/callback"),
    ("POST", "/api/v1/auth/password/forgot"),
    ("POST", "/api/v1/auth/password/reset"),
    ("GET", "/api/v1/health/live"),
    ("GET", "/api/v1/health"),
    ("GET", "/api/v1/receipts/key"),
}
"""What strangers may ask, each of which was thought about: nothing here names anything that is somebody's."""


@pytest.mark.slow
def test_probes_of_every_route_get_nowhere_and_change_nothing(town: Town, crowds: Crowds) -> None:
    with redirect_stdout(Nowhere()):
        tally = Campaign(town, crowds, SEED).run(PROBES)
    assert not tally.leaks, report(tally, SEED)
    assert not tally.unfit, report(tally, SEED)
    assert tally.changes == 0
    assert tally.cells == {str(cell) for cell in cells()}, "each was probed at least once"
    assert {401, 403, 404} <= set(tally.statuses)


def test_cells_leave_out_no_route_no_attacker_and_no_id() -> None:
    probed = cells()
    assert {cell.operation.route for cell in probed} == {
        route for route, needed in ROUTES.items() if needed is not PUBLIC
    }
    assert {cell.attacker.name for cell in probed} == {attacker.name for attacker in ATTACKERS}
    named = {(cell.operation.route, cell.at) for cell in probed if cell.attacker.name == "other tenant's user"}
    for route, operation in operations().items():
        assert {at for of, at in named if of == route} >= (
            set(operation.positions) if ROUTES[route] is not PUBLIC else set()
        )
    assert {cell.at.place for cell in probed if cell.at is not None} == set(Place)


def test_routes_open_to_strangers_are_these_and_name_nothing() -> None:
    assert {route for route, needed in ROUTES.items() if needed is PUBLIC} == OPEN
    assert [operation for route, operation in operations().items() if route in OPEN and operation.positions] == []


def test_description_with_a_field_that_nobody_thought_of_is_an_error() -> None:
    content = {"schema": {"type": "object", "properties": {"sponsor": {"type": "string"}}}}
    with pytest.raises(Undescribed, match="body sponsor: say in tests/isolation/positions"):
        list(positions_of("/things", {}, content, {}))
    header = {"parameters": [{"in": "header", "name": "X-Tenant", "schema": {"type": "string"}}]}
    with pytest.raises(Undescribed, match="the header X-Tenant"):
        list(positions_of("/things", header, {}, {}))


def test_ids_are_found_wherever_they_are_nested() -> None:
    id = {"type": "string", "format": "uuid"}
    entry = {
        "type": "object",
        "properties": {"files": {"type": "array", "items": {"$ref": "#/components/schemas/File"}}},
    }
    schemas = {"File": {"properties": {"document_id": {"anyOf": [id, {"type": "null"}]}}}}
    content = {"schema": {"type": "array", "items": entry}}
    assert [str(at) for at in positions_of("/things", {}, content, schemas)] == ["body [].files.[].document_id"]


@pytest.mark.parametrize("area", ["things", "auth"])
def test_route_without_an_example_is_an_error(area: str, monkeypatch: pytest.MonkeyPatch) -> None:
    route = ("POST", f"/api/v1/{area}")
    monkeypatch.setitem(cast(Any, ROUTES), route, Access.SIGNED_IN)
    with pytest.raises(Undescribed, match=f"POST /api/v1/{area} has no example: add its valid request to"):
        example_of(Operation(route, (), None))


def test_there_is_no_other_door_for_ids_yet() -> None:
    """WebSocket frames name things as well: whoever makes that door has them probed here."""
    functions: Sequence[str] = [path.parent.name for path in Path("functions").glob("*/app.py")]
    assert "realtime" not in functions
    assert "WEBSOCKET" not in Path("template.yaml").read_text("utf-8").upper()
