"""Server-sent events, read (HTML Living Standard, section 9.2)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `name` is 'message' when the stream names none."""

    name: str
    data: str


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Events of a stream given as lines without their ends.

    An event cut off by the end of the stream is dropped, as the standard says.
    """
    name, data = "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield Event(name or "message", "\n".join(data))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
