"""Cutting a text into pieces to be searched and cited. Pure: equal input, equal pieces."""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from shared.domain.chunking_packing import Run, packed
from shared.domain.chunking_places import Places
from shared.domain.chunking_tokens import TokenMeter, estimate_tokens
from shared.domain.chunking_units import Cut, Unit, furthest, units
from shared.domain.chunks import Chunking, ChunkMethod, Piece
from shared.domain.extracted import Block, BlockKind, Extracted
from shared.domain.sentences import sentences

__all__ = ["chunk", "estimate_tokens"]

_LONGEST_WORD = 32


def chunk(extracted: Extracted, chunking: Chunking) -> list[Piece]:
    """Cut a text as `chunking` says.

    Every word lies in a piece. Pieces are in order and, apart from the overlap asked for, disjoint; none exceeds
    `chunking.size` estimated tokens, its overlap included. With overlap a piece begins up to that many tokens before
    the end of the piece before it, at a sentence if one begins there, unless a heading or a page keeps the two apart.
    """
    text = extracted.text
    meter = TokenMeter(text, extracted.language)
    room = chunking.size - chunking.overlap
    places = Places(extracted)
    pieces: list[Piece] = []
    for section in _sections(extracted, chunking, meter, room):
        start = 0
        for index, run in enumerate(section):
            repeats = chunking.overlap and index
            start = _lead(text, meter, start, run[0].start, chunking) if repeats else run[0].start
            pieces.append(places.piece(run, start, meter.tokens(start, run[-1].end)))
    return pieces


def _sections(extracted: Extracted, chunking: Chunking, meter: TokenMeter, room: int) -> Iterator[list[Run]]:
    """Runs of units, each a piece; those that come together may overlap."""
    if chunking.method is ChunkMethod.TOKENS:
        yield list(_windows(extracted.text, meter, room))
    elif chunking.method is ChunkMethod.PAGE and extracted.pages:
        for start, end, blocks in _pages(extracted):
            if found := list(units(extracted.text, blocks, meter, room, start=start, end=end)):
                whole = meter.tokens(found[0].start, found[-1].end) <= chunking.size
                yield [found] if whole else list(packed(found, meter, room))
    else:
        found = list(units(extracted.text, extracted.blocks, meter, room))
        yield from _by_heading(packed(found, meter, room))


def _windows(text: str, meter: TokenMeter, room: int) -> Iterator[Run]:
    """Spans of equal size, whatever is in them."""
    end = len(text.rstrip())
    start = len(text) - len(text.lstrip())
    while start < end:
        cut = furthest(text, start, end, meter, room, clauses=False)
        last = start + len(text[start:cut].rstrip())
        yield [Unit(start, last, BlockKind.PARAGRAPH, Cut.WORD)]
        start = cut
        while start < end and text[start].isspace():
            start += 1


def _pages(extracted: Extracted) -> Iterator[tuple[int, int, Sequence[Block]]]:
    """Spans of the pages and of what lies outside them, each with the blocks in it, cut to size where they cross."""
    edges = sorted({0, len(extracted.text), *(edge for page in extracted.pages for edge in (page.start, page.end))})
    first = 0
    blocks = extracted.blocks
    for start, end in pairwise(edges):
        while first < len(blocks) and blocks[first].end <= start:
            first += 1
        inside = []
        for block in blocks[first:]:
            if block.start >= end:
                break
            inside.append(Block(block.kind, max(block.start, start), min(block.end, end), block.level, block.name))
        yield start, end, inside


def _by_heading(runs: Iterator[Run]) -> Iterator[list[Run]]:
    """Runs in groups that each begin with a heading."""
    group: list[Run] = []
    for run in runs:
        if run[0].cut is Cut.HEADING and group:
            yield group
            group = []
        group.append(run)
    if group:
        yield group


def _lead(text: str, meter: TokenMeter, before: int, start: int, chunking: Chunking) -> int:
    """Where a piece that follows one from `before` on begins, so that it repeats up to the overlap of its words."""
    earliest = meter.back(before + 1, start, chunking.overlap)
    if chunking.method is not ChunkMethod.TOKENS:
        begun = [first for first, _ in sentences(text[before:start]) if before + first >= earliest]
        if begun:
            return before + begun[0]
    return _word(text, earliest, start)


def _word(text: str, offset: int, end: int) -> int:
    """Where the first word that begins at or after `offset` begins; `offset` where words are not set apart."""
    place = offset
    while place > 0 and place < min(offset + _LONGEST_WORD, end) and not text[place - 1].isspace():
        place += 1
    if place >= min(offset + _LONGEST_WORD, end):
        place = offset
    while place < end and text[place].isspace():
        place += 1
    return place
