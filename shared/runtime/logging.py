"""One schema of log lines for every function.

JSON with event, level, timestamp, function and whatever is bound to the invocation.
"""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import structlog

from shared.settings import settings

# Kept: json.dumps makes an encoder for every line when it is told what to do with strangers.
_ENCODER = json.JSONEncoder(default=str)


class Stdout:
    """Writes each line at once: what a process that is killed has said is kept."""

    def msg(self, line: str) -> None:
        """Write a line, its end included, to what is stdout by now: whoever has replaced it sees the lines."""
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    debug = info = warning = error = critical = exception = msg


def configure() -> None:
    """Set structlog up for this process; doing it again changes nothing."""
    _configure(settings().log_level.upper())


@cache
def _configure(level_name: str) -> None:
    level = logging.getLevelNamesMapping().get(level_name, logging.INFO)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _as_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: Stdout(),
        cache_logger_on_first_use=True,
    )
    # Libraries speak only when something is wrong: their lines are not in our schema.
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("mangum").setLevel(logging.CRITICAL)


def _as_json(logger: object, method: str, line: structlog.typing.EventDict) -> str:
    return _ENCODER.encode(line)


@contextmanager
def bound(**values: object) -> Iterator[None]:
    """Bind values to every line written in the block."""
    with structlog.contextvars.bound_contextvars(**{key: str(value) for key, value in values.items()}):
        yield
