"""What one more document costs in a collection that holds a thousand, ten thousand, a hundred thousand.

    uv run python -m tests.benchmarks.scaling [--sizes 1000 10000 100000] [--documents 20] [--rounds 5]

The documents that are there already are copies of one, made by SQL in every table; then documents go through the real
doors in this process, from their upload's event until they are searchable, on a Postgres that syncs every commit (see
overhead for what is in memory). The slope is that of the logarithm of the time for all documents up to a size over the
logarithm of the size, by least squares: 1 when a document costs the same in any collection. The scheduled sweep with
nothing to do, a page of the listing and the collection's counts are told beside it.
"""

import argparse
import asyncio
import math
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence

import psycopg

from shared import bootstrap
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from shared.adapters.snowball.analyser import SnowballAnalyser
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.domain.tenants import Scope
from shared.ports.documents import DocumentFilter
from shared.runtime.invocation import run
from tests.benchmarks.overhead import Bench, quietly
from tests.benchmarks.stock import new_tenant
from tests.fixtures.postgres import PostgresUrls, TestServer
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
        "FROM keyword_generations g WHERE g.document_id = %s AND g.collection_id = s.collection_id",
        [count, count, of],
    )
    connection.execute("DROP TABLE fresh")
    connection.commit()
    connection.autocommit = True
    connection.execute("VACUUM ANALYZE")
    connection.autocommit = False


class Scale:
    """One collection that grows."""

    def __init__(self, urls: PostgresUrls, store: PgStore, scope: Scope, bench: Bench) -> None:
        self._urls, self._store, self._scope, self._bench = urls, store, scope, bench
        self._collection = run(bench.collection())
        bench.round("with", self._collection)
        self._size = bench.documents

    def grow(self, size: int) -> None:
        """Fill the collection up to a size."""
        with psycopg.connect(self._urls.superuser) as connection:
            row = connection.execute(
                "SELECT id FROM documents WHERE collection_id = %s ORDER BY created_at LIMIT 1", [self._collection]
            ).fetchone()
            if row is None:
                raise LookupError("no document to copy")
            fill(connection, row[0], size - self._size)
        self._size = size

    def one_more(self) -> float:
        """Milliseconds of processing one document, from its upload's event until it is searchable."""
        spent = self._bench.round("with", self._collection).wall
        self._size += self._bench.documents
        return spent / self._bench.documents * 1000

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

        return {"sweep": timed(sweep), "list": timed(page), "counts": timed(counts)}


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB"}
    server = TestServer(durable)
    try:
        urls = server.create_database()
        asyncio.run(PgMigrations(urls.owner, urls.app).migrate())
        world, store = World(), PgStore(urls.app)
        reader = CagedFilesReader(syntax=TreeSitterSyntax)
        with world.active(), bootstrap.override(store=store, reader=reader, analyser=SnowballAnalyser()):
            scope, _ = run(new_tenant(store, "scaling"))
            scale = Scale(urls, store, scope, Bench(world, store, scope, chosen.documents))
            each: list[float] = []
            for size in chosen.sizes:
                scale.grow(size)
                scale.one_more()
                each.append(statistics.median(scale.one_more() for _ in range(chosen.rounds)))
                looks = ", ".join(f"{name} {spent:.1f} ms" for name, spent in scale.looks().items())
                print(f"{size} documents: one more {each[-1]:.1f} ms; {looks}", flush=True)
            run(store.close())
        print(f"log-log slope {slope(chosen.sizes, each):.3f}")
    finally:
        server.stop()


if __name__ == "__main__":
    main()
