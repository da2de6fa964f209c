"""Rich Text Format."""

import re
from collections.abc import Callable
from functools import partial

from striprtf import striprtf

from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.source import Source
from shared.adapters.files.text import clean
from shared.domain.extracted import BlockKind

_TITLE = re.compile(r"{\\info\b.{0,2000}?{\\title ([^{}\\]+)}", re.DOTALL)
_CELL_END = "|"


_text: Callable[[str], str] = partial(striprtf.rtf_to_text, errors="replace")


def read(source: Source, manuscript: Manuscript) -> None:
    """Write the paragraphs; runs of table rows become tables."""
    raw = source.data.decode("latin-1")
    if title := _TITLE.search(raw):
        manuscript.title = title[1].strip()
    rows: list[list[str]] = []
    for line in clean(_text(raw)).split("\n"):
        # The library ends every cell with a bar, and so every row.
        if line.rstrip().endswith(_CELL_END) and line.count(_CELL_END) > 1:
            rows.append(line.rstrip()[:-1].split(_CELL_END))
            continue
        manuscript.table(rows)
        rows = []
        manuscript.add(BlockKind.PARAGRAPH, line)
    manuscript.table(rows)
