"""What a piece is called and where it stands: headings, pages, kind."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from shared.domain.chunking_headings import Outline
from shared.domain.chunking_units import Unit
from shared.domain.chunks import Piece
from shared.domain.extracted import BlockKind, Extracted

_KINDS = {BlockKind.TABLE: "table", BlockKind.CODE: "code"}


class Places:
    """Headings and pages of one text."""

    def __init__(self, extracted: Extracted) -> None:
        self._outline = Outline(extracted.text, extracted.blocks)
        self._pages = [page for page in extracted.pages if page.start < page.end]
        self._starts = [page.start for page in self._pages]
        self._ends = [page.end for page in self._pages]

    def piece(self, run: Sequence[Unit], start: int, tokens: int) -> Piece:
        """The piece that `run` makes, begun at `start` to repeat what comes before it.

        Its heading path is what the paths of all its text have in common; for code that lies in one definition the
        name of that is added. Its pages are those it shares words with.
        """
        end = run[-1].end
        body = [unit for unit in run if unit.kind is not BlockKind.HEADING] or run
        path = _common([self._outline.path(unit.start) for unit in body])
        kinds = {unit.kind for unit in body}
        kind = _KINDS.get(kinds.pop(), "text") if len(kinds) == 1 else "text"
        if kind == "code" and (name := ".".join(_common([tuple(unit.name.split(".")) for unit in body]))):
            path = (*path, name)
        first, last = self._page_span(start, end)
        return Piece(start, end, path, first, last, kind, tokens)

    def _page_span(self, start: int, end: int) -> tuple[int | None, int | None]:
        first = bisect_right(self._ends, start)
        last = bisect_left(self._starts, end) - 1
        if first > last:
            return None, None
        return self._pages[first].number, self._pages[last].number


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all paths begin with."""
    shortest, longest = min(paths), max(paths)
    for index, part in enumerate(shortest):
        if index >= len(longest) or longest[index] != part:
            return shortest[:index]
    return shortest
