"""Conversations: questions, answers and what the answers rest on."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
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
    removed: bool = False
    """Its document was deleted: quote, place and name are taken away, the sentence that rested on it stays."""


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


def without(message: Message, gone: Set[UUID]) -> Message:
    """The message with its citations into documents that are gone marked as removed, and nothing of them left."""
    if not any(one.document_id in gone and not one.removed for one in message.citations):
        return message
    return replace(message, citations=tuple(_removed(one, gone) for one in message.citations))


def _removed(citation: Citation, gone: Set[UUID]) -> Citation:
    if citation.document_id not in gone:
        return citation
    return replace(
        citation, document_name="", start=0, end=0, quote="", page=None, heading_path=(), support=0.0, removed=True
    )


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
