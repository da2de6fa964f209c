"""Where sentences begin and end, in any script, without a model.

One pass over candidate boundaries: terminal punctuation, line breaks, and spaces between Thai or Lao letters. Each
pattern begins at an anchor and never gives back what it took, so hostile text costs no more than its length.
"""

import re

_WIDE = "。！？｡।॥۔؟։።။។"
_CLOSERS = "\"'”’»›)\\]}」』）】》〉＂"
_SPACED = "\u0e00-\u0eff"
"""Thai and Lao: spaces part phrases, nothing else does."""
_REFERENCES = r"(?:[ \t]?\[\d{1,4}(?:[ \t]?,[ \t]?\d{1,4})*\])*+"
_BOUNDARY = re.compile(
    rf"(?P<wide>(?<![{_WIDE}])[{_WIDE}]++[{_CLOSERS}]*+{_REFERENCES})"
    rf"|(?P<stop>(?<![.!?…])[.!?…]++[{_CLOSERS}*_]*+{_REFERENCES})(?=\s|\Z)"
    rf"|(?P<greek>(?<=[\u0370-\u03ff\u1f00-\u1fff]);)(?=\s|\Z)"
    rf"|(?P<line>[\n\r\x0b\x0c\x85\u2028\u2029]\s*+)"
    rf"|(?P<space>(?<=[{_SPACED}])[ ]++(?=[{_SPACED}]))"
)
_NEXT_WORD = re.compile(r"\s*+[\"'“‘«‹(\[{¿¡*_]*+(\d|[^\W\d_]{0,24})")
_LAST_WORD = re.compile(r"(?:\w\.)*[\w-]*\Z")
_ENUMERATOR = re.compile(r"\s*(?:\(?(?:\d{1,3}|[ivxIVX]{1,4}|[a-zA-Z]))\Z")
_LIST_ITEM = re.compile(r"(?:[-*+•‣◦▪–—]\s|\(?(?:\d{1,3}|[a-zA-Z])[.)]\s|#{1,6}\s|\||>|[^\n:.]{1,40}:\s)")
_MARKED = re.compile(r"\[\d{1,4}\]\s*\Z")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TITLES = _words(
    """
    mr mrs ms mx dr prof st mt sr jr gen col lt capt sgt maj adm rev hon pres gov sen rep fr br supt insp messrs
    mme mlle hr herr frau sra srta dra vs cf viz ca approx est al e.g i.e z.b d.h u.a p.ej bzw vgl т.е т.д т.п г
    ул им
    """
)
"""Never the end of a sentence."""
_NUMBERED = _words(
    """
    no nos nr fig figs eq eqs p pp vol vols ch chap sec art para ref refs tab table ex jan feb mar apr jun jul
    aug sep sept oct nov dec núm num рис стр
    """
)
"""Not the end when a number follows."""
_EITHER = _words(
    """
    etc inc ltd corp co llc plc bros dept univ assn ave blvd rd bldg a.m p.m u.s u.k u.n e.u ph.d b.c a.d d.c
    """
)
"""The end only when a word follows that usually opens a sentence."""
_OPENERS = _words(
    """
    the a an this that these those it its he she they we i you his her their our in on at by for from to of with
    as if when while after before since because although though however but and or so then there here what who
    where why how which all some many most each every no not one two another other such both few several first
    second finally also under over during until despite according
    """
)
_MONTHS = _words(
    """
    januar februar märz april mai juni juli august september oktober november dezember januari februari maart
    mei augustus oktober január február
    """
)
_LINE_WINDOW = 240
_SHORT_LINE = 30
_THAI_PHRASE = 100


def sentences(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of `text`, in order, without the white space around them.

    A span never begins or ends with white space and is never empty; what lies between two spans is white space.
    Reference marks such as [1] and closing quotes after the stop belong to the sentence before them. List items, table
    rows, headings and paragraphs end at their line break; a line that merely wraps does not.

    Args:
        text: anything, of any length.

    Returns:
        (start, end) in characters of `text`, end exclusive.
    """
    spans: list[tuple[int, int]] = []
    start = _skip_space(text, 0)
    for match in _BOUNDARY.finditer(text):
        if match.start() < start or not _ends(text, start, match):
            continue
        kind = match.lastgroup
        end = match.start() if kind in ("line", "space") else match.end()
        while end > start and text[end - 1].isspace():
            end -= 1
        if end > start:
            spans.append((start, end))
        start = _skip_space(text, match.end())
    end = len(text.rstrip())
    if end > start:
        spans.append((start, end))
    return spans


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _ends(text: str, start: int, match: re.Match[str]) -> bool:
    kind = match.lastgroup
    if kind == "stop":
        return _stop_ends(text, start, match)
    if kind == "line":
        return _line_ends(text, match)
    if kind == "space":
        return match.start() - start >= _THAI_PHRASE
    return True


def _stop_ends(text: str, start: int, match: re.Match[str]) -> bool:
    """Whether Western punctuation followed by white space is the end of a sentence and not of an abbreviation."""
    following = _NEXT_WORD.match(text, match.end())
    word = following.group(1) if following else ""
    lower = word[:1].islower()
    mark = match.group()
    if mark[0] in "!?":
        return not (lower and mark[-1] in "\"'”’»")
    if lower:
        return False
    if mark[0] != "." or mark[:2] == "..":
        return True
    before = text[max(start, match.start() - 30) : match.start()]
    if match.start() - start < 12 and _ENUMERATOR.fullmatch(text[start : match.start()]) and word:
        return False
    found = _LAST_WORD.search(before)
    return _word_ends(found.group() if found else "", word)


def _word_ends(last: str, following: str) -> bool:
    """Whether a full stop after the word `last` ends a sentence when `following` comes next."""
    key, opener = last.casefold(), following.casefold() in _OPENERS
    if key in _TITLES:
        return False
    if key in _NUMBERED:
        return not following.isdecimal()
    initial = last[-1:].isupper() and (len(last) == 1 or last[-2] == ".")
    if initial or key in _EITHER:
        return opener or not following
    return not (last.isdecimal() and len(last) <= 2 and following.casefold() in _MONTHS)


def _line_ends(text: str, match: re.Match[str]) -> bool:
    """Whether a line break ends what stands before it, or the line merely wraps there."""
    at = match.start()
    if match.end() >= len(text) or _breaks(match.group()) > 1:
        return True
    floor = max(0, at - _LINE_WINDOW)
    line = text[text.rfind("\n", floor, at) + 1 if "\n" in text[floor:at] else floor : at].strip()
    ahead = text[match.end() : match.end() + _LINE_WINDOW]
    if not line or line[0] in "|#" or _is_row(line) or line[-1] in ":;{}|" or _MARKED.search(line):
        return True
    following = ahead.partition("\n")[0]
    if _LIST_ITEM.match(following) or _is_row(following):
        return True
    if following[0].islower() or line[-1] in ",-–—(":
        return False
    return len(line) < _SHORT_LINE or len(line) < 0.75 * len(following)


def _is_row(line: str) -> bool:
    return " | " in line or "\t" in line


def _breaks(gap: str) -> int:
    return sum(gap.count(mark) for mark in "\n\x0b\x0c\x85\u2028\u2029") or gap.count("\r")
