"""Pieces of a document that are searched and cited."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.domain.errors import Invalid


class ChunkMethod(StrEnum):
    """How a text is cut."""

    STRUCTURE = "structure"
    """By headings, paragraphs and sentences; tables whole; code by syntax. The default."""
    TOKENS = "tokens"
    """Windows of equal size with overlap, cut at word boundaries."""
    PAGE = "page"
    """One chunk a page; pages over `size` are cut further by structure."""


@dataclass(frozen=True, slots=True)
class Chunking:
    """How a collection cuts its documents. Sizes are estimated tokens (see `shared.domain.chunking.estimate_tokens`).

    Raises:
        Invalid: size outside 20-2000, or overlap not below half the size.
    """

    method: ChunkMethod = ChunkMethod.STRUCTURE
    size: int = 200
    overlap: int = 0

    def __post_init__(self) -> None:
        if not 20 <= self.size <= 2000:
            raise Invalid(f"chunk size {self.size} is outside 20-2000 tokens", code="invalid_chunking")
        if not 0 <= self.overlap < self.size / 2:
            raise Invalid(
                f"chunk overlap {self.overlap} must be at least 0 and less than half the size ({self.size})",
                code="invalid_chunking",
            )

    @property
    def key(self) -> str:
        """Stable text that tells two ways of cutting apart; part of a generation's recipe."""
        return f"{self.method}/{self.size}/{self.overlap}"


DEFAULT_CHUNKING = Chunking(ChunkMethod.STRUCTURE, size=200, overlap=20)
"""For collections that say nothing; it fits the local model's window (measured in tests/benchmarks/extraction.py)."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A cut made by a chunker: a span of the extracted text, not yet tied to a document."""

    start: int
    end: int
    heading_path: tuple[str, ...] = ()
    """Titles of the headings above it, outermost first."""
    page_first: int | None = None
    page_last: int | None = None
    kind: str = "text"
    """'text', 'table' or 'code'."""
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class ChunkId:
    """Names one chunk for ever.

    It contains the generation, so nothing written by one generation can pass for another's.
    """

    document_id: UUID
    generation: int
    ordinal: int

    def __str__(self) -> str:
        return f"{self.document_id}:{self.generation}:{self.ordinal}"

    @classmethod
    def parse(cls, text: str) -> "ChunkId":
        """Read the text form.

        Raises:
            Invalid: the text is no chunk id.
        """
        try:
            document, generation, ordinal = text.split(":")
            parsed = cls(UUID(document), int(generation), int(ordinal))
        except ValueError as error:
            raise Invalid(f"{text[:80]!r} is not a chunk id", code="invalid_chunk_id") from error
        return parsed


@dataclass(frozen=True, slots=True)
class Chunk:
    """A searchable piece of one document generation. `text == extracted.text[start:end]`, always."""

    id: ChunkId
    text: str
    start: int
    end: int
    content_hash: str
    """sha256 of `matched_text`: equal hash and model mean equal vector."""
    heading_path: tuple[str, ...] = ()
    page_first: int | None = None
    page_last: int | None = None
    kind: str = "text"
    tokens: int = 0
    language: str = ""


@dataclass(frozen=True, slots=True)
class ChunkVector:
    """The embedding of one chunk."""

    id: ChunkId
    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class ChunkTerms:
    """The analysed words of one chunk: how often each occurs, keyed by the term itself."""

    id: ChunkId
    frequencies: dict[str, int]
    length: int
    """Number of terms, repeats counted: the `dl` of BM25."""


def matched_text(title: str, heading_path: Sequence[str], text: str) -> str:
    """What both search legs see of a chunk: its document's title and headings, then its own words."""
    header = " › ".join(part for part in (title, *heading_path) if part)
    return f"{header}\n{text}" if header else text
