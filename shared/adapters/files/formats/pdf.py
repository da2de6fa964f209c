"""PDF, by PDFium."""

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import pypdfium2 as pdfium

from shared.adapters.files.manuscript import Item, Manuscript
from shared.adapters.files.pdf_headings import Body, Bookmark, body_of, headings
from shared.adapters.files.pdf_lines import Line, form_fields, page_lines
from shared.adapters.files.pdf_pages import PageRead, decode_pages, encode_pages
from shared.adapters.files.source import Paused, Source
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind
from shared.domain.parts import Part

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

    Pages are read one by one and in parts, if need be; what makes a heading is known only when all are read.

    Raises:
        Paused: there are more pages than one process reads.
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
    read = _kept(source.stretch.parts) or _read_pages(document, source, manuscript)
    if source.stretch.parts and len(read.pages) != count:
        raise Rejected("the parts of the PDF do not belong together", code="corrupt_file")
    if read.first or len(read.pages) < count:
        last = read.first + len(read.pages)
        raise Paused(Part(read.first, last, count, read.characters, encode_pages(read.pages)))
    _write(document, read.pages, manuscript)


def _write(document: pdfium.PdfDocument, read: Sequence[PageRead], manuscript: Manuscript) -> None:
    """Write what was read, which may have been by other processes: everything that looks at more than one page."""
    pages = [page.lines for page in read]
    if not any(pages) and not any(page.fields for page in read):
        raise Rejected(
            "the PDF holds pictures of pages and no text layer; OCR is not enabled. Run text recognition over it first",
            code="no_text",
        )
    for number, page in enumerate(read, 1):
        if page.damaged:
            manuscript.warn(f"page {number} is damaged and was left out")
    _describe(document, manuscript)
    _warn_of_empty(pages, manuscript)
    body = body_of(pages)
    levels = headings(pages, _bookmarks(document), body)
    leading = _leading(pages, body)
    for number, lines in enumerate(pages):
        manuscript.begin_page()
        manuscript.extend(_items(lines, number, levels, leading))
        manuscript.add(BlockKind.PARAGRAPH, "\n".join(f"{name}: {value}" for name, value in read[number].fields))


def _open(data: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if error.err_code in (pdfium.raw.FPDF_ERR_PASSWORD, pdfium.raw.FPDF_ERR_SECURITY):
            raise Rejected(
                "the PDF is protected by a password; remove the password and upload it again", code="encrypted"
            ) from error
        raise Rejected("the PDF is damaged and cannot be opened", code="corrupt_file") from error


@dataclass(frozen=True, slots=True)
class _Reading:
    """Pages from `first` on, and how many characters they and those before them have."""

    first: int
    pages: list[PageRead]
    characters: int


def _kept(parts: Sequence[bytes]) -> _Reading | None:
    return _Reading(0, [page for part in parts for page in decode_pages(part)], 0) if parts else None


def _read_pages(document: pdfium.PdfDocument, source: Source, manuscript: Manuscript) -> _Reading:
    """Lines and filled-in fields of every page from where the reading before stopped, as far as time allows.

    A damaged page counts as empty.
    """
    first, length = source.stretch.after, source.stretch.characters
    until = time.monotonic() + source.limits.part_seconds
    pages: list[PageRead] = []
    for number in range(first, len(document)):
        if len(pages) == source.limits.part_pages or (pages and time.monotonic() > until):
            break
        page = pdfium.raw.FPDF_LoadPage(document.raw, number)
        if not page:
            pages.append(PageRead([], [], damaged=True))
            continue
        pages.append(PageRead(page_lines(page), form_fields(page)))
        pdfium.raw.FPDF_ClosePage(page)
        length += sum(len(line.text) + 1 for line in pages[-1].lines)
        if length > manuscript.limits.text_chars:
            # The manuscript would say so too, but only after all pages were read into memory.
            manuscript.check_length(length)
    return _Reading(first, pages, length)


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
