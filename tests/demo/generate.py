"""Writes the demo's documents that are not text: the handbook as PDF, the manual as DOCX, the prices as XLSX.

Run it after a change in `sources/`:  uv run python tests/demo/generate.py
The same sources make the same files, byte for byte, whenever they are written with the same libraries.
"""

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SOURCES = HERE / "sources"
DOCUMENTS = HERE / "documents"
WRITTEN = dt.datetime(2026, 3, 2, 9, 0, 0)


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a source: 'h1' to 'h3', 'p', 'li' with its text, or 'table' with its rows."""

    kind: str
    text: str = ""
    rows: tuple[tuple[str, ...], ...] = ()


def blocks(source: str) -> Iterator[Block]:
    """Blocks of a source: headings with #, list items with -, table rows with |, paragraphs between empty lines."""
    rows: list[tuple[str, ...]] = []
    for line in [*source.splitlines(), ""]:
        if line.startswith("|"):
            rows.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
            continue
        if rows:
            yield Block("table", rows=tuple(rows))
            rows = []
        marks, _, rest = line.partition(" ")
        if marks in {"#", "##", "###"}:
            yield Block(f"h{len(marks)}", rest)
        elif marks == "-":
            yield Block("li", rest)
        elif line:
            yield Block("p", line)


def write_pdf(source: str, target: Path) -> None:
    """An A4 document with page numbers, headings in the outline and tables."""
    from reportlab.lib import colors
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.lib.units import cm
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Table, TableStyle

    body = ParagraphStyle("body", fontName="Helvetica", fontSize=10.5, leading=15, spaceAfter=7)
    styles = {
        "h1": ParagraphStyle("h1", body, fontName="Helvetica-Bold", fontSize=22, leading=28, spaceAfter=14),
        "h2": ParagraphStyle(
            "h2", body, fontName="Helvetica-Bold", fontSize=15, leading=19, spaceBefore=16, keepWithNext=1
        ),
        "h3": ParagraphStyle(
            "h3", body, fontName="Helvetica-Bold", fontSize=11.5, leading=15, spaceBefore=8, keepWithNext=1
        ),
        "p": body,
        "li": ParagraphStyle("li", body, leftIndent=14, bulletIndent=4),
    }
    lines = TableStyle(
        [
            ("FONT", (0, 0), (-1, 0), "Helvetica-Bold", 10),
            ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ]
    )
    flow = [
        Table(block.rows, style=lines, hAlign="LEFT", spaceBefore=4, spaceAfter=12)
        if block.kind == "table"
        else Paragraph(block.text, styles[block.kind], bulletText="•" if block.kind == "li" else None)
        for block in blocks(source)
    ]

    def footer(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 8)
        canvas.drawRightString(A4[0] - 2.2 * cm, 1.2 * cm, f"Employee Handbook, edition 7, page {document.page}")

    document = SimpleDocTemplate(
        str(target),
        pagesize=A4,
        leftMargin=2.2 * cm,
        rightMargin=2.2 * cm,
        title="Skerry Instruments Employee Handbook",
        author="People team",
        invariant=1,
    )
    document.build(flow, onFirstPage=footer, onLaterPages=footer)


def write_docx(source: str, target: Path) -> None:
    """A document with Word's own headings, lists and tables."""
    import docx

    document = docx.Document()
    document.core_properties.title = "Sentinel 4 Service Manual"
    document.core_properties.author = "Service team"
    document.core_properties.created = document.core_properties.modified = WRITTEN
    for block in blocks(source):
        if block.kind == "table":
            table = document.add_table(rows=0, cols=len(block.rows[0]), style="Light Grid Accent 1")
            for row in block.rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = text
            document.add_paragraph()
        elif block.kind.startswith("h"):
            document.add_heading(block.text, level=int(block.kind[1]) - 1)
        else:
            document.add_paragraph(block.text, style="List Bullet" if block.kind == "li" else None)
    written = io.BytesIO()
    document.save(written)
    target.write_bytes(same_time(written.getvalue()))


def write_xlsx(sheets: dict[str, str], target: Path) -> None:
    """One sheet a table, numbers as numbers.

    Args:
        sheets: text of each table as CSV, by sheet name.
        target: the file to write.
    """
    import openpyxl
    from openpyxl.styles import Font

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    book.properties.title = "Price list 2026"
    for name, text in sheets.items():
        sheet = book.create_sheet(name)
        for row in csv.reader(io.StringIO(text)):
            sheet.append([int(cell) if cell.isdigit() else cell for cell in row])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
    written = io.BytesIO()
    book.save(written)
    # openpyxl writes the present time when it saves.
    target.write_bytes(same_time(written.getvalue(), stamp=True))


def same_time(archive: bytes, *, stamp: bool = False) -> bytes:
    """The zip archive with every file's time set to WRITTEN; with `stamp`, the time in its properties as well."""
    result = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            content = old.read(entry)
            if stamp and entry.filename == "docProps/core.xml":
                content = _stamped(content)
            fixed = zipfile.ZipInfo(entry.filename, WRITTEN.timetuple()[:6])
            fixed.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(fixed, content)
    return result.getvalue()


def _stamped(properties: bytes) -> bytes:
    import re

    return re.sub(rb">\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ<", f">{WRITTEN.isoformat()}Z<".encode(), properties)


def main() -> None:
    """Write all three."""
    write_pdf((SOURCES / "handbook.md").read_text("utf-8"), DOCUMENTS / "handbook" / "employee-handbook.pdf")
    write_docx(
        (SOURCES / "service-manual.md").read_text("utf-8"), DOCUMENTS / "product" / "sentinel-4-service-manual.docx"
    )
    sheets = {"Products": "prices-products", "Service plans": "prices-service-plans", "Discounts": "prices-discounts"}
    write_xlsx(
        {name: (SOURCES / f"{file}.csv").read_text("utf-8") for name, file in sheets.items()},
        DOCUMENTS / "sales" / "price-list-2026.xlsx",
    )


if __name__ == "__main__":
    main()
