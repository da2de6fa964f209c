"""`uv run python -m tests.benchmarks.retries`: requests with an Idempotency-Key, sent many times and many at a time.

Real doors over a real Postgres, in one process with the connections of ten. Printed: how many things each key made,
how often a caller had to come again, and what a key adds to a request.
"""

import argparse
import asyncio
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO

import httpx
import psycopg

from functions.documents import app as documents
from shared import bootstrap
from shared.adapters.postgres.migrate import PgMigrations
from shared.runtime.http import door
from shared.runtime.invocation import run
from tests.fixtures.postgres import TestServer
from tests.functions.processes import Processes
from tests.functions.world import Client, World

ALONE = 200


@dataclass
class Tally:
    """What came of it."""

    made: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    first: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)


class Caller:
    """Announces documents with one key of the API."""

    def __init__(self, http: httpx.AsyncClient, owner: Client, collection: str) -> None:
        self.http = http
        self.owner = owner
        self.collection = collection

    async def announce(self, name: str, key: str = "") -> httpx.Response:
        """One request."""
        headers = {"Authorization": f"Bearer {self.owner.key}", **({"Idempotency-Key": key} if key else {})}
        body = {"collection_id": self.collection, "name": name}
        return await self.http.post("/api/v1/documents", json=body, headers=headers)


async def retried(caller: Caller, requests: int, keys: int, at_once: int, seed: int) -> Tally:
    """Every key many times, in an order drawn by the seed."""
    tally, order = Tally(), [f"key-{number % keys}" for number in range(requests)]
    random.Random(seed).shuffle(order)
    waiting = iter(order)

    async def work() -> None:
        for key in waiting:
            while True:
                answer = await caller.announce(f"{key}.txt", key)
                tally.statuses[answer.status_code] += 1
                if answer.status_code == 201:
                    tally.made[key].add(answer.json()["document"]["id"])
                    tally.first[key] += "idempotent-replayed" not in answer.headers
                    break
                await asyncio.sleep(0.05)

    await asyncio.gather(*(work() for _ in range(at_once)))
    return tally


async def alone(caller: Caller) -> tuple[float, float, float]:
    """Median milliseconds of a request without a key, with a new one, and with one that was answered, by turns."""
    spent: tuple[list[float], list[float], list[float]] = ([], [], [])
    for number in range(ALONE):
        key = f"alone-{number}"
        for taken, sent in zip(spent, ("", key, key), strict=True):
            started = time.perf_counter()
            answer = await caller.announce(f"{key}.txt", sent)
            assert answer.status_code == 201, answer.text
            taken.append((time.perf_counter() - started) * 1000)
    plain, new, known = map(statistics.median, spent)
    return plain, new, known


def main() -> int:
    """Print what came of it; 1 when a key made anything but one thing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    server = TestServer()
    try:
        urls = server.create_database()
        run(PgMigrations(urls.owner, urls.app).migrate())
        world, processes = World(), Processes(urls.app)
        with redirect_stdout(StringIO()), world.active(), bootstrap.override(store=processes):
            owner = world.owner()
            transport = httpx.ASGITransport(door(documents.router))
            http = httpx.AsyncClient(transport=transport, base_url="http://here", timeout=120)
            caller = Caller(http, owner, owner.collection())
            plain, new, known = run(alone(caller))
            tally = run(retried(caller, chosen.requests, chosen.keys, chosen.at_once, chosen.seed))
            run(processes.close())
        with psycopg.connect(urls.superuser) as connection:
            rows = connection.execute("SELECT count(*) FROM documents WHERE name LIKE 'key-%'").fetchone()
    finally:
        server.stop()
    once = sum(len(made) == 1 for made in tally.made.values())
    print(f"{chosen.requests} requests under {chosen.keys} keys, {chosen.at_once} at once, seed {chosen.seed}:")
    print(f"  {once} keys made one document each, {rows[0] if rows else 0} rows; answers {dict(tally.statuses)}")
    print(
        f"  a request alone: {plain:.2f} ms without a key, {new:.2f} with a new one, {known:.2f} when answered before"
    )
    return int(once != chosen.keys or rows != (chosen.keys,))


if __name__ == "__main__":
    sys.exit(main())
