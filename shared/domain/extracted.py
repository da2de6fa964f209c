"""What a reader makes of a file: one text, and where things are in it.

All offsets are characters of `text`, end exclusive.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class BlockKind(StrEnum):
    """What a stretch of text is."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST = "list"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Block:
    """One stretch of text of one kind. Blocks are ordered and never overlap; what lies between them is white space."""

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    """Heading level, 1 = top; 0 for everything else."""
    name: str = ""
    """For code: the name of the definition (function, class). For tables: sheet name or caption. Otherwise empty."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page, slide or sheet."""

    number: int
    """Counted from 1."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Extracted:
    """The text of one document generation with its structure.

    Invariants (checked by `problems`): blocks and pages lie inside the text, are ordered and do not overlap.
    """

    text: str
    media_type: str
    content_hash: str
    """sha256 of the file's bytes, hexadecimal."""
    size: int
    """Bytes of the file."""
    title: str = ""
    language: str = ""
    """ISO 639-1 code; empty when the text is too short to tell."""
    pages: tuple[Page, ...] = ()
    blocks: tuple[Block, ...] = ()
    warnings: tuple[str, ...] = ()
    """What was left out and why, in words for the person who uploaded it."""
    properties: dict[str, str] = field(default_factory=dict)
    """What the file says of itself: author, created, subject, from, to, date … Strings only."""

    def problems(self) -> list[str]:
        """Say which invariants are broken; empty when none is."""
        found = []
        sides: tuple[tuple[str, tuple[Page | Block, ...]], ...] = (("page", self.pages), ("block", self.blocks))
        for name, spans in sides:
            last = 0
            for index, span in enumerate(spans):
                if not 0 <= span.start <= span.end <= len(self.text):
                    found.append(f"{name} {index} lies outside the text: {span.start}-{span.end} of {len(self.text)}")
                if span.start < last:
                    found.append(f"{name} {index} starts at {span.start}, before the end of the one before it ({last})")
                last = span.end
        return found
