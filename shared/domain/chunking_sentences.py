"""Where sentences end, in any of the languages that mark it."""

import re
from collections.abc import Iterator

# A full stop, with closing marks, before white space; or an ideographic one, which needs none.
_END = re.compile(
    "([.!?\u2026\u0964\u061f\u06d4]+[\"'\u201d\u2019)\\]\u00bb]*)\\s+"
    "|[\u3002\uff01\uff1f\uff61]+[\u300d\u300f\u201d\uff09]*"
    "|\\n+"
)
_THAI = re.compile("(?<=[\u0e00-\u0e7f])\\s+(?=[\u0e00-\u0e7f])")
_WORD_BEFORE = re.compile(r"[\w.&-]+\Z")
_OPENING = "\"'\u201c\u2018\u00ab\u00bf\u00a1([\u2022-\u2013\u2014"
_NEVER_LAST = frozenset(
    re.findall(
        r"\S+",
        "mr mrs ms dr prof sr jr st rev hon gen col sgt capt lt mt vs etc no nos vol vols fig figs eq eqs sec ch pp p"
        " ed eds al cf ca approx resp incl est dept univ inc corp co ltd bros jan feb mar apr jun jul aug sep sept oct"
        " nov dec e.g i.e a.m p.m u.s u.k u.n d.c ph.d b.a m.a z.b d.h u.a usw bzw ca nr str bspw vgl abs art hrsg sog"
        " s ss op cit ex p.ex c.-a-d m mme mlle av n num pag ej sra srta dra tel",
    )
)
"""Lower-case words whose full stop is part of them."""
_CAN_END = frozenset(("etc", "inc", "corp", "co", "ltd", "a.m", "p.m", "u.s", "u.k", "usw", "al", "jr", "no"))
"""Those of them that a sentence may end with, if the next one clearly begins."""
_WRAPPED_SHARE = 0.7
_THAI_WINDOW = 60
"""Thai puts spaces between phrases; closer together than this they are no sentence."""


def sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Spans of the sentences in `text[start:end]`, in order, without white space around them; no word is left out."""
    position = start
    for boundary in _boundaries(text, start, end):
        first, last = _trimmed(text, position, boundary)
        if first < last:
            yield first, last
        position = boundary
    first, last = _trimmed(text, position, end)
    if first < last:
        yield first, last


def _boundaries(text: str, start: int, end: int) -> Iterator[int]:
    """Offsets at which a sentence begins."""
    thai = _THAI.search(text, start, end) is not None
    width = max(map(len, text[start:end].split("\n")), default=0)
    last = start
    for match in (_THAI if thai else _END).finditer(text, start, end):
        if match.start() - last >= _THAI_WINDOW if thai else _ends_at(text, match, start, end, width):
            last = match.end()
            yield last


def _ends_at(text: str, match: re.Match[str], start: int, end: int, width: int) -> bool:
    if match[1] is not None:
        return _ends_here(text, match.start(), match[1], match.end(), start, end)
    if text[match.start()] != "\n":
        return True
    # A line that was wrapped is nearly as long as the others; one that is not is a row, a verse or a title.
    line = match.start() - max(text.rfind("\n", start, match.start()) + 1, start)
    return line < _WRAPPED_SHARE * width


def _ends_here(text: str, stop: int, marks: str, after: int, start: int, end: int) -> bool:
    """Whether a stop that is followed by white space ends its sentence."""
    if after >= end:
        return False
    following = text[after]
    begins = following.isupper() or following.isdigit() or following in _OPENING or _caseless(following)
    if marks[0] != "." or marks.startswith(".."):
        return begins or following.islower() is False
    before = _WORD_BEFORE.search(text, max(start, stop - 24), stop)
    word = before[0].lower() if before else ""
    if not begins:
        return False
    if word in _NEVER_LAST:
        return word in _CAN_END and following.isupper() and not text[after : after + 2].strip().isdigit()
    if len(word) == 1 and word.isalpha():
        # An initial, or the letter of an enumeration.
        return False
    # The number of an enumeration at the start of a line.
    numbered = word.isdigit() and len(word) <= 2 and _begins_line(text, stop - len(word), start)
    return not numbered


def _begins_line(text: str, offset: int, start: int) -> bool:
    return offset <= start or text[offset - 1] == "\n"


def _caseless(letter: str) -> bool:
    """Whether a letter belongs to a script without capitals."""
    return letter.isalpha() and letter.lower() == letter.upper()


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
