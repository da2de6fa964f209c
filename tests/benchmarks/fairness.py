"""One tenant with very many documents, and another with one: how much longer does the one take than alone?

    uv run python -m tests.benchmarks.fairness [--documents 10000] [--probes 5] [--bound N] [--built]

On the local cloud, with real functions and the zero-cost embedder. The tenant with many has all its files uploaded as
fast as the local S3 takes them, which is the worst of arrivals: its upload forms are made in the database beforehand.
The other uploads one document through the API while those files are coming in, and again and again while the many are
being worked off; each time is from the request for the form until the document is searchable. Its time alone is
measured in the same run, before. The queues of the local cloud are first come, first served: they know nothing of the
fairness of SQS between message groups, so what this shows is the line each tenant waits in, and nothing else.
"""

import asyncio
import dataclasses
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import boto3
import httpx
from botocore.config import Config

from shared.adapters.postgres.store import PgStore
from shared.domain.tenants import Scope
from shared.local.sandbox import REGION
from tests.benchmarks.ingest import JOBS, pages
from tests.benchmarks.stand import Stand, arguments, stand
from tests.benchmarks.stock import new_tenant, slots

PATIENCE = 600.0
"""Seconds after which one document is given up."""


@contextmanager
def guest(place: Stand) -> Iterator[tuple[Stand, Scope]]:
    """The same cloud as a new tenant sees it."""
    scope, secret = asyncio.run(_with_store(place, lambda store: new_tenant(store, f"benchmark {uuid.uuid4()}")))
    headers = {"Authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=f"{place.ready.url}/api/v1", headers=headers, timeout=120) as api:
        yield dataclasses.replace(place, api=api), scope


async def _with_store[Result](place: Stand, work: Callable[[PgStore], Awaitable[Result]]) -> Result:
    store = PgStore(place.database_url)
    try:
        return await work(store)
    finally:
        await store.close()


def probe(place: Stand, collection: str, number: int) -> float:
    """Seconds one document takes from the request for its form until it is searchable; prints where they went.

    Raises:
        RuntimeError: it failed or took too long.
    """
    body = pages(number + 1)[number]
    started = time.perf_counter()
    document = place.upload(collection, f"mine-{number}.md", body)
    while time.perf_counter() - started < PATIENCE:
        answer = place.api.get(f"/documents/{document}")
        if answer.is_error:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
        status = answer.json()["status"]
        if status == "indexed":
            spent = time.perf_counter() - started
            timings = answer.json()["latest"]["timings"]
            print(f"  {spent:.2f} s: " + ", ".join(f"{step} {ms / 1000:.2f}" for step, ms in timings.items()))
            return spent
        if status == "failed":
            raise RuntimeError("the one document failed")
        time.sleep(0.05)
    raise RuntimeError(f"the one document was not searchable after {PATIENCE:.0f} s")


class Flood:
    """The tenant with many documents."""

    def __init__(self, place: Stand, scope: Scope, documents: int) -> None:
        self._place = place
        self._collection = place.collection()
        id = uuid.UUID(self._collection)
        self._keys = asyncio.run(_with_store(place, lambda store: slots(store, scope, id, documents)))
        self._bodies = pages(documents)
        self._s3 = boto3.client(
            "s3",
            endpoint_url=place.ready.aws_url,
            region_name=REGION,
            config=Config(max_pool_connections=JOBS),
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def upload(self) -> float:
        """All files, as fast as they are taken; returns the seconds it took."""
        started = time.perf_counter()
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(self._put, self._keys, self._bodies))
        return time.perf_counter() - started

    def _put(self, key: str, body: bytes) -> None:
        self._s3.put_object(Bucket=self._place.uploads, Key=key, Body=body)

    def done(self) -> int:
        """Documents that are searchable by now.

        Raises:
            RuntimeError: one failed.
        """
        counts = self._place.api.get(f"/collections/{self._collection}").json()
        if counts["failed"]:
            raise RuntimeError(f"{counts['failed']} documents of the many failed")
        return int(counts["indexed"])


def measure(place: Stand, documents: int, probes: int) -> None:
    """One run, printed."""
    with guest(place) as (busy, scope), guest(place) as (quiet, _), ThreadPoolExecutor(1) as aside:
        mine = quiet.collection()
        # As many at once as there are copies of a function, so that all have started.
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(lambda number: probe(quiet, mine, number), range(300, 300 + 2 * JOBS)))
        alone = [probe(quiet, mine, 1 + number) for number in range(probes)]
        base = statistics.median(alone)
        print(f"alone: {told(alone)}, median {base:.2f} s")
        flood = Flood(busy, scope, documents)
        arriving = aside.submit(flood.upload)
        during = [probe(quiet, mine, 100 + number) for number in range(probes)]
        seconds = arriving.result()
        print(f"while {documents} files arrive in {seconds:.1f} s ({documents / seconds:.0f}/s): {told(during)}")
        after = []
        for number in range(probes):
            before = flood.done()
            after.append(probe(quiet, mine, 200 + number))
            print(f"  {before} of {documents} done, then the one: {after[-1]:.2f} s")
        print(f"while they are worked off: {told(after)}")
    for words, found in (("while they arrive", during), ("while they are worked off", after)):
        print(f"ratio {words}: median {statistics.median(found) / base:.2f} x, worst {max(found) / base:.2f} x")


def told(seconds: Sequence[float]) -> str:
    """Seconds in a row."""
    return ", ".join(f"{one:.2f}" for one in seconds) + " s"


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--probes", type=int, default=5)
    parser.add_argument("--bound", type=int, default=0, help="TenantDocuments, if not the local cloud's own")
    chosen = parser.parse_args()
    environment = {"LAMBENT_EMBEDDER": "memory", "LAMBENT_EMBEDDING_MODEL": "bag-of-words"}
    if chosen.bound:
        environment["LAMBENT_TENANT_DOCUMENTS"] = str(chosen.bound)
    with stand(built=chosen.built, **environment) as place:
        measure(place, chosen.documents, chosen.probes)


if __name__ == "__main__":
    main()
