"""Structured data (JSON, XML) as readable lines: `key: value`, indented, with headings for large parts."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.text import paragraph
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind

_LARGE_LINES = 40
"""A part with more lines than this gets a heading and blocks of its own."""


@dataclass(frozen=True, slots=True)
class Record:
    """Named values in order; names may repeat, and may be empty for text that needs none."""

    pairs: list[tuple[str, "Value"]]


type Value = str | Record | list["Value"]


def write_outline(value: Value, manuscript: Manuscript, *, level: int = 1) -> None:
    """Write a value: small parts as one block each, large ones under a heading with their name.

    Raises:
        Rejected: `too_deep` when the value is nested more often than the limits allow.
    """
    if level > manuscript.limits.depth:
        raise Rejected("the data is nested too deeply", code="too_deep")
    if isinstance(value, str):
        manuscript.add(BlockKind.PARAGRAPH, value)
    elif isinstance(value, Record):
        _write_record(value, manuscript, level)
    elif all(isinstance(item, str) for item in value):
        manuscript.add(BlockKind.LIST, "\n".join(_lines(value, 0, manuscript.limits.depth)))
    else:
        for item in value:
            _write_part("", item, manuscript, level)


def _write_record(record: Record, manuscript: Manuscript, level: int) -> None:
    """Plain values that stand together share a block."""
    plain: list[str] = []
    for name, value in record.pairs:
        if isinstance(value, str):
            plain += _named(name, value, 0, manuscript.limits.depth)
            continue
        manuscript.add(BlockKind.PARAGRAPH, "\n".join(plain))
        plain = []
        _write_part(name, value, manuscript, level)
    manuscript.add(BlockKind.PARAGRAPH, "\n".join(plain))


def _write_part(name: str, value: Value, manuscript: Manuscript, level: int) -> None:
    lines = list(islice(_named(name, value, 0, manuscript.limits.depth), _LARGE_LINES + 1))
    if len(lines) <= _LARGE_LINES or isinstance(value, str):
        manuscript.add(BlockKind.PARAGRAPH, "\n".join(lines))
        return
    if name:
        manuscript.heading(name, level)
    write_outline(value, manuscript, level=level + 1)


def _named(name: str, value: Value, indent: int, depth: int) -> Iterator[str]:
    margin = "  " * indent
    if isinstance(value, str):
        text = paragraph(value)
        yield f"{margin}{name}: {text}" if name else margin + text
    else:
        if name:
            yield f"{margin}{name}:"
        yield from _lines(value, indent + bool(name), depth)


def _lines(value: Value, indent: int, depth: int) -> Iterator[str]:
    if indent > depth:
        raise Rejected("the data is nested too deeply", code="too_deep")
    margin = "  " * indent
    if isinstance(value, str):
        yield margin + paragraph(value)
    elif isinstance(value, Record):
        for name, part in value.pairs:
            yield from _named(name, part, indent, depth)
    else:
        for item in value:
            first = True
            for line in _lines(item, indent + 1, depth):
                # The dash takes the place of the item's indentation.
                yield f"{margin}- {line[len(margin) + 2 :]}" if first else line
                first = False
