"""Server-sent events, read (HTML Living Standard, section 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `name` is 'message' when the stream names none."""

    name: str
    data: str
    id: str = ""
    """Of the last event that had one: what a reader that comes back has seen."""


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Events of a stream given as lines without their ends.

    An event cut off by the end of the stream is dropped, as the standard says.
    """
    name, data, last = "", list[str](), ""
    for line in lines:
        if not line:
            if data:
                yield Event(name or "message", "\n".join(data), last)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            last = value
