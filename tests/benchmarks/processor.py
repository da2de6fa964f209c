"""Who used the processor: seconds of every process of a local cloud, by what the process is.

Time of processes, not of a clock: what else the machine does changes it little.
"""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil

INTERVAL = 0.25
"""Seconds between two looks; what a process does between the last look and its end is not seen."""


def kind(command: str) -> str:
    """What a process is, by its command line."""
    if function := re.search(r"functions\.(\w+)\.app", command):
        return function.group(1)
    if "adapters.files.cage" in command:
        return "ingest_extract: cage"
    if "ministack" in command:
        return "local AWS"
    if command.startswith("postgres: "):
        return "Postgres: " + ("connections" if "[local]" in command else "its own work")
    if "bin/postgres" in command:
        return "Postgres: its own work"
    return "host"


class Seen:
    """Seconds by process, as of the last look at it."""

    def __init__(self, root: int) -> None:
        """Args:
        root: the process all others come from.
        """
        self._root = root
        self._seconds: dict[tuple[int, float], tuple[str, float]] = {}

    def look(self) -> None:
        """Look at all that are alive."""
        top = psutil.Process(self._root)
        for process in (top, *top.children(recursive=True)):
            try:
                command = " ".join(process.cmdline())
                times = process.cpu_times()
                named = kind(command)
                # The children of a cage are as many as files, and gone before anybody looks: their parent knows.
                ended = times.children_user + times.children_system if named.endswith("cage") else 0.0
                self._seconds[process.pid, process.create_time()] = (named, times.user + times.system + ended)
            except psutil.Error:
                continue

    def total(self) -> dict[str, float]:
        """Seconds so far by kind."""
        found: dict[str, float] = defaultdict(float)
        for named, seconds in self._seconds.values():
            found[named] += seconds
        return found


@contextmanager
def watched(root: int) -> Iterator[dict[str, float]]:
    """Seconds of the processor by kind of process, this one's among them, filled in when the block ends.

    Args:
        root: the process all others come from.
    """
    seen, found, over = Seen(root), dict[str, float](), threading.Event()
    seen.look()
    before, mine = seen.total(), time.process_time()

    def looking() -> None:
        while not over.wait(INTERVAL):
            seen.look()

    thread = threading.Thread(target=looking, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found["this client"] = time.process_time() - mine
        over.set()
        thread.join()
        seen.look()
        found.update({named: seconds - before.get(named, 0.0) for named, seconds in seen.total().items()})


def table(seconds: Mapping[str, float], documents: int) -> str:
    """Milliseconds a document, the most first, and their sum."""
    each = {named: 1000 * spent / documents for named, spent in seconds.items()}
    lines = [
        f"  {each[named]:8.1f}  {named}" for named in sorted(each, key=lambda one: -each[one]) if each[named] >= 0.05
    ]
    return "\n".join(["  processor, ms a document:", *lines, f"  {sum(each.values()):8.1f}  all"])
