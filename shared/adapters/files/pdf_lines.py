"""The lines of a PDF page, with what tells headings and paragraphs apart: size, weight, place."""

import ctypes
import re
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

# PDFium marks a hyphen at the end of a line with this and joins the lines.
_HYPHEN = re.compile("\ufffe(?=(.?))", re.DOTALL)
_MOST_WIDGETS = 2_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line. Lengths are points, measured from the bottom left of the page."""

    text: str
    size: float
    """Height of the font's box; 0 when it is unknown."""
    weight: int
    top: float
    """Of its first character."""
    bottom: float
    """Of its last character: a line whose broken word was joined reaches down into the next."""
    left: float
    uniform: bool
    """Whether its last character looks like its first."""


def page_lines(page: Any) -> list[Line]:
    """The lines of a page in the order of its content; empty when it has no text."""
    text_page = pdfium.FPDFText_LoadPage(page)
    if not text_page:
        return []
    try:
        return _lines(text_page)
    finally:
        pdfium.FPDFText_ClosePage(text_page)


def form_fields(page: Any) -> list[tuple[str, str]]:
    """Names and values of the filled-in fields on a page, which are no part of its text."""
    fields = []
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page), _MOST_WIDGETS)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            if pdfium.FPDFAnnot_GetSubtype(annotation) == pdfium.FPDF_ANNOT_WIDGET:
                name, value = (_string(annotation, key) for key in (b"T", b"V"))
                if value.strip():
                    fields.append((name, value))
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)
    return fields


def _lines(text_page: Any) -> list[Line]:
    count = pdfium.FPDFText_CountChars(text_page)
    if count <= 0:
        return []
    # One unit more than a character may need: characters beyond U+FFFF take two.
    units = (ctypes.c_ushort * (2 * count + 1))()
    written = pdfium.FPDFText_GetText(text_page, 0, count, units)
    text = ctypes.string_at(units, max(written - 1, 0) * 2).decode("utf-16-le", "replace")
    lines = []
    position = 0
    for raw in text.split("\r\n"):
        words = raw.strip()
        if words:
            first = position + raw.index(words[0])
            lines.append(_line(text_page, words, first, first + len(words) - 1))
        position += len(raw) + 2
    return lines


def _line(text_page: Any, words: str, first: int, last: int) -> Line:
    box = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text_page, first, box):
        return Line(_joined(words), 0.0, 0, 0.0, 0.0, 0.0, False)
    size = round(abs(box.top - box.bottom) * 2) / 2
    weight = pdfium.FPDFText_GetFontWeight(text_page, first)
    end = pdfium.FS_RECTF()
    if not pdfium.FPDFText_GetLooseCharBox(text_page, last, end):
        return Line(_joined(words), size, weight, box.top, box.bottom, box.left, False)
    uniform = pdfium.FPDFText_GetFontWeight(text_page, last) == weight and abs(end.top - end.bottom - size) <= 0.75
    return Line(_joined(words), size, weight, box.top, end.bottom, box.left, uniform)


def _joined(words: str) -> str:
    """A word that was broken loses its hyphen, unless what follows begins like a word of its own."""
    if "\ufffe" not in words:
        return words
    return _HYPHEN.sub(lambda match: "-" if match[1].isupper() or match[1].isdigit() else "", words)


def _string(annotation: Any, key: bytes) -> str:
    length = pdfium.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    if length <= 2:
        return ""
    buffer = (ctypes.c_ushort * (length // 2))()
    pdfium.FPDFAnnot_GetStringValue(annotation, key, buffer, length)
    return ctypes.string_at(buffer, length - 2).decode("utf-16-le", "replace")
