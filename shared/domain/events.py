"""Messages between functions.

They carry ids, never text; every body is one of these as JSON. Times are ISO 8601 UTC.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Queue(StrEnum):
    """The queues by the name of the function that consumes them."""

    INGEST_RECEIVE = "ingest_receive"
    INGEST_EXTRACT = "ingest_extract"
    INGEST_COLLECT = "ingest_collect"
    INGEST_CHUNK = "ingest_chunk"
    INGEST_EMBED = "ingest_embed"
    INGEST_PUBLISH = "ingest_publish"
    SWEEP = "sweep"
    STEER_INGESTION = "steer_ingestion"
    DELIVER_WEBHOOK = "deliver_webhook"


@dataclass(frozen=True, slots=True)
class GenerationMessage:
    """Work for one generation at the stage whose queue it is on: chunk, embed or publish."""

    tenant_id: UUID
    project_id: UUID
    document_id: UUID
    generation: int
    sent_at: datetime
    stage: Queue
    granted: int = 0
    """Requests to a model that the shared limit has set aside for this message."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class ExtractMessage:
    """Work for `ingest_extract`, which has no database.

    Everything it needs to read one upload and to say where the text goes.
    """

    tenant_id: UUID
    project_id: UUID
    document_id: UUID
    generation: int
    sent_at: datetime
    key: str
    version_id: str
    name: str
    media_type: str
    stage: Queue = Queue.INGEST_EXTRACT
    version: int = 1


@dataclass(frozen=True, slots=True)
class SweepMessage:
    """A deleted document whose traces are to be removed now rather than at the next scheduled sweep."""

    tenant_id: UUID
    project_id: UUID
    document_id: UUID
    sent_at: datetime
    version: int = 1


class IngestionAction(StrEnum):
    """What is to be done to many documents of a run."""

    CANCEL = "cancel"
    RETRY = "retry"


@dataclass(frozen=True, slots=True)
class IngestionMessage:
    """Something to be done to the documents of a run, some of them with each message."""

    tenant_id: UUID
    project_id: UUID
    ingestion_id: UUID
    action: IngestionAction
    sent_at: datetime
    asked_at: datetime
    """When it was asked for: a retry leaves alone what failed later."""
    after: UUID | None = None
    """The last document of the message before."""
    rounds: int = 0
    """How often it was a dead letter."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class EraseMessage:
    """The next step of the removal of a collection, a project or a tenant."""

    tenant_id: UUID
    receipt_id: UUID
    step: int
    sent_at: datetime
    version: int = 1


@dataclass(frozen=True, slots=True)
class DeliveryMessage:
    """One attempt at a delivery to a webhook."""

    tenant_id: UUID
    project_id: UUID
    delivery_id: UUID
    tries: int
    """So far: a message of an earlier attempt is recognised by it."""
    sent_at: datetime
    version: int = 1


Message = GenerationMessage | ExtractMessage | SweepMessage | EraseMessage | IngestionMessage | DeliveryMessage


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to a queue."""

    id: UUID
    """Also the idempotency key of the send."""
    queue: Queue
    group: str
    """Fairness group: the tenant."""
    body: str
    """JSON."""
    delay_seconds: int = 0
    """0-900."""


def body_of(message: Message) -> dict[str, object]:
    """The JSON-ready form of a message."""
    # Messages are flat: `asdict` would copy every id and time in them, only to have them made text.
    return {field.name: _plain(getattr(message, field.name)) for field in fields(message)}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value) if isinstance(value, UUID) else value


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """An S3 object that appeared, as told by one S3 event record."""

    bucket: str
    key: str
    """Decoded."""
    version_id: str
    sequencer: str
    size: int
    event_time: datetime
