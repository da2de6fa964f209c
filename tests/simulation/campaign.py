"""Many histories, on several processes, and what they add up to."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import structlog

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"LAMBENT_LOG_LEVEL": "CRITICAL", "LAMBENT_EMBEDDING_REQUESTS_PER_MINUTE": "0"}
FIRST_MUTANT_SEED = 100_000
KEPT = 50
"""Violations that are told; the others are counted."""


@dataclass(slots=True)
class Report:
    """What came of histories, added up."""

    histories: int = 0
    turns: int = 0
    hours: float = 0.0
    """Virtual."""
    texts: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    visits: Counter[str] = field(default_factory=Counter)
    again: Counter[str] = field(default_factory=Counter)
    examples: dict[str, int] = field(default_factory=dict)
    """A seed that comes by each crash point."""
    violations: list[tuple[int, str, str]] = field(default_factory=list)
    """Seed, crash point if one was forced, and what was wrong."""
    wrong: int = 0
    """Histories with a violation."""

    def add(self, other: Self) -> None:
        """Count in another report."""
        for name in ("histories", "turns", "hours", "texts", "wrong"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("fired", "crashes", "visits", "again"):
            getattr(self, name).update(getattr(other, name))
        self.examples = {**other.examples, **self.examples}
        self.violations = [*self.violations, *other.violations][:KEPT]

    def to_json(self) -> str:
        """To be read by another process."""
        return json.dumps({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Written by another process."""
        read: dict[str, Any] = json.loads(text)
        counters: dict[str, Any] = {name: Counter(read.pop(name)) for name in ("fired", "crashes", "visits", "again")}
        violations = [(seed, point, what) for seed, point, what in read.pop("violations")]
        return cls(**read, **counters, violations=violations)

    @property
    def unfired(self) -> list[str]:
        """Crash points that were come by and at which nothing crashed."""
        return sorted(self.visits.keys() - self.crashes.keys())


def prepare() -> None:
    """Set this process up for histories: nobody reads their log lines, so none are put together."""
    from shared.runtime.logging import configure

    configure()
    structlog.configure(cache_logger_on_first_use=True)
    structlog.contextvars.bound_contextvars = _unbound  # type: ignore[assignment]


_NOTHING = nullcontext()


def _unbound(**_: object) -> nullcontext[None]:
    return _NOTHING


def live(jobs: Iterable[tuple[int, str | None]]) -> Report:
    """Live through histories in this process, each named by its seed and a crash point to force, if any."""
    from tests.simulation.history import History

    prepare()
    report = Report()
    for seed, crash_at in jobs:
        outcome = History(seed, crash_at).run()
        report.histories += 1
        report.turns += outcome.turns
        report.hours += outcome.seconds / 3600
        report.texts += outcome.texts
        report.fired.update(outcome.fired)
        report.crashes.update(outcome.crashes)
        report.visits.update(outcome.visits)
        report.again.update(outcome.again)
        for point in outcome.visits.keys() - report.examples.keys():
            report.examples[point] = seed
        if outcome.violations:
            report.wrong += 1
            if len(report.violations) < KEPT:
                report.violations.append((seed, crash_at or "", outcome.violations[0]))
    return report


def caught(numbers: Iterable[int]) -> dict[str, str]:
    """What catches each of the mutants with these numbers; '' for a survivor."""
    from tests.simulation.history import History
    from tests.simulation.mutants import MUTANTS
    from tests.simulation.mutation import planted

    prepare()
    found = {}
    for mutant in (MUTANTS[number] for number in numbers):
        with planted(mutant):
            seeds = range(FIRST_MUTANT_SEED, FIRST_MUTANT_SEED + mutant.histories)
            outcomes = (History(seed, emphasis=mutant.emphasis, cast=mutant.cast).run() for seed in seeds)
            violations = next((one.violations for one in outcomes if one.violations), ("",))
        found[mutant.name] = violations[0]
    return found


def campaign(histories: int, seed: int, processes: int, *, until: float | None = None) -> Report:
    """Histories with the seeds from `seed` on, then every crash point that nothing has crashed at yet.

    Args:
        histories: how many.
        seed: of the first.
        processes: how many at once.
        until: a moment of `perf_counter` after which no more are begun.
    """
    report = Report()
    size = max(1, min(2000, -(-histories // processes)))
    blocks = [(first, min(size, seed + histories - first)) for first in range(seed, seed + histories, size)]
    for made in elsewhere(_arguments(blocks), processes, until):
        report.add(made)
    # A point that was come by is come by again in the same history, so forcing it there proves it.
    forced = [f"{report.examples[point]}@{point}" for point in report.unfired]
    for made in elsewhere([["--forced", *forced[first::processes]] for first in range(processes)], processes, None):
        report.add(made)
    return report


def _arguments(blocks: list[tuple[int, int]]) -> list[list[str]]:
    return [["--block", str(first), str(count)] for first, count in blocks]


def elsewhere(jobs: list[list[str]], processes: int, until: float | None) -> Iterator[Report]:
    """Run jobs in processes of their own, so many at once; yields what each reports."""
    waiting = [job for job in jobs if len(job) > 1]
    running: list[subprocess.Popen[str]] = []
    try:
        while waiting or running:
            while waiting and len(running) < processes and (until is None or perf_counter() < until):
                running.append(_begin(waiting.pop(0)))
            if not running:
                return
            first = running.pop(0)
            told, _ = first.communicate()
            if first.returncode:
                raise RuntimeError(f"a process of the simulation ended with {first.returncode}")
            yield Report.from_json(told)
    finally:
        for process in running:
            process.kill()
            process.wait()


def _begin(job: list[str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.simulation", *job]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, **ENVIRONMENT}, stdout=subprocess.PIPE, text=True)
