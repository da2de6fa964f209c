"""One tenant with very many documents, and another with one: how much longer does the one take than alone?

    uv run python -m tests.benchmarks.fairness [--documents 10000] [--rate 25] [--probes 5] [--bound N] [--built]

On the local cloud, with real functions and the zero-cost embedder. The tenant with many has its files sent by a process
of its own, at a rate or as fast as the local S3 takes them, which is the worst of arrivals: its upload forms are made
in the database beforehand. The other uploads one document through the API, again and again as long as those files are
coming in, and some more while the many are being worked off; each time is from the request for the form until the
document is searchable. Its time alone is measured in the same run, before.

S3, the queues and what calls the functions are one process here, and all share the machine's cores. What that costs is
measured too: the one document while as many files arrive at the same rate where nobody is told of them. The queues of
the local cloud are first come, first served: they know nothing of the fairness of SQS between message groups, so what
this shows is the line each tenant waits in, and nothing else.
"""

import asyncio
import dataclasses
import os
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from http.client import HTTPConnection
from itertools import count
from multiprocessing import Pipe, get_context
from multiprocessing.connection import Connection

import httpx

from shared.adapters.postgres.store import PgStore
from shared.domain.tenants import Scope
from tests.benchmarks.ingest import JOBS, page, pages
from tests.benchmarks.stand import Stand, arguments, percentile, stand
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


@dataclasses.dataclass(frozen=True, slots=True)
class Took:
    """What one document took: seconds in all, and milliseconds by step as the service tells them."""

    seconds: float
    steps: Mapping[str, int]


def probe(place: Stand, collection: str, number: int) -> Took:
    """One document, from the request for its form until it is searchable.

    Raises:
        RuntimeError: it failed or took too long.
    """
    body = page(number)
    started = time.perf_counter()
    document = place.upload(collection, f"mine-{number}.md", body)
    while time.perf_counter() - started < PATIENCE:
        answer = place.api.get(f"/documents/{document}")
        if answer.is_error:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
        status = answer.json()["status"]
        if status == "indexed":
            return Took(time.perf_counter() - started, answer.json()["latest"]["timings"])
        if status == "failed":
            raise RuntimeError("the one document failed")
        time.sleep(0.05)
    raise RuntimeError(f"the one document was not searchable after {PATIENCE:.0f} s")


def put_all(told: Connection, url: str, bucket: str, keys: Sequence[str], rate: float) -> None:
    """Send a page to each key, some at a time; tells when it begins, and at the end the seconds it took.

    By a client that costs little: what it takes of the processor is missing to those it measures.

    Args:
        told: where to tell it.
        url: of the local S3, which asks for no signature.
        bucket: of the uploads.
        keys: of the documents.
        rate: files a second at the most; 0: as fast as they are taken.
    """
    bodies, lines = pages(len(keys)), iter(range(len(keys)))
    started = time.perf_counter()

    def send(_: int) -> None:
        client = HTTPConnection(url.removeprefix("http://"))
        for number in lines:
            if rate and (early := started + number / rate - time.perf_counter()) > 0:
                time.sleep(early)
            client.request("PUT", f"/{bucket}/{keys[number]}", bodies[number])
            answer = client.getresponse()
            answer.read()
            if answer.status != HTTPStatus.OK:
                raise RuntimeError(f"the upload was answered {answer.status}")

    told.send(0.0)
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(send, range(JOBS)))
    told.send(time.perf_counter() - started)


@contextmanager
def sending(place: Stand, bucket: str, keys: Sequence[str], rate: float) -> Iterator[Connection]:
    """A page is sent to each key by a process of its own, as another machine would.

    Yields, when the first are on their way, where the seconds it took are told at the end.
    """
    mine, theirs = Pipe(duplex=False)
    work = (theirs, place.ready.aws_url, bucket, keys, rate)
    client = get_context("spawn").Process(target=put_all, args=work, daemon=True)
    client.start()
    try:
        mine.recv()
        yield mine
    finally:
        client.terminate()
        client.join()


class Flood:
    """The tenant with many documents."""

    def __init__(self, place: Stand, scope: Scope, documents: int) -> None:
        self._place = place
        self._collection = place.collection()
        id = uuid.UUID(self._collection)
        self._keys = asyncio.run(_with_store(place, lambda store: slots(store, scope, id, documents)))

    def arriving(self, rate: float) -> AbstractContextManager[Connection]:
        """All files are sent while the block lasts."""
        return sending(self._place, self._place.uploads, self._keys, rate)

    def done(self) -> int:
        """Documents that are searchable by now.

        Raises:
            RuntimeError: one failed.
        """
        counts = self._place.api.get(f"/collections/{self._collection}").json()
        if counts["failed"]:
            raise RuntimeError(f"{counts['failed']} documents of the many failed")
        return int(counts["indexed"])


def measure(place: Stand, documents: int, probes: int, rate: float) -> None:
    """One run, printed."""
    with guest(place) as (busy, scope), guest(place) as (quiet, _):
        mine, numbers = quiet.collection(), count(1)

        def one() -> Took:
            return probe(quiet, mine, next(numbers))

        # As many at once as there are copies of a function, so that all have started.
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(lambda _: one(), range(2 * JOBS)))
        alone = [one() for _ in range(probes)]
        base = statistics.median(took.seconds for took in alone)
        tell("alone", alone, base)
        unheard = [f"unheard/{number}" for number in range(documents)]
        with sending(place, place.uploads.replace("-uploads-", "-work-"), unheard, rate):
            tell("beside files that nobody is told of", [one() for _ in range(probes)], base)
        flood, during = Flood(busy, scope, documents), []
        with flood.arriving(rate) as ended:
            while not ended.poll():
                during.append(one())
            seconds = ended.recv()
        print(f"{documents} files arrived in {seconds:.1f} s, {documents / seconds:.0f}/s; {flood.done()} are done")
        tell("while they arrived", during, base)
        began, already = time.perf_counter(), flood.done()
        after = [one() for _ in range(probes)]
        worked = (flood.done() - already) / (time.perf_counter() - began)
        tell(f"while they are worked off at {worked:.1f}/s", after, base)


def tell(words: str, found: Sequence[Took], base: float) -> None:
    """Print what the one document took, against its time alone, and where it spent it."""
    seconds = [one.seconds for one in found]
    middle, worst = statistics.median(seconds), max(seconds)
    steps = {step: statistics.median(one.steps.get(step, 0) for one in found) / 1000 for step in found[0].steps}
    print(f"{words}: median {middle:.2f} s = {middle / base:.2f} x, worst {worst:.2f} s = {worst / base:.2f} x")
    told = ", ".join(f"{step} {spent:.2f}" for step, spent in steps.items())
    print(f"  of {len(found)}: {told} s; load {os.getloadavg()[0]:.1f}", flush=True)
    if len(found) >= 20:
        high = percentile(seconds, 0.95)
        slowest = max(found, key=lambda one: one.seconds)
        where = ", ".join(f"{step} {spent / 1000:.2f}" for step, spent in slowest.steps.items())
        print(f"  95 of 100 within {high:.2f} s = {high / base:.2f} x; the worst: {where} s", flush=True)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--documents", type=int, default=10_000)
    parser.add_argument("--probes", type=int, default=5)
    parser.add_argument("--bound", type=int, default=0, help="TenantDocuments, if not the local cloud's own")
    parser.add_argument("--rate", type=float, default=0, help="files a second; 0: as fast as they are taken")
    chosen = parser.parse_args()
    environment = {"LAMBENT_EMBEDDER": "memory", "LAMBENT_EMBEDDING_MODEL": "bag-of-words"}
    if chosen.bound:
        environment["LAMBENT_TENANT_DOCUMENTS"] = str(chosen.bound)
    with stand(built=chosen.built, **environment) as place:
        measure(place, chosen.documents, chosen.probes, chosen.rate)


if __name__ == "__main__":
    main()
