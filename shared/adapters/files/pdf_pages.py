"""What is read from the pages of a PDF, and its written form, in which nothing is lost."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter

from shared.adapters.files.pdf_lines import Line

_VALUES = attrgetter(*Line.__slots__)


@dataclass(frozen=True, slots=True)
class PageRead:
    """One page: its lines, and names and values of its form fields."""

    lines: list[Line]
    fields: list[tuple[str, str]]
    damaged: bool = False


def encode_pages(pages: Sequence[PageRead]) -> bytes:
    """Write pages as JSON. Numbers survive it to the last bit."""
    rows = [[[_VALUES(line) for line in page.lines], page.fields, page.damaged] for page in pages]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def decode_pages(data: bytes) -> list[PageRead]:
    """Read what `encode_pages` wrote."""
    return [
        PageRead([Line(*line) for line in lines], [(name, value) for name, value in fields], damaged)
        for lines, fields, damaged in json.loads(data.decode("utf-8", "surrogatepass"))
    ]
