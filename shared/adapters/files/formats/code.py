"""Source code: kept as it stands, cut where definitions begin and end."""

import re
from collections.abc import Sequence
from itertools import pairwise

from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.source import Source
from shared.domain.extracted import Block, BlockKind
from shared.ports.syntax import Definition

# Without a grammar: an empty line before one at the left margin, which nearly every language has between definitions.
_TOP_LEVEL = re.compile(r"\n[^\S\n]*\n(?=[^\s})\]])")


def read(source: Source, manuscript: Manuscript) -> None:
    """Write the code in blocks: one for every definition that holds no other, one for what lies between."""
    text = source.text
    definitions = source.syntax.definitions(text, source.format.language) if source.syntax else []
    manuscript.source(text, by_definition(text, definitions) if definitions else by_empty_lines(text))


def by_definition(text: str, definitions: Sequence[Definition]) -> list[Block]:
    """Blocks between all starts and ends of definitions, each named after the innermost definition around it."""
    edges = sorted({0, len(text), *(_line(text, one.start) for one in definitions), *(one.end for one in definitions)})
    blocks = []
    open_definitions: list[Definition] = []
    waiting = sorted(definitions, key=lambda one: (one.start, -one.end))[::-1]
    for start, end in pairwise(edges):
        while open_definitions and open_definitions[-1].end <= start:
            open_definitions.pop()
        while waiting and _line(text, waiting[-1].start) <= start:
            open_definitions.append(waiting.pop())
        blocks += _block(text, start, end, open_definitions[-1].name if open_definitions else "")
    return blocks


def by_empty_lines(text: str) -> list[Block]:
    """Blocks that begin with a line at the left margin after an empty one."""
    edges = [0, *(gap.end() for gap in _TOP_LEVEL.finditer(text)), len(text)]
    return [block for start, end in pairwise(edges) for block in _block(text, start, end, "")]


def _line(text: str, offset: int) -> int:
    """Where the line of `offset` begins, if only white space lies between: indentation belongs to the definition."""
    start = text.rfind("\n", 0, offset) + 1
    return start if text[start:offset].isspace() else offset


def _block(text: str, start: int, end: int, name: str) -> list[Block]:
    """The span without empty lines around it; indentation of its first line is kept."""
    words = text[start:end]
    if not words.strip():
        return []
    start += len(words) - len(words.lstrip())
    return [Block(BlockKind.CODE, _line(text, start), start + len(words.strip()), 0, name)]
