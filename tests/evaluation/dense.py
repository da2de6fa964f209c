"""How well the local embedding model finds things by itself: nDCG@10 and recall@10 over exact inner products.

uv run --no-sync python -m tests.evaluation.dense            SciFact
uv run --no-sync python -m tests.evaluation.dense xquad.en   another set of tests.evaluation.keywords
"""

import asyncio
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.adapters.local_model.build import prepare
from shared.adapters.local_model.embedder import LocalEmbedder
from shared.ports.embedder import Purpose
from tests.evaluation.keywords import DEPTH, Corpus, read

MODEL = Path(tempfile.gettempdir(), "lambent-model-evaluated")
GOAL = 0.64
"""nDCG@10 on SciFact; the model as published has .645."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the questions, and texts embedded a second."""

    ndcg: float
    recall: float
    texts_per_second: float


async def evaluate(corpus: Corpus, embedder: LocalEmbedder) -> Figures:
    """Embed everything and rank every text for every question."""
    ids = list(corpus.texts)
    started = time.perf_counter()
    vectors = await _embedded(embedder, list(corpus.texts.values()), Purpose.DOCUMENT)
    spent = time.perf_counter() - started
    asked = [question for question in corpus.questions if corpus.relevant.get(question)]
    queries = await _embedded(embedder, [corpus.questions[question] for question in asked], Purpose.QUERY)
    gains, recalls = [], []
    for question, scores in zip(asked, queries @ vectors.T, strict=True):
        grades = corpus.relevant[question]
        found = [grades.get(ids[place], 0) for place in np.argsort(-scores, kind="stable")[:DEPTH]]
        ideal = sorted(grades.values(), reverse=True)[:DEPTH]
        gains.append(_gain(found) / _gain(ideal))
        recalls.append(sum(grade > 0 for grade in found) / sum(grade > 0 for grade in grades.values()))
    return Figures(float(np.mean(gains)), float(np.mean(recalls)), len(ids) / spent)


async def _embedded(embedder: LocalEmbedder, texts: Sequence[str], purpose: Purpose) -> NDArray[np.float32]:
    size = embedder.batch_size
    batches = [await embedder.embed(texts[at : at + size], purpose) for at in range(0, len(texts), size)]
    return np.array([vector for batch in batches for vector in batch.vectors], np.float32)


def _gain(grades: Sequence[int]) -> float:
    return math.fsum((2.0**grade - 1) / math.log2(place + 2) for place, grade in enumerate(grades))


def main(names: Sequence[str]) -> None:
    """Print a line per set."""
    prepare(MODEL)
    for name in names or ("scifact",):
        corpus = read(name)
        if corpus is None:
            sys.exit("the data folder is not there")
        figures = asyncio.run(evaluate(corpus, LocalEmbedder(MODEL)))
        found = f"nDCG@10 {figures.ndcg:.4f}  recall@10 {figures.recall:.4f}"
        print(f"{name:12} {found}  {figures.texts_per_second:.0f} texts/s")
        if name == "scifact" and figures.ndcg < GOAL:
            sys.exit(f"below the goal of {GOAL}")


if __name__ == "__main__":
    main(sys.argv[1:])
