"""How well the keyword leg finds things: nDCG@10 and recall@10 of BM25 over the analyser's terms.

    uv run python -m tests.evaluation.keywords            every set
    uv run python -m tests.evaluation.keywords xquad.th   one of them

The formulas are those of `shared.domain.bm25`, with the exact mean length and 64-bit weights. Questions go through
`query_terms`, which does not know their language; texts through `terms` with theirs.
"""

import json
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.adapters.snowball.analyser import SnowballAnalyser
from shared.domain.bm25 import encode, idf, indexed
from shared.ports.analyser import Analyser
from tests.evaluation.metrics import DEPTH, Quality, quality

DATA = Path(__file__).parents[2] / ".." / "shared" / "data"
LANGUAGES = ("en", "zh", "th", "hi", "ar", "de", "es", "el", "ro", "ru", "tr", "vi")
SETS = ("scifact", *(f"xquad.{language}" for language in LANGUAGES))


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts, questions, and how relevant which text is to which question."""

    language: str
    texts: Mapping[str, str]
    questions: Mapping[str, str]
    relevant: Mapping[str, Mapping[str, int]]


def read(name: str) -> Corpus | None:
    """One of `SETS`; None when the data is not there."""
    folder, _, language = name.partition(".")
    suffix = f".{language}" if language else ""
    paths = [DATA / folder / f"{part}{suffix}" for part in ("corpus", "queries", "qrels")]
    texts_path, questions_path, judged_path = (
        path.with_name(path.name + ending) for path, ending in zip(paths, (".jsonl", ".jsonl", ".tsv"), strict=True)
    )
    if not texts_path.is_file():
        return None
    relevant: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for line in judged_path.read_text().splitlines()[1:]:
        question, text, grade = line.split("\t")
        relevant[question][text] = int(grade)
    # A title belongs to what is matched; those of XQuAD are English in every language.
    titled = folder == "scifact"
    texts = {row["_id"]: f"{row['title']}\n{row['text']}" if titled else row["text"] for row in _rows(texts_path)}
    return Corpus(language or "en", texts, {row["_id"]: row["text"] for row in _rows(questions_path)}, relevant)


def evaluate(corpus: Corpus, analyser: Analyser) -> tuple[Quality, float]:
    """Rank every text for every question; and megabytes (UTF-8) a second of the analysis of the texts."""
    ids = list(corpus.texts)
    started = time.process_time()
    terms = [analyser.terms(corpus.texts[id], corpus.language) for id in ids]
    spent = time.process_time() - started
    average = sum(map(len, terms)) / len(terms)
    postings: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for place, found in enumerate(terms):
        for index, weight in encode(indexed(Counter(found)), len(found), average).items():
            postings[index].append((place, weight))
    rankings = {
        question: [ids[place] for place in _ranked(analyser.query_terms(text), postings, len(ids))]
        for question, text in corpus.questions.items()
    }
    size = sum(len(text.encode()) for text in corpus.texts.values())
    return quality(rankings, corpus.relevant), size / 1e6 / spent


def _ranked(terms: Sequence[str], postings: Mapping[int, Sequence[tuple[int, float]]], count: int) -> list[int]:
    scores: defaultdict[int, float] = defaultdict(float)
    for index in indexed(dict.fromkeys(terms, 1)):
        found = postings.get(index, ())
        for place, weight in found:
            scores[place] += idf(count, len(found)) * weight
    return sorted(scores, key=lambda place: (-scores[place], place))[:DEPTH]


def _rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def main(names: Sequence[str]) -> int:
    """Print a table; 1 when the data is not there."""
    analyser = SnowballAnalyser()
    print(f"{'set':10} {'nDCG@10':>8} {'recall@10':>10} {'empty':>6} {'MB/s':>6}   {analyser.version}")
    for name in names or SETS:
        corpus = read(name)
        if corpus is None:
            print(f"{name:10} no data at {DATA.resolve()}", file=sys.stderr)
            return 1
        figures, speed = evaluate(corpus, analyser)
        columns = f"{figures.ndcg:8.4f} {figures.recall:10.4f} {figures.empty:6} {speed:6.1f}"
        print(f"{name:10} {columns}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
