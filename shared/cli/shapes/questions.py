"""What was found and what was answered, as the API tells it."""

from typing import Literal, TypedDict


class Hit(TypedDict):
    """A chunk that was found."""

    chunk_id: str
    document_id: str
    document_name: str
    document_title: str
    version: int
    text: str
    start: int
    end: int
    page_first: int | None
    page_last: int | None
    heading_path: list[str]
    kind: str
    score: float
    vector_score: float | None
    keyword_score: float | None


class SearchResult(TypedDict):
    """Hits, best first, with the milliseconds of each step."""

    hits: list[Hit]
    milliseconds: dict[str, float]
    model: str


class Citation(TypedDict):
    """What a sentence rests on: `quote` is characters `start` to `end` of that version's text."""

    number: int
    chunk_id: str
    document_id: str
    document_name: str
    version: int
    start: int
    end: int
    quote: str
    page: int | None
    heading_path: list[str]
    support: float
    removed: bool


class Sentence(TypedDict):
    """One sentence of an answer, as a span of it."""

    start: int
    end: int
    citations: list[int]
    supported: bool


class AnswerReceipt(TypedDict):
    """What an answer took."""

    model: str
    input_tokens: int
    output_tokens: int
    milliseconds: dict[str, float]


class Message(TypedDict):
    """One turn of a chat."""

    id: str
    role: Literal["system", "user", "assistant"]
    content: str
    found: bool
    citations: list[Citation]
    sentences: list[Sentence]
    receipt: AnswerReceipt | None
    created_at: str


class Answer(TypedDict):
    """A question and its checked answer."""

    question: Message
    answer: Message


class Chat(TypedDict):
    """A chat."""

    id: str
    title: str
    collection_ids: list[str]
    created_at: str
    updated_at: str
