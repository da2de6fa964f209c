"""Metrics that tests look at."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.ports.meter import Unit


@dataclass(frozen=True, slots=True)
class Measured:
    """One recorded value."""

    name: str
    value: float
    unit: Unit
    dimensions: Mapping[str, str]


class MemoryMeter:
    """Implements `shared.ports.meter.Meter`; `written` keeps everything that was ever flushed."""

    def __init__(self) -> None:
        """An empty one."""
        self._recorded: list[Measured] = []
        self.written: list[Measured] = []

    def add(self, name: str, value: float, unit: Unit = Unit.COUNT, **dimensions: str) -> None:
        """See the port."""
        self._recorded.append(Measured(name, float(value), unit, dimensions))

    def flush(self) -> Mapping[str, object]:
        """See the port. Values by name, in the order they were recorded."""
        recorded, self._recorded = self._recorded, []
        self.written += recorded
        values: dict[str, list[float]] = {}
        for each in recorded:
            values.setdefault(each.name, []).append(each.value)
        return dict(values)
