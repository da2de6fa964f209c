"""Documents through the whole pipeline: uploads, S3 events, queues, five stages, searchable.

    uv run python -m tests.benchmarks.ingest [--documents 1000] [--embedder memory|local|both] [--built]

With the zero-cost embedder it prints documents/s end to end; with the default one, also the share of the wall time
during which the model was at work. Peak memory is of each function's largest process. The baseline of the same run is
the time until the last upload was accepted, so the ratio says what the pipeline adds to it. Processor time is of every
process of the cloud, by what it is; what else the machine does changes it little.
"""

import json
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import psutil

from tests.benchmarks.processor import table, watched
from tests.benchmarks.stand import Stand, arguments, stand

WORDS = [
    "harbour",
    "lantern",
    "ledger",
    "turbine",
    "granite",
    "meadow",
    "signal",
    "copper",
    "orchard",
    "compass",
    "glacier",
    "parcel",
    "anchor",
    "velvet",
    "monsoon",
    "ferry",
    "quarry",
    "beacon",
    "timber",
    "chapel",
    "sextant",
    "barley",
    "canyon",
    "mirror",
    "furnace",
    "pebble",
    "saddle",
    "willow",
    "cinder",
    "bridge",
]
JOBS = 8
LOOK_SECONDS = 1.0
"""Between two looks whether all are done: each costs the cloud about as much as a twentieth of a document."""


def page(number: int) -> bytes:
    """A one-page text of some 350 words, its own: no two share a paragraph, so no cache helps."""
    lines = [f"# Report {number}", ""]
    for paragraph in range(7):
        words = [WORDS[(number * 31 + paragraph * 17 + step * (step + number % 13)) % len(WORDS)] for step in range(48)]
        lines += [f"Section {number}-{paragraph} says: " + " ".join(words) + ".", ""]
    return "\n".join(lines).encode()


def pages(count: int) -> list[bytes]:
    """So many of them."""
    return [page(number) for number in range(count)]


def run(place: Stand, files: Sequence[bytes]) -> tuple[float, float, datetime, datetime]:
    """Upload all and wait for all; seconds of the uploads, seconds in all, and when it began and ended.

    Raises:
        RuntimeError: a document failed.
    """
    collection = place.collection()
    began, started = datetime.now().astimezone(), time.perf_counter()
    with ThreadPoolExecutor(JOBS) as pool:
        list(pool.map(lambda item: place.upload(collection, f"report-{item[0]}.md", item[1]), enumerate(files)))
    uploaded = time.perf_counter() - started
    while True:
        counts = place.api.get(f"/collections/{collection}").json()
        if counts["failed"]:
            raise RuntimeError(f"{counts['failed']} documents failed")
        if counts["indexed"] == len(files):
            break
        time.sleep(LOOK_SECONDS)
    return uploaded, time.perf_counter() - started, began, datetime.now().astimezone()


def log_lines(log: Path) -> Iterator[str]:
    """The lines of a function's log, with those of the file that it was cut off from when it grew long."""
    for file in (log.with_name(f"{log.name}.1"), log):
        if file.exists():
            with file.open(encoding="utf-8") as lines:
                yield from lines


def busy_share(lines: Iterator[str], began: datetime, ended: datetime) -> float:
    """Share (0-1) of the time between `began` and `ended` in which at least one model call was under way."""
    spans = []
    for line in lines:
        found = re.search(r"\{.*\"model\.called\".*\}", line)
        if not found:
            continue
        event = json.loads(found.group())
        end = datetime.fromisoformat(event["timestamp"]).timestamp()
        spans.append((max(began.timestamp(), end - event["ms"] / 1000), min(ended.timestamp(), end)))
    busy, reached = 0.0, began.timestamp()
    for start, end in sorted(spans):
        if end > reached:
            busy += end - max(start, reached)
            reached = end
    return busy / (ended - began).total_seconds()


def peaks(pid: int) -> dict[str, float]:
    """Largest resident memory, MB, of the function processes alive below the supervisor, by function."""
    found: dict[str, float] = {}
    for process in psutil.Process(pid).children(recursive=True):
        try:
            command = " ".join(process.cmdline())
            name = re.search(r"functions\.(\w+)\.app", command)
            if name:
                found[name.group(1)] = max(found.get(name.group(1), 0.0), _peak(process.pid))
        except psutil.NoSuchProcess:
            continue
    return found


def _peak(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    high = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(high.group(1)) / 1024 if high else 0.0


def report(embedder: str, files: Sequence[bytes], *, built: bool) -> None:
    """One run with one embedder, printed."""
    environment = (
        {"LAMBENT_EMBEDDER": "memory", "LAMBENT_EMBEDDING_MODEL": "bag-of-words"} if embedder == "memory" else {}
    )
    with stand(built=built, **environment) as place:
        run(place, files[:20])
        with watched(place.ready.pid) as processor:
            uploaded, whole, began, ended = run(place, files)
        share = busy_share(log_lines(Path(place.logs) / "IngestEmbedFunction.log"), began, ended)
        memory = peaks(place.ready.pid)
    rate = len(files) / whole
    print(f"{embedder}: {len(files)} documents in {whole:.1f} s = {rate:.1f} documents/s")
    print(f"  the last upload was accepted after {uploaded:.1f} s: ratio {whole / uploaded:.2f} x")
    print(f"  the model was at work {share:.0%} of the wall time")
    print("  peak memory: " + ", ".join(f"{name} {size:.0f} MB" for name, size in sorted(memory.items())))
    print(table(processor, len(files)), flush=True)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__ or "")
    parser.add_argument("--documents", type=int, default=1000)
    parser.add_argument("--embedder", choices=("memory", "local", "both"), default="both")
    chosen = parser.parse_args()
    files = pages(chosen.documents)
    for embedder in ("memory", "local") if chosen.embedder == "both" else (chosen.embedder,):
        report(embedder, files, built=chosen.built)


if __name__ == "__main__":
    main()
