"""Which part of a source supports a sentence: the same words in the same order, or the sentences that share most of its
words.
"""

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.domain.function_words import FUNCTION_WORDS
from shared.domain.sentences import sentences
from shared.domain.words import prefix_stem, words

WINDOW = 3
"""Neighbouring sentences that are quoted together at most."""
EXTRA_SENTENCE = 0.3
"""Share of a claim's weight that another quoted sentence must at least bring."""

_SHORTEST_QUOTE = 8
_REFERENCE_MARK = re.compile(r"\[\d{1,4}(?: ?[,;–-] ?\d{1,4}){0,20}+\]")
_LEAD = re.compile(r"\s*+(?:(?:\d{1,3}|[a-z])[.)]\s|[-*•‣◦–—>#|]+\s)?\s*+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*+")
_NAMES = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMERALS = {name: str(value) for value, name in enumerate(_NAMES.split())}
_ALIKE = {
    **dict.fromkeys("\u2018\u2019\u02bc`\u00b4", "'"),
    **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"),
    **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff*_", ""),
}
_ENDS = " .!?…:;,\"'。！？।"


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence of an answer, without its citation marks."""

    text: str
    stems: frozenset[str]
    """Of its content words; of all its words when it has no others."""
    numbers: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Claim":
        """Read a sentence; a list mark before it does not count."""
        bare = text[lead.end() :] if (lead := _LEAD.match(text)) else text
        return cls(bare, content_stems(bare), numbers(bare))


@dataclass(frozen=True, slots=True)
class Support:
    """A span of a source, and the claim's words found in it."""

    start: int
    end: int
    stems: frozenset[str]
    numbers: frozenset[str]


def content_stems(text: str) -> frozenset[str]:
    """Stems of the words that say something; of all words when none does."""
    found = words(text)
    return frozenset(prefix_stem(word) for word in found if word not in FUNCTION_WORDS) or frozenset(found)


def numbers(text: str) -> frozenset[str]:
    """Numbers in figures, without thousands commas; English number words up to twelve count as figures."""
    figures = {number.replace(",", "") for number in _NUMBER.findall(text)}
    return frozenset(figures | {_NUMERALS[word] for word in text.casefold().split() if word in _NUMERALS})


def folded(text: str) -> tuple[str, list[int]]:
    """The text as it is compared word for word, and for each character of it where it stands in `text`.

    Letter case, kinds of quotes and dashes, runs of white space, invisible characters, emphasis and reference marks
    make no difference.
    """
    letters: list[str] = []
    places: list[int] = []
    skip_to = 0
    for place, letter in enumerate(text):
        if place < skip_to:
            continue
        if letter == "[" and (mark := _REFERENCE_MARK.match(text, place)):
            skip_to = mark.end()
            continue
        if letter.isspace():
            if letters and letters[-1] != " ":
                letters.append(" ")
                places.append(place)
            continue
        for form in _letter(letter):
            letters.append(form)
            places.append(place)
    return "".join(letters), places


def _letter(letter: str) -> str:
    if letter in _ALIKE:
        return _ALIKE[letter]
    return letter.lower() if letter.isascii() else unicodedata.normalize("NFKC", letter).casefold()


@dataclass(slots=True)
class Source:
    """A text to find support in; what is computed from it is kept.

    A row of a table (`a | b | c`) is read together with the table's first row, without which its cells say nothing.
    """

    text: str
    _folded: tuple[str, list[int]] | None = None
    _spans: list[tuple[int, int]] = field(default_factory=list)
    _stems: list[frozenset[str]] = field(default_factory=list)
    _where: dict[str, list[int]] = field(default_factory=dict)
    _headers: dict[int, str] = field(default_factory=dict)
    """By where a row begins: the first row of its table."""

    def support(self, claim: Claim) -> Support | None:
        """The best support for a claim; None when not one word of it is there."""
        found = self._verbatim(claim) or self._overlapping(claim)
        if found is None:
            return None
        read = f"{self.text[found[0] : found[1]]}\n{self._headers.get(found[0], '')}"
        return Support(*found, claim.stems & every_form(read), claim.numbers & numbers(read))

    def _verbatim(self, claim: Claim) -> tuple[int, int] | None:
        wanted = folded(claim.text)[0].strip(_ENDS)
        if len(wanted) < _SHORTEST_QUOTE:
            return None
        if self._folded is None:
            self._folded = folded(self.text)
        text, places = self._folded
        at = text.find(wanted)
        while at >= 0:
            after = at + len(wanted)
            if not _inside_word(text, at) and not _inside_word(text, after):
                end = places[after - 1] + 1
                while end < len(self.text) and self.text[end] in _ENDS[1:]:
                    end += 1
                return places[at], end
            at = text.find(wanted, after)
        return None

    def _overlapping(self, claim: Claim) -> tuple[int, int] | None:
        if not self._spans:
            self._read()
        hits: dict[int, float] = {}
        count = len(self._spans)
        weights = {stem: math.log(1 + count / len(self._where[stem])) for stem in claim.stems & self._where.keys()}
        for stem, weight in weights.items():
            for index in self._where[stem]:
                hits[index] = hits.get(index, 0.0) + weight
        if not hits:
            return None
        first, last = self._window(hits, weights)
        return self._spans[first][0], self._spans[last][1]

    def _window(self, hits: dict[int, float], weights: dict[str, float]) -> tuple[int, int]:
        """First and last of the neighbouring sentences that cover most of the claim's weight for the least text."""
        total = sum(weights.values())
        best, best_score = (0, 0), -1.0
        for first in sorted(hits):
            seen: set[str] = set()
            covered = 0.0
            for last in range(first, min(first + WINDOW, len(self._spans))):
                if last in hits:
                    fresh = (self._stems[last] & weights.keys()) - seen
                    covered += sum(weights[stem] for stem in fresh)
                    seen |= fresh
                    score = covered / total - EXTRA_SENTENCE * (last - first)
                    if score > best_score + 1e-9:
                        best, best_score = (first, last), score
        return best

    def _read(self) -> None:
        self._spans = sentences(self.text)
        header = ""
        for index, (start, end) in enumerate(self._spans):
            line = self.text[start:end]
            row = " | " in line
            if row and header:
                self._headers[start] = header
            stems = every_form(f"{line}\n{header}" if row else line)
            header = (header or line) if row else ""
            self._stems.append(stems)
            for stem in stems:
                self._where.setdefault(stem, []).append(index)


def every_form(text: str) -> frozenset[str]:
    """A source's words and their stems: a claim is looked for as stems, or as words when it has only function words."""
    found = words(text)
    return frozenset(found) | {prefix_stem(word) for word in found}


def share(claim: Claim, supports: Iterable[Support]) -> float:
    """Share of the claim's content words that the supports have between them, 0-1."""
    found: set[str] = set()
    for support in supports:
        found |= support.stems
    return len(found) / len(claim.stems) if claim.stems else 0.0


def _inside_word(text: str, at: int) -> bool:
    """Whether a cut before `at` would part a word; scripts without spaces have no such cuts."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum() and text[at].isascii()
