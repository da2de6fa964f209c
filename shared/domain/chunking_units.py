"""The smallest stretches of text a chunker keeps together: paragraphs, sentences, rows, lines."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from shared.domain.chunking_tokens import TokenMeter
from shared.domain.extracted import Block, BlockKind
from shared.domain.sentences import sentences

# An empty line, or the end of a line too long to have been wrapped: such lines are paragraphs.
_GROUP_END = re.compile(r"\n[^\S\n]*\n\s*|(?<=[^\n]{160})\n\s*")
_LINE = re.compile(r"[^\n]+")
_CLAUSE = re.compile(r"[,;:\u2013\u2014)\]|\u3001\uff0c\uff1b][^\S\n]*|\n")
_CLAUSE_FROM = 0.6
"""A sentence that is too long is cut behind a clause, if one ends in the last part of what fits."""


class Cut(IntEnum):
    """How natural it is to cut before a unit; higher is better."""

    WORD = 0
    SENTENCE = 1
    GROUP = 2
    """An empty line, or the end of a very long one, inside a block."""
    BLOCK = 3
    HEADING = 4


@dataclass(frozen=True, slots=True)
class Unit:
    """A span that is not cut, and how natural a cut before it is."""

    start: int
    end: int
    kind: BlockKind
    cut: Cut
    level: int = 0
    """Of a heading."""
    name: str = ""
    """Of a definition in code."""


def units(
    text: str, blocks: Sequence[Block], meter: TokenMeter, limit: int, *, start: int = 0, end: int | None = None
) -> Iterator[Unit]:
    """Units of at most `limit` tokens that hold every word of `text[start:end]`, in order.

    A block that fits is one unit. One that does not is cut at empty lines, then between sentences, rows or lines, then
    between clauses, words, and at last within a word.
    """
    position = start
    for block in blocks:
        yield from _gap(text, position, block.start, meter, limit)
        yield from _block(text, block, meter, limit)
        position = max(position, block.end)
    yield from _gap(text, position, len(text) if end is None else end, meter, limit)


def _gap(text: str, start: int, end: int, meter: TokenMeter, limit: int) -> Iterator[Unit]:
    """Words that no block claims are a paragraph."""
    if start < end and text[start:end].strip():
        yield from _block(text, Block(BlockKind.PARAGRAPH, start, end), meter, limit)


def _block(text: str, block: Block, meter: TokenMeter, limit: int) -> Iterator[Unit]:
    start, end = _trimmed(text, block.start, block.end)
    if start >= end:
        return
    heading = block.kind is BlockKind.HEADING
    first = Cut.HEADING if heading else Cut.BLOCK
    if meter.tokens(start, end) <= limit:
        yield Unit(start, end, block.kind, first, block.level, block.name)
        return
    level = block.level
    for piece_start, piece_end, cut in _parts(text, start, end, block.kind, meter, limit):
        kind = block.kind if piece_start == start or not heading else BlockKind.PARAGRAPH
        yield Unit(piece_start, piece_end, kind, first if piece_start == start else cut, level, block.name)


def _parts(
    text: str, start: int, end: int, kind: BlockKind, meter: TokenMeter, limit: int
) -> Iterator[tuple[int, int, Cut]]:
    position = start
    for gap in _GROUP_END.finditer(text, start, end):
        yield from _group(text, position, gap.start(), kind, meter, limit)
        position = gap.end()
    yield from _group(text, position, end, kind, meter, limit)


def _group(
    text: str, start: int, end: int, kind: BlockKind, meter: TokenMeter, limit: int
) -> Iterator[tuple[int, int, Cut]]:
    start, end = _trimmed(text, start, end)
    if meter.tokens(start, end) <= limit:
        if start < end:
            yield start, end, Cut.GROUP
        return
    cut = Cut.GROUP
    by_line = kind in (BlockKind.TABLE, BlockKind.LIST, BlockKind.CODE)
    for first, last in _lines(text, start, end) if by_line else _sentences(text, start, end):
        for piece_start, piece_end in _fitting(text, first, last, meter, limit):
            yield piece_start, piece_end, cut if piece_start == first else Cut.WORD
            cut = Cut.SENTENCE


def _sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    return [(start + first, start + last) for first, last in sentences(text[start:end])]


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for line in _LINE.finditer(text, start, end):
        first, last = _trimmed(text, line.start(), line.end())
        if first < last:
            yield first, last


def _fitting(text: str, start: int, end: int, meter: TokenMeter, limit: int) -> Iterator[tuple[int, int]]:
    """The span itself, or as many spans as it takes."""
    while meter.tokens(start, end) > limit:
        cut = furthest(text, start, end, meter, limit)
        yield _trimmed(text, start, cut)
        start, _ = _trimmed(text, cut, end)
    if start < end:
        yield start, end


def furthest(text: str, start: int, end: int, meter: TokenMeter, limit: int, *, clauses: bool = True) -> int:
    """Where to cut `text[start:end]` so that the first part has at most `limit` tokens.

    Behind a clause (if asked for), else behind a word, else anywhere. The result is never `start` itself.
    """
    reach = meter.reach(start, end, limit)
    if reach >= end:
        return end
    if reach <= start:
        # Only below the smallest size there is: a single run of letters costs more than all.
        return min(start + 4 * limit, end)
    if clauses:
        earliest = start + int((reach - start) * _CLAUSE_FROM)
        ends = [clause.end() for clause in _CLAUSE.finditer(text, earliest, reach)]
        if ends:
            return ends[-1]
    return _between_words(text, start, reach, meter)


def _between_words(text: str, start: int, reach: int, meter: TokenMeter) -> int:
    """The last white space up to `reach`; a place within a word when there is none, or hardly any text before it."""
    cut = reach
    while cut > start and not text[cut - 1].isspace() and not (cut < len(text) and text[cut].isspace()):
        cut -= 1
    return cut if cut > start + (reach - start) // 3 else _between_letters(text, start, reach, meter)


def _between_letters(text: str, start: int, cut: int, meter: TokenMeter) -> int:
    """The nearest place at or before `cut` that does not tear a letter from its marks; `cut` if that leaves nothing."""
    place = cut
    while place > start and place < len(text) and unicodedata.category(text[place])[0] == "M":
        place = meter.floor(place - 1)
    return place if place > start else cut


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
