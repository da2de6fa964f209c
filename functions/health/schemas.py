"""Responses about health."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from shared.domain.backlog import Backlog
from shared.domain.documents import Document, Generation
from shared.ports.queue import QueueDepth
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


class LineOut(Out):
    """Versions that wait at one step for one reason; without a reason they wait for their turn only."""

    state: str
    reason: str
    count: int
    oldest: datetime
    overdue: int
    leased: int


class LongestOut(Out):
    """One version that waits; `leased_by` is the worker that holds it until `leased_until`."""

    document_id: UUID
    name: str
    collection_id: UUID
    version: int
    state: str
    since: datetime
    due_at: datetime | None
    leased_by: str | None
    leased_until: datetime | None
    attempts: int
    waiting: str
    last_error: str

    @classmethod
    def of(cls, document: Document, one: Generation) -> Self:
        """From the rows."""
        return cls(
            document_id=document.id,
            name=document.path or document.name,
            collection_id=document.collection_id,
            version=one.number,
            state=one.state.value,
            since=one.entered_at,
            due_at=one.due_at,
            leased_by=one.lease_owner,
            leased_until=one.lease_until,
            attempts=one.attempts,
            waiting=one.waiting,
            last_error=one.last_error.detail if one.last_error else "",
        )


class UnsentOut(Out):
    """Messages whose sender died before it sent them; the sweep sends them."""

    count: int
    oldest: datetime | None


class RunOut(Out):
    """An ingestion run for which something was asked that is not done, and why."""

    id: UUID
    name: str
    status: str
    trouble: str


class WaitingOut(Out):
    """Everything that waits in a project, and the queues of the deployment."""

    lines: list[LineOut]
    longest: list[LongestOut]
    failed: dict[str, int] = Field(description="documents whose latest version failed, by code")
    deleting: int
    unsent: UnsentOut
    runs: list[RunOut] = Field(description="runs whose cancelling or retrying is held up, or was given up")
    queues: list[QueueOut]
    dead_letters: int
    queues_unknown: str = Field(description="why the queues could not be looked at, if so")

    @classmethod
    def of(cls, found: Backlog, queues: Sequence[QueueDepth], unknown: str) -> Self:
        """From the use case's answer."""
        return cls(
            lines=[LineOut.model_validate(line) for line in found.lines],
            longest=[LongestOut.of(*both) for both in found.longest],
            failed=dict(found.failed),
            deleting=found.deleting,
            unsent=UnsentOut.model_validate(found.unsent),
            runs=[RunOut.model_validate(run) for run in found.runs],
            queues=[QueueOut.model_validate(queue) for queue in queues],
            dead_letters=sum(queue.waiting for queue in queues if queue.dead),
            queues_unknown=unknown,
        )
