"""Table rows as sentences: a row alone says nothing without its header."""

import re
from collections.abc import Sequence

SEPARATOR = " | "
_FIGURES = re.compile(r"[\d.,%$€£+\-–() ]*\d[\d.,%$€£+\-–() ]*(?:\w{1,3})?")
_MOST_CELLS = 8


def is_row(line: str) -> bool:
    """Whether a line is a row: cells parted by ` | `, with or without bars around."""
    return SEPARATOR in line


def cells(row: str) -> list[str]:
    """The cells of a row."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def header_of(rows: Sequence[str]) -> str:
    """The first of a table's rows when it names the columns; else nothing.

    Two columns without figures below are taken for names and values ('Capital | Paris'), which need no header.
    """
    if len(rows) < 2:
        return ""
    first, rest = cells(rows[0]), [cells(row) for row in rows[1:]]
    if any(_FIGURES.fullmatch(cell) and not re.fullmatch(r"(?:1|2)\d{3}", cell) for cell in first):
        return ""
    if len(first) == 2 and not all(len(row) > 1 and _FIGURES.fullmatch(row[1]) for row in rest if not is_rule(row)):
        return ""
    return rows[0]


def is_rule(row: Sequence[str]) -> bool:
    """Whether the row is only the line under a Markdown header."""
    return all(re.fullmatch(r":?-{2,}:?|", cell) for cell in row)


def spoken(row: str, header: str) -> str:
    """A row as `column: value; column: value`, or as `name: value` where there is no header."""
    values = cells(row)
    names = cells(header) if header else []
    if not names and len(values) == 2:
        return f"{values[0]}: {values[1]}"
    if not names:
        return ", ".join(value for value in values if value)
    pairs = [
        f"{name}: {value}" if name else value
        for name, value in zip(names, values, strict=False)
        if value and name != value
    ]
    return "; ".join(pairs[:_MOST_CELLS])
