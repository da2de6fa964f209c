"""Finding the definitions in source code."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Definition:
    """One function, class or the like. Offsets are characters of the text asked about, end exclusive."""

    start: int
    end: int
    name: str
    """Qualified by what encloses it: `Parser.read`."""


class Syntax(Protocol):
    """Knows the grammar of programming languages."""

    def definitions(self, text: str, language: str) -> list[Definition]:
        """The definitions in `text`, by start; one may contain others, they never cross.

        Args:
            text: source code, whole.
            language: lower-case name of the language, such as `python` or `typescript`.

        Returns:
            Definitions with their comments and decorators; empty when the language is unknown or nothing was found.
        """
        ...
