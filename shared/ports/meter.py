"""Metrics."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol


class Unit(StrEnum):
    """What a value counts."""

    COUNT = "Count"
    MILLISECONDS = "Milliseconds"


class Meter(Protocol):
    """Counts and durations, written once per invocation."""

    def add(self, name: str, value: float, unit: Unit = Unit.COUNT, **dimensions: str) -> None:
        """Record one value under lower_snake_case `name`."""
        ...

    def flush(self) -> Mapping[str, object]:
        """Write what was recorded since the last flush and forget it; returns what was written."""
        ...
