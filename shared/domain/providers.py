"""Dealings with model providers: what may be sent, what must come back, how long to wait, what may be repeated."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from shared.domain.errors import Unavailable

DEFAULT_WAIT = 20.0
"""Seconds, when a provider asks to wait and does not say how long."""
CHARACTERS_PER_TOKEN = 4
SHORTEST_WAIT = 1.0
LONGEST_WAIT = 900.0
QUOTA_WAIT = 900.0
"""Seconds before an account whose quota is used up is tried again."""

_MESSAGE = 300
_SECRET = re.compile(r"(?i)\bbearer\s+\S+|\b(?:sk|key|pk|rk|gsk|xai)[-_][\w*.-]{6,}")
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
_SECONDS = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")


def retry_after(headers: Mapping[str, str], now: datetime) -> float:
    """Seconds a provider asks to wait, from 1 to 900.

    `retry-after-ms` as some send it, or `retry-after` as seconds or as a date (RFC 9110 §10.2.3).

    Args:
        headers: by names in lower case.
        now: timezone-aware.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        if _SECONDS.fullmatch(value):
            return _bounded(float(value) / unit)
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return DEFAULT_WAIT
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return _bounded((until - now).total_seconds())


def repeatable(message: str, key: str) -> str:
    """A provider's message on one line, at most 300 characters, without the key or anything that looks like one.

    Some providers repeat a wrong key in the error that refuses it.
    """
    plain = _NOT_PRINTED.sub(" ", message[: 4 * _MESSAGE])
    if key:
        plain = plain.replace(key, "…")
    return _SECRET.sub("…", plain)[:_MESSAGE].strip()


def sendable(text: str, characters: int | None = None) -> str:
    """A text as providers take it: cut, not empty (they refuse that), and without lone surrogates, which are not
    Unicode.
    """
    return text[:characters].encode("utf-8", "replace").decode("utf-8") if text.strip() else "."


def unit_vector(values: Sequence[float], dimensions: int) -> list[float]:
    """The vector scaled to length 1.

    Raises:
        Unavailable: another number of dimensions than agreed, no length, or values that are no numbers.
    """
    if len(values) != dimensions:
        raise Unavailable(
            f"the model provider's vectors have {len(values)} dimensions; this deployment expects {dimensions}",
            code="model_dimensions",
            hint="set the embedding dimensions to what the model gives",
        )
    length = math.sqrt(sum(value * value for value in values))
    if not math.isfinite(length) or length < 1e-12:
        raise Unavailable("the model provider's embedding has no direction", code="model_malformed")
    return [value / length for value in values]


def tokens_of(characters: int) -> int:
    """Tokens of a text, estimated, where a provider does not count them: four characters each."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def _bounded(seconds: float) -> float:
    return min(max(seconds, SHORTEST_WAIT), LONGEST_WAIT)
