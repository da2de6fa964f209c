"""PowerPoint presentations."""

from collections.abc import Iterator
from typing import Any

from shared.adapters.files.manuscript import Item, Manuscript
from shared.adapters.files.ooxml import Package, words
from shared.adapters.files.source import Source
from shared.adapters.files.text import table_row
from shared.adapters.files.xml_parsing import attribute, local
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind

_TITLES = ("title", "ctrTitle")
_LEFT_OUT = ("sldNum", "dt", "ftr", "hdr")
_MOST_INDENT = 8


def read(source: Source, manuscript: Manuscript) -> None:
    """Write each slide as a page: its title as heading, shapes in drawing order, then the speaker's notes.

    Raises:
        Rejected: `corrupt_file`, `no_pages`, `too_deep` or a limit.
    """
    package = Package(source.data, source.limits)
    main = package.main()
    package.describe(manuscript)
    relations = package.relations(main)
    order = [_relation(item) for item in package.xml(main).iter() if local(item) == "sldId"]
    slides = [relations[name][1] for name in order if name in relations]
    if not slides:
        raise Rejected("the presentation has no slides", code="no_pages")
    for slide in slides:
        manuscript.begin_page()
        if package.has(slide):
            _write_slide(package, slide, manuscript)
        else:
            manuscript.warn(f"slide {len(manuscript.pages) + 1} is missing from the file")


def _relation(element: Any) -> str:
    """The relation id of an element, which shares its local name with the element's own id."""
    return next((str(value) for key, value in element.attrib.items() if key.endswith("}id")), "")


def _write_slide(package: Package, slide: str, manuscript: Manuscript) -> None:
    root = package.xml(slide)
    if root.get("show") == "0":
        manuscript.warn(f"slide {len(manuscript.pages) + 1} is hidden in the presentation; it was read all the same")
    items = list(_shapes(root, package, slide, manuscript.limits.depth))
    # The title comes first whatever its place in the drawing order.
    manuscript.extend(sorted(items, key=lambda item: item.kind is not BlockKind.HEADING))
    for notes in package.related(slide, "notesSlide"):
        spoken = [item.text for item in _shapes(package.xml(notes), package, notes, manuscript.limits.depth)]
        if any(text.strip() for text in spoken):
            manuscript.add(BlockKind.PARAGRAPH, "Notes: " + "\n".join(spoken))


def _shapes(parent: Any, package: Package, part: str, depth: int) -> Iterator[Item]:
    if depth <= 0:
        raise Rejected("the presentation is nested too deeply", code="too_deep")
    for child in parent:
        name = local(child)
        if name == "sp":
            yield from _shape(child)
        elif name == "graphicFrame":
            yield from _frame(child, package, part)
        elif name not in ("Fallback", "pic", "timing", "transition", ""):
            yield from _shapes(child, package, part, depth - 1)


def _shape(shape: Any) -> Iterator[Item]:
    placeholder = next((item for item in shape.iter() if local(item) == "ph"), None)
    kind = "" if placeholder is None else placeholder.get("type", "body")
    if kind in _LEFT_OUT:
        return
    body = next((child for child in shape if local(child) == "txBody"), ())
    paragraphs = [(_indent(child), words(child).strip()) for child in body if local(child) == "p"]
    paragraphs = [(indent, text) for indent, text in paragraphs if text]
    if not paragraphs:
        return
    if kind in _TITLES:
        yield Item(BlockKind.HEADING, " ".join(text for _, text in paragraphs), 1)
    elif len(paragraphs) > 1 and kind in ("body", "obj"):
        yield Item(BlockKind.LIST, "\n".join(f"{'  ' * indent}- {text}" for indent, text in paragraphs))
    else:
        yield Item(BlockKind.PARAGRAPH, "\n".join(text for _, text in paragraphs))


def _indent(paragraph: Any) -> int:
    properties = next((child for child in paragraph if local(child) == "pPr"), None)
    return 0 if properties is None else min(int(properties.get("lvl") or "0"), _MOST_INDENT)


def _frame(frame: Any, package: Package, part: str) -> Iterator[Item]:
    """A table or a chart."""
    for element in frame.iter():
        if local(element) == "tbl":
            rows = [[_cell(cell) for cell in row if local(cell) == "tc"] for row in element if local(row) == "tr"]
            yield Item(BlockKind.TABLE, "\n".join(map(table_row, rows)))
        elif local(element) == "chart":
            _, name = package.relations(part).get(_relation(element), ("", ""))
            if package.has(name):
                yield from _chart(package.xml(name))


def _cell(cell: Any) -> str:
    return " ".join(" ".join(words(item).split()) for item in cell.iter() if local(item) == "p")


def _chart(chart: Any) -> Iterator[Item]:
    """The numbers behind a chart, a column for each series."""
    title = next((child for child in chart.iter() if local(child) == "title"), None)
    if title is not None and (text := " ".join(words(title).split())):
        yield Item(BlockKind.PARAGRAPH, text)
    series = [element for element in chart.iter() if local(element) == "ser"]
    if not series:
        return
    labels = _points(series[0], "cat") or _points(series[0], "xVal")
    columns = [_points(one, "val") or _points(one, "yVal") for one in series]
    names = [next(iter(_points(one, "tx").values()), "") for one in series]
    lines = [table_row(["", *names])]
    lines += [
        table_row([labels.get(index, ""), *(column.get(index, "") for column in columns)])
        for index in sorted({index for column in columns for index in column})
    ]
    yield Item(BlockKind.TABLE, "\n".join(lines))


def _points(series: Any, name: str) -> dict[int, str]:
    """The cached values of one part of a series, by index."""
    points = {}
    for holder in series:
        if local(holder) == name:
            for point in holder.iter():
                if local(point) == "pt":
                    value = next((child.text or "" for child in point if local(child) == "v"), "")
                    points[int(attribute(point, "idx") or "0")] = " ".join(value.split())
    return points
