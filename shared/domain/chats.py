"""Conversations: questions, answers and what the answers rest on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.domain.chunks import ChunkId


class Role(StrEnum):
    """Who speaks."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation over one or more collections of a project."""

    id: UUID
    tenant_id: UUID
    project_id: UUID
    collection_ids: tuple[UUID, ...]
    title: str
    created_by: str
    """The principal."""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Citation:
    """What one sentence of an answer rests on. All of it was checked when it was made."""

    number: int
    """The marker in the answer: [1]."""
    chunk_id: ChunkId
    document_id: UUID
    document_name: str
    generation: int
    """The document's version."""
    start: int
    """Characters of the document's extracted text: `quote == text[start:end]`."""
    end: int
    quote: str
    page: int | None
    heading_path: tuple[str, ...]
    support: float
    """Share of the sentence's content words found in the quote, 0-1."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer and the markers of its citations; none means it is not supported by a source."""

    start: int
    end: int
    citations: tuple[int, ...]
    supported: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an answer took."""

    model: str
    input_tokens: int
    output_tokens: int
    milliseconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    id: UUID
    chat_id: UUID
    role: Role
    content: str
    created_at: datetime
    citations: tuple[Citation, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    found: bool = True
    """False: the documents do not answer the question."""
    receipt: Receipt | None = None
    metadata: Mapping[str, object] = field(default_factory=dict)


NOT_FOUND_ANSWER = "Not found in the documents."


@dataclass(frozen=True, slots=True)
class Passage:
    """A source given to a model: numbered as the answer must cite it."""

    number: int
    chunk_id: ChunkId
    document_name: str
    heading_path: tuple[str, ...]
    text: str
    score: float


def title_of(question: str) -> str:
    """A chat's title from its first question: one line, 80 characters at most."""
    line = " ".join(question.split())
    return line if len(line) <= 80 else line[:79].rstrip() + "…"


def history_within(messages: Sequence[Message], budget: int) -> list[Message]:
    """The latest whole messages whose content fits in `budget` characters, oldest first; never cut inside a message."""
    kept: list[Message] = []
    for message in reversed(messages):
        budget -= len(message.content)
        if budget < 0:
            break
        kept.append(message)
    return kept[::-1]
