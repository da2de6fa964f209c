"""Processes: one function invocation each, that may be killed between any two things it does."""

from collections import Counter
from collections.abc import Awaitable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import coroutine
from typing import Any
from uuid import UUID

from tests.simulation.faults import Faults
from tests.simulation.loop import SeededLoop


class Crashed(BaseException):
    """The process is gone: whatever its code tries from here on, nothing reaches the world."""


@coroutine
def turn() -> Iterator[None]:
    """Let others go on."""
    yield


@dataclass(slots=True, eq=False)
class Process:
    """One invocation of a function."""

    function: str
    number: int
    skew: float = 0.0
    """How far its clock is off, in seconds."""
    dead: bool = False
    paused: bool = False
    """It stood still for long, or lost an answer: what it paid for may have been in vain."""
    faultless: bool = False
    """It is part of the test itself: nothing happens to it."""
    immortal: bool = False
    """The platform forgets to end it when its time is up."""
    open: set[Any] = field(default_factory=set)
    """Its transactions."""
    tenant: UUID | None = None
    """Whose rows it has opened."""
    holds: tuple[UUID, UUID, int] | None = None
    """The generation it took a lease on last."""
    took_at: int = 0
    """After how many commits of anyone it did."""
    turned_away: bool = False
    """A call of it has failed: what it was to do may not be done."""
    forgotten: bool = False
    """The database crashed with a claim of it that was answered, and not on the disk yet."""
    undone: int = 0
    """Transactions it could not commit, or does not know whether it did."""


PROCESS: ContextVar[Process] = ContextVar("process")

DURATIONS = {"blobs": 0.08, "egress": 0.5, "embedder": 0.7, "queue": 0.03, "vectors": 0.1}
"""Seconds a call takes at the most, by port; what is in the database takes turns, but no time."""

IDLE = 60.0
"""Seconds after which the database ends a transaction that does nothing."""


class Gate:
    """Every call through a port passes here twice, and may not come back."""

    def __init__(self, loop: SeededLoop, faults: Faults, crash_at: str | None = None) -> None:
        self.loop = loop
        self.faults = faults
        self.crash_at = crash_at
        """Crash at the first visit of this point, for certain; until then all is as without it."""
        self.visits: Counter[str] = Counter()
        self.crashes: Counter[str] = Counter()
        self.over = False
        self.trace: list[str] | None = None
        """Every visit, when asked for."""

    async def enter(self, port: str, method: str) -> Process:
        """Before a call: the process may crash, stand still, or let others go first.

        Raises:
            Crashed: the process is gone.
        """
        process = self.arrive(f"{port}.{method}.before")
        if not process.faultless:
            hold = self.hold(process, port)
            if hold is not None:
                await hold
            self.check(process)
        return process

    def arrive(self, point: str) -> Process:
        """The process that is about to call.

        Raises:
            Crashed: it is gone.
        """
        process = PROCESS.get()
        if process.dead or self.over:
            raise Crashed
        if not process.faultless:
            self.point(process, point)
        return process

    def hold(self, process: Process, port: str) -> Awaitable[None] | None:
        """What the process has to wait for before its call has an effect; None when it can go on at once."""
        slow = DURATIONS.get(port)
        if "pause" in self.faults.rates:
            return self._held(process, slow)
        if slow is None:
            # A turn while nobody else has anything to do changes nothing but costs one.
            return turn() if self.loop.ready else None
        return self.sleep(self.faults.chance.random() * slow)

    def point(self, process: Process, point: str) -> None:
        """A named crash point.

        Raises:
            Crashed: this time it was.
        """
        if process.dead or self.over:
            raise Crashed
        if process.faultless:
            return
        name = f"{process.function}.{point}"
        self.visits[name] = self.visits.get(name, 0) + 1
        if self.trace is not None:
            self.trace.append(f"{self.loop.time():9.3f} {process.number:4d} {name}")
        if "crash" in self.faults.rates and self.faults.strikes("crash", self.loop.time(), harm=2):
            self._crash(process, name)
        if name == self.crash_at and not self.crashes[name]:
            self.faults.count("crash", self.loop.time(), harm=2)
            self._crash(process, name)

    def check(self, process: Process) -> None:
        """See that the process lives.

        Raises:
            Crashed: it does not.
        """
        if process.dead or self.over:
            raise Crashed

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        future = self.loop.create_future()
        self.loop.call_later(seconds, _wake, future)
        await future

    def _crash(self, process: Process, name: str) -> None:
        self.crashes[name] += 1
        process.dead = True
        raise Crashed

    async def _held(self, process: Process, slow: float | None) -> None:
        if slow is not None:
            await self.sleep(self.faults.chance.random() * slow)
        elif self.loop.ready:
            await turn()
        if self.faults.strikes("pause", self.loop.time(), harm=2):
            await self._pause(process)

    async def _pause(self, process: Process) -> None:
        seconds = self.faults.chance.choice((5.0, 40.0, 120.0, 400.0, 700.0))
        process.paused = True
        process.immortal = process.immortal or self.faults.strikes("zombie", self.loop.time(), harm=0)
        self.faults.lasting(self.loop.time() + seconds)
        if seconds > IDLE:
            for transaction in list(process.open):
                self.loop.call_later(IDLE, transaction.lose)
        await self.sleep(seconds)


def _wake(future: Any) -> None:
    if not future.done():
        future.set_result(None)
