"""The house keeps its own rules."""

import pytest

from tests.house import doors, floors, rooms
from tests.house.repository import ROOT, functions, tracked

DOOR_RULES = [doors.sizes, doors.operations, doors.plain, doors.known_imports, doors.handlers, doors.one_name]
ROOM_RULES = [
    rooms.root_entries,
    rooms.names,
    rooms.environment,
    rooms.lengths,
    rooms.docstrings,
    rooms.registries,
    rooms.machine_paths,
    rooms.secrets,
    rooms.unfinished,
    rooms.itself,
]


@pytest.mark.parametrize("rule", [*DOOR_RULES, *ROOM_RULES], ids=lambda rule: rule.__name__)
def test_repository_keeps_rule(rule: doors.Rule) -> None:
    assert rule(ROOT) == []


def test_tracked_files_are_seen_at_all() -> None:
    assert len(tracked()) > 150
    assert len(functions()) == 26


@pytest.mark.parametrize("place", sorted(floors.pins(ROOT)))
def test_pins_of_every_lock_are_safe_versions(place: str) -> None:
    pinned = floors.pins(ROOT)[place]
    assert pinned
    assert floors.too_old(pinned) == []


def test_pins_of_pyproject_cover_what_is_installed() -> None:
    from importlib.metadata import version

    pinned = floors.pins(ROOT)["pyproject.toml"]
    assert {name: version(name) for name in ("starlette", "litellm", "fastapi")} == {
        name: pinned[name] for name in ("starlette", "litellm", "fastapi")
    }
