"""The processes of one function, and the invocations that wait for them."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from shared.local.errors import Throttled
from shared.local.function_log import FunctionLog
from shared.local.functions import FunctionSpec, FunctionStats
from shared.local.invocation import Invocation, Result, error_payload
from shared.local.memory import resident_mb
from shared.local.sandbox import Sandbox, State, describe

_LEAST_QUEUE_SECONDS = 30.0
_ENTRYPOINT = "Runtime.InvalidEntrypoint"
# The last process of a function stays this many times longer: somebody at a keyboard comes back after minutes.
_LAST_STAYS = 6


@dataclass(slots=True)
class _Counters:
    cold_starts: int = 0
    init_ms: float = 0.0
    invocations: int = 0
    errors: int = 0
    timeouts: int = 0
    throttles: int = 0
    total_ms: float = 0.0
    max_memory_mb: float = 0.0
    last_error: str = ""


class Pool:
    """Starts processes when work waits, up to the function's concurrency, and lets idle ones go."""

    def __init__(self, spec: FunctionSpec, logs: Path, scratch: Path, queue_seconds: float | None = None) -> None:
        self.spec = spec
        self._scratch = scratch
        self._queue_seconds = max(_LEAST_QUEUE_SECONDS, spec.timeout) if queue_seconds is None else queue_seconds
        self._log = FunctionLog(logs, spec.name)
        self._sandboxes: dict[Sandbox, asyncio.Task[None]] = {}
        self._fresh: set[Sandbox] = set()
        self._waiting: deque[tuple[Invocation, asyncio.Event]] = deque()
        self._counters = _Counters()
        self._closed = False

    async def start(self, invocation: Invocation) -> None:
        """Waits until a process has the event, or until the invocation has failed for want of one.

        Raises:
            Throttled: all processes stayed busy.
        """
        taken = asyncio.Event()
        entry = (invocation, taken)
        self._waiting.append(entry)
        self._pump()
        try:
            while not taken.is_set():
                await self._patiently(taken)
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)

    async def _patiently(self, taken: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(taken.wait(), self._queue_seconds)
        except TimeoutError:
            if not any(sandbox.state is State.STARTING for sandbox in self._sandboxes):
                self._counters.throttles += 1
                raise Throttled(f"{self.spec.name}: all {self.spec.concurrency} processes are busy") from None

    async def invoke(self, invocation: Invocation) -> Result:
        """Runs the event to its end.

        Raises:
            Throttled: all processes stayed busy.
        """
        await self.start(invocation)
        result = await invocation.outcome()
        self.count(result)
        return result

    def count(self, result: Result) -> None:
        """Adds a finished invocation to the figures."""
        counters = self._counters
        counters.invocations += 1
        counters.total_ms += result.duration_ms
        if result.error:
            counters.errors += 1
            counters.timeouts += result.error == "Sandbox.Timedout"
            counters.last_error = describe(result)

    def kill_all(self) -> int:
        """Kills every process at once, as a crash would; returns how many there were."""
        for sandbox in tuple(self._sandboxes):
            sandbox.kill("test")
        return len(self._sandboxes)

    def recycle(self) -> None:
        """Lets idle processes go now and busy ones after their work, so that the next invocation sees changed code."""
        for sandbox in tuple(self._sandboxes):
            sandbox.retire()

    def watch(self, idle_seconds: float) -> None:
        """Kills processes over their memory limit and lets idle ones go after `idle_seconds`, the last one later."""
        now = time.monotonic()
        last = max(self._sandboxes, key=lambda one: one.idle_since, default=None)
        for sandbox in tuple(self._sandboxes):
            patience = idle_seconds * (_LAST_STAYS if sandbox is last else 1)
            if sandbox.state is State.IDLE and now - sandbox.idle_since > patience:
                sandbox.kill("stop")
            elif sandbox.state in (State.BUSY, State.STARTING) and sandbox.pid:
                held = resident_mb(sandbox.pid)
                sandbox.peak_mb = max(sandbox.peak_mb, round(held))
                self._counters.max_memory_mb = max(self._counters.max_memory_mb, held)
                if held > self.spec.memory_mb * 1.048576:  # MemorySize counts in MiB
                    sandbox.kill("memory")

    def stats(self) -> FunctionStats:
        """The figures so far."""
        counters = self._counters
        at_work = tuple(sandbox.pid for sandbox in self._sandboxes if sandbox.state is State.BUSY)
        idle = tuple(sandbox.pid for sandbox in self._sandboxes if sandbox.state is State.IDLE)
        return FunctionStats(
            name=self.spec.name,
            processes=len(self._sandboxes),
            busy=len(at_work),
            at_work=at_work,
            idle=idle,
            waiting=len(self._waiting),
            cold_starts=counters.cold_starts,
            init_ms=round(counters.init_ms / counters.cold_starts, 1) if counters.cold_starts else 0.0,
            invocations=counters.invocations,
            errors=counters.errors,
            timeouts=counters.timeouts,
            throttles=counters.throttles,
            average_ms=round(counters.total_ms / counters.invocations, 2) if counters.invocations else 0.0,
            max_memory_mb=round(counters.max_memory_mb),
            last_error=counters.last_error,
        )

    async def close(self) -> None:
        """Kills all processes and waits until they are gone; what was still waiting is answered with an error."""
        self._closed = True
        tasks = tuple(self._sandboxes.values())
        for sandbox in tuple(self._sandboxes):
            sandbox.kill("stop")
        await asyncio.gather(*tasks)
        self._log.close()

    def _pump(self) -> None:
        """Gives waiting events to idle processes, the last used first, and starts processes for the rest."""
        idle = sorted((one for one in self._sandboxes if one.state is State.IDLE), key=lambda one: one.idle_since)
        while self._waiting and idle:
            invocation, taken = self._waiting.popleft()
            sandbox = idle.pop()
            invocation.cold = sandbox in self._fresh
            self._fresh.discard(sandbox)
            sandbox.give(invocation)
            taken.set()
        # A process that starts, or has just answered, will take one of the waiting events within a moment.
        coming = sum(one.state in (State.STARTING, State.RETURNING) for one in self._sandboxes)
        room = self.spec.concurrency - len(self._sandboxes)
        for _ in range(min(len(self._waiting) - coming, room)):
            self._start_process()

    def _start_process(self) -> None:
        if self._closed:
            return
        sandbox = Sandbox(self.spec, self._log, self._scratch, self._changed)
        self._fresh.add(sandbox)
        task = asyncio.create_task(sandbox.run())
        self._sandboxes[sandbox] = task
        task.add_done_callback(lambda done: self._gone(sandbox, done))

    def _changed(self, sandbox: Sandbox) -> None:
        if sandbox.state is State.IDLE:
            if sandbox in self._fresh:
                self._counters.cold_starts += 1
                self._counters.init_ms += sandbox.init_ms
            self._pump()

    def _gone(self, sandbox: Sandbox, task: asyncio.Task[None]) -> None:
        del self._sandboxes[sandbox]
        self._fresh.discard(sandbox)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            sandbox.failure = (_ENTRYPOINT, error_payload(_ENTRYPOINT, f"the process could not be started: {error}"))
        if sandbox.failure is not None and self._waiting:
            kind, payload = sandbox.failure
            invocation, taken = self._waiting.popleft()
            invocation.cold = True
            invocation.finish(payload, kind)
            taken.set()
        if not self._closed:
            self._pump()
