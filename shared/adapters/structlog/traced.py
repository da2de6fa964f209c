"""Log every look-up in a store and every call of a model: which, how long, and how it failed."""

import asyncio
import inspect
import time
from functools import partial
from typing import Any, cast

import structlog

log = structlog.get_logger()


class Traced:
    """Stands in front of a port; async methods write one line each, everything else passes through."""

    __slots__ = ("_event", "_power", "_target")

    def __init__(self, target: object, power: str, event: str) -> None:
        """Stand in front of a port.

        Args:
            target: the adapter.
            power: the port's name in the log.
            event: what the line is called.
        """
        self._target = target
        self._power = power
        self._event = event

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                result = await value(*args, **kwargs)
            except Exception as error:
                log.info(self._event, port=self._power, operation=name, ms=_since(started), error=type(error).__name__)
                raise
            # Written when something is waited for next: then the line costs the request nothing.
            line = partial(log.info, self._event, port=self._power, operation=name, ms=_since(started))
            asyncio.get_running_loop().call_soon(line)
            return result

        return call


def _since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)


def store[Port](target: Port, power: str) -> Port:
    """A store whose look-ups are logged as `store.asked`."""
    return cast(Port, Traced(target, power, "store.asked"))


def model[Port](target: Port, power: str) -> Port:
    """A model whose calls are logged as `model.called`."""
    return cast(Port, Traced(target, power, "model.called"))
