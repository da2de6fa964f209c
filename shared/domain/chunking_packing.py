"""Putting units together to pieces: as full as they may be, ending where a reader would pause."""

from collections.abc import Iterator, Sequence

from shared.domain.chunking_tokens import TokenMeter
from shared.domain.chunking_units import Cut, Unit
from shared.domain.extracted import BlockKind

_LEAST_FILL = 0.5
"""A full piece ends at the best place behind this share of its size."""
_SMALL = 0.3
"""Less than this share of the size is too little for a piece, if what follows is deeper in the same section."""

type Run = Sequence[Unit]
"""Neighbouring units that make one piece."""


def packed(units: Sequence[Unit], meter: TokenMeter, room: int) -> Iterator[Run]:
    """Runs of units of at most `room` tokens each, all units in order.

    A heading begins a new run, unless all there is before it is headings or a little text of a higher level. A run
    that is full ends before a heading, a block, an empty line, a sentence or a word, in that order of preference;
    among equals at the place that makes the runs of its section most alike in size.
    """
    ends = _section_ends(units)
    start = 0
    while start < len(units):
        stop, full = _stop(units, start, meter, room)
        if full:
            stop = _best(units, start, stop, meter, _target(units, start, ends[start], meter, room), room)
        yield units[start:stop]
        start = stop


def _section_ends(units: Sequence[Unit]) -> list[int]:
    """For each unit, the index of the next heading behind some text."""
    ends = [len(units)] * len(units)
    for index in range(len(units) - 2, -1, -1):
        begins = units[index + 1].cut is Cut.HEADING and units[index].kind is not BlockKind.HEADING
        ends[index] = index + 1 if begins else ends[index + 1]
    return ends


def _stop(units: Sequence[Unit], start: int, meter: TokenMeter, room: int) -> tuple[int, bool]:
    """The first unit that does not belong to the run from `start`, and whether it is for want of room."""
    only_headings = True
    level = units[start].level
    for index in range(start, len(units)):
        unit = units[index]
        if index > start:
            if unit.cut is Cut.HEADING and not only_headings:
                small = meter.tokens(units[start].start, units[index - 1].end) < _SMALL * room
                if not (small and unit.level > level):
                    return index, False
            if meter.tokens(units[start].start, unit.end) > room:
                return index, True
        only_headings = only_headings and unit.kind is BlockKind.HEADING
    return len(units), False


def _target(units: Sequence[Unit], start: int, end: int, meter: TokenMeter, room: int) -> float:
    """The size at which all pieces of the section would be alike."""
    total = meter.tokens(units[start].start, units[end - 1].end)
    return total / max(-(-total // room), 1)


def _best(units: Sequence[Unit], start: int, stop: int, meter: TokenMeter, target: float, room: int) -> int:
    """Where to end a run that could reach up to `stop`."""

    def merit(index: int) -> tuple[int, float]:
        return units[index].cut, -abs(meter.tokens(units[start].start, units[index - 1].end) - target)

    places = [
        index
        for index in range(start + 1, stop + 1)
        # A heading stays with what it is the heading of.
        if units[index - 1].kind is not BlockKind.HEADING
        and meter.tokens(units[start].start, units[index - 1].end) >= _LEAST_FILL * room
    ]
    return max(places, key=merit, default=stop)
