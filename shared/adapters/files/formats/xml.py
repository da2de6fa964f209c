"""XML of any vocabulary."""

from typing import Any

from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.outline import Record, Value, write_outline
from shared.adapters.files.source import Source
from shared.adapters.files.spans import fill
from shared.adapters.files.text import one_line
from shared.adapters.files.xml_parsing import local, parse_xml
from shared.domain.errors import Rejected

_LONG = 120
"""Text longer than this is prose, which needs no name in front of it."""


def read(source: Source, manuscript: Manuscript) -> None:
    """Write elements and attributes as `name: value` lines, prose as it stands.

    Raises:
        Rejected: `too_deep`.
    """
    try:
        root = parse_xml(source.data)
    except SyntaxError as error:
        manuscript.warn(f"the content is not well-formed XML ({error.msg}); it was read as plain text")
        manuscript.source(source.text, fill(source.text, []))
        return
    if root.getroottree().docinfo.internalDTD is not None:
        manuscript.warn("the document defines its own entities; they were not expanded")
    value = _value(root, source.limits.depth)
    write_outline(value if isinstance(value, Record) else Record([(local(root), value)]), manuscript)


def _value(element: Any, depth: int) -> Value:
    if depth <= 0:
        raise Rejected("the XML is nested too deeply", code="too_deep")
    attributes = [(name.rpartition("}")[2], value) for name, value in element.attrib.items()]
    children = [child for child in element if local(child)]
    words = one_line("".join(element.itertext())) if _has_own_words(element) else ""
    if not children or words:
        return Record([*attributes, ("", words)]) if attributes else words
    pairs: list[tuple[str, Value]] = list(attributes)
    for child in children:
        value = _value(child, depth - 1)
        prose = isinstance(value, str) and len(value) > _LONG
        pairs.append(("" if prose else local(child), value))
    return Record(pairs)


def _has_own_words(element: Any) -> bool:
    """Whether words stand directly in the element, beside its children: then it is a paragraph, not a record."""
    return bool((element.text or "").strip()) or any((child.tail or "").strip() for child in element)
