"""Excel workbooks."""

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from shared.adapters.files.archives import open_archive, read_entry
from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.ooxml import Package
from shared.adapters.files.source import Source
from shared.adapters.files.text import table_row
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind

_UNCALCULATED = re.compile(rb"<f(?: [^>]*)?>[^<]*</f>(?:<v\s*/>|<v></v>)?</c>")
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)


def read(source: Source, manuscript: Manuscript) -> None:
    """Write each sheet as a page: its name as heading, its cells as tables. Stored results are read, never formulas.

    Raises:
        Rejected: `corrupt_file`, `no_pages` or a limit.
    """
    Package(source.data, source.limits).describe(manuscript)
    with warnings.catch_warnings():
        # What the library leaves out (styles, validations, drawings) is nothing that is read here.
        warnings.simplefilter("ignore")
        try:
            workbook = load_workbook(BytesIO(source.data), read_only=True, data_only=True, keep_links=False)
        except InvalidFileException as error:
            raise Rejected("the file is damaged, or no Excel workbook at all", code="corrupt_file") from error
        if not workbook.worksheets:
            raise Rejected("the workbook has no sheets with cells", code="no_pages")
        for sheet in workbook.worksheets:
            manuscript.begin_page()
            _write_sheet(sheet, manuscript)
    _warn_of_formulas(source, manuscript)


def _write_sheet(sheet: Any, manuscript: Manuscript) -> None:
    if sheet.sheet_state != "visible":
        manuscript.warn(f"the sheet {sheet.title} is hidden in the workbook; it was read all the same")
    # The size a sheet claims to have is often wrong, and hostile at worst.
    sheet.reset_dimensions()
    headed = False
    for rows in _regions(sheet.iter_rows(values_only=True)):
        if not headed:
            manuscript.heading(sheet.title, 1)
            headed = True
        if all(len(row) == 1 for row in rows):
            manuscript.add(BlockKind.PARAGRAPH, "\n".join(row[0] for row in rows))
        else:
            manuscript.table(rows, name=sheet.title)


def _regions(rows: Iterable[Sequence[object]]) -> Iterator[list[list[str]]]:
    """Runs of rows between empty ones, without the columns that are empty throughout a run."""
    run: list[list[str]] = []
    for row in rows:
        cells = [_shown(value) for value in row]
        if any(cells):
            run.append(cells)
        elif run:
            yield _trimmed(run)
            run = []
    if run:
        yield _trimmed(run)


def _trimmed(rows: list[list[str]]) -> list[list[str]]:
    used = sorted({index for row in rows for index, cell in enumerate(row) if cell})
    return [[row[index] if index < len(row) else "" for index in used] for row in rows]


def _shown(value: object) -> str:
    """A cell's value as text; numbers with the 15 digits a spreadsheet keeps, dates in ISO form."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        midnight = value.time() == time(0)
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return table_row([str(value)])


def _warn_of_formulas(source: Source, manuscript: Manuscript) -> None:
    archive = open_archive(source.data, source.limits)
    sheets = [name for name in archive.namelist() if _SHEET.fullmatch(name)]
    missing = sum(len(_UNCALCULATED.findall(read_entry(archive, name))) for name in sheets)
    if missing:
        manuscript.warn(
            f"{missing} formulas have no stored result and read as empty;"
            " open the workbook in a spreadsheet program and save it"
        )
