"""How an ingestion goes, on stderr: bars on a terminal, a line a document elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from shared.cli.ingestion import STAGES, Outcome, Watcher
from shared.cli.output import Output
from shared.cli.plain import number, one_line, plural, seconds, size
from shared.cli.sources import Source

BARS = ("read", "cut", "embedded", "indexed")
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
        self._bytes: TaskID | None = None
        self._steps: list[TaskID] = []
        self._passed: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._failed = 0

    def planned(self, sources: Sequence[Source]) -> None:
        """Draw the bars."""
        self._sizes = {one.key: one.size for one in sources}
        total = sum(self._sizes.values())
        self._bytes = self._progress.add_task("sent", total=max(total, 1), words=f"of {size(total)}")
        self._steps = [self._progress.add_task(name, total=len(sources), words="") for name in BARS]
        self._passed = {one.key: 0 for one in sources}
        self._draw()

    def sent(self, count: int) -> None:
        """Move the first bar."""
        if self._bytes is not None:
            self._progress.advance(self._bytes, count)

    def moved(self, path: str, state: str) -> None:
        """Count how many steps the document has behind it."""
        self._passed[path] = max(0, STAGES.index(state) - 1) if state in STAGES else len(BARS)
        self._draw()

    def ended(self, outcome: Outcome) -> None:
        """It passes every bar, however it ended."""
        if not outcome.bytes:
            # Nothing of it is sent: unchanged, or refused.
            self.sent(self._sizes.get(outcome.path, 0))
        self._failed += outcome.result == "failed"
        self._passed[outcome.path] = len(BARS)
        self._draw()

    def _draw(self) -> None:
        total = number(len(self._passed))
        for index, step in enumerate(self._steps):
            done = sum(passed > index for passed in self._passed.values())
            failed = f", {number(self._failed)} failed" if self._failed and index == len(BARS) - 1 else ""
            self._progress.update(step, completed=done, words=f"{number(done)} of {total}{failed}")


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
