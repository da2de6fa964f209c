"""PDF files."""

import io
from dataclasses import replace

import pytest
from reportlab.pdfgen.canvas import Canvas

from shared.adapters.files.pdf_headings import Bookmark, body_of, headings
from shared.adapters.files.pdf_lines import Line
from tests.adapters.files.making import LIMITS, lines, pdf, read, refusal
from tests.adapters.files.making import headings as headings_of

_PROSE = lines(
    "The river rises in the hills above the town and flows east for",
    "forty miles. Its water is cold in every season, and the mills along",
    "it were built before the road.",
)
_TITLE = lines("Rivers of the North", size=20, font="Helvetica-Bold")
_GAP = lines("")


def test_read_pdf_pages_paragraphs_and_properties() -> None:
    extracted = read(pdf([_TITLE + _GAP + _PROSE + _GAP + _PROSE, _PROSE]), "a.pdf")
    assert extracted.title == "River report"
    assert extracted.properties["author"] == "A. Miller"
    assert extracted.properties["created"][10] == "T"
    assert [page.number for page in extracted.pages] == [1, 2]
    assert headings_of(extracted) == [(1, "Rivers of the North")]
    assert len(extracted.blocks) == 4
    assert extracted.text[extracted.pages[1].start :].startswith("The river rises")


def test_read_pdf_outline_decides_the_level() -> None:
    part = lines("Mills", size=10)
    extracted = read(pdf([_TITLE + _GAP + _PROSE + _GAP + part + _PROSE], bookmarks=["Mills"]), "a.pdf")
    assert (1, "Mills") in headings_of(extracted)


def test_read_pdf_repeated_page_headers_are_no_headings() -> None:
    page = lines("The Mill Gazette", size=16, font="Helvetica-Bold") + _GAP + _PROSE
    assert headings_of(read(pdf([page] * 6), "a.pdf")) == []


def test_read_pdf_page_without_text_is_kept_empty_with_a_warning() -> None:
    extracted = read(pdf([_PROSE, [], _PROSE]), "a.pdf")
    assert [page.number for page in extracted.pages] == [1, 2, 3]
    assert extracted.pages[1].start == extracted.pages[1].end
    assert any("no text on 1 of 3 pages" in warning for warning in extracted.warnings)


def test_read_pdf_filled_in_form_fields_are_read() -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.drawString(72, 700, "Order of flour")
    canvas.acroForm.textfield(name="customer", value="Ada Grey", x=72, y=600)
    canvas.save()
    extracted = read(buffer.getvalue(), "form.pdf")
    assert "customer: Ada Grey" in extracted.text


def test_read_pdf_without_text_layer_is_refused_with_what_to_do() -> None:
    error = refusal(pdf([[]]), "scan.pdf")
    assert error.code == "no_text"
    assert "OCR is not enabled" in error.detail


def test_read_pdf_with_password_is_refused() -> None:
    assert refusal(pdf([_PROSE], password="river"), "a.pdf").code == "encrypted"


def test_read_pdf_with_too_many_pages_is_refused() -> None:
    assert refusal(pdf([_PROSE] * 3), "a.pdf", limits=replace(LIMITS, pages=2)).code == "too_many_pages"


def test_read_pdf_with_too_much_text_is_refused() -> None:
    assert refusal(pdf([_PROSE] * 3), "a.pdf", limits=replace(LIMITS, text_chars=200)).code == "too_much_text"


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.4\n1 0 obj\n<</Type/Catalog>>\nendobj\n%%EOF"])
def test_read_pdf_without_pages_is_refused(data: bytes) -> None:
    assert refusal(data, "a.pdf").code in ("corrupt_file", "no_pages")


def _line(text: str, *, size: float = 10, weight: int = 400, top: float = 700) -> Line:
    return Line(text, size, weight, top, top - size, 72, True)


def test_headings_by_look_rank_by_size_and_numbering() -> None:
    page = [
        _line("Rivers", size=20, top=800),
        _line("3 Mills", size=14, top=760),
        _line("body text that goes on and on", top=740),
        _line("3.1 Wheels", size=14, top=700),
        _line("more body text that goes on", top=680),
    ]
    assert headings([page], [], body_of([page])) == {(0, 0): 1, (0, 1): 2, (0, 3): 3}


def test_headings_bold_table_cells_side_by_side_are_none() -> None:
    page = [
        _line("Year ended", weight=700, top=700),
        _line("Quarter ended", weight=700, top=700),
        _line("body text " * 5, top=650),
    ]
    assert headings([page], [], body_of([page])) == {}


def test_headings_outline_entry_that_no_line_says_is_ignored() -> None:
    page = [_line("body text")]
    assert headings([page], [Bookmark("Elsewhere", 1, 0), Bookmark("x", 1, 99)], body_of([page])) == {}
