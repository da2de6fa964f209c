"""Which lines of a PDF are headings: those its outline names, else those that look like headings."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.adapters.files.pdf_lines import Line

_LONGEST = 160
_LARGER = 1.12
_BOLDER = 1.3
_MOST_LEVELS = 4
_RUNNING_PAGES = 4
_RUNNING_SHARE = 0.15
_NOT_WORD = re.compile(r"[\W_]+")
_NUMBERED = re.compile(r"\d{1,2}(?:\.\d{1,2})+(?=\.?\s)")
_PROSE_END = (".", ",", ";")


@dataclass(frozen=True, slots=True)
class Bookmark:
    """One entry of the outline."""

    title: str
    level: int
    """1 = top."""
    page: int
    """Index of the page it points to."""


@dataclass(frozen=True, slots=True)
class Body:
    """How most of the document's characters look."""

    size: float
    weight: int


def body_of(pages: Iterable[Sequence[Line]]) -> Body:
    """The commonest size and weight, by number of characters."""
    sizes: Counter[float] = Counter()
    weights: Counter[int] = Counter()
    for lines in pages:
        for line in lines:
            sizes[line.size] += len(line.text)
            weights[line.weight] += len(line.text)
    if not sizes:
        return Body(0.0, 0)
    return Body(sizes.most_common(1)[0][0], weights.most_common(1)[0][0])


def headings(pages: Sequence[Sequence[Line]], bookmarks: Sequence[Bookmark], body: Body) -> dict[tuple[int, int], int]:
    """Levels of the heading lines, by page and line index."""
    outlined = _outlined(pages, bookmarks)
    return _by_look(pages, body, outlined) | outlined


def _outlined(pages: Sequence[Sequence[Line]], bookmarks: Sequence[Bookmark]) -> dict[tuple[int, int], int]:
    """Lines that say what a bookmark to their page says."""
    levels: dict[tuple[int, int], int] = {}
    titles: dict[int, dict[str, int]] = {}
    for bookmark in bookmarks:
        if title := _letters(bookmark.title):
            titles.setdefault(bookmark.page, {}).setdefault(title, bookmark.level)
    for page, wanted in titles.items():
        for index, line in enumerate(pages[page] if page < len(pages) else ()):
            level = wanted.get(_letters(line.text)) if len(line.text) <= _LONGEST else None
            if level is not None:
                levels[page, index] = level
    return levels


def _by_look(
    pages: Sequence[Sequence[Line]], body: Body, outlined: Mapping[tuple[int, int], int]
) -> dict[tuple[int, int], int]:
    """Lines that look like headings, ranked by look; a look that the outline gives a level to keeps that level."""
    running = _running(pages)
    found = {
        (page, index): _style(line)
        for page, lines in enumerate(pages)
        for index, line in enumerate(lines)
        if _stands_out(line, body) and _letters(line.text) not in running and _stands_alone(lines, index)
    }
    levels: dict[tuple[float, int], int] = {}
    for (page, index), level in outlined.items():
        style = _style(pages[page][index])
        levels[style] = min(level, levels.get(style, level))
    deepest = max(outlined.values(), default=0)
    # Larger is higher; of one size, bolder is higher.
    for rank, style in enumerate(sorted(set(found.values()) - set(levels), reverse=True), 1):
        levels[style] = deepest + min(rank, _MOST_LEVELS)
    # "3.1" stands below "3", though both often look the same.
    return {
        (page, index): levels[style] + min(_depth(pages[page][index].text), 2) for (page, index), style in found.items()
    }


def _running(pages: Sequence[Sequence[Line]]) -> set[str]:
    """What is written on many pages: headers and footers."""
    counts = Counter(title for lines in pages for title in {_letters(line.text) for line in lines})
    often = max(_RUNNING_PAGES, len(pages) * _RUNNING_SHARE)
    return {title for title, count in counts.items() if count >= often}


def _style(line: Line) -> tuple[float, int]:
    return line.size, line.weight


def _stands_out(line: Line, body: Body) -> bool:
    larger = line.size >= body.size * _LARGER
    bolder = line.weight >= body.weight * _BOLDER and line.weight > 0 and line.size >= body.size * 0.9
    if not (larger or bolder) or not line.uniform or len(line.text) > _LONGEST:
        return False
    letters = sum(1 for letter in line.text if letter.isalpha())
    if letters < 2 or letters < len(line.text) * 0.5:
        return False
    return not line.text.endswith(_PROSE_END) or len(line.text) < 60


def _stands_alone(lines: Sequence[Line], index: int) -> bool:
    """Whether at most three lines of one look follow each other, and no neighbour stands beside it (a table)."""
    line = lines[index]
    run = 1
    for step in (-1, 1):
        at = index + step
        while 0 <= at < len(lines) and _style(lines[at]) == _style(line):
            run += 1
            at += step
        beside = index + step
        if 0 <= beside < len(lines) and abs(lines[beside].top - line.top) < line.size * 0.3:
            return False
    return run <= 3


def _depth(text: str) -> int:
    match = _NUMBERED.match(text)
    return match[0].count(".") if match else 0


def _letters(text: str) -> str:
    return _NOT_WORD.sub("", text).casefold()
