"""How well the extractive answerer answers: does its answer hold the words that a person marked as the answer?

    uv run --no-sync python -m tests.evaluation.answers           English XQuAD and the chunking questions
    uv run --no-sync python -m tests.evaluation.answers de zh     other languages of XQuAD

Every question is asked three times: with five passages found by BM25 that include the right one, with five from other
articles (it must say that it found nothing), and with five from anywhere but the right one (nearly always unanswerable
too, but about the subject). Weights and threshold were fitted on the articles at even places in English; the others
('held out') show what they are worth.
"""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.adapters.extractive.llm import answer
from shared.adapters.snowball.analyser import SnowballAnalyser
from shared.domain.bm25 import encode, idf, indexed, score, term_index
from shared.domain.chats import NOT_FOUND_ANSWER, Passage
from shared.domain.chunks import Chunk, ChunkId
from shared.domain.citations import CheckedAnswer, check
from shared.domain.search import VisibleChunk

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
PASSAGES = 5
_DOCUMENT = UUID(int=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, the paragraph that answers it and the words that do."""

    text: str
    gold: str
    spans: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Test:
    """Paragraphs by id, the article of each, and questions."""

    paragraphs: Mapping[str, str]
    articles: Mapping[str, str]
    questions: Sequence[Asked]


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares of the questions asked, and means over the answers given."""

    questions: int
    correct: float
    """The right passage was there and the answer holds the marked words."""
    cited: float
    """… and one of its citations is of that passage."""
    missed: float
    """The right passage was there and nothing was found."""
    refused: float
    """Only other articles were there and nothing was found."""
    refused_near: float
    """Only other passages, of the same article too, and nothing was found."""
    supported: float
    """Of the answers' sentences, those that the citation check calls supported."""
    sentences: float
    characters: float
    milliseconds: float


class Finder:
    """BM25 over the paragraphs."""

    def __init__(self, paragraphs: Mapping[str, str], language: str) -> None:
        self._analyser = SnowballAnalyser()
        terms = {id: Counter(self._analyser.terms(text, language)) for id, text in paragraphs.items()}
        average = sum(map(Counter.total, terms.values())) / len(terms)
        self._weights = {id: encode(indexed(found), found.total(), average) for id, found in terms.items()}
        self._holding = Counter(index for weights in self._weights.values() for index in weights)

    def ranked(self, question: str) -> list[tuple[str, float]]:
        """All paragraphs, best first, with their scores."""
        places = {term_index(term) for term in self._analyser.query_terms(question)}
        query = {place: idf(len(self._weights), self._holding[place]) for place in places}
        scored = [(id, score(query, weights)) for id, weights in self._weights.items()]
        return sorted(scored, key=lambda one: (-one[1], one[0]))


def xquad(language: str) -> Test | None:
    """XQuAD: paragraphs of Wikipedia and questions whose answer is a span; None when the data is not there."""
    folder = DATA / "xquad"
    if not (folder / f"corpus.{language}.jsonl").is_file():
        return None
    rows = _rows(folder / f"corpus.{language}.jsonl")
    judged = dict(line.split("\t")[:2] for line in (folder / f"qrels.{language}.tsv").read_text().splitlines()[1:])
    questions = [
        Asked(row["text"], judged[row["_id"]], tuple(row["answers"]))
        for row in _rows(folder / f"queries.{language}.jsonl")
    ]
    return Test({row["_id"]: row["text"] for row in rows}, {row["_id"]: row["title"] for row in rows}, questions)


def chunking() -> Test | None:
    """Five long texts of other kinds, cut into paragraphs of about 800 characters; the words marked are whole sentences
    of evidence.
    """
    folder = DATA / "chroma_chunking"
    if not folder.is_dir():
        return None
    paragraphs: dict[str, str] = {}
    articles: dict[str, str] = {}
    questions: list[Asked] = []
    for path in sorted((folder / "corpora").glob("*.md")):
        for place, piece in enumerate(_pieces(path.read_text(), 800)):
            paragraphs[f"{path.stem}-{place}"], articles[f"{path.stem}-{place}"] = piece, path.stem
    for row in _rows(folder / "questions.jsonl"):
        spans = tuple(reference["content"] for reference in row["references"])
        holding = [id for id, text in paragraphs.items() if articles[id] == row["corpus_id"] and spans[0] in text]
        if holding:
            questions.append(Asked(row["text"], holding[0], spans[:1]))
    return Test(paragraphs, articles, questions)


def evaluate(test: Test, questions: Sequence[Asked], finder: Finder, part: float = 1.0) -> Figures:
    """Ask everything three times.

    Args:
        test: the paragraphs.
        questions: of the test.
        finder: over its paragraphs.
        part: share of a marked span's words that an answer must have; 1 for the span itself.
    """
    count: Counter[str] = Counter()
    spent = 0.0
    for asked in questions:
        ranked = finder.ranked(asked.text)
        first = ranked[:PASSAGES]
        if asked.gold not in dict(first):
            first[-1] = next(one for one in ranked if one[0] == asked.gold)
        others = [one for one in ranked if test.articles[one[0]] != test.articles[asked.gold]]
        started = time.perf_counter()
        given, checked = _ask(asked.text, first, test)
        spent += time.perf_counter() - started
        correct = any(_holds(given, span, part) for span in asked.spans)
        place = [id for id, _ in first].index(asked.gold)
        count["correct"] += correct
        count["cited"] += correct and any(citation.chunk_id.ordinal == place for citation in checked.citations)
        count["missed"] += not checked.found
        if checked.found:
            count["answers"] += 1
            count["sentences"] += len(checked.sentences)
            count["supported"] += sum(sentence.supported for sentence in checked.sentences)
            count["characters"] += len(checked.text)
        count["refused"] += not _ask(asked.text, others[:PASSAGES], test)[1].found
        count["near"] += not _ask(asked.text, [one for one in ranked if one[0] != asked.gold][:PASSAGES], test)[1].found
    total, answers = len(questions), max(count["answers"], 1)
    return Figures(
        questions=total,
        correct=count["correct"] / total,
        cited=count["cited"] / total,
        missed=count["missed"] / total,
        refused=count["refused"] / total,
        refused_near=count["near"] / total,
        supported=count["supported"] / max(count["sentences"], 1),
        sentences=count["sentences"] / answers,
        characters=count["characters"] / answers,
        milliseconds=spent * 1000 / total,
    )


def halves(test: Test) -> tuple[list[Asked], list[Asked]]:
    """The questions of the articles at even places, which the weights were fitted on, and the others."""
    fitted = set(sorted(set(test.articles.values()))[::2])
    return (
        [asked for asked in test.questions if test.articles[asked.gold] in fitted],
        [asked for asked in test.questions if test.articles[asked.gold] not in fitted],
    )


def _ask(question: str, found: Sequence[tuple[str, float]], test: Test) -> tuple[str, CheckedAnswer]:
    passages, sources = [], {}
    for place, (id, value) in enumerate(found):
        text, name = test.paragraphs[id], test.articles[id].replace("_", " ")
        chunk = Chunk(ChunkId(_DOCUMENT, 1, place), text, 0, len(text), "")
        passages.append(Passage(place + 1, chunk.id, name, (), text, value))
        sources[place + 1] = VisibleChunk(chunk, _DOCUMENT, name, name, "text/plain", (), {})
    given = "".join(answer(question, passages)) or NOT_FOUND_ANSWER
    return given, check(given, sources)


def _holds(given: str, span: str, part: float) -> bool:
    if part >= 1:
        return _plain(span) in _plain(given)
    wanted, said = set(_plain(span).split()), set(_plain(given).split())
    return len(wanted & said) >= part * len(wanted)


def _plain(text: str) -> str:
    return " ".join(re.sub(r"\[\d+\]|[^\w\s]", " ", text).casefold().split())


def _pieces(text: str, size: int) -> list[str]:
    pieces, start = [], 0
    while start < len(text):
        end = text.rfind(". ", start, start + size) + 1 if len(text) - start > size else len(text)
        end = end if end > start else start + size
        pieces.append(text[start:end].strip())
        start = end
    return [piece for piece in pieces if piece]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _show(name: str, figures: Figures) -> None:
    shares = f"correct {figures.correct:.3f}  cited {figures.cited:.3f}  missed {figures.missed:.3f}"
    refusals = f"refused {figures.refused:.3f}  near {figures.refused_near:.3f}  supported {figures.supported:.3f}"
    sizes = f"{figures.sentences:.2f} sentences  {figures.characters:.0f} chars  {figures.milliseconds:.1f} ms"
    print(f"{name:22} {figures.questions:5}  {shares}  {refusals}  {sizes}")


def main(languages: Sequence[str]) -> None:
    """Print a line per set."""
    for language in languages or ("en",):
        test = xquad(language)
        if test is None:
            sys.exit("the data folder is not there")
        finder = Finder(test.paragraphs, language)
        fitted, held_out = halves(test)
        _show(f"xquad.{language} fitted", evaluate(test, fitted, finder))
        _show(f"xquad.{language} held out", evaluate(test, held_out, finder))
    if not languages and (test := chunking()) is not None:
        _show("chunking (7/10 words)", evaluate(test, test.questions, Finder(test.paragraphs, "en"), part=0.7))


if __name__ == "__main__":
    main(sys.argv[1:])
