"""Words as the keyword leg knows them."""

from typing import Protocol


class Analyser(Protocol):
    """Turns text into index terms. Pure: equal input gives equal output."""

    @property
    def version(self) -> str:
        """Changes when the terms of the same text change; part of a recipe."""
        ...

    def terms(self, text: str, language: str) -> list[str]:
        """Terms in order, repeats kept.

        Args:
            text: anything.
            language: ISO 639-1 code, or '' when unknown.
        """
        ...

    def query_terms(self, text: str) -> list[str]:
        """Terms of a question, distinct: the union over the analyses that indexed texts may have had."""
        ...
