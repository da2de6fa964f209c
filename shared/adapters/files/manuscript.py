"""The text being written by a reader: every block is cleaned, appended, and its offsets noted in the same step."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.adapters.files.limits import CageLimits
from shared.adapters.files.text import clean, one_line, paragraph, table_row
from shared.domain.errors import Rejected
from shared.domain.extracted import Block, BlockKind, Page

_PROPERTY_LENGTH = 1_000
_MOST_WARNINGS = 50


@dataclass(frozen=True, slots=True)
class Item:
    """A block that has no place in the text yet."""

    kind: BlockKind
    text: str
    level: int = 0
    name: str = ""


class Manuscript:
    """Text, blocks and pages, growing together. Blocks are separated by one empty line.

    All adding methods raise Rejected (`too_much_text`, `too_many_pages`) when a limit is passed.
    """

    def __init__(self, limits: CageLimits) -> None:
        self.limits = limits
        self.title = ""
        self.properties: dict[str, str] = {}
        self.warnings: list[str] = []
        self.blocks: list[Block] = []
        self.pages: list[Page] = []
        self._parts: list[str] = []
        self._length = 0
        self._page_start: int | None = None

    def add(self, kind: BlockKind, text: str, *, level: int = 0, name: str = "") -> None:
        """Append a block of clean lines; nothing happens when the text is blank."""
        text = clean(text).strip("\n").rstrip() if kind is BlockKind.CODE else paragraph(text)
        if text.strip():
            self._append(text, [Block(kind, 0, len(text), level, one_line(name))])

    def heading(self, text: str, level: int) -> None:
        """Append a heading; line breaks within it become spaces. Levels beyond 6 count as 6."""
        self.add(BlockKind.HEADING, one_line(text), level=min(max(level, 1), 6))

    def table(self, rows: Iterable[Sequence[str]], *, name: str = "") -> None:
        """Append a table, one line a row; empty rows are dropped."""
        lines = []
        length = 0
        for row in rows:
            if line := table_row(list(row)):
                lines.append(line)
                length += len(line) + 1
                self.check_length(length)
        self.add(BlockKind.TABLE, "\n".join(lines), name=name)

    def extend(self, items: Iterable[Item]) -> None:
        """Append blocks made elsewhere."""
        for item in items:
            self.add(item.kind, item.text, level=item.level, name=item.name)

    def source(self, text: str, blocks: Sequence[Block]) -> None:
        """Append `clean`ed text as it stands, with blocks whose offsets are relative to it."""
        if text.strip():
            self._append(text, blocks)

    def begin_page(self) -> None:
        """What is added from here on stands on the next page."""
        self.end_page()
        if len(self.pages) >= self.limits.pages:
            raise Rejected(
                f"the file has more than {self.limits.pages} pages; split it and upload the parts",
                code="too_many_pages",
            )
        # The blank line before the next block belongs to no page.
        self._page_start = self._length + (2 if self._length else 0)

    def end_page(self) -> None:
        """Close the page that is open, if any. A page without text is kept, empty."""
        if self._page_start is not None:
            start = min(self._page_start, self._length)
            self.pages.append(Page(len(self.pages) + 1, start, self._length))
            self._page_start = None

    def describe(self, name: str, value: object) -> None:
        """Note what the file says of itself; blank values and line breaks are dropped, long ones cut."""
        text = one_line(str(value))[:_PROPERTY_LENGTH]
        if value is not None and text:
            self.properties[name] = text

    def warn(self, text: str) -> None:
        """Note something the owner should know; repeated and excess warnings are dropped."""
        line = one_line(text)[:_PROPERTY_LENGTH]
        if line not in self.warnings and len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(line)

    def text(self) -> str:
        """Everything written so far."""
        return "".join(self._parts)

    def _append(self, text: str, blocks: Iterable[Block]) -> None:
        self.check_length(len(text))
        if self._length:
            self._parts.append("\n\n")
            self._length += 2
        start = self._length
        self._parts.append(text)
        self._length += len(text)
        self.blocks += [
            Block(block.kind, start + block.start, start + block.end, block.level, block.name) for block in blocks
        ]
        if len(self.blocks) > self.limits.blocks:
            raise Rejected(
                f"the file falls into more than {self.limits.blocks:,} paragraphs and tables; split it",
                code="too_much_text",
            )

    def check_length(self, more: int) -> None:
        """Refuse when that many characters more would be too many."""
        if self._length + more > self.limits.text_chars:
            raise Rejected(
                f"the file holds more than {self.limits.text_chars:,} characters of text; split it",
                code="too_much_text",
            )
