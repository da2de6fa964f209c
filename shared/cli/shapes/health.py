"""How the system does and what waits in it, as the API answers."""

from typing import TypedDict


class Part(TypedDict):
    """One dependency and how it does."""

    name: str
    healthy: bool
    milliseconds: float
    detail: str


class QueueDepth(TypedDict):
    """What waits in a queue."""

    name: str
    waiting: int
    in_flight: int
    delayed: int
    dead: bool


class Health(TypedDict):
    """Every part apart."""

    status: str
    parts: list[Part]
    queues: list[QueueDepth]


class WaitingLine(TypedDict):
    """Versions that wait at one step for one reason."""

    state: str
    reason: str
    count: int
    oldest: str
    overdue: int
    leased: int


class WaitingOne(TypedDict):
    """One version that waits."""

    document_id: str
    name: str
    version: int
    state: str
    since: str
    due_at: str | None
    leased_by: str | None
    leased_until: str | None
    attempts: int
    waiting: str
    last_error: str


class Unsent(TypedDict):
    """Messages whose sender died."""

    count: int
    oldest: str | None


class TroubledRun(TypedDict):
    """A run for which something was asked that is not done."""

    id: str
    name: str
    status: str
    trouble: str


class Waiting(TypedDict):
    """Everything that waits."""

    lines: list[WaitingLine]
    longest: list[WaitingOne]
    failed: dict[str, int]
    deleting: int
    unsent: Unsent
    runs: list[TroubledRun]
    queues: list[QueueDepth]
    dead_letters: int
    queues_unknown: str
