"""What the API answers, as far as the command line reads it. `--json` prints the whole of it, as it came."""

from typing import Any, Literal, NotRequired, TypedDict

type Json = dict[str, Any]


class Project(TypedDict):
    """A project."""

    id: str
    name: str
    created_at: str


class Model(TypedDict):
    """An embedding model."""

    name: str
    dimensions: int


class Collection(TypedDict):
    """A collection; the counts come with a single one only."""

    id: str
    name: str
    description: str
    language: str
    model: Model
    created_at: str
    documents: NotRequired[int]
    indexed: NotRequired[int]
    failed: NotRequired[int]
    chunks: NotRequired[int]


class IndexSettings(TypedDict):
    """How an index is made."""

    model: str
    dimensions: int
    method: str
    size: int
    overlap: int


class ReindexPlan(TypedDict):
    """What is stale in a collection."""

    collection_id: str
    name: str
    present: IndexSettings
    target: IndexSettings
    documents: int
    stale: int
    model: int
    chunking: int
    reader: int
    pipeline: int
    chunks: int
    tokens: int
    reasons: list[str]
    needed: bool


class Score(TypedDict):
    """nDCG@10 and recall@10."""

    ndcg: float
    recall: float


class Scores(TypedDict):
    """The searched index against a new one."""

    old: Score | None
    new: Score
    questions: int
    generated: bool
    at: str


class InStep(TypedDict):
    """How far an index is behind the searched one."""

    documents: int
    in_step: int
    in_flight: int
    failed: int


class Reindex(TypedDict):
    """An index of a collection; `progress` comes with a single one only."""

    id: str
    collection_id: str
    state: str
    settings: IndexSettings
    reasons: list[str]
    requested_by: str
    automatic: bool
    scores: Scores | None
    progress: InStep | None
    created_at: str
    changed_at: str
    expires_at: str | None
    problem: str


class Reason(TypedDict):
    """Why something failed."""

    code: str
    detail: str


class Counts(TypedDict):
    """How much came out of each step."""

    pages: int
    characters: int
    chunks: int
    embedded: int
    reused: int


class Progress(TypedDict):
    """How far the present step has come: pages, then chunks."""

    done: int
    total: int


class Version(TypedDict):
    """The progress of one version of a document; `timings` are milliseconds by step."""

    version: int
    state: str
    since: str
    attempts: int
    waiting: str
    progress: Progress | None
    failure: Reason | None
    counts: Counts
    timings: dict[str, int]
    warnings: list[str]
    finished_at: str | None


class Document(TypedDict):
    """A document; `latest` comes with a single one only."""

    id: str
    collection_id: str
    name: str
    path: str
    title: str
    media_type: str
    language: str
    size: int
    tags: list[str]
    metadata: Json
    status: str
    version: int | None
    latest_version: int
    duplicate_of: str | None
    created_at: str
    updated_at: str
    latest: NotRequired[Version | None]


class Form(TypedDict):
    """Where and how to send a file."""

    url: str
    fields: dict[str, str]
    expires_at: str
    max_bytes: int


class UploadSlot(TypedDict):
    """The answer to an announced upload; without `upload` the same content is served already."""

    document: Document
    version: int
    unchanged: bool
    upload: Form | None


class Attempt(TypedDict):
    """One version's story in a line."""

    version: int
    state: str
    since: str
    words: str


class Started(TypedDict):
    """A version that a retry started."""

    document_id: str
    version: int
    state: str


class Refused(TypedDict):
    """A document that no retry helps."""

    document_id: str
    reason: Reason


class Retries(TypedDict):
    """What came of a retry of many."""

    started: list[Started]
    refused: list[Refused]
    next: str | None


class Explanation(TypedDict):
    """Where a document is and why."""

    status: str
    summary: str
    since: str
    next: str
    history: list[Attempt]


class DeletionReceipt(TypedDict):
    """The proof of a deletion."""

    id: str
    kind: str
    subject_id: str
    parent_id: str | None
    requested_by: str
    requested_at: str
    completed_at: str | None
    complete: bool
    documents: int
    removed: dict[str, int]
    remaining: dict[str, int]
    statement: dict[str, object]
    signature: dict[str, str] | None


class TextPart(TypedDict):
    """A part of a document's text; `characters` is the length of the whole."""

    text: str
    start: int
    end: int
    characters: int


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


class Part(TypedDict):
    """One dependency and how it does."""

    name: str
    healthy: bool
    milliseconds: float
    detail: str


class QueueDepth(TypedDict):
    """What waits in a queue."""

    name: str
    waiting: int
    in_flight: int
    delayed: int
    dead: bool


class Health(TypedDict):
    """Every part apart."""

    status: str
    parts: list[Part]
    queues: list[QueueDepth]


class WaitingLine(TypedDict):
    """Versions that wait at one step for one reason."""

    state: str
    reason: str
    count: int
    oldest: str
    overdue: int
    leased: int


class WaitingOne(TypedDict):
    """One version that waits."""

    document_id: str
    name: str
    version: int
    state: str
    since: str
    due_at: str | None
    leased_by: str | None
    leased_until: str | None
    attempts: int
    waiting: str
    last_error: str


class Unsent(TypedDict):
    """Messages whose sender died."""

    count: int
    oldest: str | None


class TroubledRun(TypedDict):
    """A run for which something was asked that is not done."""

    id: str
    name: str
    status: str
    trouble: str


class Waiting(TypedDict):
    """Everything that waits."""

    lines: list[WaitingLine]
    longest: list[WaitingOne]
    failed: dict[str, int]
    deleting: int
    unsent: Unsent
    runs: list[TroubledRun]
    queues: list[QueueDepth]
    dead_letters: int
    queues_unknown: str
