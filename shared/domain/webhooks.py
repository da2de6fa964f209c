"""Webhooks: who is told when an ingestion has completed, how it is signed, and how long it is tried.

No secret is kept. Each is derived from the deployment's own key, the endpoint's id and a version (HMAC as a key
derivation, NIST SP 800-108r1 §4.1 in its simplest form): the database alone gives none away, and none can be read
again after it was shown. Rotation counts the version up and signs with both for a while.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.domain.ingestions import IngestionView

PREFIX = "whsec_"
SIGNATURE_HEADER = "Lambent-Signature"
ID_HEADER = "Lambent-Webhook-Id"
TOLERANCE = timedelta(seconds=300)
"""How old a signature a receiver should take: an attempt is signed anew each time."""

ROTATION = timedelta(hours=24)
"""How long the secret before goes on signing."""
GIVE_UP_AFTER = timedelta(hours=24)
"""An attempt that fails this long after the event is the last."""
DISABLE_AFTER = timedelta(hours=48)
"""An endpoint that took nothing for this long is told nothing more until somebody enables it."""
LEASE = timedelta(seconds=90)
"""How long an attempt holds its delivery: longer than the worker's own timeout."""
PATIENCE = timedelta(minutes=5)
"""How long a queued delivery may go without an attempt before the sweep queues it again."""
LONGEST_WAIT_SECONDS = 4 * 3600.0
KEPT_ATTEMPTS = 20


class DeliveryState(StrEnum):
    """Where a delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up, or its endpoint was disabled or deleted; it can be delivered again by hand."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint of a project."""

    id: UUID
    tenant_id: UUID
    project_id: UUID
    url: str
    description: str
    all_runs: bool
    """Told of every run of the project, not only of those that name it."""
    created_by: str
    created_at: datetime
    secret_version: int = 1
    rotated_at: datetime | None = None
    failing_since: datetime | None = None
    """The first failure after its latest success."""
    disabled_at: datetime | None = None
    disabled_reason: str = ""
    deleted_at: datetime | None = None

    @property
    def enabled(self) -> bool:
        """Whether it is told anything."""
        return self.disabled_at is None and self.deleted_at is None

    def versions(self, now: datetime) -> Sequence[int]:
        """Versions of the secret that sign at this moment, the newest first."""
        before = self.rotated_at is not None and now < self.rotated_at + ROTATION
        return [self.secret_version, self.secret_version - 1] if before else [self.secret_version]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver."""

    at: datetime
    status: int | None
    """Of HTTP; None: no answer came."""
    error: str
    milliseconds: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one endpoint. Its id stays the same however often it is sent: receivers dedupe by it."""

    id: UUID
    tenant_id: UUID
    project_id: UUID
    webhook_id: UUID
    ingestion_id: UUID
    kind: str
    body: str
    """JSON, byte for byte what every attempt sends."""
    created_at: datetime
    state: DeliveryState = DeliveryState.PENDING
    due_at: datetime | None = None
    """When it is tried next, or looked for if nobody does; None when it has ended."""
    lease: UUID | None = None
    lease_until: datetime | None = None
    tries: int = 0
    since: datetime | None = None
    """When it was asked for anew, by hand: its age counts from then."""
    attempts: tuple[Attempt, ...] = ()
    """The latest ones."""
    finished_at: datetime | None = None

    @property
    def began(self) -> datetime:
        """From when its age counts."""
        return self.since or self.created_at


def secret_of(key: str, webhook_id: UUID, version: int) -> str:
    """The secret of an endpoint: 256 bits, as text.

    Args:
        key: the deployment's own.
        webhook_id: whose.
        version: counts rotations from 1.
    """
    made = hmac.digest(key.encode(), f"lambent webhook {webhook_id} {version}".encode(), hashlib.sha256)
    return PREFIX + base64.urlsafe_b64encode(made).rstrip(b"=").decode()


def signature(secrets: Sequence[str], body: str, now: datetime) -> str:
    """The header's value: `t=` the second, and for each secret `v1=` HMAC-SHA256 over `t`, a full stop and the body."""
    second = int(now.timestamp())
    signed = f"{second}.{body}".encode()
    made = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={second}", *(f"v1={one}" for one in made)])


def retry_wait(tries: int, jitter: float) -> timedelta:
    """Full-jitter exponential back-off: 10 seconds to 30·2^tries, four hours at the most.

    Args:
        tries: so far.
        jitter: uniformly random, 0 to 1.
    """
    return timedelta(seconds=max(10.0, jitter * min(LONGEST_WAIT_SECONDS, 30.0 * 2.0 ** min(tries, 20))))


def began_attempt(delivery: Delivery, token: UUID, now: datetime) -> Delivery:
    """Take it for an attempt."""
    until = now + LEASE
    return replace(delivery, lease=token, lease_until=until, due_at=until, tries=delivery.tries + 1)


def succeeded(delivery: Delivery, attempt: Attempt) -> Delivery:
    """The endpoint took it."""
    return _ended(_tried(delivery, attempt), DeliveryState.DELIVERED, attempt.at)


def failed(delivery: Delivery, attempt: Attempt, jitter: float, *, last: bool) -> Delivery:
    """The endpoint did not take it: wait, or give up when it is too old or the endpoint is told nothing more."""
    tried = _tried(delivery, attempt)
    if last or attempt.at - delivery.began >= GIVE_UP_AFTER:
        return _ended(tried, DeliveryState.FAILED, attempt.at)
    return replace(tried, due_at=attempt.at + retry_wait(tried.tries, jitter))


def given_up(delivery: Delivery, why: str, now: datetime) -> Delivery:
    """Nobody is there to be told."""
    return _ended(_tried(delivery, Attempt(now, None, why, 0)), DeliveryState.FAILED, now)


def asked_again(delivery: Delivery, now: datetime) -> Delivery:
    """Somebody wants it delivered once more, whatever became of it."""
    return replace(
        delivery,
        state=DeliveryState.PENDING,
        due_at=now + PATIENCE,
        lease=None,
        lease_until=None,
        tries=0,
        since=now,
        finished_at=None,
    )


def after_failure(webhook: Webhook, status: int | None, now: datetime) -> Webhook:
    """An attempt failed: remember since when, and disable an endpoint that is gone for good."""
    since = webhook.failing_since or now
    if status == 410:
        return replace(
            webhook, failing_since=since, disabled_at=now, disabled_reason="it answered 410 Gone: nobody wants this"
        )
    if now - since >= DISABLE_AFTER:
        hours = int(DISABLE_AFTER.total_seconds() // 3600)
        why = f"no delivery succeeded for {hours} hours; the last answer: {status or 'none'}"
        return replace(webhook, failing_since=since, disabled_at=now, disabled_reason=why)
    return replace(webhook, failing_since=since)


def payload(delivery_id: UUID, kind: str, view: IngestionView, now: datetime) -> Mapping[str, object]:
    """What an endpoint is told: the run and what it came to. No text of any document is in it."""
    run, progress = view.ingestion, view.progress
    cost = progress.cost
    return {
        "id": str(delivery_id),
        "type": kind,
        "created_at": now.isoformat(),
        "ingestion": {
            "id": str(run.id),
            "collection_id": str(run.collection_id),
            "name": run.name,
            "status": run.status.value,
            "created_at": run.created_at.isoformat(),
            "completed_at": run.completed_at.isoformat() if run.completed_at else None,
            "last_event": run.sequence,
            "documents": progress.documents,
            "states": {state.value: count for state, count in progress.by_state.items()},
            "cancelled": progress.cancelled,
            "cost": {"chunks": cost.chunks, "embedded": cost.embedded, "reused": cost.reused, "tokens": cost.tokens},
            "errors": {error.code: error.documents for error in progress.errors},
        },
    }


def _tried(delivery: Delivery, attempt: Attempt) -> Delivery:
    kept = (*delivery.attempts, attempt)[-KEPT_ATTEMPTS:]
    return replace(delivery, attempts=kept, lease=None, lease_until=None)


def _ended(delivery: Delivery, state: DeliveryState, now: datetime) -> Delivery:
    return replace(delivery, state=state, due_at=None, finished_at=now)
