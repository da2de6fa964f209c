"""What reaches the terminal: text and tables for people, JSON for programs.

Results are on stdout, everything else on stderr.
In a pipe there are no colours, nothing is cut to a width, and tables are columns of text.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.cli.errors import ApiProblem, CliError
from shared.cli.plain import one_line, safe

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GAP = 2
MIN_FLEXIBLE = 12
LEGIBLE = 24
"""Cells in which most names can be read; a column that gives way below them costs a spare one its place."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: its heading.
        right: numbers are aligned right.
        flexible: gives way when the terminal is narrow: cut with an ellipsis, or
        wraps: broken into lines instead, or
        tail: cut at its beginning, because what distinguishes a path is its end.
        spare: left out where the others would have too little room; never in a pipe.
        style: of its cells, in Rich's words.
    """

    title: str
    right: bool = False
    flexible: bool = False
    wraps: bool = False
    tail: bool = False
    spare: bool = False
    style: str = ""

    @property
    def gives(self) -> bool:
        """Whether it gives way when the terminal is narrow."""
        return self.flexible or self.wraps or self.tail


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    # Text from documents must never be read as markup, nor words in it coloured.
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.soft_wrap = True
    return console


class Output:
    """Where a command's words go.

    Args:
        json: print JSON instead of text.
    """

    def __init__(self, *, json: bool = False) -> None:
        self.json = json
        self._out: Console | None = None
        self._err: Console | None = None

    @property
    def out(self) -> "Console":
        """The console of results."""
        if self._out is None:
            self._out = _console(stderr=False)
        return self._out

    @property
    def err(self) -> "Console":
        """The console of progress, notes and errors."""
        if self._err is None:
            self._err = _console(stderr=True)
        return self._err

    def value(self, value: object) -> None:
        """The command's result as one JSON document."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")

    def event(self, value: object) -> None:
        """One line of a stream of JSON."""
        sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def result(self, value: object, words: str) -> None:
        """What a command did: as JSON, or in words."""
        if self.json:
            self.value(value)
        else:
            self.line(words)

    def listing(
        self, found: object, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, empty: str = ""
    ) -> None:
        """What a command found: as JSON, or as a table."""
        if self.json:
            self.value(found)
        else:
            self.table(columns, rows, empty=empty)

    def line(self, text: str = "", style: str = "") -> None:
        """A line of the result."""
        self.out.print(safe(text), style=style or None)

    def rich(self, text: "Text") -> None:
        """A styled line of the result; whoever made it has made its parts safe."""
        self.out.print(text)

    def indented(self, text: str, by: int, style: str = "") -> None:
        """Text of the result, moved right; broken into lines on a terminal only."""
        from rich.padding import Padding
        from rich.text import Text

        if self.out.is_terminal:
            self.out.print(Padding(Text(text, style=style), (0, 0, 0, by), expand=False))
        else:
            self.line("\n".join(" " * by + line for line in text.splitlines()))

    def note(self, text: str, style: str = "dim") -> None:
        """Something worth knowing that is no result; silent with --json."""
        if not self.json:
            self.err.print(safe(text), style=style or None)

    def warn(self, text: str) -> None:
        """Something that went otherwise than asked; silent with --json, whose result says it too."""
        self.note(f"! {text}", "yellow")

    def table(self, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, empty: str = "") -> None:
        """Rows below headings; `empty` is said on stderr when there are none."""
        cells = [
            [safe(cell) if column.wraps else one_line(cell) for column, cell in zip(columns, row, strict=True)]
            for row in rows
        ]
        if not cells:
            if empty:
                self.note(empty, "")
            return
        if self.out.is_terminal:
            self._styled_table(columns, cells)
        else:
            self._plain_table(columns, cells)

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """Names and values, one a line; empty values are left out."""
        shown = [(name, value) for name, value in rows if value]
        width = max((len(name) for name, _ in shown), default=0)
        from rich.table import Table

        if not self.out.is_terminal:
            for name, value in shown:
                self.line(f"{name.ljust(width)}  {one_line(value)}")
            return
        table = Table.grid(padding=(0, GAP))
        table.add_column(style="dim", width=width, no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in shown:
            table.add_row(name, safe(value))
        self.out.print(table)

    def error(self, error: CliError) -> None:
        """An error on stderr: what was wrong and what to do, or the problem as JSON."""
        if self.json:
            sys.stderr.write(json.dumps(error.problem(), ensure_ascii=False) + "\n")
            return
        from rich.text import Text

        self.err.print(Text.assemble(("error: ", "bold red"), safe(error.detail)))
        if isinstance(error, ApiProblem):
            for field, problem in error.fields[1:] and error.fields:
                self.err.print(f"  {safe(field)}: {safe(problem)}")
        if error.hint:
            self.err.print(Text.assemble(("  try: " if _is_command(error.hint) else "  ", "dim"), safe(error.hint)))
        if isinstance(error, ApiProblem) and error.request_id and error.status >= 500:
            self.err.print(f"  request {safe(error.request_id)}", style="dim")

    def _styled_table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        from rich.cells import cell_len
        from rich.table import Table

        # A column in which nothing is written would only take room.
        used = [index for index in range(len(columns)) if any(row[index] for row in rows)]
        used = roomy(
            used,
            columns,
            [max(cell_len(column.title), *(cell_len(row[at]) for row in rows)) for at, column in enumerate(columns)],
            self.out.width,
        )
        columns, rows = [columns[index] for index in used], [[row[index] for index in used] for row in rows]

        natural = [
            max(cell_len(column.title), *(cell_len(row[index]) for row in rows)) for index, column in enumerate(columns)
        ]
        widths = fitted(natural, [column.gives for column in columns], self.out.width - GAP * (len(columns) - 1))
        table = Table(
            box=None,
            pad_edge=False,
            padding=(0, GAP, 0, 0),
            collapse_padding=True,
            header_style="bold",
            show_edge=False,
        )
        for column, width in zip(columns, widths, strict=True):
            table.add_column(
                column.title,
                justify="right" if column.right else "left",
                style=column.style,
                width=width,
                no_wrap=not column.wraps,
                overflow="fold" if column.wraps else "ellipsis",
            )
        for row in rows:
            cut = (
                tail_of(cell, width) if column.tail else cell
                for cell, width, column in zip(row, widths, columns, strict=True)
            )
            table.add_row(*cut)
        self.out.print(table)

    def _plain_table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        lines = [[column.title for column in columns], *([one_line(cell) for cell in row] for row in rows)]
        widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
        for line in lines:
            padded = [
                cell.rjust(width) if column.right else cell.ljust(width)
                for cell, width, column in zip(line, widths, columns, strict=True)
            ]
            sys.stdout.write("  ".join(padded).rstrip() + "\n")


def roomy(used: Sequence[int], columns: Sequence[Column], natural: Sequence[int], room: int) -> list[int]:
    """Those of the columns that are shown in a terminal of `room` cells: spare ones go, the last first, until what is
    left can be read.
    """
    kept = list(used)
    while True:
        least = sum(min(natural[at], LEGIBLE) if columns[at].gives else natural[at] for at in kept)
        spare = [at for at in kept if columns[at].spare]
        if not spare or least + GAP * (len(kept) - 1) <= room:
            return kept
        kept.remove(spare[-1])


def fitted(natural: Sequence[int], flexible: Sequence[bool], room: int) -> list[int]:
    """Widths of columns in a terminal that has `room` cells: the widest flexible one gives way first, none below 12."""
    widths = list(natural)
    while sum(widths) > room:
        wide = [index for index, gives in enumerate(flexible) if gives and widths[index] > MIN_FLEXIBLE]
        if not wide:
            break
        widths[max(wide, key=lambda index: widths[index])] -= 1
    return widths


def tail_of(text: str, width: int) -> str:
    """The end of the text that fits into `width` cells, behind an ellipsis where something is missing."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    while text and cell_len(text) > width - 1:
        text = text[1:]
    return f"…{text}"


def _is_command(hint: str) -> bool:
    return hint.startswith("lambent ")
