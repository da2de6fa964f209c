"""Files made to do harm: archives and streams that unpack without end, entities, loops and bottomless nesting."""

import io
import zipfile
import zlib

from tests.adapters.files.making import archive, book, message, opendocument, unzipped, word, workbook

_MEBIBYTE = 2**20
_ENTITIES = b'<!DOCTYPE a [<!ENTITY e0 "hahahaha">%s]>' % b"".join(
    b'<!ENTITY e%d "&e%d;&e%d;&e%d;&e%d;">' % (level, level - 1, level - 1, level - 1, level - 1)
    for level in range(1, 30)
)
_OUTWARD = b'<!DOCTYPE a [<!ENTITY e29 SYSTEM "file:///etc/passwd">]>'
_QUADRATIC = b'<!DOCTYPE a [<!ENTITY e29 "%s">]>' % (b"x" * 100_000)


def bombs() -> dict[str, bytes]:
    """Each by a name that says what it is; the extension is what it claims to be."""
    return {**_archives(), **_entities(), **_pdfs(), **_nested(), **_lines()}


def _with(parts: dict[str, bytes], name: str, body: bytes) -> bytes:
    return archive({**parts, name: body})


def _archives() -> dict[str, bytes]:
    space = b" " * (200 * _MEBIBYTE)
    inner = archive({"a": bytes(20 * _MEBIBYTE)})
    for _ in range(6):
        inner = archive({f"{number}.zip": inner for number in range(8)})
    return {
        "ratio.docx": _with(unzipped(word()), "word/document.xml", space),
        "ratio.xlsx": _with(unzipped(workbook({"S": [["a"]]})), "xl/worksheets/sheet1.xml", space),
        "ratio.odt": archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": space}),
        "ratio.epub": book({"a.xhtml": "<p>" + " " * (64 * _MEBIBYTE)}),
        "entries.docx": archive({**unzipped(word()), **{f"x/{number}": b"" for number in range(20_000)}}),
        "nested.docx": _with(unzipped(word()), "word/embeddings/inner.zip", inner),
        "nested.zip": inner,
        "overlap.docx": _overlapping(),
        "lying_sizes.docx": _lying(),
    }


def _overlapping() -> bytes:
    """One packed entry, listed a thousand times in the directory."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("word/document.xml", bytes(_MEBIBYTE // 2))
        only = file.infolist()[0]
        file.filelist.extend([only] * 1_000)
    return buffer.getvalue()


def _lying() -> bytes:
    """An entry that unpacks to much more than its directory says."""
    data = bytearray(_with(unzipped(word()), "word/document.xml", bytes(64 * _MEBIBYTE)))
    real = (64 * _MEBIBYTE).to_bytes(4, "little")
    while (at := data.find(real)) >= 0:
        data[at : at + 4] = (1_000).to_bytes(4, "little")
    return bytes(data)


def _entities() -> dict[str, bytes]:
    found = {}
    for name, doctype in (("entities", _ENTITIES), ("outward", _OUTWARD), ("quadratic", _QUADRATIC)):
        body = b"&e29;" * (1_000 if doctype is _QUADRATIC else 1)
        xml = b'<?xml version="1.0"?>' + doctype + b"<a><b>words</b><c>" + body + b"</c></a>"
        found[f"{name}.xml"] = xml
        found[f"{name}.docx"] = _with(unzipped(word()), "word/document.xml", xml)
        found[f"{name}.xlsx"] = _with(unzipped(workbook({"S": [["a"]]})), "xl/worksheets/sheet1.xml", xml)
        found[f"{name}.epub"] = book({"a.xhtml": xml.decode()})
        found[f"{name}.odt"] = archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": xml})
        found[f"{name}.svg"] = xml.replace(b"<a>", b"<svg>").replace(b"</a>", b"</svg>")
    return found


def _pdf(*objects: bytes) -> bytes:
    """A PDF without a cross-reference table, which readers then make themselves."""
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, one) for number, one in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer\n<< /Root 1 0 R /Size 9 >>\n%%EOF\n"


def _stream(data: bytes, *, rounds: int = 1) -> bytes:
    for _ in range(rounds):
        data = zlib.compress(data, 9)
    filters = b" ".join([b"/FlateDecode"] * rounds)
    return b"<< /Length %d /Filter [%s] >>\nstream\n%s\nendstream" % (len(data), filters, data)


def _pdfs() -> dict[str, bytes]:
    catalog, page = b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>"
    pages = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    words = b"BT /F1 12 Tf (words) Tj ET\n"
    return {
        "stream.pdf": _pdf(catalog, pages, page, _stream(bytes(400 * _MEBIBYTE), rounds=2)),
        "operators.pdf": _pdf(catalog, pages, page, _stream(words * 2_000_000)),
        "loop.pdf": _pdf(catalog, b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 99999999 >>"),
        "count.pdf": _pdf(catalog, b"<< /Type /Pages /Kids [3 0 R] /Count 2147483647 >>", page, _stream(words)),
        "form_loop.pdf": _pdf(
            catalog,
            pages,
            b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>",
            _stream(b"/X Do\n" * 1_000),
            b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 5 0 R >> >> /Length 12 >>\n"
            b"stream\n/X Do /X Do \nendstream",
        ),
        "arrays.pdf": _pdf(catalog, b"[" * 200_000 + b"]" * 200_000),
    }


def _nested() -> dict[str, bytes]:
    mail = message(plain="words").replace(b"text/plain", b"message/rfc822")
    return {
        "deep.json": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
        "deep.xml": b"<?xml version='1.0'?>" + b"<a>" * 200_000,
        "deep.html": b"<html><body>" + b"<div>" * 200_000 + b"words",
        "deep.md": b"> " * 20_000 + b"words\n" + b"* " * 20_000,
        "brackets.md": b"[" * 50_000 + b"](" * 50_000,
        "emphasis.md": b"*_" * 100_000 + b"words",
        "deep.rtf": rb"{\rtf1" + b"{" * 500_000 + b"words",
        "deep.eml": b"".join(b"Content-Type: message/rfc822\n\n" for _ in range(5_000)) + mail,
        "parts.eml": b"From: a@b.c\nSubject: s\nDate: d\nMIME-Version: 1.0\n"
        b'Content-Type: multipart/mixed; boundary="x"\n\n' + b"--x\nContent-Type: text/plain\n\nwords\n" * 2_500,
        "deep.ipynb": b'{"cells": [' + b'{"cell_type": "markdown", "source": [' * 2_000,
        "deep.py": b"(" * 200_000,
        "deep.odt": opendocument("text", "<text:section>" * 50_000),
    }


def _lines() -> dict[str, bytes]:
    return {
        "columns.csv": b"a," * 600_000 + b"\n" + b'"' * 1_000_001,
        "rows.csv": b"a\n" * 600_000,
        "paragraphs.txt": b"a\n\n" * 100_000,
        "line.txt": b"word " * 3_000_000,
        "span.html": b"<table><tr><td colspan=1000000000 rowspan=1000000000>words</table>",
        "repeat.ods": opendocument(
            "spreadsheet",
            '<table:table table:name="S"><table:table-row table:number-rows-repeated="1000000000">'
            '<table:table-cell table:number-columns-repeated="1000000000"><text:p>words</text:p></table:table-cell>'
            "</table:table-row></table:table>",
        ),
        "far.xlsx": _with(
            unzipped(workbook({"S": [["a"]]})),
            "xl/worksheets/sheet1.xml",
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            b'<dimension ref="A1:XFD1048576"/>'
            b'<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row>'
            b"</sheetData></worksheet>",
        ),
    }
