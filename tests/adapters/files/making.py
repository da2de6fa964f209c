"""Small files of every format, made in code."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from typing import Any

import docx
import openpyxl
import pptx
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from shared.adapters.files.limits import CageLimits
from shared.adapters.files.reading import read_bytes
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.domain.errors import Rejected
from shared.domain.extracted import Block, BlockKind, Extracted

LIMITS = CageLimits()
_CHART_DATA: Any = CategoryChartData
PROSE = (
    "The river rises in the hills above the town and flows east for forty miles. "
    "Its water is cold in every season, and the mills along it were built before the road."
)


def read(data: bytes | str, name: str = "", *, declared_type: str = "", limits: CageLimits = LIMITS) -> Extracted:
    """Read in this process and check what must hold for every file."""
    raw = data.encode() if isinstance(data, str) else data
    extracted = read_bytes(raw, name=name, declared_type=declared_type, limits=limits, syntax=TreeSitterSyntax())
    assert extracted.problems() == []
    assert uncovered(extracted) == ""
    assert "\r" not in extracted.text
    assert "\0" not in extracted.text
    extracted.text.encode()
    return extracted


def refusal(data: bytes | str, name: str = "", *, declared_type: str = "", limits: CageLimits = LIMITS) -> Rejected:
    """The error that reading ends with."""
    try:
        read(data, name, declared_type=declared_type, limits=limits)
    except Rejected as error:
        return error
    raise AssertionError("the file was read")


def uncovered(extracted: Extracted) -> str:
    """Words that lie in no block."""
    left, position = [], 0
    for block in extracted.blocks:
        left.append(extracted.text[position : block.start])
        position = block.end
    return "".join([*left, extracted.text[position:]]).strip()


def said(extracted: Extracted, block: Block) -> str:
    """The text of a block."""
    return extracted.text[block.start : block.end]


def of_kind(extracted: Extracted, kind: BlockKind) -> list[str]:
    """The texts of all blocks of a kind."""
    return [said(extracted, block) for block in extracted.blocks if block.kind is kind]


def headings(extracted: Extracted) -> list[tuple[int, str]]:
    """Levels and texts of the headings."""
    return [(block.level, said(extracted, block)) for block in extracted.blocks if block.kind is BlockKind.HEADING]


def archive(entries: Mapping[str, bytes | str], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in entries.items():
            file.writestr(name, data)
    return buffer.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    """The entries of a zip file."""
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def word() -> bytes:
    """A Word document: title, headings, a list, a table."""
    document = docx.Document()
    document.core_properties.title = "River report"
    document.core_properties.author = "A. Miller"
    document.add_heading("Rivers", 1)
    document.add_paragraph(PROSE)
    document.add_heading("Mills", 2)
    for mill in ("Upper mill", "Lower mill"):
        document.add_paragraph(mill, style="List Bullet")
    table = document.add_table(rows=2, cols=3)
    for row, cells in enumerate((("Name", "Year", "Owner"), ("Upper mill", "1721", "Grey"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    document.add_paragraph("The end.")
    return _saved(document)


def slides() -> bytes:
    """A presentation of two slides, the first with notes, the second with a table."""
    presentation = pptx.Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "Rivers"
    body = first.placeholders[1].text_frame
    body.text = "Cold water"
    paragraph = body.add_paragraph()
    paragraph.text = "In every season"
    paragraph.level = 1
    first.notes_slide.notes_text_frame.text = "Speak slowly."
    second = presentation.slides.add_slide(presentation.slide_layouts[5])
    second.shapes.title.text = "Mills"
    table = second.shapes.add_table(2, 2, 0, 0, 100, 100).table
    for row, cells in enumerate((("Name", "Year"), ("Upper mill", "1721"))):
        for column, cell in enumerate(cells):
            table.cell(row, column).text = cell
    return _saved(presentation)


def chart() -> bytes:
    """A slide with a chart, and a text box in a group."""
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    data = _CHART_DATA()
    data.categories = ["2020", "2021"]
    data.add_series("Flour", (1.5, 2))
    data.add_series("Oil", (3, None))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, 0, 0, 100, 100, data)
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, 10, 10).text_frame.text = "in a group"
    return _saved(presentation)


def workbook(sheets: Mapping[str, Sequence[Sequence[object]]]) -> bytes:
    """A workbook with the given cells."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    return _saved(book)


def pdf(
    pages: Sequence[Sequence[tuple[str, float, str]]], *, bookmarks: Sequence[str] = (), password: str = ""
) -> bytes:
    """A PDF of lines: (text, size, font), 1.2 sizes apart; an empty text leaves a gap."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, encrypt=password or None)
    canvas.setTitle("River report")
    canvas.setAuthor("A. Miller")
    for lines in pages:
        top = 780.0
        for text, size, font in lines:
            canvas.setFont(font, size)
            canvas.drawString(72, top, text)
            if text in bookmarks:
                canvas.bookmarkPage(text, fit="XYZ", top=top)
                canvas.addOutlineEntry(text, text, level=0)
            top -= size * 1.2
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def lines(*texts: str, size: float = 10, font: str = "Helvetica") -> list[tuple[str, float, str]]:
    """Lines of one look."""
    return [(text, size, font) for text in texts]


def message(*, plain: str = "", html: str = "", attachment: str = "", subject: str = "About the mill") -> bytes:
    """An e-mail."""
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["From"] = "Ada <ada@example.org>"
    mail["To"] = "Bob <bob@example.org>"
    mail["Date"] = "Sat, 21 Nov 2026 10:00:00 +0000"
    if plain or not html:
        mail.set_content(plain, cte="quoted-printable")
    if html and plain:
        mail.add_alternative(html, subtype="html", cte="base64")
    elif html:
        mail.set_content(html, subtype="html", cte="base64")
    if attachment:
        mail.add_attachment(b"12345", maintype="application", subtype="pdf", filename=attachment)
    return mail.as_bytes()


def book(chapters: Mapping[str, str], *, extra: Mapping[str, str] | None = None) -> bytes:
    """An e-book; its chapters are given in reading order and stored in the opposite one."""
    items = "".join(
        f'<item id="i{number}" href="text/{name}" media-type="application/xhtml+xml"/>'
        for number, name in enumerate(chapters)
    )
    refs = "".join(f'<itemref idref="i{number}"/>' for number in range(len(chapters)))
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<metadata><dc:title>Rivers</dc:title><dc:creator>A. Miller</dc:creator></metadata>"
        f"<manifest>{items}</manifest><spine>{refs}</spine></package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
        '<rootfiles><rootfile full-path="OPS/package.opf"/></rootfiles></container>'
    )
    texts = {f"OPS/text/{name}": html for name, html in reversed(list(chapters.items()))}
    return archive(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "OPS/package.opf": package,
            **texts,
            **(extra or {}),
        }
    )


_ODF = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'
    ' xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0">'
)


def opendocument(kind: str, body: str, *, manifest: str = "") -> bytes:
    """An OpenDocument file: kind `text`, `spreadsheet` or `presentation`, body its content."""
    content = f"{_ODF}<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    entries = {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content}
    if manifest:
        entries["META-INF/manifest.xml"] = manifest
    return archive(entries)


def _saved(document: object) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)  # type: ignore[attr-defined]
    return buffer.getvalue()
