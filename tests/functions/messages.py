"""Message bodies as the workers read them."""

from pydantic import TypeAdapter

from shared.domain.events import GenerationMessage

_READER = TypeAdapter(GenerationMessage)


def generation_message(body: str) -> GenerationMessage:
    """Read a stage's message."""
    return _READER.validate_json(body)
