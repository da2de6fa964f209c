"""What one more document costs in a collection that holds a thousand, ten thousand, a hundred thousand.

    uv run python -m tests.benchmarks.scaling [--sizes 1000 10000 100000] [--documents 20] [--rounds 5]

The documents that are there already are copies of one, made by SQL in every table of a database for each size; then
documents go through the real doors in this process, from their upload's event until they are searchable, into each
database by turns, on a Postgres that syncs every commit (see overhead for what is in memory). The slope is that of the
logarithm of the time for all documents up to a size over the logarithm of the size, by least squares: 1 when a document
costs the same in any collection. The scheduled sweep with nothing to do, a page of the listing and the collection's
counts are told beside it.
"""

import argparse
import asyncio
import math
import os
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import psycopg

from shared import bootstrap
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from shared.adapters.snowball.analyser import SnowballAnalyser
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.ports.documents import DocumentFilter
from shared.runtime.invocation import run
from tests.benchmarks.overhead import Bench, quietly
from tests.benchmarks.stock import new_tenant
from tests.fixtures.postgres import TestServer
from tests.functions.world import World

COPIED = ("generations", "chunks", "keywords", "keyword_generations", "vectors")
"""Tables with rows of a document beside its own."""


def fill(connection: psycopg.Connection, of: uuid.UUID, count: int) -> None:
    """Make so many copies of a document with all that is its own, counted into the collection's statistics."""
    # Documents and generations name each other: no order of inserts would satisfy both keys.
    connection.execute("SET session_replication_role = replica")
    connection.execute("CREATE TEMP TABLE fresh AS SELECT gen_random_uuid() AS id FROM generate_series(1, %s)", [count])
    changed = "jsonb_build_object('id', f.id, 'path', '', 'content_hash', f.id::text)"
    connection.execute(
        "INSERT INTO documents SELECT r.* FROM documents t, fresh f, "
        f"LATERAL jsonb_populate_record(t, {changed}) r WHERE t.id = %s",
        [of],
    )
    for table in COPIED:
        connection.execute(
            f"INSERT INTO {table} SELECT r.* FROM {table} t, fresh f, "
            "LATERAL jsonb_populate_record(t, jsonb_build_object('document_id', f.id)) r WHERE t.document_id = %s",
            [of],
        )
    connection.execute(
        "UPDATE keyword_statistics s SET chunks = s.chunks + %s * g.chunks, length = s.length + %s * g.length "
        "FROM keyword_generations g WHERE g.document_id = %s AND g.index_id = s.index_id",
        [count, count, of],
    )
    connection.execute(
        "INSERT INTO tallies (tenant_id, collection_id, status, documents) "
        "SELECT tenant_id, collection_id, status, %s FROM documents WHERE id = %s",
        [count, of],
    )
    connection.execute("DROP TABLE fresh")
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")
    connection.autocommit = False


class Scale:
    """A database with one collection of a size."""

    def __init__(self, server: TestServer, size: int, documents: int) -> None:
        urls = server.create_database(f"scale_{size}")
        asyncio.run(PgMigrations(urls.owner, urls.app).migrate())
        self.size, self._documents = size, documents
        self._world, self._store = World(), PgStore(urls.app)
        with self.active():
            self._scope, _ = run(new_tenant(self._store, "scaling"))
            self._bench = Bench(self._world, self._store, self._scope, documents)
            self._collection = run(self._bench.collection())
            self._bench.round("with", self._collection)
        with psycopg.connect(urls.superuser) as connection:
            row = connection.execute(
                "SELECT id FROM documents WHERE collection_id = %s ORDER BY created_at LIMIT 1", [self._collection]
            ).fetchone()
            if row is None:
                raise LookupError("no document to copy")
            fill(connection, row[0], size - documents)

    @contextmanager
    def active(self) -> Iterator[None]:
        """While the block runs, every function works on this database."""
        reader = CagedFilesReader(syntax=TreeSitterSyntax)
        with (
            self._world.active(),
            bootstrap.override(store=self._store, reader=reader, analyser=SnowballAnalyser()),
        ):
            yield

    def one_more(self) -> float:
        """Milliseconds of processing one document, from its upload's event until it is searchable."""
        with self.active():
            return self._bench.round("with", self._collection).wall / self._documents * 1000

    def looks(self) -> dict[str, float]:
        """Milliseconds of what looks at the whole: the sweep with nothing to do, a page of the list, the counts."""
        scope = self._scope

        async def sweep() -> None:
            async with bootstrap.transaction(None) as ports:
                await ports.outbox.left_behind(ports.clock.now(), 200)
                await ports.admissions.waiting(200)
                await ports.documents.due(ports.clock.now(), 200)
                await ports.documents.tombstoned(200)

        async def page() -> None:
            async with bootstrap.transaction(scope) as ports:
                await ports.documents.list(scope, DocumentFilter(collection_id=self._collection), None, 51)

        async def counts() -> None:
            async with bootstrap.transaction(scope) as ports:
                await ports.collections.summary(scope, self._collection)

        with self.active():
            return {"sweep": timed(sweep), "list": timed(page), "counts": timed(counts)}

    def close(self) -> None:
        """Give the connection back."""
        run(self._store.close())


def timed(work: Callable[[], Awaitable[None]]) -> float:
    """Median milliseconds of eleven."""

    async def once() -> float:
        began = time.perf_counter()
        await work()
        return (time.perf_counter() - began) * 1000

    with quietly():
        return statistics.median(run(once()) for _ in range(11))


def slope(sizes: Sequence[int], each: Sequence[float]) -> float:
    """Of log(size x cost of one more) over log(size), by least squares."""
    xs = [math.log(size) for size in sizes]
    ys = [math.log(size * cost) for size, cost in zip(sizes, each, strict=True)]
    return statistics.linear_regression(xs, ys).slope


def measure(scales: Sequence[Scale], rounds: int) -> None:
    """All sizes by turns, so that what else the machine does falls on each alike; printed."""
    for scale in scales:
        scale.one_more()
    found: dict[int, list[float]] = {scale.size: [] for scale in scales}
    for number in range(rounds):
        for scale in scales if number % 2 else reversed(scales):
            found[scale.size].append(scale.one_more())
    for scale in scales:
        looks = ", ".join(f"{name} {spent:.1f} ms" for name, spent in scale.looks().items())
        print(f"{scale.size} documents: one more {statistics.median(found[scale.size]):.1f} ms; {looks}", flush=True)
    each = [statistics.median(found[scale.size]) for scale in scales]
    print(f"log-log slope {slope([scale.size for scale in scales], each):.3f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB"}
    server = TestServer(durable)
    try:
        scales = [Scale(server, size, chosen.documents) for size in chosen.sizes]
        print(f"load {', '.join(f'{one:.1f}' for one in os.getloadavg())}", flush=True)
        measure(scales, chosen.rounds)
        for scale in scales:
            scale.close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
