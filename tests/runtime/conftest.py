"""A process without anything outside it."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared import bootstrap
from shared.adapters.memory.clock import ManualClock, SequenceIds
from shared.adapters.memory.meter import MemoryMeter


@pytest.fixture
def meter() -> MemoryMeter:
    return MemoryMeter()


@pytest.fixture(autouse=True)
def powers(meter: MemoryMeter) -> Iterator[None]:
    """Time, identifiers and metrics in memory for every test of this folder."""
    clock = ManualClock()
    with bootstrap.override(clock=clock, ids=SequenceIds(1, clock), meter=meter):
        yield


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    """The lines logged since the last look, each of which must be JSON."""

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines
