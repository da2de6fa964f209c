"""Counting tokens without a tokenizer: a cheap, additive estimate of BERT word pieces.

Costs were fitted to the uncased English WordPiece vocabulary of MiniLM. Against its tokenizer the estimate is off by
-8 to +7 % over English prose, abstracts, filings and chat, -3 % over source code, and by at most 4 % over German,
Spanish, Romanian, Turkish, Vietnamese, Greek, Russian, Arabic, Hindi and Chinese; for single passages of 1,000
characters the middle nine tenths lie within 21 % (tests/benchmarks/extraction.py prints the figures). Thai is counted
as multilingual models cut it: MiniLM does not know its words, and would let a chunk grow to several pages.
"""

import re
from array import array
from bisect import bisect_left, bisect_right

# Runs are cut so short that the costliest fits into the smallest piece (11 tokens): then no cut ever tears one.
_LEXER = re.compile(
    r"([A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff]{1,24})"
    r"|(\d{1,12})"
    r"|([\u0370-\u07ff\u10a0-\u10ff\u1f00-\u1fff]{1,8})"
    r"|([\u0900-\u0dff]{1,8})"
    r"|([\u0e00-\u109f\u1780-\u17ff]{1,16})"
    r"|([\uac00-\ud7af]{1,4})"
    r"|(\S)"
)
_HUNDRED = 100


def _table(first: tuple[int, ...], step: int, longest: int = 24) -> tuple[int, ...]:
    """Costs by length from 0, in hundredths: those given, then `step` more for each further character."""
    costs = [0, *first]
    while len(costs) <= longest:
        costs.append(costs[-1] + step)
    return tuple(costs)


_ENGLISH = _table((100, 100, 105, 106, 107, 111, 117, 124, 134, 145, 165, 180, 190, 240, 310, 400), 55)
_OTHER_LATIN = _table((100, 103, 125, 165, 195, 225, 260, 285, 320, 350), 40)
_FACTORS = {"tr": 120, "fi": 120, "hu": 120, "et": 120, "vi": 112, "es": 92, "pt": 92}
"""Hundredths of the above, for languages whose words are cut unusually often or seldom."""
_REST = (
    _table((100, 100, 122, 116, 260), 75),
    _table((95,), 98),
    _table((72,), 70),
    _table((40,), 30),
    _table((220,), 220),
    _table((100,), 100),
)


def _latin(language: str) -> tuple[int, ...]:
    if language in ("", "en"):
        return _ENGLISH
    factor = _FACTORS.get(language, _HUNDRED)
    return tuple(cost * factor // _HUNDRED for cost in _OTHER_LATIN)


class TokenMeter:
    """Estimates for any span of one text, in logarithmic time; spans that touch add up exactly.

    Args:
        text: the whole text.
        language: ISO 639-1 code; words in Latin letters cost more pieces outside English. Empty counts as English.
    """

    def __init__(self, text: str, language: str = "") -> None:
        costs = (_latin(language), *_REST)
        self._ends = array("L", [0])
        self._sums = array("Q", [0])
        total = 0
        for match in _LEXER.finditer(text):
            start, end = match.span()
            # One group of the expression matched, so there is an index.
            total += costs[(match.lastindex or 1) - 1][end - start]
            self._ends.append(end)
            self._sums.append(total)

    def tokens(self, start: int, end: int) -> int:
        """Estimated tokens of the span, rounded up. A word counts where it ends."""
        return -(-self._cost(start, end) // _HUNDRED)

    def reach(self, start: int, end: int, limit: int) -> int:
        """The furthest end of a word, up to `end`, that keeps the span from `start` within `limit` tokens.

        It is `start` itself when not even the first word fits.
        """
        first = bisect_right(self._ends, start) - 1
        last = bisect_right(self._sums, self._sums[first] + limit * _HUNDRED) - 1
        return max(start, min(self._ends[last], end))

    def back(self, start: int, end: int, limit: int) -> int:
        """The earliest end of a word, from `start` on, from which the span up to `end` stays within `limit` tokens."""
        last = bisect_right(self._ends, end) - 1
        first = max(
            bisect_left(self._sums, max(self._sums[last] - limit * _HUNDRED, 0)), bisect_left(self._ends, start)
        )
        return int(min(end, self._ends[first])) if first <= last else end

    def floor(self, offset: int) -> int:
        """The last end of a word at or before `offset`."""
        return int(self._ends[bisect_right(self._ends, offset) - 1])

    def _cost(self, start: int, end: int) -> int:
        return int(self._sums[bisect_right(self._ends, end) - 1] - self._sums[bisect_right(self._ends, start) - 1])


def estimate_tokens(text: str, language: str = "") -> int:
    """Estimated BERT word pieces of `text`, without the special tokens around them."""
    return TokenMeter(text, language).tokens(0, len(text))
