"""Requests and responses about webhooks."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field, Json

from shared.domain.addresses import MAX_URL
from shared.domain.webhooks import DeliveryState
from shared.runtime.schemas import Body, Out, ShownOnce
from shared.usecases.webhooks.manage import WithSecret

AnyJson = Json[Any]


class NewWebhook(Body):
    """An endpoint that wants to be told."""

    url: str = Field(min_length=1, max_length=MAX_URL, description="a public https address")
    description: str = Field(default="", max_length=1000)
    all_runs: bool = Field(default=False, description="told of every run of the project, not only of those naming it")


class WebhookOut(Out):
    """An endpoint."""

    id: UUID
    url: str
    description: str
    all_runs: bool
    created_by: str
    created_at: datetime
    rotated_at: datetime | None
    failing_since: datetime | None = Field(description="the first failure after its latest success")
    disabled_at: datetime | None
    disabled_reason: str


class WebhookSecretOut(WebhookOut, ShownOnce):
    """An endpoint with its secret, which is shown this once."""

    @classmethod
    def of(cls, made: WithSecret) -> Self:
        """From the use case's answer."""
        return cls(**WebhookOut.model_validate(made.webhook).model_dump(), secret=made.secret)


class WebhookPage(Out):
    """A page of endpoints; send `next` back as `cursor`."""

    items: list[WebhookOut]
    next: str | None


class AttemptOut(Out):
    """One try."""

    at: datetime
    status: int | None
    error: str
    milliseconds: int


class DeliveryOut(Out):
    """One event on its way to one endpoint; the id is the one receivers dedupe by."""

    id: UUID
    webhook_id: UUID
    ingestion_id: UUID
    kind: str
    state: DeliveryState
    tries: int
    created_at: datetime
    due_at: datetime | None = Field(description="when it is tried next at the latest")
    finished_at: datetime | None
    attempts: list[AttemptOut] = Field(description="the latest ones")
    body: AnyJson


class DeliveryPage(Out):
    """A page of deliveries; send `next` back as `cursor`."""

    items: list[DeliveryOut]
    next: str | None
