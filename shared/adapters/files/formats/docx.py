"""Word documents."""

from collections.abc import Iterator
from typing import Any

from shared.adapters.files.manuscript import Item, Manuscript
from shared.adapters.files.ooxml import Package, words
from shared.adapters.files.source import Source
from shared.adapters.files.text import table_row
from shared.adapters.files.xml_parsing import attribute, local
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind

_WRAPPERS = frozenset(
    ("sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo", "AlternateContent", "Choice", "body")
)
_MOST_INDENT = 8


def read(source: Source, manuscript: Manuscript) -> None:
    """Write body, text boxes and notes. Headers, footers and comments are left out.

    Raises:
        Rejected: `corrupt_file`, `too_deep` or a limit.
    """
    package = Package(source.data, source.limits)
    main = package.main()
    package.describe(manuscript)
    document = _Document(_styles(package, main), source.limits.depth)
    body = next((child for child in package.xml(main) if local(child) == "body"), None)
    if body is None:
        raise Rejected("the file is damaged: the document has no body", code="corrupt_file")
    manuscript.extend(_joined_lists(document.items(body)))
    for kind in ("footnotes", "endnotes"):
        for part in package.related(main, kind):
            notes = [note for note in package.xml(part) if attribute(note, "type") in ("", "normal")]
            manuscript.extend(item for note in notes for item in document.items(note))
    if package.related(main, "comments"):
        manuscript.warn("comments in the margin were left out")


def _styles(package: Package, main: str) -> dict[str, tuple[int, bool]]:
    """By style id: heading level (0 for none) and whether it makes list items; both are inherited."""
    raw: dict[str, tuple[str, int, bool]] = {}
    for part in package.related(main, "styles"):
        for style in package.xml(part):
            if local(style) == "style" and attribute(style, "type") == "paragraph":
                raw[attribute(style, "styleId")] = _style(style)
    resolved = {}
    for name in raw:
        level, listed, seen, at = 0, False, set(), name
        while at in raw and at not in seen:
            seen.add(at)
            level, listed = level or raw[at][1], listed or raw[at][2]
            at = raw[at][0]
        resolved[name] = (level, listed)
    return resolved


def _style(style: Any) -> tuple[str, int, bool]:
    """What a style builds on, its heading level, whether it makes list items."""
    based_on, level, listed = "", 0, False
    for child in style:
        if local(child) == "basedOn":
            based_on = attribute(child, "val")
        elif local(child) == "name":
            name = attribute(child, "val").lower()
            if name == "title":
                level = 1
            elif name.startswith("heading ") and name[8:].isdigit():
                level = int(name[8:])
            listed = name.startswith("list ")
        elif local(child) == "pPr":
            level = level or _outline_level(child)
            listed = listed or any(local(item) == "numPr" for item in child)
    return based_on, level, listed


def _outline_level(properties: Any) -> int:
    for item in properties:
        if local(item) == "outlineLvl":
            level = int(attribute(item, "val") or "9")
            return level + 1 if level < 9 else 0
    return 0


class _Document:
    """Turns elements into blocks, knowing the styles."""

    def __init__(self, styles: dict[str, tuple[int, bool]], depth: int) -> None:
        self._styles = styles
        self._depth = depth

    def items(self, parent: Any, depth: int = 0) -> Iterator[Item]:
        """The blocks in `parent`, in order."""
        if depth > self._depth:
            raise Rejected("the document is nested too deeply", code="too_deep")
        for child in parent:
            name = local(child)
            if name == "p":
                yield from self._paragraph(child, depth)
            elif name == "tbl":
                yield from self._table(child, depth)
            elif name in _WRAPPERS:
                yield from self.items(child, depth + 1)

    def _paragraph(self, paragraph: Any, depth: int) -> Iterator[Item]:
        level, listed, indent = self._place(paragraph)
        text = words(paragraph)
        if text.strip():
            if level:
                yield Item(BlockKind.HEADING, " ".join(text.split()), level)
            elif listed:
                yield Item(BlockKind.LIST, f"{'  ' * min(indent, _MOST_INDENT)}- {text.strip()}")
            else:
                yield Item(BlockKind.PARAGRAPH, text)
        for box in _boxes(paragraph):
            yield from self.items(box, depth + 1)

    def _place(self, paragraph: Any) -> tuple[int, bool, int]:
        """Heading level, whether it is a list item, and how far that is indented."""
        level, listed, indent = 0, False, 0
        properties = next((child for child in paragraph if local(child) == "pPr"), ())
        for item in properties:
            if local(item) == "pStyle":
                level, listed = self._styles.get(attribute(item, "val"), (0, False))
            elif local(item) == "numPr":
                values = {local(part): attribute(part, "val") for part in item}
                listed = values.get("numId") != "0"
                indent = int(values.get("ilvl") or "0")
        return level or _outline_level(properties), listed, indent

    def _table(self, table: Any, depth: int) -> Iterator[Item]:
        rows = [list(_children(row, "tc")) for row in _children(table, "tr")]
        if max(map(len, rows), default=0) <= 1:
            # One column lays out the page; what is in it are ordinary blocks.
            for row in rows:
                for cell in row:
                    yield from self.items(cell, depth + 1)
            return
        lines = [
            table_row([" ".join(item.text for item in self.items(cell, depth + 1)) for cell in row]) for row in rows
        ]
        yield Item(BlockKind.TABLE, "\n".join(lines))


def _children(parent: Any, name: str) -> Iterator[Any]:
    """Children of that name, content controls and tracked insertions looked through."""
    for child in parent:
        if local(child) == name:
            yield child
        elif local(child) in _WRAPPERS:
            yield from _children(child, name)


def _boxes(paragraph: Any) -> Iterator[Any]:
    """Text boxes anchored in a paragraph. Each is stored twice, the second time as a fallback for old programs."""
    for child in paragraph:
        if local(child) == "txbxContent":
            yield child
        elif local(child) not in ("Fallback", ""):
            yield from _boxes(child)


def _joined_lists(items: Iterator[Item]) -> Iterator[Item]:
    """List items that follow each other become one list."""
    lines: list[str] = []
    for item in items:
        if item.kind is BlockKind.LIST:
            lines.append(item.text)
            continue
        if lines:
            yield Item(BlockKind.LIST, "\n".join(lines))
            lines = []
        yield item
    if lines:
        yield Item(BlockKind.LIST, "\n".join(lines))
