"""OpenDocument text, spreadsheets and presentations."""

from collections.abc import Iterator
from typing import Any

from shared.adapters.files.archives import open_archive, read_entry
from shared.adapters.files.manuscript import Item, Manuscript
from shared.adapters.files.source import Source
from shared.adapters.files.text import table_row
from shared.adapters.files.xml_parsing import attribute, local, parse_xml
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind

_META = {
    "creator": "author",
    "initial-creator": "author",
    "creation-date": "created",
    "date": "modified",
    "subject": "subject",
    "keyword": "keywords",
}
_LEFT_OUT = frozenset(("tracked-changes", "annotation", "forms", "notes", "sequence-decls", "table-of-content", ""))
_SPACES = {"tab": "\t", "line-break": "\n"}
_MOST_REPEATED = 1_000
"""Cells may say that they repeat; spreadsheets fill rows to their end that way."""
_MOST_INDENT = 8


def read(source: Source, manuscript: Manuscript) -> None:
    """Write text, sheets (as pages) or slides (as pages).

    Raises:
        Rejected: `corrupt_file`, `encrypted`, `no_pages`, `too_deep` or a limit.
    """
    archive = open_archive(source.data, source.limits)
    if "META-INF/manifest.xml" in archive.namelist() and b"encryption-data" in read_entry(
        archive, "META-INF/manifest.xml"
    ):
        raise Rejected("the file is protected by a password; remove it and upload the file again", code="encrypted")
    if "meta.xml" in archive.namelist():
        _describe(parse_xml(read_entry(archive, "meta.xml")), manuscript)
    document = parse_xml(read_entry(archive, "content.xml"))
    body = next((kind for part in document if local(part) == "body" for kind in part), None)
    if body is None:
        raise Rejected("the file is damaged: it has no body", code="corrupt_file")
    if local(body) == "text":
        manuscript.extend(_items(body, source.limits.depth))
        return
    pages = [child for child in body if local(child) in ("table", "page")]
    if not pages:
        raise Rejected("the file has no sheets or slides", code="no_pages")
    for page in pages:
        manuscript.begin_page()
        _write_page(page, manuscript)


def _write_page(page: Any, manuscript: Manuscript) -> None:
    if local(page) == "page":
        items = list(_items(page, manuscript.limits.depth))
        manuscript.extend(items)
        return
    name = attribute(page, "name")
    items = list(_table(page, manuscript.limits.depth, name))
    if items:
        manuscript.heading(name, 1)
        manuscript.extend(items)


def _describe(meta: Any, manuscript: Manuscript) -> None:
    for element in meta.iter():
        if local(element) == "title":
            manuscript.title = (element.text or "").strip()
        elif local(element) in _META:
            manuscript.describe(_META[local(element)], element.text)


def _items(parent: Any, depth: int) -> Iterator[Item]:
    """The blocks in `parent`, in order."""
    if depth <= 0:
        raise Rejected("the document is nested too deeply", code="too_deep")
    for child in parent:
        name = local(child)
        if name == "h":
            yield Item(BlockKind.HEADING, _words(child), int(attribute(child, "outline-level") or "1"))
        elif name == "p":
            yield Item(BlockKind.PARAGRAPH, _words(child))
            yield from _frames(child, depth)
        elif name == "list":
            yield Item(BlockKind.LIST, "\n".join(_list_lines(child, 0, depth)))
        elif name == "table":
            yield from _table(child, depth)
        elif name == "frame" and attribute(child, "class") == "title":
            yield Item(BlockKind.HEADING, " ".join(item.text for item in _items(child, depth - 1)), 1)
        elif name not in _LEFT_OUT:
            yield from _items(child, depth - 1)


def _frames(paragraph: Any, depth: int) -> Iterator[Item]:
    """Text boxes anchored in a paragraph."""
    for child in paragraph:
        if local(child) == "frame":
            yield from _items(child, depth - 1)


def _list_lines(parent: Any, indent: int, depth: int) -> Iterator[str]:
    if indent > depth:
        raise Rejected("the document is nested too deeply", code="too_deep")
    for entry in parent:
        first = True
        for child in entry:
            if local(child) == "list":
                yield from _list_lines(child, indent + 1, depth)
            elif (text := _words(child).strip()) and local(child) in ("p", "h"):
                yield f"{'  ' * min(indent, _MOST_INDENT)}{'- ' if first else '  '}{text}"
                first = False


def _table(table: Any, depth: int, name: str = "") -> Iterator[Item]:
    """One table; sheets are cut at their empty rows."""
    lines: list[str] = []
    for row in _rows(table):
        line = table_row([text for cell in row for text in _cell(cell, depth)])
        if line:
            lines.append(line)
        elif name and lines:
            yield Item(BlockKind.TABLE, "\n".join(lines), name=name)
            lines = []
    if lines:
        yield Item(BlockKind.TABLE, "\n".join(lines), name=name)


def _rows(parent: Any) -> Iterator[Any]:
    for child in parent:
        if local(child) == "table-row":
            yield child
        elif local(child) in ("table-header-rows", "table-rows", "table-row-group"):
            yield from _rows(child)


def _cell(cell: Any, depth: int) -> list[str]:
    if local(cell) not in ("table-cell", "covered-table-cell"):
        return []
    text = " ".join(item.text for item in _items(cell, depth - 1))
    repeated = int(attribute(cell, "number-columns-repeated") or "1")
    return [text] * (min(repeated, _MOST_REPEATED) if text else min(repeated, 64))


def _words(element: Any) -> str:
    return "".join(_pieces(element))


def _pieces(element: Any) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        name = local(child)
        if name == "s":
            yield " " * min(int(attribute(child, "c") or "1"), 100)
        elif name in _SPACES:
            yield _SPACES[name]
        elif name == "note":
            yield " (" + " ".join(_words(part) for part in child.iter() if local(part) == "p") + ")"
        elif name != "frame" and name not in _LEFT_OUT:
            yield from _pieces(child)
        yield child.tail or ""
