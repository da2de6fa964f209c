"""PDF, by PDFium."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

import pypdfium2 as pdfium

from shared.adapters.files.manuscript import Item, Manuscript
from shared.adapters.files.pdf_headings import Body, Bookmark, body_of, headings
from shared.adapters.files.pdf_lines import Line, form_fields, page_lines
from shared.adapters.files.source import Source
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind

_PROPERTIES = {
    "Author": "author",
    "Subject": "subject",
    "Keywords": "keywords",
    "CreationDate": "created",
    "ModDate": "modified",
    "Producer": "producer",
}
_DATE = re.compile(r"^D:(\d{4})(\d\d)(\d\d)(\d\d)(\d\d).*$")
_PARAGRAPH_GAP = 1.3
"""Lines further apart than this times the usual distance belong to different paragraphs."""
_MOST_BOOKMARKS = 5_000
_DEEPEST_BOOKMARK = 6


def read(source: Source, manuscript: Manuscript) -> None:
    """Write every page, its lines joined to paragraphs, headings found by outline or by look.

    Raises:
        Rejected: `encrypted`, `corrupt_file`, `no_pages`, `no_text` or a limit.
    """
    document = _open(source.data)
    count = len(document)
    if count == 0:
        raise Rejected("the PDF has no pages", code="no_pages")
    if count > source.limits.pages:
        raise Rejected(
            f"the PDF has {count:,} pages, more than {source.limits.pages:,}; split it", code="too_many_pages"
        )
    pages, forms = _read_pages(document, manuscript)
    if not any(pages) and not any(forms):
        raise Rejected(
            "the PDF holds pictures of pages and no text layer; OCR is not enabled. Run text recognition over it first",
            code="no_text",
        )
    _describe(document, manuscript)
    _warn_of_empty(pages, manuscript)
    body = body_of(pages)
    levels = headings(pages, _bookmarks(document), body)
    leading = _leading(pages, body)
    for number, lines in enumerate(pages):
        manuscript.begin_page()
        manuscript.extend(_items(lines, number, levels, leading))
        manuscript.add(BlockKind.PARAGRAPH, "\n".join(f"{name}: {value}" for name, value in forms[number]))


def _open(data: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code in (pdfium.raw.FPDF_ERR_PASSWORD, pdfium.raw.FPDF_ERR_SECURITY):
            raise Rejected(
                "the PDF is protected by a password; remove the password and upload it again", code="encrypted"
            ) from error
        raise Rejected("the PDF is damaged and cannot be opened", code="corrupt_file") from error


def _read_pages(
    document: pdfium.PdfDocument, manuscript: Manuscript
) -> tuple[list[list[Line]], list[list[tuple[str, str]]]]:
    """Lines and filled-in fields of every page; a damaged page counts as empty."""
    pages: list[list[Line]] = []
    forms: list[list[tuple[str, str]]] = []
    length = 0
    for number in range(len(document)):
        page = pdfium.raw.FPDF_LoadPage(document.raw, number)
        if not page:
            manuscript.warn(f"page {number + 1} is damaged and was left out")
            pages.append([])
            forms.append([])
            continue
        pages.append(page_lines(page))
        forms.append(form_fields(page))
        pdfium.raw.FPDF_ClosePage(page)
        length += sum(len(line.text) + 1 for line in pages[-1])
        if length > manuscript.limits.text_chars:
            # The manuscript would say so too, but only after all pages were read into memory.
            manuscript.check_length(length)
    return pages, forms


def _describe(document: pdfium.PdfDocument, manuscript: Manuscript) -> None:
    metadata = document.get_metadata_dict(skip_empty=True)
    manuscript.title = metadata.get("Title", "").strip()
    for key, name in _PROPERTIES.items():
        manuscript.describe(name, _DATE.sub(r"\1-\2-\3T\4:\5", metadata.get(key) or ""))


def _warn_of_empty(pages: Sequence[Sequence[Line]], manuscript: Manuscript) -> None:
    empty = [number for number, lines in enumerate(pages, 1) if not lines]
    if empty:
        shown = ", ".join(map(str, empty[:20])) + (" …" if len(empty) > 20 else "")
        manuscript.warn(f"no text on {len(empty)} of {len(pages)} pages (pictures or empty): {shown}")


def _bookmarks(document: pdfium.PdfDocument) -> list[Bookmark]:
    found: list[Bookmark] = []
    for bookmark in document.get_toc(max_depth=_DEEPEST_BOOKMARK):
        if len(found) >= _MOST_BOOKMARKS:
            break
        destination = bookmark.get_dest()
        page = destination.get_index() if destination else None
        if page is not None:
            found.append(Bookmark(bookmark.get_title(), bookmark.level + 1, page))
    return found


def _leading(pages: Sequence[Sequence[Line]], body: Body) -> float:
    """The usual distance from line to line of ordinary text, in points."""
    distances: Counter[float] = Counter()
    for lines in pages:
        for above, below in pairwise(lines):
            if above.size == below.size == body.size and 0 < above.top - below.top < 3 * body.size:
                distances[round((above.top - below.top) * 2) / 2] += 1
    return distances.most_common(1)[0][0] if distances else body.size * 1.2


def _items(lines: Sequence[Line], page: int, levels: dict[tuple[int, int], int], leading: float) -> Iterator[Item]:
    """The blocks of one page: headings that continue over lines are joined, other lines gathered into paragraphs."""
    run: list[Line] = []
    run_level = 0
    for index, line in enumerate(lines):
        level = levels.get((page, index), 0)
        if run and (level != run_level or _breaks(run, line, leading, heading=bool(level))):
            yield _item(run, run_level)
            run = []
        run.append(line)
        run_level = level
    if run:
        yield _item(run, run_level)


def _item(run: Sequence[Line], level: int) -> Item:
    if level:
        return Item(BlockKind.HEADING, " ".join(line.text for line in run), level)
    return Item(BlockKind.PARAGRAPH, "\n".join(line.text for line in run))


def _breaks(run: Sequence[Line], line: Line, leading: float, *, heading: bool) -> bool:
    """Whether `line` begins a new block after the lines of `run`."""
    above = run[-1]
    usual = max(leading, min(above.size, line.size) * 1.1)
    drop = above.bottom - (line.top - line.size)
    if drop > usual * _PARAGRAPH_GAP or drop < -2 * usual:
        return True
    if heading:
        return (above.size, above.weight) != (line.size, line.weight)
    # A first line that is set in from a full margin begins a paragraph.
    margin = min(one.left for one in run[-3:])
    return len(run) > 1 and above.left - margin < 1 and line.left - margin > line.size * 0.8 and drop > 0.5 * usual
