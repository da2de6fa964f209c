"""What a second index in the same table costs the first: recall and speed of vector search before, beside and after it.

    uv run python -m tests.benchmarks.reindex [--chunks 10000] [--queries 100]

One collection of 384 dimensions; then an index of 768 dimensions beside it, of the same documents, both with an HNSW
index of their own on `embedding::vector(d)` for their rows only; then searched by the second after the cut. Vectors are
drawn around 200 centres. `recall` is against a comparison with every vector.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray

from shared.adapters.postgres.migrate import PgMigrations
from shared.adapters.postgres.store import PgStore
from shared.domain.chunks import ChunkId, ChunkVector
from shared.domain.collections import Collection, EmbeddingModel
from shared.domain.documents import Document, GenerationState, advance
from shared.domain.indexes import Index, IndexState, seen_through
from tests.contracts.samples import NOW, Room, chunk, collection, document, generation, new_id, new_room, terms
from tests.fixtures.postgres import TestServer

PER_DOCUMENT = 50
K = 10

type Matrix = NDArray[np.float32]


def drawn(count: int, dimensions: int, chance: np.random.Generator) -> Matrix:
    """Unit vectors around 200 centres."""
    centres = chance.normal(size=(200, dimensions))
    made = centres[chance.integers(0, 200, count)] + 0.6 * chance.normal(size=(count, dimensions))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


async def fill(
    store: PgStore,
    room: Room,
    seen: Collection,
    documents: Sequence[Document],
    number: int,
    all_of: Matrix,
    superuser: str,
) -> list[ChunkId]:
    """One generation of every document, committed in the index."""
    ids: list[ChunkId] = []
    for place, of in enumerate(documents):
        async with store.transaction(room.scope) as rows:
            made = generation(of, number, index=seen.index, slot=seen.slot, origin=1)
            made = advance(made, GenerationState.COMMITTED, NOW, due=None)
            if number == 1:
                await rows.documents.add(room.scope, of, made)
            else:
                await rows.documents.add_generation(room.scope, made)
            own = [ChunkId(of.id, number, n) for n in range(PER_DOCUMENT)]
            await rows.chunks.replace(room.scope, seen.index_id, of.id, number, [chunk(id, "words") for id in own])
            await rows.keywords.put(room.scope, seen.index_id, [terms(id, "words") for id in own])
            part = all_of[place * PER_DOCUMENT : (place + 1) * PER_DOCUMENT]
            found = [ChunkVector(id, list(map(float, row))) for id, row in zip(own, part, strict=True)]
            await rows.vectors.put(room.scope, seen, found)
            await rows.documents.commit(room.scope, of.id, number, seen.slot)
            await rows.keywords.publish(room.scope, seen.index_id, of.id, add=number, remove=None)
            ids += own
    async with store.transaction(room.scope) as rows:
        await rows.vectors.tend(room.scope, seen, NOW)
    # What autovacuum does within a minute: without figures the planner trusts no index.
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("ANALYZE")
    return ids


async def measure(
    store: PgStore, room: Room, seen: Collection, ids: Sequence[ChunkId], all_of: Matrix, questions: Matrix
) -> tuple[float, float, float]:
    """Recall@10, and the median and 95th percentile in milliseconds."""
    hits, times = 0, []
    for question in questions:
        exact = {ids[n] for n in np.argsort(-(all_of @ question))[:K]}
        asked = list(map(float, question))
        async with store.transaction(room.scope) as rows:
            started = time.perf_counter()
            found = await rows.vectors.query(room.scope, [seen], asked, K)
            times.append((time.perf_counter() - started) * 1000)
        hits += len(exact & {hit.id for hit in found})
    return hits / (K * len(questions)), statistics.median(times), statistics.quantiles(times, n=20)[18]


async def compare(server: TestServer, chunks: int, queries: int) -> None:
    """Fill, measure, print."""
    urls = server.create_database("reindex")
    await PgMigrations(urls.owner, urls.app).migrate()
    store, chance = PgStore(urls.app), np.random.default_rng(5)
    room = await new_room(store)
    small = collection(room.scope, name="vectors", model=EmbeddingModel("small", 384))
    async with store.transaction(room.scope) as rows:
        await rows.collections.add(room.scope, small)
    room = replace(room, collection=small)
    documents = [document(room) for _ in range(chunks // PER_DOCUMENT)]
    first, second = drawn(chunks, 384, chance), drawn(chunks, 768, chance)
    asked = {d: drawn(queries, d, chance) for d in (384, 768)}
    asked = {384: first[:queries] + 0.05 * asked[384], 768: second[:queries] + 0.05 * asked[768]}
    old = await fill(store, room, small, documents, 1, first, urls.superuser)
    _print("384, alone", *await measure(store, room, small, old, first, asked[384]))
    made = _beside(room, small, new_id())
    async with store.transaction(room.scope) as rows:
        await rows.indexes.add(room.scope, made)
    seen = seen_through(small, made)
    new = await fill(store, room, seen, documents, 2, second, urls.superuser)
    _print("384, with 768 beside it", *await measure(store, room, small, old, first, asked[384]))
    async with store.transaction(room.scope) as rows:
        started = time.perf_counter()
        await rows.collections.cut(room.scope, small, made)
        print(f"cut over {len(documents)} documents: {(time.perf_counter() - started) * 1000:.1f} ms")
    _print("768, after the cut", *await measure(store, room, seen, new, second, asked[768]))
    await store.close()


def _beside(room: Room, of: Collection, id: UUID) -> Index:
    model = EmbeddingModel("large", 768)
    scope = room.scope
    return Index(
        id, scope.tenant_id, scope.project_id, of.id, 1, IndexState.BUILDING, model, of.chunking, NOW, NOW
    )  # fmt: skip


def _print(what: str, recall: float, median: float, slow: float) -> None:
    print(f"{what:<26} recall@10 {recall:.3f}   p50 {median:6.2f} ms   p95 {slow:6.2f} ms")


def main() -> None:
    """Run it on a server of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=10_000)
    parser.add_argument("--queries", type=int, default=100)
    chosen = parser.parse_args()
    server = TestServer({"shared_buffers": "512MB"})
    try:
        asyncio.run(compare(server, chosen.chunks, chosen.queries))
    finally:
        server.stop()


if __name__ == "__main__":
    main()
