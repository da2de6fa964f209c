"""What a reader is given."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.adapters.files.catalogue import Format
from shared.adapters.files.limits import CageLimits
from shared.adapters.files.manuscript import Manuscript
from shared.ports.syntax import Syntax


@dataclass(frozen=True, slots=True)
class Source:
    """One file, its format known."""

    data: bytes
    format: Format
    limits: CageLimits
    text: str = ""
    """For textual formats: the decoded, clean characters."""
    syntax: Syntax | None = None


type Read = Callable[[Source, Manuscript], None]
"""The signature of `read` in every module of `formats`."""
