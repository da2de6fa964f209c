"""One invocation.

Its time, its log context, its metrics, and the event loop that all invocations of this process share.
"""

import asyncio
import math
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Protocol

import structlog

from shared import bootstrap
from shared.runtime import settle
from shared.runtime.logging import bound, configure

log = structlog.get_logger()


class LambdaContext(Protocol):
    """What the platform tells a function about an invocation."""

    @property
    def aws_request_id(self) -> str:
        """Names the invocation."""
        ...

    @property
    def function_name(self) -> str:
        """Names the function."""
        ...

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the platform ends the process."""
        ...


_context: ContextVar[LambdaContext | None] = ContextVar("context", default=None)


def seconds_left() -> float:
    """Until the platform ends this process; endless outside an invocation."""
    context = _context.get()
    return math.inf if context is None else context.get_remaining_time_in_millis() / 1000


def run[Result](work: Coroutine[Any, Any, Result]) -> Result:
    """Run on the process's one event loop: connections made in one invocation serve the next."""
    return event_loop().run_until_complete(work)


def event_loop() -> asyncio.AbstractEventLoop:
    """The process's one event loop, made current: Mangum runs on whichever is."""
    loop = _loop()
    asyncio.set_event_loop(loop)
    return loop


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def _first_is_over() -> None:
    settle()


@contextmanager
def invocation(context: LambdaContext, kind: str, *, announced: bool = False) -> Iterator[None]:
    """Log entry and exit of an invocation and write its metrics.

    Args:
        context: the platform's.
        kind: what sort of door it is: http, queue, schedule, call.
        announced: the door logs its own entry and exit, with more to say about them.
    """
    configure()
    event_loop()
    clock = bootstrap.powers().clock
    started = clock.monotonic()
    token = _context.set(context)
    with bound(request_id=context.aws_request_id, function=context.function_name):
        if not announced:
            log.info("invocation.started", kind=kind)
        try:
            yield
        except Exception:
            log.exception("invocation.failed", kind=kind, ms=round((clock.monotonic() - started) * 1000, 2))
            raise
        finally:
            _context.reset(token)
            bootstrap.powers().meter.flush()
            _first_is_over()
        if not announced:
            log.info("invocation.ended", kind=kind, ms=round((clock.monotonic() - started) * 1000, 2))
