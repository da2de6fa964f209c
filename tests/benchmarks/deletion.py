"""Delete a collection of very many documents: how soon it answers, how fast the sweep is, what the receipt counts.

    uv run python -m tests.benchmarks.deletion [--documents 100000] [--seconds 0]

The documents are copies of one, made by SQL in every table of a Postgres that syncs every commit; buckets are in memory
and all but empty, so what removing objects takes is not in the figures. The delete goes through its use case, all that
follows through the door of `sweep`, in one process, five messages a call as the template has them; pauses between steps
pass on a virtual clock. With `--seconds` it stops then and tells the rate alone; else the receipt of the whole is told,
and every store counted.
"""

import argparse
import asyncio
import time
import uuid

import psycopg

from shared import bootstrap
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from shared.adapters.snowball.analyser import SnowballAnalyser
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.domain.errors import NotFound
from shared.domain.events import Queue
from shared.domain.receipts import DeletionReceipt
from shared.domain.search import MAX_LIMIT, SearchMode, SearchQuery
from shared.domain.tenants import Scope
from shared.runtime.invocation import run
from shared.runtime.transactions import transaction
from shared.usecases.deletion.request import delete_collection
from shared.usecases.search.retrieve import Question, retrieve
from tests.benchmarks.overhead import Bench, quietly
from tests.benchmarks.scaling import COPIED, fill
from tests.benchmarks.stock import new_tenant
from tests.fixtures.postgres import PostgresUrls, TestServer
from tests.functions.gateway import records
from tests.functions.world import World

RECORDS = 5
PAUSE_SECONDS = 5.0


async def deleted(scope: Scope, collection: uuid.UUID) -> tuple[DeletionReceipt, float]:
    """Delete it; the receipt that is answered and the milliseconds until then."""
    began = time.perf_counter()
    async with transaction(scope) as ports:
        receipt = await delete_collection(scope, ports, collection)
    return receipt, (time.perf_counter() - began) * 1000


async def found(scope: Scope, collection: uuid.UUID) -> str:
    """What becomes of a search for what every document says."""
    query = SearchQuery("the report", (collection,), limit=MAX_LIMIT, mode=SearchMode.KEYWORD)
    try:
        async with bootstrap.transaction(scope) as ports:
            return f"{len((await retrieve(scope, ports, Question(query, {}))).hits)} hits"
    except NotFound as error:
        return error.code


async def receipt_now(scope: Scope, receipt: DeletionReceipt) -> DeletionReceipt:
    """The receipt as it is by now."""
    async with bootstrap.transaction(scope) as ports:
        return await ports.receipts.get(scope, receipt.id) or receipt


class Sweep:
    """The sweep's queue, worked off in this process."""

    def __init__(self, world: World, until: float) -> None:
        self._world, self._until = world, until
        self.messages = 0

    def everything(self) -> bool:
        """Work off what is queued and what follows from it; False when the time was over before."""
        world, pauses = self._world, 0
        while pauses < 2 or world.queue.waiting(Queue.SWEEP):
            handed = world.queue.receive(Queue.SWEEP, RECORDS)
            if not handed:
                world.clock.advance(PAUSE_SECONDS)
                pauses += 1
                continue
            pauses = 0
            answer = world.call("sweep", records([one.message.body for one in handed], "SweepQueue"))
            if answer["batchItemFailures"]:
                raise RuntimeError("a message of the sweep failed")
            for one in handed:
                world.queue.done(one)
            self.messages += len(handed)
            if time.perf_counter() > self._until:
                return False
        return True


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=0.0)
    chosen = parser.parse_args()
    durable = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB"}
    server = TestServer(durable)
    try:
        urls = server.create_database()
        asyncio.run(PgMigrations(urls.owner, urls.app).migrate())
        world, store = World(), PgStore(urls.app)
        reader = CagedFilesReader(syntax=TreeSitterSyntax)
        with world.active(), bootstrap.override(store=store, reader=reader, analyser=SnowballAnalyser()):
            measure(world, urls, run(new_tenant(store, "deletion"))[0], store, chosen.documents, chosen.seconds)
            run(store.close())
    finally:
        server.stop()


def measure(world: World, urls: PostgresUrls, scope: Scope, store: PgStore, documents: int, seconds: float) -> None:
    """Fill, delete, sweep, count."""
    bench = Bench(world, store, scope, 1)
    collection = run(bench.collection())
    bench.round("with", collection)
    with psycopg.connect(urls.superuser) as connection:
        row = connection.execute("SELECT id FROM documents WHERE collection_id = %s", [collection]).fetchone()
        if row is None:
            raise LookupError("no document to copy")
        fill(connection, row[0], documents - 1)
    with quietly():
        before = run(found(scope, collection))
        receipt, answered = run(deleted(scope, collection))
        after = run(found(scope, collection))
    print(
        f"{documents} documents; the delete answers after {answered:.1f} ms; a search before: {before}, after: {after}"
    )
    began = time.perf_counter()
    sweep = Sweep(world, began + seconds if seconds else float("inf"))
    with quietly():
        whole = sweep.everything()
        spent = time.perf_counter() - began
        final = run(receipt_now(scope, receipt))
    with psycopg.connect(urls.superuser) as connection:
        left = {
            table: (connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() or (0,))[0]
            for table in ("chunks", "keywords", "keyword_generations", "vectors", "embedding_cache")
        }
        swept = (connection.execute("SELECT count(*) FROM documents WHERE swept_at IS NOT NULL").fetchone() or (0,))[0]
    print(f"{swept} documents swept in {spent:.0f} s: {swept / spent:.0f} a second, {sweep.messages} messages")
    if whole:
        print(f"receipt: complete {final.complete}, {final.documents} documents, removed {dict(final.removed)}")
        print(f"remaining {dict(final.remaining)}; rows left {left}; {len(COPIED)} tables were filled")


if __name__ == "__main__":
    main()
