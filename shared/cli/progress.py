"""How an ingestion goes, on stderr: bars on a terminal, a line a document elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Lock

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from shared.cli.outcomes import Outcome, Watcher
from shared.cli.output import Output
from shared.cli.pipeline import STAGES
from shared.cli.plain import number, one_line, plural, seconds, size
from shared.cli.sources import Source

BARS = ("read", "cut", "embedded", "done")
"""One bar for each state after the first; a document has passed a bar's step when it is in a later state."""


class Silent:
    """Tells nobody."""

    def planned(self, sources: Sequence[Source]) -> None:
        """Nothing."""

    def sent(self, count: int) -> None:
        """Nothing."""

    def moved(self, path: str, state: str) -> None:
        """Nothing."""

    def ended(self, outcome: Outcome) -> None:
        """Nothing."""


class Lines(Silent):
    """A line for each document that is done."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def ended(self, outcome: Outcome) -> None:
        """Say so."""
        told = outcome.reason or (plural(outcome.counts["chunks"], "chunk") if outcome.result == "indexed" else "")
        self._output.note(
            f"{outcome.result:<10} {one_line(outcome.path)}  {seconds(outcome.seconds)}  {told}".rstrip(), ""
        )


class Bars:
    """A bar for what was sent and one for each step of the pipeline."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._lock = Lock()
        self._sent = 0
        self._sizes: dict[str, int] = {}
        self._total = 0
        self._sending = progress.add_task("sent", total=None, words="")
        self._steps = [progress.add_task(name, total=None, words="") for name in BARS]
        self._passed: dict[str, int] = {}
        self._done = [0] * len(BARS)
        self._failed = 0

    def planned(self, sources: Sequence[Source]) -> None:
        """Give the bars their lengths."""
        self._sizes = {one.key: one.size for one in sources}
        self._total = sum(self._sizes.values())
        self._progress.update(self._sending, total=max(self._total, 1))
        for step in self._steps:
            self._progress.update(step, total=len(sources))
        self.sent(0)
        self._pass("", 0)

    def sent(self, count: int) -> None:
        """Move the first bar. Called by every sender."""
        with self._lock:
            self._sent += count
            words = f"{size(self._sent)} of {size(self._total)}"
            self._progress.update(self._sending, completed=self._sent, words=words)

    def moved(self, path: str, state: str) -> None:
        """Count how many steps the document has behind it."""
        self._pass(path, max(0, STAGES.index(state) - 1) if state in STAGES else len(BARS))

    def ended(self, outcome: Outcome) -> None:
        """It passes every bar, however it ended."""
        if not outcome.bytes:
            # Nothing of it is sent: unchanged, or refused.
            self.sent(self._sizes.get(outcome.path, 0))
        self._failed += outcome.result == "failed"
        self._pass(outcome.path, len(BARS))

    def _pass(self, path: str, steps: int) -> None:
        for index in range(self._passed.get(path, 0), steps):
            self._done[index] += 1
        self._passed[path] = max(steps, self._passed.get(path, 0))
        for index, (step, done) in enumerate(zip(self._steps, self._done, strict=True)):
            failed = f", {number(self._failed)} failed" if self._failed and index == len(BARS) - 1 else ""
            words = f"{number(done)} of {number(len(self._sizes))}{failed}"
            self._progress.update(step, completed=done, words=words)


@contextmanager
def watching(output: Output) -> Iterator[Watcher]:
    """Whoever suits the output: bars, lines, or nobody with --json."""
    if output.json:
        yield Silent()
    elif not output.err.is_terminal:
        yield Lines(output)
    else:
        columns = (
            TextColumn("  {task.description:<9}"),
            BarColumn(bar_width=36),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
        )
        with Progress(*columns, console=output.err, transient=True) as progress:
            yield Bars(progress)
