"""Office Open XML packages: parts, relationships, properties, drawings' words.

Elements are matched by local name, so that transitional and strict documents read alike. The reading is done on the XML
itself: the usual document libraries drop tracked insertions, content controls, text boxes and notes, refuse macro and
template variants, and take seven times as long to import as lxml alone.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from shared.adapters.files.archives import open_archive, read_entry
from shared.adapters.files.limits import CageLimits
from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.xml_parsing import attribute, local, parse_xml
from shared.domain.errors import Rejected

_PROPERTIES = {
    "creator": "author",
    "subject": "subject",
    "keywords": "keywords",
    "description": "description",
    "category": "category",
    "created": "created",
    "modified": "modified",
    "lastModifiedBy": "last_modified_by",
    "language": "language",
}
_BREAKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_DELETED = frozenset(("del", "moveFrom", "delText", "instrText", "delInstrText", "Fallback", "rPr", "pPr"))


class Package:
    """The parts of one document."""

    def __init__(self, data: bytes, limits: CageLimits) -> None:
        self._archive: zipfile.ZipFile = open_archive(data, limits)
        self._names = {name.lower(): name for name in self._archive.namelist()}

    def main(self) -> str:
        """The name of the part that is the document.

        Raises:
            Rejected: `corrupt_file`; the package names none.
        """
        for kind, target in self.relations("").values():
            if kind == "officeDocument":
                return target
        raise Rejected("the file is damaged: it does not say which part is the document", code="corrupt_file")

    def has(self, name: str) -> bool:
        """Whether there is such a part; part names ignore case."""
        return name.lower() in self._names

    def xml(self, name: str) -> Any:
        """The root element of a part.

        Raises:
            Rejected: `corrupt_file`; the part is missing or damaged.
        """
        return parse_xml(read_entry(self._archive, self._names.get(name.lower(), name)))

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to inside the package: by id, the kind and the part's name."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if not self.has(rels):
            return {}
        found = {}
        for relation in self.xml(rels):
            if local(relation) == "Relationship" and relation.get("TargetMode") != "External":
                target = unquote(relation.get("Target", ""))
                path = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
                kind = relation.get("Type", "").rpartition("/")[2]
                found[relation.get("Id", "")] = (kind, posixpath.normpath(path))
        return found

    def related(self, part: str, kind: str) -> list[str]:
        """Names of the parts of one kind that `part` refers to and that exist."""
        return [name for found, name in self.relations(part).values() if found == kind and self.has(name)]

    def describe(self, manuscript: Manuscript) -> None:
        """Take title and properties from the package's core properties, if it has any."""
        for part in self.related("", "core-properties"):
            for element in self.xml(part):
                name = local(element)
                if name == "title":
                    manuscript.title = (element.text or "").strip()
                elif name in _PROPERTIES:
                    manuscript.describe(_PROPERTIES[name], element.text)


def words(element: Any) -> str:
    """The words of a paragraph, in Word's or a drawing's vocabulary; deletions and field codes are left out."""
    return "".join(_words(element))


def _words(element: Any) -> Iterator[str]:
    for child in element:
        name = local(child)
        if name == "t":
            yield child.text or ""
        elif name in _BREAKS:
            yield _BREAKS[name]
        elif name == "sym":
            yield _symbol(child)
        elif name not in _DELETED and name != "txbxContent":
            yield from _words(child)


def _symbol(element: Any) -> str:
    """A character of a symbol font, which lies in the private area unless the font is a Unicode one."""
    code = int(attribute(element, "char") or "0", 16)
    return chr(code) if 0x20 <= code < 0xE000 else ""
