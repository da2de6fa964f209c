"""Parsing XML that may be hostile: no entities, no document type, no network."""

from typing import Any

from lxml import etree


def parse_xml(data: bytes) -> Any:
    """The root element.

    Entities stay unexpanded, external parts unread; the parser's own limits on depth (256) and length stay on.

    Raises:
        lxml.etree.XMLSyntaxError: (a SyntaxError) the data is not well-formed.
    """
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    return etree.fromstring(data, parser)


def local(element: Any) -> str:
    """The tag without its namespace; empty for what is no element (an unexpanded entity)."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute(element: Any, name: str) -> str:
    """The value of the attribute with that local name, in whatever namespace; empty when it is absent."""
    value = element.get(name)
    if value is not None:
        return str(value)
    for key, text in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return str(text)
    return ""
