"""Malformed files through the cage, with sound ones between them.

    uv run python -m tests.corpora.malformed [--files 10000] [--seed 1] [--only NUMBER --keep FILE]

Seeds are the small files of every format that the tests make, files made to do harm, and those of ../shared/data/files
and ../shared/data/hostile where that folder is. Prints what became of the files, and fails when the cage was exceeded
(memory, processor time, wall clock, a keeper that died, a reason nobody knows, an unsound text, a process left over)
or when a sound document was read differently from before. `--only` reads one mutant again and `--keep` writes it to a
file.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from shared.adapters.files.catalogue import BY_EXTENSION
from shared.adapters.files.limits import CageLimits
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.domain.errors import Rejected, Unavailable
from shared.domain.retrying import UNREADABLE
from tests.corpora.bombs import bombs
from tests.corpora.mutation import Mutants, Seed
from tests.corpora.samples import samples

_DATA = (Path(__file__).parents[2] / "../shared/data").resolve()
_LARGEST_SEED = 300_000
_EVERY = 20
"""So many malformed files, then one sound one."""
_GRACE_SECONDS = 2.0
"""The kernel gives a process one more second of processor time, and a busy machine some of the clock."""
LIMITS = CageLimits(memory_bytes=512 * 2**20, cpu_seconds=30, wall_seconds=45)
"""What is promised, whatever the defaults become."""


@dataclass(frozen=True, slots=True)
class End:
    """What became of one file."""

    code: str
    text: str
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    faults: tuple[str, ...] = ()
    """What was wrong with the answer itself."""


class Trial:
    """A reader under trial: every file is written to disk and read as the function would."""

    def __init__(self, reader: CagedFilesReader, folder: Path) -> None:
        self.reader = reader
        self._source = folder / "upload"
        self._sound = samples()
        self._expected = {name: self.read(name, "", data).text for name, data in self._sound.items()}
        if not all(self._expected.values()):
            raise AssertionError("a sound sample has no text")

    def read(self, name: str, declared_type: str, data: bytes) -> End:
        """Read one file."""
        self._source.write_bytes(data)
        self.reader.last_ending = None
        started = time.perf_counter()
        code, text, faults = self._outcome(name, declared_type)
        ending = self.reader.last_ending
        return End(
            code=code,
            text=text,
            seconds=time.perf_counter() - started,
            cpu_seconds=ending.cpu_seconds if ending else 0.0,
            peak_bytes=ending.peak_bytes if ending else 0,
            faults=faults,
        )

    def exceeded(self, end: End) -> list[str]:
        """Which walls did not hold."""
        limits = self.reader.limits
        found = list(end.faults)
        if end.peak_bytes > limits.memory_bytes:
            found.append(f"{end.peak_bytes:,} bytes of memory")
        if end.cpu_seconds > limits.cpu_seconds + _GRACE_SECONDS:
            found.append(f"{end.cpu_seconds} s of processor time")
        if end.seconds > limits.wall_seconds + _GRACE_SECONDS:
            found.append(f"{end.seconds:.1f} s")
        keeper = self.reader._keeper
        if keeper is not None and keeper.usable and psutil.Process(keeper._process.pid).children():
            found.append("a process is left over")
        return found

    def bystander_changed(self, number: int) -> str:
        """Read one sound document again; its name when its text is another, else nothing."""
        names = list(self._sound)
        name = names[number % len(names)]
        return "" if self.read(name, "", self._sound[name]).text == self._expected[name] else name

    def _outcome(self, name: str, declared_type: str) -> tuple[str, str, tuple[str, ...]]:
        try:
            extracted = self.reader.read(self._source, name=name, declared_type=declared_type)
        except Rejected as error:
            return error.code, "", () if error.code in UNREADABLE else (f"unknown reason {error.code}",)
        except Unavailable as error:
            return "unavailable", "", (f"the keeper is gone: {error.detail}",)
        return "read", extracted.text, tuple(extracted.problems()[:1])


@dataclass(slots=True)
class Report:
    """What became of many files."""

    ends: Counter[str] = field(default_factory=Counter)
    exceeded: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    bystanders: int = 0
    peak_bytes: int = 0
    peak_of: str = ""
    slowest: float = 0.0
    slowest_of: str = ""
    noted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Files that brought their reader down, by code."""

    def add(self, origin: str, end: End, exceeded: list[str]) -> None:
        """Count one file."""
        self.ends[end.code] += 1
        self.exceeded += [f"{origin}: {what}" for what in exceeded]
        if end.peak_bytes > self.peak_bytes:
            self.peak_bytes, self.peak_of = end.peak_bytes, origin
        if end.seconds > self.slowest:
            self.slowest, self.slowest_of = end.seconds, origin
        if end.code.startswith("parser_"):
            self.noted[end.code].append(origin)


def seeds() -> dict[str, list[Seed]]:
    """Files to start from, by extension."""
    found: dict[str, list[Seed]] = defaultdict(list)
    for name, data in _seed_files():
        if 0 < len(data) <= _LARGEST_SEED:
            found[name.rpartition(".")[2].lower()].append(Seed(name, data))
    return found


def _seed_files() -> Iterator[tuple[str, bytes]]:
    yield from samples().items()
    yield from bombs().items()
    for folder in ("files", "hostile"):
        for path in sorted((_DATA / folder).rglob("*")):
            # What is refused by its first bytes, pictures for one, never gets as far as a parser.
            if path.is_file() and path.suffix[1:].lower() in BY_EXTENSION:
                yield path.name, path.read_bytes()


def run(trial: Trial, mutants: Mutants, files: int, report: Report) -> None:
    """Read so many mutants, and a sound document now and then."""
    for number in range(files):
        mutant = mutants.make(number)
        end = trial.read(mutant.name, mutant.declared_type, mutant.data)
        report.add(f"{number} ({mutant.origin})", end, trial.exceeded(end))
        if number % _EVERY == 0:
            report.bystanders += 1
            if changed := trial.bystander_changed(number // _EVERY):
                report.changed.append(f"{changed}, after {number} ({mutant.origin})")


def _print(report: Report, files: int, seconds: float, seed: int) -> None:
    print(f"{files} malformed files, seed {seed}, in {seconds:.0f} s; {report.bystanders} sound ones between them")
    for code, count in report.ends.most_common():
        print(f"  {count:>7}  {code}")
    print(f"peak memory {report.peak_bytes / 2**20:.0f} MiB of {LIMITS.memory_bytes / 2**20:.0f}: {report.peak_of}")
    print(f"slowest {report.slowest:.1f} s of {LIMITS.wall_seconds:.0f}: {report.slowest_of}")
    print(f"memory of the function itself {psutil.Process().memory_info().rss / 2**20:.0f} MiB")
    for code, origins in report.noted.items():
        for origin in origins[:10]:
            print(f"  {code}: {origin}")
    print(f"cage exceeded {len(report.exceeded)}, sound documents read differently {len(report.changed)}")
    for line in report.exceeded[:20] + report.changed[:20]:
        print(f"  {line}")


def main() -> int:
    """Run and print; 1 when a wall did not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="read this mutant alone")
    parser.add_argument("--keep", type=Path, help="and write it here")
    chosen = parser.parse_args()
    mutants = Mutants(seeds(), chosen.seed)
    reader = CagedFilesReader(LIMITS, syntax=TreeSitterSyntax)
    with tempfile.TemporaryDirectory(prefix="lambent-malformed-") as folder:
        trial = Trial(reader, Path(folder))
        try:
            if chosen.only is not None:
                mutant = mutants.make(chosen.only)
                if chosen.keep:
                    chosen.keep.write_bytes(mutant.data)
                end = trial.read(mutant.name, mutant.declared_type, mutant.data)
                print(mutant.origin, len(mutant.data), end.code, f"{end.seconds:.2f} s", trial.exceeded(end))
                return 0
            report, started = Report(), time.perf_counter()
            run(trial, mutants, chosen.files, report)
        finally:
            reader.close()
    _print(report, chosen.files, time.perf_counter() - started, chosen.seed)
    return 1 if report.exceeded or report.changed else 0


if __name__ == "__main__":
    sys.exit(main())
