"""Warm requests to several functions by turns, so that what the machine does beside them falls on all alike."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence

from shared.local.functions import FunctionSpec
from shared.local.host import FunctionHost
from tests.benchmarks.stand import percentile

BLOCK = 25

type Request = tuple[FunctionSpec, Mapping[str, object]]


def by_turns(requests: Mapping[str, Request], count: int) -> dict[str, list[float]]:
    """Milliseconds of each request by name, host included.

    Args:
        requests: which function is sent which event; each is answered with 200.
        count: how often each; sent in blocks.

    Raises:
        RuntimeError: another answer.
    """
    return asyncio.run(_measured(requests, count))


async def _measured(requests: Mapping[str, Request], count: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in requests}
    functions = {spec.name: spec for spec, _ in requests.values()}
    async with FunctionHost(list(functions.values())) as host:
        for spec, event in requests.values():
            for _ in range(BLOCK):
                answer = (await host.invoke(spec.name, event)).json()
                if not isinstance(answer, dict) or answer["statusCode"] != 200:
                    raise RuntimeError(str(answer))
        for _ in range(count // BLOCK):
            for name, (spec, event) in requests.items():
                for _ in range(BLOCK):
                    started = time.perf_counter()
                    await host.invoke(spec.name, event)
                    times[name].append((time.perf_counter() - started) * 1000)
    return times


def tell(times: Mapping[str, list[float]], base: str, limit: float) -> None:
    """Print each request's times as ratios of the one named `base`; what is over `limit` is marked.

    A ratio is the median of those of blocks that came in the same turn, behind each other: a machine that is slow for
    some seconds is so for both. The quarters of these ratios are printed with it.
    """
    for name, values in times.items():
        p50, p95 = statistics.median(values), percentile(values, 0.95)
        line = f"{name:20s} p50 {p50:6.2f} ms  p95 {p95:6.2f} ms"
        if name != base:
            low, middle, high = statistics.quantiles(ratios(values, times[base]), n=4)
            line += f"  {middle:5.2f} x ({low:.2f} to {high:.2f})" + ("" if middle <= limit else f"  over {limit}")
        print(line)


def ratios(values: Sequence[float], base: Sequence[float]) -> list[float]:
    """The ratio of the medians of each turn."""
    medians = [[statistics.median(one[i : i + BLOCK]) for i in range(0, len(one), BLOCK)] for one in (values, base)]
    return [own / other for own, other in zip(*medians, strict=True)]
