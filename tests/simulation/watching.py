"""Ports with a gate in front: every asynchronous method of every adapter, whatever they are called."""

import inspect
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any, Protocol


class Guard(Protocol):
    """What stands before and behind a call."""

    def arrive(self, point: str) -> Any:
        """Runs first; may raise instead of letting the call through. Answers with a ticket for the rest."""
        ...

    def hold(self, ticket: Any, port: str) -> Awaitable[None] | None:
        """What is to be waited for then, if anything."""
        ...

    def admit(self, ticket: Any, port: str) -> None:
        """Runs last before the call; may raise instead of letting it through."""
        ...

    def leave(self, ticket: Any, port: str, point: str) -> None:
        """Runs when the call has had its effect; may raise instead of letting its answer through."""
        ...


def watched(target: Any, port: str, guard: Guard) -> Any:
    """The adapter, with a guard in front of each of its asynchronous methods."""
    kind: Any = type(target)
    return _watcher(kind, port)(target, guard)


@cache
def _watcher(kind: type, port: str) -> Callable[[Any, Guard], Any]:
    methods = {
        name: _guarded(port, name, method)
        for name, method in inspect.getmembers(kind, inspect.iscoroutinefunction)
        if not name.startswith("_")
    }
    return type(f"Watched{kind.__name__}", (_Watched,), {"__slots__": (), **methods})


class _Watched:
    __slots__ = ("_guard", "_target")

    def __init__(self, target: Any, guard: Guard) -> None:
        self._target = target
        self._guard = guard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def _guarded(port: str, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    before, after = f"{port}.{name}.before", f"{port}.{name}.after"

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        guard = self._guard
        ticket = guard.arrive(before)
        hold = guard.hold(ticket, port)
        if hold is not None:
            await hold
        guard.admit(ticket, port)
        result = await method(self._target, *args, **kwargs)
        guard.leave(ticket, port, after)
        return result

    return call
