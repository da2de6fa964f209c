"""What the API answers about webhooks, as JSON."""

from typing import NotRequired, TypedDict


class Webhook(TypedDict):
    """An endpoint that is told when a run completes; `secret` is there once, when it is made.

    When the answer was lost and asked for again it is withheld.
    """

    id: str
    url: str
    description: str
    all_runs: bool
    created_at: str
    failing_since: str | None
    disabled_at: str | None
    disabled_reason: str
    secret: NotRequired[str]
    secret_withheld: NotRequired[bool]


class WebhookAttempt(TypedDict):
    """One try to deliver."""

    at: str
    status: int | None
    error: str
    milliseconds: int


class WebhookDelivery(TypedDict):
    """One event on its way to an endpoint."""

    id: str
    ingestion_id: str
    kind: str
    state: str
    tries: int
    created_at: str
    attempts: list[WebhookAttempt]
