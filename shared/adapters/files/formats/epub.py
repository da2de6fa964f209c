"""E-books."""

import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

from shared.adapters.files.archives import open_archive, read_entry
from shared.adapters.files.decoding import decode
from shared.adapters.files.html_items import html_items
from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.source import Source
from shared.adapters.files.xml_parsing import attribute, local, parse_xml
from shared.domain.errors import Rejected

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_CHAPTERS = ("application/xhtml+xml", "text/html", "application/html+xml")
_PROPERTIES = ("creator", "language", "publisher", "date", "subject", "identifier")


def read(source: Source, manuscript: Manuscript) -> None:
    """Write the chapters in reading order.

    Raises:
        Rejected: `encrypted` for copy-protected books.
    """
    archive = open_archive(source.data, source.limits)
    names = set(archive.namelist())
    rootfile = _first(parse_xml(read_entry(archive, _CONTAINER)), "rootfile")
    package_path = attribute(rootfile, "full-path")
    package = parse_xml(read_entry(archive, package_path))
    chapters = _spine(package, posixpath.dirname(package_path))
    if _ENCRYPTION in names:
        _check_protection(archive, chapters)
    _describe(package, manuscript)
    missing = [chapter for chapter in chapters if chapter not in names]
    if missing:
        manuscript.warn(f"{len(missing)} of {len(chapters)} chapters are missing from the file")
    for chapter in chapters:
        if chapter in names and (decoded := decode(read_entry(archive, chapter))):
            manuscript.extend(html_items(decoded[0], depth=source.limits.depth)[0])


def _spine(package: Any, folder: str) -> list[str]:
    """Names of the chapters within the archive, in reading order."""
    manifest = {
        attribute(item, "id"): posixpath.normpath(posixpath.join(folder, unquote(attribute(item, "href"))))
        for item in package.iter()
        if local(item) == "item" and attribute(item, "media-type") in _CHAPTERS
    }
    order = [attribute(item, "idref") for item in package.iter() if local(item) == "itemref"]
    return [manifest[idref] for idref in order if idref in manifest]


def _check_protection(archive: zipfile.ZipFile, chapters: list[str]) -> None:
    """Fonts may be obfuscated; a protected chapter cannot be read."""
    encryption = parse_xml(read_entry(archive, _ENCRYPTION))
    protected = {unquote(attribute(item, "URI")) for item in encryption.iter() if local(item) == "CipherReference"}
    if protected.intersection(chapters):
        raise Rejected("the book is copy-protected (DRM) and cannot be read", code="encrypted")


def _describe(package: Any, manuscript: Manuscript) -> None:
    metadata = next((item for item in package if local(item) == "metadata"), ())
    for item in metadata:
        name = local(item)
        if name == "title" and not manuscript.title:
            manuscript.title = (item.text or "").strip()
        elif name in _PROPERTIES and name not in manuscript.properties:
            manuscript.describe("author" if name == "creator" else name, item.text)


def _first(root: Any, tag: str) -> Any:
    for element in root.iter():
        if local(element) == tag:
            return element
    raise Rejected(f"the book is damaged: its container names no {tag}", code="corrupt_file")
