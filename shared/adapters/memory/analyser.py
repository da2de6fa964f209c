"""Words without a stemmer."""

from shared.domain.words import prefix_stem, words


class MemoryAnalyser:
    """Implements `shared.ports.analyser.Analyser` by the language-neutral form alone, whatever the language."""

    @property
    def version(self) -> str:
        """See the port."""
        return "memory/1"

    def terms(self, text: str, language: str) -> list[str]:
        """See the port."""
        return [prefix_stem(word) for word in words(text)]

    def query_terms(self, text: str) -> list[str]:
        """See the port."""
        return list(dict.fromkeys(self.terms(text, "")))[:256]
