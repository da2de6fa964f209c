"""Headings: what they say, and which ones stand above a place in the text."""

import re
from bisect import bisect_right
from collections.abc import Sequence

from shared.domain.extracted import Block, BlockKind

_MARKS_BEFORE = re.compile(r"^(?:#{1,6}|\*{1,6}|={1,6})[^\S\n]+")
_MARKS_AFTER = re.compile(r"[^\S\n]+#+$")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|`)(?=\S)(.+?)(?<=\S)\1")
_LONGEST = 200


def heading_title(source: str) -> str:
    """The words of a heading, without the marks that Markdown, Org or reStructuredText put around them, on one line."""
    lines = [line.strip() for line in source.split("\n") if any(letter.isalnum() for letter in line)]
    title = _MARKS_AFTER.sub("", _MARKS_BEFORE.sub("", " ".join(lines)))
    title = _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", title))
    return " ".join(title.split())[:_LONGEST]


class Outline:
    """The headings of one text."""

    def __init__(self, text: str, blocks: Sequence[Block]) -> None:
        self._starts: list[int] = []
        self._paths: list[tuple[str, ...]] = []
        open_headings: list[tuple[int, str]] = []
        for block in blocks:
            if block.kind is not BlockKind.HEADING:
                continue
            while open_headings and open_headings[-1][0] >= block.level:
                open_headings.pop()
            if title := heading_title(text[block.start : block.end]):
                open_headings.append((block.level, title))
            self._starts.append(block.start)
            self._paths.append(tuple(title for _, title in open_headings))

    def path(self, offset: int) -> tuple[str, ...]:
        """Titles of the headings above `offset`, outermost first; a heading counts from its own first character."""
        index = bisect_right(self._starts, offset) - 1
        return self._paths[index] if index >= 0 else ()
