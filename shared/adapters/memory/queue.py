"""Queues in a list, with what SQS does to messages.

Delays, hidden while worked on, counted, set aside after too many tries.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.adapters.memory.clock import ManualClock
from shared.domain.events import Outgoing
from shared.domain.events import Queue as QueueName
from shared.ports.clock import Clock
from shared.ports.queue import QueueDepth

HIDDEN_SECONDS = 30.0
MAX_RECEIVES = 5


@dataclass(slots=True)
class Queued:
    """A message in a queue."""

    message: Outgoing
    sent_at: datetime
    visible_at: datetime
    receives: int = 0


@dataclass(slots=True)
class _Lane:
    live: list[Queued] = field(default_factory=list)
    dead: list[Queued] = field(default_factory=list)


class MemoryQueue:
    """Implements `shared.ports.queue.Queue`.

    `receive`, `done` and `release` are what the platform does with a real one.
    """

    def __init__(self, clock: Clock | None = None, *, max_receives: int = MAX_RECEIVES) -> None:
        """Begin empty.

        Args:
            clock: decides when delays end; a standing one when None.
            max_receives: times a message is handed out before it is set aside as dead.
        """
        self._clock = clock or ManualClock()
        self._max_receives = max_receives
        self._lanes = {name: _Lane() for name in QueueName}

    async def send(self, messages: Sequence[Outgoing]) -> list[Outgoing]:
        """See the port."""
        now = self._clock.now()
        for message in messages:
            self._lanes[message.queue].live.append(Queued(message, now, now + timedelta(seconds=message.delay_seconds)))
        return list(messages)

    async def depths(self) -> list[QueueDepth]:
        """See the port. The dead-letter queue of ingest_embed is called ingest_embed_dead."""
        now = self._clock.now()
        found = []
        for name, lane in self._lanes.items():
            hidden = [queued for queued in lane.live if queued.visible_at > now]
            delayed = sum(queued.receives == 0 for queued in hidden)
            found.append(
                QueueDepth(name.value, len(lane.live) - len(hidden), len(hidden) - delayed, delayed, dead=False)
            )
            found.append(QueueDepth(f"{name.value}_dead", len(lane.dead), 0, 0, dead=True))
        return found

    def receive(self, queue: QueueName, limit: int = 10, *, hidden_seconds: float = HIDDEN_SECONDS) -> list[Queued]:
        """Hand out what is visible, oldest first, and hide it.

        What was handed out too often becomes a dead letter instead.
        """
        now, lane = self._clock.now(), self._lanes[queue]
        handed: list[Queued] = []
        for queued in [queued for queued in lane.live if queued.visible_at <= now]:
            if len(handed) == limit:
                break
            if queued.receives >= self._max_receives:
                lane.live.remove(queued)
                lane.dead.append(queued)
                continue
            queued.receives += 1
            queued.visible_at = now + timedelta(seconds=hidden_seconds)
            handed.append(queued)
        return handed

    def done(self, queued: Queued) -> None:
        """Forget a message that was worked off; doing it twice changes nothing."""
        lane = self._lanes[queued.message.queue].live
        # By identity: two sends of one message are equal and still two.
        lane[:] = [kept for kept in lane if kept is not queued]

    def release(self, queued: Queued, seconds: float = 0.0) -> None:
        """Give a message back, to be handed out again after so many seconds."""
        queued.visible_at = self._clock.now() + timedelta(seconds=seconds)

    def dead(self, queue: QueueName) -> list[Outgoing]:
        """Messages that were set aside, oldest first."""
        return [queued.message for queued in self._lanes[queue].dead]

    def bury(self, queue: QueueName) -> list[Outgoing]:
        """Dead letters, oldest first, which are gone then."""
        lane = self._lanes[queue]
        gone, lane.dead = lane.dead, []
        return [queued.message for queued in gone]

    def waiting(self, queue: QueueName) -> list[Outgoing]:
        """Messages in the queue, visible or not, oldest first."""
        return [queued.message for queued in self._lanes[queue].live]
