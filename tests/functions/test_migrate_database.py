"""Set-up by name: migrations, and the first owner."""

import json

import pytest
from pydantic import ValidationError

from tests.functions.conftest import Lines
from tests.functions.gateway import example
from tests.functions.world import World


def test_migrate_runs_the_migrations(world: World) -> None:
    assert world.call("migrate_database", example("migrate_database", "migrate")) == {"before": "", "after": "0001"}
    assert world.migrations.runs == 1


def test_bootstrap_lets_the_first_owner_in(world: World) -> None:
    made = world.call("migrate_database", example("migrate_database", "bootstrap"))
    assert set(made) == {"tenant_id", "project_id", "api_key"}
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    listed = world.api("GET", "/api/v1/projects", headers=headers).json["items"]
    assert [(one["id"], one["name"]) for one in listed] == [(made["project_id"], "default")]
    assert world.api("POST", "/api/v1/collections", {"name": "x"}, headers=headers).status == 201


def test_bootstrap_makes_keys_nobody_can_guess(world: World) -> None:
    keys = {world.owner(f"tenant {number}").key for number in range(20)}
    assert len(keys) == 20
    assert all(key.startswith("lam_") and len(key) == 47 for key in keys)


def test_bootstrap_logs_no_key(world: World, log_lines: Lines) -> None:
    key = world.owner().key
    assert key.removeprefix("lam_") not in json.dumps(log_lines())


@pytest.mark.parametrize(
    "event",
    [
        example("migrate_database", "unknown_action"),
        {},
        {"action": "migrate", "more": 1},
        {"action": "bootstrap"},
        {"action": "bootstrap", "tenant": ""},
        {"action": "bootstrap", "tenant": "x", "permissions": ["*"]},
        {"Records": []},
    ],
)
def test_anything_else_is_refused(event: dict[str, object], world: World) -> None:
    with pytest.raises(ValidationError):
        world.call("migrate_database", event)
    assert world.migrations.runs == 0
