"""Text without a grammar to speak of: notes, logs, configuration, reStructuredText, Org."""

import re
from itertools import pairwise

from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.source import Source
from shared.adapters.files.spans import fill, line_starts
from shared.domain.extracted import Block, BlockKind

_RULE = re.compile(r"([=\-~^\"*+#.:_`'])\1{2,}[^\S\n]*$")
_STARS = re.compile(r"(\*{1,6})[^\S\n]+\S")
_LONGEST_TITLE = 200


def read(source: Source, manuscript: Manuscript) -> None:
    """Write the text as it stands; headings are recognised where the format has a way of marking them."""
    text = source.text
    headings: list[Block] = []
    if source.format.key == "org":
        headings = _starred(text)
    elif source.format.key in ("rst", "txt"):
        headings = _underlined(text)
    manuscript.source(text, fill(text, headings))


def _starred(text: str) -> list[Block]:
    blocks = []
    for start, after in pairwise(line_starts(text)):
        if match := _STARS.match(text, start, after):
            end = start + len(text[start:after].rstrip())
            blocks.append(Block(BlockKind.HEADING, start, end, len(match[1])))
    return blocks


def _underlined(text: str) -> list[Block]:
    """Titles with a rule of punctuation below, perhaps above, too. Levels follow the first appearance of each style."""
    starts = line_starts(text)
    lines = [text[start:after].rstrip() for start, after in pairwise(starts)]
    styles: list[tuple[str, bool]] = []
    blocks: list[Block] = []
    for index in range(1, len(lines)):
        rule, title = lines[index], lines[index - 1]
        if not _RULE.match(rule) or not _is_title(title, rule):
            continue
        over = index > 1 and lines[index - 2] == rule
        start = starts[index - 2] if over else starts[index - 1]
        if not over and index > 1 and lines[index - 2]:
            # The last line of a paragraph above a rule is a table or a signature, no title.
            continue
        if blocks and start < blocks[-1].end:
            continue
        style = (rule[0], over)
        if style not in styles:
            styles.append(style)
        blocks.append(Block(BlockKind.HEADING, start, starts[index] + len(rule), min(styles.index(style) + 1, 6)))
    return blocks


def _is_title(title: str, rule: str) -> bool:
    words = title.strip()
    return (
        any(letter.isalnum() for letter in words)
        and not _RULE.match(words)
        and len(words) <= _LONGEST_TITLE
        and len(rule) >= min(len(title), 4)
    )
