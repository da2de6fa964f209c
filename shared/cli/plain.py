"""Values as a person reads them."""

import shlex
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

# What changes the direction of text (UAX #9): in a name from elsewhere it could make one file look like another.
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


def safe(text: str) -> str:
    """Text from elsewhere made harmless for a terminal.

    Control characters, with which escape sequences start, become '�'; lines and tabs stay.
    """
    if text.isprintable():
        return text
    return "".join("�" if _harmful(character) else character for character in text)


def one_line(text: str) -> str:
    """The text with every run of white space as one space, harmless."""
    return safe(" ".join(text.split()))


def word(text: str) -> str:
    """The text as one word of a command line, to be copied from a hint."""
    return shlex.quote(one_line(text))


def shortened(text: str, characters: int) -> str:
    """The text on one line, cut with an ellipsis where it is longer."""
    line = one_line(text)
    return line if len(line) <= characters else line[: characters - 1].rstrip() + "…"


def size(count: int) -> str:
    """Bytes in the largest unit that leaves a whole part: '0 B', '12.3 kB', '4.5 MB'."""
    number, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 1000:
            break
        number, unit = number / 1000, larger
    return f"{count} B" if unit == "B" else f"{number:.1f} {unit}"


def seconds(value: float) -> str:
    """A duration in seconds: '85 ms', '3.2 s', '4 min 05 s', '2 h 10 min'."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    if value < 60:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def milliseconds(value: float) -> str:
    """A duration in milliseconds, as `seconds`."""
    return seconds(value / 1000)


def number(value: int) -> str:
    """A count with thin separation of thousands: '12 345'."""
    return f"{value:,}".replace(",", "\u202f") if value >= 10_000 else str(value)


def plural(count: int, noun: str) -> str:
    """'1 document', '2 documents'."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"


def age(stamp: str | None, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 time was: 'now', '5 min', '3 h', '12 d', then the date; '' for none."""
    if not stamp:
        return ""
    then = datetime.fromisoformat(stamp)
    then = then if then.tzinfo else then.replace(tzinfo=UTC)
    passed = (now or datetime.now(UTC)) - then
    if passed < timedelta(minutes=1):
        return "now"
    if passed < timedelta(hours=1):
        return f"{int(passed.total_seconds() // 60)} min"
    if passed < timedelta(days=1):
        return f"{int(passed.total_seconds() // 3600)} h"
    return f"{passed.days} d" if passed < timedelta(days=60) else then.date().isoformat()


def moment(stamp: str | None) -> str:
    """An ISO 8601 time to the second in UTC, '' for none."""
    if not stamp:
        return ""
    then = datetime.fromisoformat(stamp)
    return (then if then.tzinfo else then.replace(tzinfo=UTC)).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def steps(timings: Mapping[str, float]) -> str:
    """Milliseconds by step in one line: 'embed 4 ms · search 12 ms'."""
    return " · ".join(f"{name.replace('_', ' ')} {milliseconds(value)}" for name, value in timings.items())


def _harmful(character: str) -> bool:
    return (unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t") or character in _DIRECTION
