"""What a reader is given."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.adapters.files.catalogue import Format
from shared.adapters.files.limits import CageLimits
from shared.adapters.files.manuscript import Manuscript
from shared.domain.parts import Part
from shared.ports.syntax import Syntax


@dataclass(frozen=True, slots=True)
class Stretch:
    """Which part of a long file to read now; or that all of it is read, and what came of it."""

    after: int = 0
    """Pages read before."""
    characters: int = 0
    """Of those pages."""
    parts: tuple[bytes, ...] = ()
    """Everything that was read, when nothing more is to be read."""


class Paused(Exception):
    """Raised by a reader that stops before the end of a long file; carries what it has."""

    def __init__(self, part: Part) -> None:
        super().__init__()
        self.part = part


@dataclass(frozen=True, slots=True)
class Source:
    """One file, its format known."""

    data: bytes
    format: Format
    limits: CageLimits
    text: str = ""
    """For textual formats: the decoded, clean characters."""
    syntax: Syntax | None = None
    stretch: Stretch = Stretch()


type Read = Callable[[Source, Manuscript], None]
"""The signature of `read` in every module of `formats`."""
