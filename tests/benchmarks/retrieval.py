"""How well search finds things, next to what others would find with the same texts and vectors.

    uv run --group bench python -m tests.benchmarks.retrieval [--sets scifact,xquad_en] [--documents N] [--questions N]

Sets are those of the data folder beside the repository: scifact, xquad_<language>; all of them unless some are named.
With --documents or --questions the first of each are taken, for a try: such figures compare with no others.

ours    keyword, vector, hybrid: the `search` use case in each of its modes with its defaults, on real Postgres. Each
        text is one document of one chunk. As the sweep does, weights are encoded anew if the mean length has drifted,
        and the vectors of a large collection get their index.
others  bm25s (k1 1.2, b 0.75) as it comes, with its stop words and Snowball stems where it has the language; bm25s
        given our analyser's words; the exact inner product of the same vectors; plain reciprocal rank fusion (k 60) of
        the last two, 100 deep.

Vectors are the local model's, which knows English only; they are kept on disk, so that the next run is quick. Below
each table is what is aimed at, marked when it is missed: the keyword leg at most 0.005 nDCG@10 below either bm25s; the
hybrid at most 0.005 below its better leg, and not below plain fusion.
"""

import argparse
import asyncio
import math
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
import Stemmer
from numpy.typing import NDArray

from shared import bootstrap
from shared.adapters.local_model.build import prepare
from shared.adapters.local_model.embedder import LocalEmbedder
from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from shared.adapters.snowball.analyser import SnowballAnalyser
from shared.domain.chunks import Chunk, ChunkId, ChunkTerms, ChunkVector
from shared.domain.documents import DocumentStatus
from shared.domain.search import LEG_DEPTH, RRF_K, SearchMode, SearchQuery
from shared.ports.embedder import Purpose
from shared.usecases.search.retrieve import Question, retrieve
from tests.benchmarks.overhead import quietly
from tests.contracts.samples import NOW, Room, collection, document, generation, new_room
from tests.evaluation.dense import MODEL, nearest
from tests.evaluation.embedded import Kept
from tests.evaluation.keywords import SETS, Corpus, read
from tests.evaluation.metrics import DEPTH, Quality, quality
from tests.fixtures.postgres import TestServer

VECTORS = Path(tempfile.gettempdir(), "lambent-embeddings.sqlite")
AT_ONCE = 50
"""Documents written in one transaction."""
TOLERANCE = 0.005
STEMS = {"en": "english", "ar": "arabic", "de": "german", "es": "spanish", "el": "greek", "hi": "hindi"}
STEMS |= {"ro": "romanian", "ru": "russian", "tr": "turkish"}
STOP_WORDS = ("en", "de", "es", "ru", "tr", "zh")

type Rankings = Mapping[str, Sequence[str]]
"""For each question the texts found, best first."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A set with everything that is made of it once."""

    corpus: Corpus
    ids: Sequence[str]
    terms: Sequence[Sequence[str]]
    """Of the texts, in the order of the ids."""
    vectors: NDArray[np.float32]
    asked: Sequence[str]
    """The questions that have a relevant text."""
    asked_terms: Sequence[Sequence[str]]
    asked_vectors: NDArray[np.float32]


async def prepared(corpus: Corpus, kept: Kept, analyser: SnowballAnalyser) -> Prepared:
    """Analyse and embed."""
    ids, texts = list(corpus.texts), list(corpus.texts.values())
    asked = [question for question in corpus.questions if any(corpus.relevant.get(question, {}).values())]
    questions = [corpus.questions[question] for question in asked]
    return Prepared(
        corpus,
        ids,
        [analyser.terms(text, corpus.language) for text in texts],
        await kept.vectors(texts, Purpose.DOCUMENT),
        asked,
        [analyser.query_terms(question) for question in questions],
        await kept.vectors(questions, Purpose.QUERY),
    )


def first_of(corpus: Corpus, documents: int, questions: int) -> Corpus:
    """The first so many texts, and the first so many questions about them."""
    texts = dict(list(corpus.texts.items())[:documents])
    about = [one for one in corpus.questions if any(text in texts for text in corpus.relevant.get(one, ()))][:questions]
    relevant = {one: {text: grade for text, grade in corpus.relevant[one].items() if text in texts} for one in about}
    return replace(corpus, texts=texts, questions={one: corpus.questions[one] for one in about}, relevant=relevant)


class Ours:
    """The set in a collection of its own."""

    def __init__(self, store: PgStore, room: Room, of: Prepared) -> None:
        self._store, self._room, self._of = store, room, of
        self._text_of: dict[UUID, str] = {}

    async def fill(self) -> None:
        """Write and publish everything."""
        for first in range(0, len(self._of.ids), AT_ONCE):
            await self._write(range(first, min(first + AT_ONCE, len(self._of.ids))))
        scope, held = self._room.scope, self._room.collection
        async with self._store.transaction(scope) as rows:
            await rows.keywords.rebalance(scope, held.id)
        async with self._store.transaction(scope) as rows:
            await rows.vectors.tend(scope, held, NOW)

    async def _write(self, places: range) -> None:
        scope, held, of = self._room.scope, self._room.collection, self._of
        async with self._store.transaction(scope) as rows:
            for place in places:
                made = document(self._room, name=of.ids[place], status=DocumentStatus.INDEXED)
                self._text_of[made.id] = of.ids[place]
                id, text, words = ChunkId(made.id, 1, 0), of.corpus.texts[of.ids[place]], of.terms[place]
                chunk = Chunk(id=id, text=text, start=0, end=len(text), content_hash=f"{place:064x}", tokens=len(words))
                await rows.documents.add(scope, made, generation(made))
                await rows.chunks.replace(scope, held.id, made.id, 1, [chunk])
                await rows.keywords.put(scope, held.id, [ChunkTerms(id, dict(Counter(words)), len(words))])
                await rows.vectors.put(scope, held, [ChunkVector(id, of.vectors[place].tolist())])
                await rows.documents.commit(scope, made.id, 1)
                await rows.keywords.publish(scope, held.id, made.id, add=1, remove=None)

    async def rankings(self, mode: SearchMode) -> Rankings:
        """What search finds, by its defaults."""
        scope, held, of = self._room.scope, self._room.collection, self._of
        found = {}
        for question, vector in zip(of.asked, of.asked_vectors, strict=True):
            query = SearchQuery(of.corpus.questions[question], (held.id,), limit=DEPTH, mode=mode)
            async with bootstrap.transaction(scope) as ports:
                result = await retrieve(scope, ports, Question(query, {held.model.name: vector.tolist()}))
            found[question] = [self._text_of[hit.source.chunk.id.document_id] for hit in result.hits]
        return found


def by_bm25s(of: Prepared, texts: Sequence[Sequence[str]], questions: Sequence[Sequence[str]]) -> Rankings:
    """What bm25s finds in texts that are lists of words; 100 deep."""
    import bm25s

    index = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
    index.index([list(one) for one in texts], show_progress=False)
    found = {}
    for question, words in zip(of.asked, questions, strict=True):
        known = [word for word in words if word in index.vocab_dict]
        scores = index.get_scores(known) if known else np.zeros(len(of.ids))
        places = np.argsort(-scores, kind="stable")[:LEG_DEPTH]
        found[question] = [of.ids[place] for place in places if scores[place] > 0]
    return found


def words_of_bm25s(texts: Sequence[str], language: str) -> Sequence[Sequence[str]]:
    """The words that bm25s itself makes of texts."""
    import bm25s

    stemmer = Stemmer.Stemmer(STEMS[language]) if language in STEMS else None
    stop_words = language if language in STOP_WORDS else None
    found: list[list[str]] = bm25s.tokenize(
        list(texts), stopwords=stop_words, stemmer=stemmer, return_ids=False, show_progress=False
    )
    return found


def fused(of: Prepared, legs: Sequence[Rankings]) -> Rankings:
    """Reciprocal rank fusion as published (Cormack et al. 2009): every leg counts alike."""
    merged = {}
    for question in of.asked:
        scores: defaultdict[str, float] = defaultdict(float)
        for leg in legs:
            for rank, text in enumerate(leg[question], 1):
                scores[text] += 1 / (RRF_K + rank)
        merged[question] = sorted(scores, key=lambda text: (-scores[text], text))
    return merged


def others(of: Prepared) -> dict[str, Rankings]:
    """What the others find, by their names."""
    language = of.corpus.language
    own_texts = words_of_bm25s(list(of.corpus.texts.values()), language)
    own_questions = words_of_bm25s([of.corpus.questions[question] for question in of.asked], language)
    places = nearest(of.vectors, of.asked_vectors, LEG_DEPTH)
    dense = {question: [of.ids[place] for place in row] for question, row in zip(of.asked, places, strict=True)}
    same_words = by_bm25s(of, of.terms, of.asked_terms)
    return {
        "bm25s": by_bm25s(of, own_texts, own_questions),
        "bm25s, our words": same_words,
        "dense, exact": dense,
        "plain RRF": fused(of, [same_words, dense]),
    }


@dataclass(frozen=True, slots=True)
class Goal:
    """How far a figure may be from another."""

    name: str
    over: float
    """How much nDCG@10 is above what it is held against; negative: below."""
    least: float

    @property
    def missed(self) -> bool:
        """Whether it is less than it may be."""
        return self.over < self.least

    def __str__(self) -> str:
        return f"  {self.name:24} {self.over:+.4f}  (at least {self.least:+.3f}){'  ✗ MISSED' if self.missed else ''}"


def goals(of: Mapping[str, Quality]) -> list[Goal]:
    """What is aimed at, for one set."""
    hybrid, legs = of["hybrid"].ndcg, max(of["keyword"].ndcg, of["vector"].ndcg)
    return [
        Goal("keyword over bm25s", of["keyword"].ndcg - of["bm25s"].ndcg, -TOLERANCE),
        Goal("keyword, the same words", of["keyword"].ndcg - of["bm25s, our words"].ndcg, -TOLERANCE),
        Goal("hybrid over better leg", hybrid - legs, -TOLERANCE),
        Goal("hybrid over plain RRF", hybrid - of["plain RRF"].ndcg, 0.0),
    ]


async def measure(store: PgStore, superuser: str, of: Prepared) -> dict[str, Quality]:
    """One set, by name of what searched it."""
    room = await new_room(store)
    held = collection(room.scope, name="measured", model=LocalEmbedder.model, language=of.corpus.language)
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, held)
    ours = Ours(store, Room(room.scope, held), of)
    await ours.fill()
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    with quietly():
        modes = (SearchMode.KEYWORD, SearchMode.VECTOR, SearchMode.HYBRID)
        rankings = {mode.value: await ours.rankings(mode) for mode in modes}
    return {name: quality(one, of.corpus.relevant) for name, one in (rankings | others(of)).items()}


def show(name: str, of: Prepared, found: Mapping[str, Quality], seconds: float) -> None:
    """The table of one set."""
    print(f"\n{name}: {len(of.ids):,} texts, {len(of.asked):,} questions, {seconds:.0f} s")
    print(f"  {'':18} {'nDCG@10':>8} {'Recall@10':>10} {'MRR@10':>8} {'empty':>6}")
    for who, one in found.items():
        print(f"  {who:18} {one.ndcg:8.4f} {one.recall:10.4f} {one.mrr:8.4f} {one.empty:6}")
    print(*goals(found), sep="\n", flush=True)


def summary(every: Mapping[str, Mapping[str, Quality]]) -> None:
    """nDCG@10 of all sets, and what was missed."""
    names = list(next(iter(every.values())))
    print(f"\n{'nDCG@10':10}" + "".join(f"{name:>18}" for name in names))
    for set_name, found in every.items():
        print(f"{set_name:10}" + "".join(f"{found[name].ndcg:18.4f}" for name in names))
    means = [math.fsum(found[name].ndcg for found in every.values()) / len(every) for name in names]
    print(f"{'mean':10}" + "".join(f"{mean:18.4f}" for mean in means))
    missed = [
        f"{set_name}: {goal.name} {goal.over:+.4f}"
        for set_name in every
        for goal in goals(every[set_name])
        if goal.missed
    ]
    print("\nmissed: " + ("; ".join(missed) or "nothing"))


async def run(chosen: argparse.Namespace, sets: Mapping[str, Corpus], server: TestServer) -> None:
    """Every set, one after another in one database."""
    prepare(MODEL)
    kept, analyser = Kept(VECTORS, LocalEmbedder(MODEL)), SnowballAnalyser()
    urls = server.create_database()
    await PgMigrations(urls.owner, urls.app).migrate()
    store = PgStore(urls.app)
    every = {}
    with bootstrap.override(store=store, analyser=analyser):
        for name, corpus in sets.items():
            started = time.perf_counter()
            of = await prepared(first_of(corpus, chosen.documents, chosen.questions), kept, analyser)
            every[name] = await measure(store, urls.superuser, of)
            show(name, of, every[name], time.perf_counter() - started)
    await store.close()
    kept.close()
    summary(every)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = [name.replace(".", "_") for name in SETS]
    parser.add_argument("--sets", default="", help=f"some of {','.join(known)}; all that are there unless named")
    parser.add_argument("--documents", type=int, default=10**9, help="the first so many texts of each set")
    parser.add_argument("--questions", type=int, default=10**9, help="the first so many questions of each set")
    chosen = parser.parse_args()
    wanted = [name for name in chosen.sets.split(",") if name] or known
    if unknown := set(wanted) - set(known):
        parser.error(f"no set {', '.join(sorted(unknown))}")
    if find_spec("bm25s") is None:
        sys.exit("bm25s is not installed: uv run --group bench python -m tests.benchmarks.retrieval")
    corpora = {name: read(name.replace("_", ".")) for name in wanted}
    sets = {name: corpus for name, corpus in corpora.items() if corpus is not None}
    if not sets or (chosen.sets and len(sets) < len(wanted)):
        sys.exit("the data is not there: " + ", ".join(name for name in wanted if name not in sets))
    server = TestServer()
    try:
        asyncio.run(run(chosen, sets, server))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
