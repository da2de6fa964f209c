"""Markdown: the source is kept, its structure noted."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.source import Source
from shared.adapters.files.spans import fill, line_starts, span
from shared.domain.extracted import Block, BlockKind

_FRONT_MATTER = re.compile(r"---[^\S\n]*\n(.*?)\n(?:---|\.\.\.)[^\S\n]*(?:\n|$)", re.DOTALL)
_TITLE = re.compile(r"^title:[^\S\n]*[\"']?(.+?)[\"']?[^\S\n]*$", re.MULTILINE)
_KINDS = {
    "heading_open": BlockKind.HEADING,
    "bullet_list_open": BlockKind.LIST,
    "ordered_list_open": BlockKind.LIST,
    "table_open": BlockKind.TABLE,
    "fence": BlockKind.CODE,
    "code_block": BlockKind.CODE,
}
_NESTING = 20


def read(source: Source, manuscript: Manuscript) -> None:
    """Write the text as it stands, with blocks where Markdown sees them."""
    text = source.text
    body = 0
    if front := _FRONT_MATTER.match(text):
        body = front.end()
        if title := _TITLE.search(front[1]):
            manuscript.title = title[1]
    manuscript.source(text, markdown_blocks(text, body))


def markdown_blocks(text: str, start: int = 0) -> list[Block]:
    """Blocks of Markdown `text`, which is parsed from `start` on; what comes before and between is paragraphs."""
    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING}).enable("table")
    # Words within lines are kept as written, so only the block rules run.
    parser.core.ruler.enableOnly(["block"])
    return fill(text, _blocks(text, start, parser.parse(text[start:])))


def _blocks(text: str, offset: int, tokens: Sequence[Token]) -> list[Block]:
    starts = line_starts(text[offset:])
    blocks: list[Block] = []
    for token in tokens:
        if token.level or token.map is None or token.type not in _KINDS:
            continue
        first = offset + starts[min(token.map[0], len(starts) - 1)]
        last = offset + starts[min(token.map[1], len(starts) - 1)]
        begin, end = span(text, first, last)
        kind = _KINDS[token.type]
        if begin < end:
            blocks.append(Block(kind, begin, end, int(token.tag[1]) if kind is BlockKind.HEADING else 0))
    return blocks
