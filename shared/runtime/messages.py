"""Questions and answers as both chat doors show them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import Field

from shared.domain.chats import Citation, Message, Role
from shared.domain.search import VisibleChunk
from shared.runtime.schemas import Body, Out
from shared.usecases.chats.answer import Answer


class Ask(Body):
    """A question."""

    question: str = Field(max_length=4000)


class CitationOut(Out):
    """What a sentence rests on: `quote` is characters `start` to `end` of the document's text in that version."""

    number: int
    chunk_id: str
    document_id: UUID
    document_name: str
    version: int
    start: int
    end: int
    quote: str
    page: int | None
    heading_path: list[str]
    support: float
    removed: bool = Field(description="the document was deleted: nothing of it is shown any more")

    @classmethod
    def of(cls, one: Citation) -> Self:
        """From the domain's citation."""
        return cls(
            number=one.number,
            chunk_id=str(one.chunk_id),
            document_id=one.document_id,
            document_name=one.document_name,
            version=one.generation,
            start=one.start,
            end=one.end,
            quote=one.quote,
            page=one.page,
            heading_path=list(one.heading_path),
            support=one.support,
            removed=one.removed,
        )


class SentenceOut(Out):
    """One sentence of the answer: characters `start` to `end` of its text, and whether a source supports it."""

    start: int
    end: int
    citations: list[int]
    supported: bool


class ReceiptOut(Out):
    """What the answer took."""

    model: str
    input_tokens: int
    output_tokens: int
    milliseconds: dict[str, float]


class MessageOut(Out):
    """One turn of a chat."""

    id: UUID
    role: Role
    content: str = Field(description="text and no markup: show it as it is, and load nothing that it names")
    found: bool = Field(description="false: the documents do not answer the question")
    citations: list[CitationOut]
    sentences: list[SentenceOut]
    receipt: ReceiptOut | None
    metadata: dict[str, Any]
    created_at: datetime

    @classmethod
    def of(cls, one: Message) -> Self:
        """From the domain's message."""
        return cls(
            id=one.id,
            role=one.role,
            content=one.content,
            found=one.found,
            citations=[CitationOut.of(citation) for citation in one.citations],
            sentences=[SentenceOut.model_validate(sentence) for sentence in one.sentences],
            receipt=None if one.receipt is None else ReceiptOut.model_validate(one.receipt),
            metadata=dict(one.metadata),
            created_at=one.created_at,
        )


class AnswerOut(Out):
    """A question and its checked answer."""

    question: MessageOut
    answer: MessageOut

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """From the use case's answer."""
        return cls(question=MessageOut.of(answer.question), answer=MessageOut.of(answer.answer))


class SourceOut(Out):
    """A passage the answer may cite, as found."""

    number: int
    chunk_id: str
    document_id: UUID
    document_name: str
    page: int | None

    @classmethod
    def of(cls, number: int, source: VisibleChunk) -> Self:
        """From a numbered source."""
        return cls(
            number=number,
            chunk_id=str(source.chunk.id),
            document_id=source.chunk.id.document_id,
            document_name=source.document_name,
            page=source.chunk.page_first,
        )
