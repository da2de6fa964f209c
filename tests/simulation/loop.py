"""An event loop without time and without luck of its own: a seed decides what runs next, and a clock that jumps.

Real asyncio tasks run on it, so code under test may use futures, tasks, timeouts and sleeps as it likes. A Lambda
handler is ordinary code that runs its coroutine to the end; each is given a greenlet, so that many of them can be in
the middle of their work at once, in one thread.
"""

import asyncio
import heapq
import random
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context, copy_context
from typing import Any

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]


class Call:
    """Something to be run by the loop."""

    __slots__ = ("args", "callback", "context", "dropped")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None) -> None:
        self.callback = callback
        self.args = args
        self.context = context
        self.dropped = False

    def cancel(self) -> None:
        """Do not run it."""
        self.dropped = True

    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self.dropped


class SeededLoop(asyncio.AbstractEventLoop):
    """Runs whatever is ready in an order the seed decides; time passes only when nothing is ready."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance.random
        self.ready: list[Call] = []
        """What can run now."""
        self._later: list[tuple[float, int, Call]] = []
        self._number = 0
        self._time = 0.0
        self._hub = getcurrent()
        self.failures: list[BaseException] = []
        """What callbacks raised that nobody waits for."""
        self.turns = 0

    # Time and turns.

    def time(self) -> float:
        return self._time

    def turn(self) -> bool:
        """Run one ready call, or let time pass to the next; False when nothing is left at all."""
        ready = self.ready
        if not ready:
            later = self._later
            if not later:
                return False
            when, _, call = heapq.heappop(later)
            self._time = max(self._time, when)
            ready.append(call)
            while later and later[0][0] <= when:
                ready.append(heapq.heappop(later)[2])
        index = int(self._chance() * len(ready))
        call = ready[index]
        ready[index] = ready[-1]
        ready.pop()
        if call.dropped:
            return True
        self.turns += 1
        try:
            if call.context is None:
                call.callback(*call.args)
            else:
                call.context.run(call.callback, *call.args)
        except BaseException as error:  # noqa: BLE001 - whatever it was, the history reports it
            self.failures.append(error)
        return True

    # What asyncio asks of a loop.

    def call_soon(  # type: ignore[override]
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Any:
        call = Call(callback, args, copy_context() if context is None else context)
        self.ready.append(call)
        return call

    call_soon_threadsafe = call_soon  # type: ignore[assignment]

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Any:
        call = Call(callback, args, context)
        self._number += 1
        heapq.heappush(self._later, (when, self._number, call))
        return call

    def call_later(  # type: ignore[override]
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> Any:
        return self.call_at(self._time + delay, callback, *args, context=context)

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(
        self, coro: Any, *, name: object = None, context: Context | None = None, **_: Any
    ) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, context=context)

    def run_in_executor(  # type: ignore[override]
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """At once and in this thread: what would run beside is one step here."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits it
            future.set_exception(error)
        return future

    def run_until_complete(self, work: Any) -> Any:
        """What a handler calls: the greenlet it runs in sleeps until its coroutine is done, others go on."""
        me = getcurrent()
        task = self.create_task(work)
        if me is self._hub:
            while not task.done() and self.turn():
                pass
        else:
            task.add_done_callback(lambda _: me.switch())
            self._hub.switch()
        return task.result()

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """A task that ended with an error nobody looked at: the error is a crash made here, or shows elsewhere."""

    # Beside them.

    def spawn(self, handler: Callable[[], None], context: Context) -> None:
        """Have ordinary code run in a greenlet of its own, soon."""

        def begin() -> None:
            made = greenlet(handler)
            made.gr_context = context
            made.switch()

        self.call_soon(begin)

    def task(self, work: Coroutine[Any, Any, Any], context: Context) -> asyncio.Task[Any]:
        """Have a coroutine run, soon."""
        return self.create_task(work, context=context)
