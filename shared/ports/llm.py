"""Language models."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.domain.prompts import Prompt


@dataclass(frozen=True, slots=True)
class TextDelta:
    """Some more of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The answer is complete."""

    model: str
    input_tokens: int
    output_tokens: int
    reason: str
    """'stop', 'length' or 'filtered'."""


LlmEvent = TextDelta | Finished


class Llm(Protocol):
    """One model that answers. Sources are cited as [n]; an answer not found is `NOT_FOUND_ANSWER`.

    Errors: Delayed on 429, Unavailable for anything transient, malformed or cut off, Rejected when the provider will
    never take this prompt.
    """

    @property
    def name(self) -> str:
        """Provider and model, e.g. 'extractive/1'."""
        ...

    def stream(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        """The answer as it is made: deltas, then exactly one Finished."""
        ...


def whole(events: Sequence[LlmEvent]) -> str:
    """The text of a finished stream."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))
