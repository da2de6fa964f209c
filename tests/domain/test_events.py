"""Messages survive their JSON form, as the worker reads it."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.domain.events import ExtractMessage, GenerationMessage, Message, Queue, SweepMessage, body_of

IDS: Any = {"tenant_id": UUID(int=1), "project_id": UUID(int=2), "document_id": UUID(int=3)}
AT = datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=UTC)
MESSAGES: list[Message] = [
    GenerationMessage(**IDS, generation=4, sent_at=AT, stage=Queue.INGEST_CHUNK),
    ExtractMessage(
        **IDS,
        generation=4,
        sent_at=AT,
        key="a/b/1",
        version_id="v",
        name="Bericht – ü.pdf",
        media_type="application/pdf",
    ),
    SweepMessage(**IDS, sent_at=AT),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_body_of_message_is_read_back_the_same(message: Message) -> None:
    written = json.dumps(body_of(message))
    assert TypeAdapter(type(message)).validate_json(written) == message


def test_message_of_another_kind_is_not_taken_for_a_dead_letter() -> None:
    reader: TypeAdapter[Message] = TypeAdapter(ExtractMessage | GenerationMessage)
    for message in MESSAGES[:2]:
        assert reader.validate_json(json.dumps(body_of(message))) == message
    with pytest.raises(ValidationError):
        reader.validate_json(json.dumps(body_of(MESSAGES[2])))


def test_queues_are_named_by_their_consumers() -> None:
    functions = Path(__file__).parents[2] / "functions"
    assert [queue.value for queue in Queue if not (functions / queue.value / "app.py").is_file()] == []
