"""What every meter must do: in memory and by Powertools alike."""

import pytest

from shared.adapters.memory.meter import MemoryMeter
from shared.adapters.powertools.meter import PowertoolsMeter
from shared.ports.meter import Meter, Unit


@pytest.fixture(params=["memory", "powertools"])
def meter(request: pytest.FixtureRequest) -> Meter:
    return MemoryMeter() if request.param == "memory" else PowertoolsMeter("test")


def test_flush_gives_values_by_name_and_forgets_them(meter: Meter) -> None:
    meter.add("documents_indexed", 1)
    meter.add("search_ms", 12.5, Unit.MILLISECONDS)
    meter.add("search_ms", 7, Unit.MILLISECONDS)
    assert meter.flush() == {"documents_indexed": [1.0], "search_ms": [12.5, 7.0]}
    assert meter.flush() == {}


def test_flush_with_several_dimensions_keeps_every_value(meter: Meter) -> None:
    meter.add("stage_ms", 1, Unit.MILLISECONDS, stage="chunk")
    meter.add("stage_ms", 2, Unit.MILLISECONDS, stage="embed")
    meter.add("stage_ms", 3, Unit.MILLISECONDS)
    assert meter.flush() == {"stage_ms": [1.0, 2.0, 3.0]}


def test_add_many_values_keeps_all(meter: Meter) -> None:
    for value in range(250):
        meter.add("search_ms", value, Unit.MILLISECONDS)
    assert meter.flush() == {"search_ms": [float(value) for value in range(250)]}
