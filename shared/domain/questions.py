"""Questions whose answers are known, to score an index by; made from the collection itself when it has none."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.domain.chunks import Chunk, ChunkId
from shared.domain.errors import Invalid
from shared.domain.function_words import FUNCTION_WORDS
from shared.domain.indexes import Score
from shared.domain.sentences import sentences

DEPTH = 10
MAX_QUESTIONS = 200
GENERATED = 50
"""Questions made where a collection has none."""
MAX_WORDS = 12


@dataclass(frozen=True, slots=True)
class Expected:
    """Where an answer is: a document, or characters `start` to `end` of its text. Chunks change with the index."""

    document_id: UUID
    start: int | None = None
    end: int | None = None

    def in_chunk(self, chunk: Chunk) -> bool:
        """Whether the chunk is of the document and, if the place is known, overlaps it."""
        if chunk.id.document_id != self.document_id:
            return False
        return self.start is None or self.end is None or (chunk.start < self.end and self.start < chunk.end)


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what should be found.

    Raises:
        Invalid: no words, nothing expected, or a place that is none.
    """

    text: str
    expected: tuple[Expected, ...]

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text) > 4000:
            raise Invalid("a question has 1 to 4000 characters", code="invalid_question")
        if not self.expected:
            raise Invalid("a question says what should be found", code="invalid_question")
        for one in self.expected:
            if (one.start is None) != (one.end is None) or (
                one.start is not None and one.end is not None and not 0 <= one.start < one.end
            ):
                raise Invalid("a place is given by its start and a later end", code="invalid_question")


def score(found: Sequence[tuple[Question, Sequence[Chunk]]]) -> Score:
    """nDCG@10 and recall@10 over questions with what was found for each, best first; relevance is 0 or 1.

    Each expected place counts once, where it is found first (Järvelin and Kekäläinen 2002, doi 10.1145/582415.582418).
    """
    if not found:
        return Score(0.0, 0.0)
    gains, recalls = 0.0, 0.0
    for question, chunks in found:
        left = list(dict.fromkeys(question.expected))
        wanted, gain, hits = len(left), 0.0, 0
        for rank, chunk in enumerate(chunks[:DEPTH]):
            matched = [one for one in left if one.in_chunk(chunk)]
            if matched:
                gain += 1 / math.log2(rank + 2)
                hits += len(matched)
                left = [one for one in left if one not in matched]
        ideal = sum(1 / math.log2(rank + 2) for rank in range(min(wanted, DEPTH)))
        gains += min(1.0, gain / ideal)
        recalls += hits / wanted
    return Score(round(gains / len(found), 4), round(recalls / len(found), 4))


def known_items(chunks: Sequence[Chunk], limit: int = GENERATED) -> list[Question]:
    """Known-item questions: words of a heading or a sentence, asked of the place they are from.

    The same chunks give the same questions. Of a sentence only some words are taken, by their hash, so that no leg can
    find it by repeating it.
    """
    made: dict[str, Question] = {}
    for chunk in sorted(chunks, key=lambda one: _draw(one.id)):
        text = _asked(chunk)
        if text and text not in made:
            made[text] = Question(text, (Expected(chunk.id.document_id, chunk.start, chunk.end),))
        if len(made) == limit:
            break
    return list(made.values())


def _asked(chunk: Chunk) -> str:
    longest = max((chunk.text[start:end] for start, end in sentences(chunk.text)), key=len, default="")
    words = [word for word in re.findall(r"\w+", longest) if word.lower() not in FUNCTION_WORDS]
    kept = [word for word in words if _hash(word) % 2 == 0] or words
    heading = chunk.heading_path[-1] if chunk.heading_path else ""
    return " ".join([heading, *kept[:MAX_WORDS]]).strip()


def _draw(id: ChunkId) -> int:
    return _hash(str(id))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def as_values(question: Question) -> list[Mapping[str, object]]:
    """What is expected, for storage."""
    return [{"document_id": str(one.document_id), "start": one.start, "end": one.end} for one in question.expected]
