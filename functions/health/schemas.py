"""Responses about health."""

from typing import Literal, Self

from shared.runtime.schemas import Out
from shared.usecases.health.check import Health


class LiveOut(Out):
    """The function answers."""

    status: Literal["alive"] = "alive"


class StatusOut(Out):
    """The whole in one word."""

    status: Literal["healthy", "unhealthy"]


class PartOut(Out):
    """One dependency."""

    name: str
    healthy: bool
    milliseconds: float
    detail: str


class QueueOut(Out):
    """What waits in a queue, as the service estimates it."""

    name: str
    waiting: int
    in_flight: int
    delayed: int
    dead: bool


class HealthOut(StatusOut):
    """Every part apart."""

    parts: list[PartOut]
    queues: list[QueueOut]

    @classmethod
    def of(cls, found: Health) -> Self:
        """From the use case's answer."""
        return cls(
            status="healthy" if found.healthy else "unhealthy",
            parts=[PartOut.model_validate(part) for part in found.parts],
            queues=[QueueOut.model_validate(queue) for queue in found.queues],
        )
