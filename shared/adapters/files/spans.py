"""Finding blocks in text that is kept as it was written."""

import re
from collections.abc import Sequence

from shared.domain.extracted import Block, BlockKind

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*")
_BULLET = re.compile(r"[^\S\n]*(?:[-*+\u2022\u2023\u25e6\u25aa\u2013]|\(?(?:\d{1,3}|[a-zA-Z])[.)])[^\S\n]+\S")
_LIST_SHARE = 0.5


def span(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space around it; indentation of its first line stays out, too."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def paragraphs(text: str, start: int = 0, end: int | None = None) -> list[Block]:
    """Blocks of `text[start:end]` as empty lines separate them; those that begin like a list are lists."""
    end = len(text) if end is None else end
    blocks = []
    position = start
    while position < end:
        gap = _BLANK_LINE.search(text, position, end)
        first, last = span(text, position, gap.start() if gap else end)
        if first < last:
            blocks.append(Block(_kind(text[first:last]), first, last))
        position = gap.end() if gap else end
    return blocks


def fill(text: str, blocks: Sequence[Block]) -> list[Block]:
    """The blocks, with a paragraph for every stretch of words that none of them covers."""
    filled: list[Block] = []
    position = 0
    for block in blocks:
        filled += paragraphs(text, position, block.start)
        filled.append(block)
        position = block.end
    return filled + paragraphs(text, position)


def line_starts(text: str) -> list[int]:
    """Offsets of the lines of `text`, followed by the offset behind its end."""
    starts = [0]
    position = text.find("\n")
    while position >= 0:
        starts.append(position + 1)
        position = text.find("\n", position + 1)
    return [*starts, len(text)]


def _kind(text: str) -> BlockKind:
    if not _BULLET.match(text):
        return BlockKind.PARAGRAPH
    lines = text.split("\n")
    bullets = sum(1 for line in lines if _BULLET.match(line))
    return BlockKind.LIST if bullets > 1 and bullets >= _LIST_SHARE * len(lines) else BlockKind.PARAGRAPH
