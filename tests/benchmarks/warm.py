"""GET of one document on a warm process, as a ratio of a bare FastAPI, Mangum and psycopg function that asks for 1.

    uv run python -m tests.benchmarks.warm [--built] [--requests 600]

Both run under the same host and take turns in blocks; figures are per request, host included.
"""

import asyncio
import statistics
import time

from shared.local.host import FunctionHost
from tests.benchmarks.stand import Stand, arguments, percentile, request_event, stand

BLOCK = 50


async def measure(place: Stand, requests: int) -> dict[str, list[float]]:
    """Milliseconds of each request by name."""
    collection = place.collection()
    document = place.api.post("/documents", json={"collection_id": collection, "name": "warm.txt"}).json()["document"][
        "id"
    ]
    bare = place.bare("database", BARE_DATABASE_URL=place.database_url)
    functions = {
        "bare select 1": (bare, request_event("GET", "/api/v1/hello", {})),
        "GET one document": (
            place.specs["DocumentsFunction"],
            request_event("GET", f"/api/v1/documents/{document}", place.headers()),
        ),
    }
    times: dict[str, list[float]] = {name: [] for name in functions}
    async with FunctionHost([spec for spec, _ in functions.values()]) as host:
        for spec, event in functions.values():
            for _ in range(BLOCK):
                answer = (await host.invoke(spec.name, event)).json()
                if not isinstance(answer, dict) or answer["statusCode"] != 200:
                    raise RuntimeError(str(answer))
        for _ in range(requests // BLOCK):
            for name, (spec, event) in functions.items():
                for _ in range(BLOCK):
                    started = time.perf_counter()
                    await host.invoke(spec.name, event)
                    times[name].append((time.perf_counter() - started) * 1000)
    return times


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--requests", type=int, default=600)
    chosen = parser.parse_args()
    with stand(built=chosen.built) as place:
        times = asyncio.run(measure(place, chosen.requests))
    base = statistics.median(times["bare select 1"])
    for name, values in times.items():
        p50, p95 = statistics.median(values), percentile(values, 0.95)
        print(f"{name:20s} p50 {p50:6.2f} ms  p95 {p95:6.2f} ms  {p50 / base:5.2f} x")


if __name__ == "__main__":
    main()
