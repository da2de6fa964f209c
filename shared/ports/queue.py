"""Queues between functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.events import Outgoing
from shared.domain.events import Queue as QueueName


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """What waits in a queue (approximate, as the service says)."""

    name: str
    waiting: int
    in_flight: int
    delayed: int
    dead: bool
    """True for a dead-letter queue."""


class Queue(Protocol):
    """Sending, and looking from outside; receiving is the platform's part."""

    async def send(self, messages: Sequence[Outgoing]) -> list[Outgoing]:
        """Send all, at least once; returns those that were accepted.

        Raises:
            Unavailable: the service could not be reached at all.
        """
        ...

    async def depths(self) -> list[QueueDepth]:
        """Every configured queue, dead-letter queues too."""
        ...


__all__ = ["Queue", "QueueDepth", "QueueName"]
