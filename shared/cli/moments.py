"""Points in time as people type them: '30d', '12h', '2026-03-02', '2026-03-02T09:00'."""

import re
from datetime import UTC, datetime, timedelta

from shared.cli.errors import CliError

_SPAN = re.compile(r"(\d{1,5})\s*(m|h|d|w)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def moment(text: str, option: str, *, ahead: bool, now: datetime | None = None) -> str:
    """A point in time in ISO 8601; a span is counted from now, ahead or back. Without a zone it is UTC.

    Raises:
        CliError: it is neither.
    """
    span = _SPAN.fullmatch(text.strip().lower())
    if span:
        length = int(span[1]) * _UNITS[span[2]]
        at = now or datetime.now(UTC)
        return (at + length if ahead else at - length).isoformat()
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise CliError(
            f"{option}: {text!r} is no time", code="usage", hint="write 30d, 12h, 2026-03-02 or 2026-03-02T09:00"
        ) from error
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()
