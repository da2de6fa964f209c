"""Log lines as a person reads them: the time, what happened, and the rest as name=value."""

import json
import re
from collections.abc import Mapping

from shared.cli.plain import safe

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d\.\d{3})Z ")
PLATFORM = re.compile(r"^(START|END|REPORT) RequestId: ")
# Said by the line itself already, or the same on every line of a laptop.
LEFT_OUT = frozenset(
    {"event", "timestamp", "function", "level", "tenant_id", "principal", "exception", "receive_count"}
)
LAST = ("request_id",)
STYLES = {"warning": "yellow", "error": "red", "critical": "bold red"}


def readable(text: str) -> tuple[str, str] | None:
    """A line and its style.

    Returns:
        None for what tells a person nothing: metrics, and the platform's own marks of every invocation. Lines that are
        no JSON stay as they are.
    """
    stamp = STAMP.match(text)
    rest = text[stamp.end() :] if stamp else text
    if PLATFORM.match(rest):
        return None
    said = _said(rest)
    if said is None:
        return safe(text), ""
    if "_aws" in said:
        return None
    level = str(said.get("level", "info"))
    first = [stamp.group(1) if stamp else "", level.upper() if level in STYLES else "", str(said.get("event", ""))]
    names = [name for name in said if name not in LEFT_OUT and name not in LAST]
    pairs = [f"{name}={_value(said[name])}" for name in (*names, *(name for name in LAST if name in said))]
    trace = f"\n{said['exception']}" if said.get("exception") else ""
    return safe("  ".join([*filter(None, first), " ".join(pairs)]).rstrip() + trace), STYLES.get(level, "")


def _said(text: str) -> Mapping[str, object] | None:
    if not text.startswith("{"):
        return None
    try:
        said = json.loads(text)
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _value(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if " " in text or not text else text
