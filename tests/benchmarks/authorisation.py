"""GET of one document by an API key and by an access token, as ratios of the same request with a scope that is given.

    uv run python -m tests.benchmarks.authorisation [--built] [--requests 600]

All three run the same code behind the door under the same host, and take turns in blocks; host included.
"""

import asyncio
import dataclasses
import statistics
import time

from shared.local.functions import FunctionSpec
from shared.local.host import FunctionHost
from tests.benchmarks.stand import ROOT, Stand, arguments, percentile, request_event, stand

BLOCK = 50
LIMIT = 1.3


def fixed(place: Stand) -> FunctionSpec:
    """The documents function with its scope given."""
    like = place.specs["DocumentsFunction"]
    tenant, project = place.ready.tenant_id, place.ready.project_id
    given = {"BARE_TENANT": str(tenant), "BARE_PROJECT": str(project)}
    return dataclasses.replace(
        like,
        name="FixedDocuments",
        handler="tests.benchmarks.bare.fixed.handler",
        environment={**like.environment, **given},
        paths=(*like.paths, ROOT),
    )


async def measure(place: Stand, requests: int) -> dict[str, list[float]]:
    """Milliseconds of each request by name."""
    collection = place.collection()
    made = place.api.post("/documents", json={"collection_id": collection, "name": "warm.txt"})
    path = f"/api/v1/documents/{made.json()['document']['id']}"
    real, given = place.specs["DocumentsFunction"], fixed(place)
    functions = {
        "scope given": (given, request_event("GET", path, {})),
        "API key": (real, request_event("GET", path, place.headers())),
    }
    times: dict[str, list[float]] = {name: [] for name in functions}
    async with FunctionHost([given, real]) as host:
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
    base = statistics.median(times["scope given"])
    for name, values in times.items():
        p50, p95 = statistics.median(values), percentile(values, 0.95)
        mark = "" if p50 <= base * LIMIT else f"  over {LIMIT}"
        print(f"{name:20s} p50 {p50:6.2f} ms  p95 {p95:6.2f} ms  {p50 / base:5.2f} x{mark}")


if __name__ == "__main__":
    main()
