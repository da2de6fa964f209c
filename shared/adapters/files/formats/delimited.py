"""Tables of characters: CSV and TSV."""

import csv
from collections import Counter
from io import StringIO

from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.source import Source

_DELIMITERS = ",;\t|"
_SAMPLE_LINES = 25
_MOST_LINES_IN_A_ROW = 200


def read(source: Source, manuscript: Manuscript) -> None:
    """Write all rows as one table."""
    csv.field_size_limit(max(source.limits.text_chars, 1))
    delimiter = "\t" if source.format.key == "tsv" and "\t" in source.text else _delimiter(source.text)
    rows = _rows(source.text, delimiter, quoted=True)
    if any(cell.count("\n") > _MOST_LINES_IN_A_ROW for row in rows for cell in row):
        manuscript.warn("a quotation mark is never closed; quotation marks were read as ordinary characters")
        rows = _rows(source.text, delimiter, quoted=False)
    manuscript.table(rows)


def _rows(text: str, delimiter: str, *, quoted: bool) -> list[list[str]]:
    try:
        return list(
            csv.reader(
                StringIO(text, newline=""), delimiter=delimiter, quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
            )
        )
    except csv.Error as error:
        raise ValueError("not a table") from error


def _delimiter(text: str) -> str:
    """The character that occurs equally often in most of the first lines."""
    lines = [line for line in text[:100_000].split("\n") if line.strip()][:_SAMPLE_LINES]

    def agreement(delimiter: str) -> tuple[int, int]:
        counts = Counter(line.count(delimiter) for line in lines)
        counts.pop(0, None)
        if not counts:
            return 0, 0
        count, times = counts.most_common(1)[0]
        return times, count

    return max(_DELIMITERS, key=agreement)
