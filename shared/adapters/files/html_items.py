"""HTML as a list of blocks. Used for web pages, e-mail bodies and the chapters of books."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from selectolax.lexbor import LexborHTMLParser

from shared.adapters.files.html_tags import BLOCKS, CELLS, HEADINGS, LISTS, SKIPPED, VOID, check_depth, unfolded
from shared.adapters.files.manuscript import Item
from shared.adapters.files.text import one_line, table_row
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind

_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_MOST_INDENT = 8
_LONGEST_CODE = 20_000
_EMPTY_LINES = re.compile(r"\n[^\S\n]*\n\s*")


@dataclass(slots=True)
class _Table:
    """A table that is being read: rows of cells of blocks."""

    lists_around: list["_List"]
    rows: list[list[list[Item]]] = field(default_factory=list)


@dataclass(slots=True)
class _List:
    """A list that is being read."""

    ordered: bool
    count: int = 0


def html_items(html: str, *, depth: int) -> tuple[list[Item], str]:
    """The blocks of a page, in order, and its title.

    Scripts, styles, form controls, menus (`nav`) and hidden elements are left out; links keep their words, pictures
    their alternative text. A table that only lays out the page (nested tables or headings in it, or one column) is
    dissolved.

    Raises:
        Rejected: `too_deep` when elements are nested more than `depth` times ten.
    """
    check_depth(html, depth * 10)
    tree = LexborHTMLParser(unfolded(html))
    title = tree.css_first("title")
    flow = _Flow(depth * 10)
    if tree.root is not None:
        flow.walk(tree.root)
    return flow.finish(), one_line(title.text()) if title is not None else ""


class _Flow:
    """Walks a tree and collects blocks. `sinks[-1]` is where finished blocks go: the page, or a table cell."""

    def __init__(self, deepest: int) -> None:
        self.deepest = deepest
        self.sinks: list[list[Item]] = [[]]
        self.words: list[str] = []
        self.lists: list[_List] = []
        self.list_lines: list[str] = []
        self.tables: list[_Table] = []
        self.heading = 0
        self.preformatted = 0
        self.marker = ""

    def walk(self, root: Any) -> None:
        """Visit every visible node once. A loop, not recursion: pages may be nested as deeply as they like."""
        node, depth = root, 0
        while True:
            entered = self._enter(node)
            if entered and node.child is not None:
                node, depth = node.child, depth + 1
                if depth > self.deepest:
                    raise Rejected("the HTML is nested too deeply", code="too_deep")
                continue
            while True:
                if entered:
                    self._leave(node)
                entered = True
                if depth == 0:
                    return
                if node.next is not None:
                    node = node.next
                    break
                node, depth = node.parent, depth - 1

    def finish(self) -> list[Item]:
        """End what is still open and hand out the blocks."""
        self._end_block()
        self._end_list()
        return self.sinks[0]

    def _enter(self, node: Any) -> bool:
        """Begin a node; False to skip what is in it."""
        tag = node.tag
        if tag == "-text":
            self.words.append(node.text_content or "")
            return False
        if tag is None or tag[0] == "-" or tag in SKIPPED or _hidden(node):
            return False
        if tag in VOID:
            self._void(tag, node)
            return False
        self._begin(tag)
        return True

    def _begin(self, tag: str) -> None:
        if tag in HEADINGS:
            self._break_out_of_list()
            self.heading = HEADINGS[tag]
        elif tag in LISTS:
            self._end_block()
            self.lists.append(_List(tag == "ol"))
        elif tag == "li":
            self._end_block()
            self._begin_item()
        elif tag == "pre":
            self._end_block()
            self.preformatted += 1
        elif tag == "table":
            self._break_out_of_list()
            self.tables.append(_Table(self.lists))
            self.lists = []
        elif tag == "tr" and self.tables:
            self._end_block()
            self.tables[-1].rows.append([])
        elif tag in CELLS and self.tables:
            self._begin_cell()
        elif tag in BLOCKS:
            self._end_block()

    def _leave(self, node: Any) -> None:
        tag = node.tag
        if tag in HEADINGS:
            self._end_block()
            self.heading = 0
        elif tag in LISTS:
            self._end_block()
            self.lists.pop()
            if not self.lists:
                self._end_list()
        elif tag == "pre":
            self._end_block()
            self.preformatted -= 1
        elif tag == "table" and self.tables:
            self._end_table()
        elif tag in CELLS and self.tables and len(self.sinks) > 1:
            self._end_block()
            self._end_list()
            self.sinks.pop()
        elif tag in BLOCKS or tag == "li":
            self._end_block()

    def _void(self, tag: str, node: Any) -> None:
        if tag == "br":
            self.words.append("\n" if self.preformatted else "\0")
        elif tag == "img":
            self.words.append(f" {node.attributes.get('alt') or ''} ")
        elif tag == "hr":
            self._end_block()

    def _begin_item(self) -> None:
        if self.lists:
            self.lists[-1].count += 1
            self.marker = f"{self.lists[-1].count}. " if self.lists[-1].ordered else "- "
        else:
            self.marker = "- "

    def _begin_cell(self) -> None:
        self._end_block()
        table = self.tables[-1]
        if not table.rows:
            table.rows.append([])
        cell: list[Item] = []
        table.rows[-1].append(cell)
        self.sinks.append(cell)

    def _end_block(self) -> None:
        """Turn the collected words into a block of the kind that is open."""
        raw, self.words = "".join(self.words), []
        if self.preformatted:
            text = raw.replace("\0", "\n")
            self._break_list_lines()
            self.sinks[-1] += _preformatted(text)
            return
        text = "\n".join(line for line in map(one_line, raw.split("\0")) if line)
        if not text:
            return
        if self.heading:
            self.sinks[-1].append(Item(BlockKind.HEADING, text, self.heading))
        elif self.lists or self.marker:
            self._list_line(text)
        else:
            self.sinks[-1].append(Item(BlockKind.PARAGRAPH, text))

    def _list_line(self, text: str) -> None:
        indent = "  " * min(max(len(self.lists) - 1, 0), _MOST_INDENT)
        self.list_lines.append(f"{indent}{self.marker or '  '}{text}")
        self.marker = ""
        if not self.lists:
            self._end_list()

    def _break_list_lines(self) -> None:
        if self.list_lines:
            self.sinks[-1].append(Item(BlockKind.LIST, "\n".join(self.list_lines)))
            self.list_lines = []

    def _end_list(self) -> None:
        self._break_list_lines()
        self.marker = ""

    def _break_out_of_list(self) -> None:
        """Something that is no list line begins inside a list: the lines so far become a block of their own."""
        self._end_block()
        self._break_list_lines()

    def _end_table(self) -> None:
        self._end_block()
        self._end_list()
        table = self.tables.pop()
        self.lists = table.lists_around
        rows = [row for row in table.rows if any(row)]
        if not rows:
            return
        sink = self.sinks[-1]
        if _is_layout(rows):
            sink.extend(item for row in rows for cell in row for item in cell)
        else:
            lines = [table_row([" ".join(item.text for item in cell) for cell in row]) for row in rows]
            sink.append(Item(BlockKind.TABLE, "\n".join(lines)))


def _is_layout(rows: list[list[list[Item]]]) -> bool:
    """Whether a table holds no data but parts of a page."""
    structural = (BlockKind.TABLE, BlockKind.HEADING, BlockKind.CODE)
    return max(map(len, rows)) == 1 or any(item.kind in structural for item in _items(rows))


def _preformatted(text: str) -> list[Item]:
    """Code, unless it is so long that it must be a plain text file in a web page's clothes."""
    if len(text) <= _LONGEST_CODE:
        return [Item(BlockKind.CODE, text)]
    return [Item(BlockKind.PARAGRAPH, part) for part in _EMPTY_LINES.split(text)]


def _items(rows: list[list[list[Item]]]) -> Iterator[Item]:
    return (item for row in rows for cell in row for item in cell)


def _hidden(node: Any) -> bool:
    attributes = node.attributes
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(attributes.get("style") or "") is not None
    )
