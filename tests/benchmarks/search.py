"""Search and ingestion of the Postgres adapter beside the bare SQL they come down to.

    uv run python -m tests.benchmarks.search [--chunks 10000 100000] [--queries 100] [--per-document 50]

Texts are windows of 150 words of the collections in the data folder beside the repository (words drawn by Zipf's law
without it); vectors are drawn around 500 centres, 384 dimensions. Everything runs on one machine over a socket, with a
server that syncs every commit. A question is asked of the adapter and of bare SQL by turns, so that whatever else the
machine does falls on both; the ratio of the two is the figure to compare between machines. `cpu` is the processor time
of server and client together, which a busy machine spoils less than it does the time that passed.

bare SQL is a table of its own with nothing but what the answer needs: no tenants, no generations, no read gate, no
row-level security; statistics of terms come worked out from outside.
"""

import argparse
import asyncio
import json
import random
import statistics
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from sqlalchemy import text

from shared.adapters.postgres.binary import sparse, vector
from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from shared.adapters.snowball.analyser import SnowballAnalyser
from shared.domain import bm25
from shared.domain.chunks import Chunk, ChunkId, ChunkTerms, ChunkVector
from shared.domain.collections import EmbeddingModel
from shared.domain.documents import DocumentStatus
from shared.domain.filters import Condition, Filter, Op
from shared.domain.search import LEG_DEPTH, Fusion, LegHit, fuse
from tests.contracts.samples import NOW, Room, collection, document, generation, new_room
from tests.fixtures.postgres import TestServer

DATA = Path(__file__).parents[3] / "shared" / "data" / "scifact"
DIMENSIONS = 384
WORDS = 150
CENTRES = 500
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "1GB"}


@dataclass(frozen=True, slots=True)
class Made:
    """One document's worth of input, made before the clock runs."""

    texts: list[str]
    terms: list[Counter[str]]
    vectors: list[list[float]]


class World:
    """Texts, vectors and questions, the same for everyone who asks with the same seed."""

    def __init__(self, per_document: int, seed: int = 1) -> None:
        self.per_document = per_document
        self._chance = random.Random(seed)
        self._numbers = np.random.default_rng(seed)
        self._centres = self._numbers.normal(size=(CENTRES, DIMENSIONS))
        self._analyser = SnowballAnalyser()
        self._words = self._read()

    def documents(self, count: int) -> Iterator[Made]:
        """That many documents."""
        for _ in range(count):
            first = self._chance.randrange(len(self._words) - WORDS * self.per_document)
            cuts = range(first, first + WORDS * self.per_document, WORDS)
            texts = [" ".join(self._words[cut : cut + WORDS]) for cut in cuts]
            terms = [Counter(self._analyser.terms(text, "en")) for text in texts]
            yield Made(texts, terms, self.vectors(self.per_document))

    def vectors(self, count: int) -> list[list[float]]:
        """Vectors around the centres."""
        drawn = self._centres[self._numbers.integers(0, CENTRES, count)]
        drawn = drawn + self._numbers.normal(size=(count, DIMENSIONS)) * 0.7
        found: list[list[float]] = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32).tolist()
        return found

    def questions(self, count: int) -> list[list[str]]:
        """Terms of questions."""
        path = DATA / "queries.jsonl"
        if path.is_file():
            texts = [json.loads(line)["text"] for line in path.read_text().splitlines()]
        else:
            texts = [" ".join(self._chance.choices(self._words, k=12)) for _ in range(count)]
        return [self._analyser.query_terms(text) for text in self._chance.choices(texts, k=count)]

    def _read(self) -> list[str]:
        path = DATA / "corpus.jsonl"
        if path.is_file():
            return [word for line in path.read_text().splitlines() for word in json.loads(line)["text"].split()]
        names = [f"word{number}" for number in range(50_000)]
        return self._chance.choices(names, weights=[1 / rank for rank in range(1, 50_001)], k=1_000_000)


@dataclass(frozen=True, slots=True)
class Bare:
    """The same rows without anything around them."""

    connection: psycopg.Connection[Any]

    def create(self) -> None:
        """Two narrow tables, and one for texts."""
        self.connection.execute(
            f"CREATE TABLE bare_texts (id int, text text); CREATE TABLE bare_vectors (id int, e vector({DIMENSIONS}));"
            f"CREATE TABLE bare_words (id int, w sparsevec({bm25.DIMENSIONS}));"
            "ALTER TABLE bare_vectors ALTER e SET STORAGE PLAIN; ALTER TABLE bare_words ALTER w SET STORAGE PLAIN"
        )

    def copy(self, first: int, made: Made, average: float) -> None:
        """One document by COPY, the fastest way in."""
        rows = zip(made.texts, made.vectors, made.terms, strict=True)
        packed = [
            (text.encode(), vector(values), sparse(bm25.encode(bm25.indexed(terms), terms.total(), average)))
            for text, values, terms in rows
        ]
        with self.connection.transaction():
            for column, table in enumerate(("bare_texts", "bare_vectors", "bare_words")):
                with self.connection.cursor().copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
                    copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
                    for number, row in enumerate(packed, start=first):
                        field = row[column]
                        copy.write(b"\0\2\0\0\0\4" + number.to_bytes(4, "big") + len(field).to_bytes(4, "big") + field)
                    copy.write(b"\xff\xff")

    def nearest(self, values: Sequence[float], limit: int) -> None:
        """A scan, or the index once there is one."""
        asked = "[" + ",".join(map(str, values)) + "]"
        statement = f"SELECT id FROM bare_vectors ORDER BY e <#> %s::vector({DIMENSIONS}) LIMIT {limit}"
        self.connection.execute(statement, [asked]).fetchall()

    def best(self, weights: str, limit: int) -> None:
        """A scan."""
        self.connection.execute(
            f"SELECT id FROM bare_words ORDER BY w <#> %s::sparsevec LIMIT {limit}", [weights]
        ).fetchall()


@dataclass(frozen=True, slots=True)
class Took:
    """Milliseconds that passed, and of processor time."""

    wall: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Watch:
    """Takes the time of work that one server process does for this one."""

    pid: int

    async def waited(self, work: Awaitable[object]) -> Took:
        """How long it took."""
        wall, cpu = time.perf_counter(), self._cpu()
        await work
        return Took((time.perf_counter() - wall) * 1000, self._cpu() - cpu)

    def done(self, work: Callable[..., object], *arguments: object) -> Took:
        """How long it took."""
        wall, cpu = time.perf_counter(), self._cpu()
        work(*arguments)
        return Took((time.perf_counter() - wall) * 1000, self._cpu() - cpu)

    def _cpu(self) -> float:
        statistics_ = Path(f"/proc/{self.pid}/schedstat")
        server = int(statistics_.read_text().split()[0]) / 1e6 if statistics_.is_file() else 0.0
        return server + time.process_time() * 1000


def line(name: str, ours: Sequence[Took], bare: Sequence[Took] = ()) -> None:
    """One row of the report."""
    wall, cpu = sorted(took.wall for took in ours), statistics.median(took.cpu for took in ours)
    row = f"  {name:28s} p50 {statistics.median(wall):6.2f} ms  p95 {wall[int(len(wall) * 0.95)]:6.2f}  cpu {cpu:6.2f}"
    if bare:
        beside = statistics.median(took.wall for took in bare), statistics.median(took.cpu for took in bare)
        row += f"   bare p50 {beside[0]:6.2f}  cpu {beside[1]:6.2f}"
        row += f"   ratio {statistics.median(wall) / beside[0]:.2f}, of cpu {cpu / beside[1]:.2f}"
    print(row)


class Run:
    """One size."""

    def __init__(self, store: PgStore, watch: Watch, room: Room, bare: Bare, world: World, queries: int) -> None:
        self._store, self._room, self._bare, self._world = store, room, bare, world
        self._watch, self._beside = watch, Watch(bare.connection.info.backend_pid)
        self._vectors = world.vectors(queries)
        self._questions = world.questions(queries)
        self._containing: Counter[int] = Counter()
        self._lengths: list[int] = []

    async def ingest(self, chunks: int) -> None:
        """Write everything both ways; the adapter's is durable and searchable after each document."""
        ours: list[Took] = []
        bare: list[Took] = []
        self._bare.create()
        per_document = self._world.per_document
        for number, made in enumerate(self._world.documents(chunks // per_document)):
            self._lengths += [terms.total() for terms in made.terms]
            for terms in made.terms:
                self._containing.update(bm25.indexed(terms).keys())
            ours.append(await self._watch.waited(self._publish(number, made)))
            average = statistics.fmean(self._lengths[:per_document])
            bare.append(self._beside.done(self._bare.copy, number * per_document, made, average))
        for name, took in (("ingested", ours), ("  bare COPY", bare)):
            wall, cpu = (chunks / sum(each) * 1000 for each in zip(*((one.wall, one.cpu) for one in took), strict=True))
            print(f"  {name:28s} {wall:6.0f} chunks/s   {cpu:6.0f} chunks per second of cpu")
        with psycopg.connect(self._bare.connection.info.dsn, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")

    async def _publish(self, number: int, made: Made) -> None:
        scope, held = self._room.scope, self._room.collection
        of = document(self._room, status=DocumentStatus.INDEXED, tags=(f"t{number % 100}",))
        ids = [ChunkId(of.id, 1, ordinal) for ordinal in range(len(made.texts))]
        chunks = [
            Chunk(id=id, text=text, start=0, end=len(text), content_hash=f"{hash(text):064x}", tokens=WORDS)
            for id, text in zip(ids, made.texts, strict=True)
        ]
        terms = [ChunkTerms(id, dict(one), one.total()) for id, one in zip(ids, made.terms, strict=True)]
        vectors = [ChunkVector(id, values) for id, values in zip(ids, made.vectors, strict=True)]
        async with self._store.transaction(scope) as rows:
            await rows.documents.add(scope, of, generation(of))
            await rows.chunks.replace(scope, held.id, of.id, 1, chunks)
            await rows.keywords.put(scope, held.id, terms)
            await rows.vectors.put(scope, held, vectors)
            await rows.documents.commit(scope, of.id, 1)
            await rows.keywords.publish(scope, held.id, of.id, add=1, remove=None)

    async def vector_leg(self, number: int, limit: int, filter: Filter | None = None) -> Sequence[LegHit]:
        """One question in a transaction of its own."""
        async with self._store.transaction(self._room.scope) as rows:
            asked = self._vectors[number]
            return await rows.vectors.query(self._room.scope, [self._room.collection], asked, limit, filter=filter)

    async def keyword_leg(self, number: int, limit: int, filter: Filter | None = None) -> Sequence[LegHit]:
        """One question in a transaction of its own."""
        async with self._store.transaction(self._room.scope) as rows:
            asked = self._questions[number]
            return await rows.keywords.query(self._room.scope, [self._room.collection.id], asked, limit, filter=filter)

    async def hybrid(self, number: int) -> None:
        """Both legs, fused, and the ten best read through the gate."""
        scope, held = self._room.scope, self._room.collection
        async with self._store.transaction(scope) as rows:
            near = await rows.vectors.query(scope, [held], self._vectors[number], LEG_DEPTH)
            best = await rows.keywords.query(scope, [held.id], self._questions[number], LEG_DEPTH)
            fused = fuse([near], best, fusion=Fusion.CONVEX, vector_weight=0.5)
            await rows.chunks.visible(scope, [hit.id for hit in fused[:10]])

    async def vectors(self, name: str, limit: int) -> list[set[ChunkId]]:
        """The vector leg beside the bare one."""
        ours, bare, found = [], [], []

        async def ask(number: int) -> None:
            found.append({hit.id for hit in await self.vector_leg(number, limit)})

        for number, asked in enumerate(self._vectors):
            bare.append(self._beside.done(self._bare.nearest, asked, limit))
            ours.append(await self._watch.waited(ask(number)))
        line(f"{name}, best {limit}", ours, bare)
        return found

    async def keywords(self, limit: int) -> None:
        """The keyword leg beside the bare one."""
        ours, bare = [], []
        for number, terms in enumerate(self._questions):
            bare.append(self._beside.done(self._bare.best, self._idf(terms), limit))
            ours.append(await self._watch.waited(self.keyword_leg(number, limit)))
        line(f"keyword, best {limit}", ours, bare)

    async def filtered(self) -> None:
        """Both legs under filters that keep 1 % and 8 % of the documents."""
        for share in (1, 8):
            narrow = Condition("tags", Op.IN, tuple(f"t{number}" for number in range(share)))
            for name, leg in (("vector", self.vector_leg), ("keyword", self.keyword_leg)):
                took = [await self._watch.waited(leg(number, 10, narrow)) for number in range(len(self._vectors))]
                line(f"{name}, filter keeps {share} %", took)

    async def both_legs(self) -> None:
        """Hybrid."""
        line("hybrid", [await self._watch.waited(self.hybrid(number)) for number in range(len(self._vectors))])

    async def index(self) -> None:
        """Give both an index."""
        async with self._store.transaction(self._room.scope) as rows:
            ours = await self._watch.waited(rows.vectors.tend(self._room.scope, self._room.collection, NOW))
        statement = "CREATE INDEX ON bare_vectors USING hnsw (e vector_ip_ops)"
        self._bare.connection.execute("SET maintenance_work_mem = '256MB'")
        bare = self._beside.done(self._bare.connection.execute, statement)
        self._bare.connection.execute("SET hnsw.ef_search = 100")
        print(f"  index made in {ours.wall / 1000:.1f} s; bare in {bare.wall / 1000:.1f} s")

    def _idf(self, terms: Sequence[str]) -> str:
        indexes = sorted({bm25.term_index(term) for term in terms})
        known = {index: bm25.idf(len(self._lengths), self._containing[index]) for index in indexes}
        return "{" + ",".join(f"{index + 1}:{value}" for index, value in known.items()) + f"}}/{bm25.DIMENSIONS}"


def recall(exact: Sequence[set[ChunkId]], found: Sequence[set[ChunkId]]) -> float:
    """Share of the true best that was found."""
    return statistics.fmean(len(one & other) / len(one) for one, other in zip(exact, found, strict=True))


async def measure(server: TestServer, chunks: int, world: World, queries: int) -> None:
    """Everything, at one size."""
    urls = server.create_database(f"search_{chunks}")
    await PgMigrations(urls.owner, urls.app).migrate()
    store = PgStore(urls.app)
    room = await new_room(store)
    held = collection(room.scope, name="bench", model=EmbeddingModel("bench/random", DIMENSIONS))
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, held)
        watch = Watch(int(await rows._session.scalar(text("SELECT pg_backend_pid()"))))
    print(f"{chunks:,} chunks, {world.per_document} to a document")
    with psycopg.connect(urls.superuser, autocommit=True, prepare_threshold=None) as connection:
        connection.execute("SET jit = off")
        run = Run(store, watch, Room(room.scope, held), Bare(connection), world, queries)
        await run.ingest(chunks)
        await run.keyword_leg(0, 10)
        exact = {limit: await run.vectors("vector, scanned", limit) for limit in (10, LEG_DEPTH)}
        await run.keywords(LEG_DEPTH)
        await run.both_legs()
        await run.filtered()
        await run.index()
        for limit in (10, LEG_DEPTH):
            found = await run.vectors("vector, indexed", limit)
            print(f"    recall@{limit} {recall(exact[limit], found):.4f}")
        await run.both_legs()
    await store.close()


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--per-document", type=int, default=50)
    arguments = parser.parse_args()
    server = TestServer(DURABLE)
    try:
        for chunks in arguments.chunks:
            asyncio.run(measure(server, chunks, World(arguments.per_document), arguments.queries))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
