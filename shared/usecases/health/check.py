"""Tell apart what works and what does not."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from shared.domain.errors import LambentError
from shared.ports.clock import Clock
from shared.ports.queue import QueueDepth


@dataclass(frozen=True, slots=True)
class Part:
    """One dependency: whether it answers, how fast, and why not."""

    name: str
    healthy: bool
    milliseconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Health:
    """The whole: healthy only when every part is."""

    parts: tuple[Part, ...]
    queues: tuple[QueueDepth, ...] = ()

    @property
    def healthy(self) -> bool:
        """True when every part answers."""
        return all(part.healthy for part in self.parts)


PROBE_SECONDS = 5.0

type Probe = Callable[[], Awaitable[str]]


async def check(clock: Clock, probes: Mapping[str, Probe]) -> tuple[Part, ...]:
    """Ask every part at once, each with five seconds to answer.

    Args:
        clock: for latencies.
        probes: by name; each returns a detail worth showing, or raises.
    """
    return tuple(await asyncio.gather(*(_ask(clock, name, probe) for name, probe in probes.items())))


async def _ask(clock: Clock, name: str, probe: Probe) -> Part:
    started = clock.monotonic()
    try:
        detail, healthy = await asyncio.wait_for(probe(), PROBE_SECONDS), True
    except LambentError as error:
        detail, healthy = error.detail, False
    except TimeoutError:
        detail, healthy = f"no answer within {PROBE_SECONDS:.0f} s", False
    return Part(name, healthy, round((clock.monotonic() - started) * 1000, 2), detail)
