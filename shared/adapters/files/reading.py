"""From bytes to `Extracted`, in this process. Only the cage calls it on bytes that are not trusted."""

import hashlib
import struct
import traceback
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import cast

from shared.adapters.files.catalogue import Format
from shared.adapters.files.detection import detect
from shared.adapters.files.language import language_of
from shared.adapters.files.limits import CageLimits
from shared.adapters.files.manuscript import Manuscript
from shared.adapters.files.source import Paused, Read, Source, Stretch
from shared.adapters.files.text import one_line
from shared.domain.chunking_headings import heading_title
from shared.domain.errors import Rejected
from shared.domain.extracted import BlockKind, Extracted
from shared.domain.parts import Part
from shared.ports.syntax import Syntax

_LONGEST_TITLE = 300
_TITLE_WITHIN = 5
_NO_TITLES = {
    "untitled",
    "(anonymous)",
    "untitled document",
    "untitled spreadsheet",
    "untitled presentation",
    "powerpoint presentation",
    "slide 1",
    "document",
    "book1",
}
"""What programs call a document whose author gave it no title."""
# What parsers raise on bytes that are not what they should be. XML errors are SyntaxErrors, PDFium's are RuntimeErrors.
_DAMAGE = (
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
    TypeError,
    AssertionError,
    EOFError,
    OSError,
    RuntimeError,
    SyntaxError,
    zlib.error,
    struct.error,
    zipfile.BadZipFile,
)


def read_bytes(
    data: bytes, *, name: str, declared_type: str, limits: CageLimits, syntax: Syntax | None = None
) -> Extracted:
    """Read a file that is in memory, however many parts it takes.

    Raises:
        Rejected: as `read_stretch`.
        MemoryError: as `read_stretch`.
    """
    bodies: list[bytes] = []
    stretch = Stretch()
    while True:
        read = read_stretch(data, name=name, declared_type=declared_type, limits=limits, syntax=syntax, stretch=stretch)
        if isinstance(read, Extracted):
            return read
        bodies.append(read.body)
        done = read.last == read.total
        stretch = Stretch(parts=tuple(bodies)) if done else Stretch(read.last, read.characters)


def read_stretch(
    data: bytes,
    *,
    name: str,
    declared_type: str,
    limits: CageLimits,
    syntax: Syntax | None = None,
    stretch: Stretch,
) -> Extracted | Part:
    """Read as much of a file that is in memory as one process may, or make one text of its parts.

    Raises:
        Rejected: the content can never be read, with a stable code and a reason for its owner.
        MemoryError: the process may not have as much memory as the parser asked for.
    """
    if len(data) > limits.file_bytes:
        raise Rejected(f"the file has {len(data):,} bytes, more than {limits.file_bytes:,}", code="file_too_large")
    with _damage_of("text or archive"):
        detected = detect(data, name=name, declared_type=declared_type, limits=limits)
    manuscript = Manuscript(limits)
    for warning in detected.warnings:
        manuscript.warn(warning)
    try:
        with _damage_of(detected.format.label):
            reader_of(detected.format)(
                Source(data, detected.format, limits, detected.text, syntax, stretch), manuscript
            )
    except Paused as pause:
        return pause.part
    manuscript.end_page()
    text = manuscript.text()
    if not text.strip():
        raise Rejected(f"the {detected.format.label} file holds no text", code="no_text")
    return Extracted(
        text=text,
        media_type=detected.format.media_type,
        content_hash=hashlib.sha256(data).hexdigest(),
        size=len(data),
        title=_title(manuscript, text),
        language=language_of(text) if not detected.format.language else "",
        pages=tuple(manuscript.pages),
        blocks=tuple(manuscript.blocks),
        warnings=tuple(manuscript.warnings),
        properties=manuscript.properties,
    )


def _title(manuscript: Manuscript, text: str) -> str:
    """The title the file says it has, unless a program put it there; else a top heading among the first blocks."""
    title = one_line(manuscript.title)[:_LONGEST_TITLE]
    if title.casefold() not in _NO_TITLES and any(letter.isalpha() for letter in title):
        return title
    for block in manuscript.blocks[:_TITLE_WITHIN]:
        if block.kind is BlockKind.HEADING and block.level == 1:
            return heading_title(text[block.start : block.end])[:_LONGEST_TITLE]
    return ""


def reader_of(format_: Format) -> Read:
    """Import the reader of a format. Readers are imported one by one because their libraries take long to load."""
    return cast(Read, import_module(f"shared.adapters.files.formats.{format_.module}").read)


@contextmanager
def _damage_of(label: str) -> Iterator[None]:
    """Say of whatever a parser raises that the file is damaged."""
    try:
        yield
    except (Rejected, Paused):
        raise
    except RecursionError as error:
        raise Rejected(f"the {label} file is nested too deeply", code="too_deep") from error
    except _DAMAGE as error:
        raise Rejected(
            f"the file is damaged, or no sound {label} file: reading it failed ({type(error).__name__})",
            code="corrupt_file",
            where=_where(error),
        ) from error


def _where(error: BaseException) -> str:
    """The last code line reached, without any of the file's words: safe to log."""
    frames = traceback.extract_tb(error.__traceback__)
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames[-3:]))
