"""Message bodies as the workers read them."""

from pydantic import TypeAdapter

from shared.domain.events import ExtractMessage, GenerationMessage

_READER = TypeAdapter(GenerationMessage)
_EXTRACT = TypeAdapter(ExtractMessage)


def generation_message(body: str) -> GenerationMessage:
    """Read a stage's message."""
    return _READER.validate_json(body)


def extract_message(body: str) -> ExtractMessage:
    """Read a message for `ingest_extract`."""
    return _EXTRACT.validate_json(body)
