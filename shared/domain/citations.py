"""Check what an answer cites: each marker becomes a citation with the very words it rests on, or goes.

An answer is cut into sentences. For every sentence and every source it names, the part of the source is found that
supports it; the marker is renumbered to stand for exactly that part. So a number means one quotation, and two sentences
that rest on different parts of one source have two.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.domain.chats import NOT_FOUND_ANSWER, Citation, Sentence
from shared.domain.evidence import Claim, Source, Support, share
from shared.domain.search import VisibleChunk
from shared.domain.sentences import sentences

SUPPORTED = 0.5
"""Share of a sentence's content words that its quotations must hold between them."""

_NUMBERS = r"\d{1,4}(?: ?[,;–-] ?\^?\d{1,4}){0,20}+"
_LINK = r"\((?:https?:|#|/)[^()\s`]{0,300}+\)"
_MARKER = rf"[\[【](?:\^|[Ss]ources?:? |[Dd]oc(?:ument)?s?:? )?{_NUMBERS}(?:†[^\]】\n`]{{0,80}}+)?[\]】](?:{_LINK})?+"
_CODE = r"```(?:(?!```)[\s\S])*+```|`[^`\n]++`"
_SCAN = re.compile(rf"(?P<code>{_CODE})|(?P<markers>{_MARKER}(?:[ \t]*+,?+[ \t]*+{_MARKER})*+)")
_SINGLE = re.compile(rf"(?P<code>{_CODE})|(?P<marker>{_MARKER})")
_BRACKETED = re.compile(r"[\[【][^\]】]*+[\]】]")
_TAIL = re.compile(r"†[\s\S]*+|\([\s\S]*+")
_RANGE = re.compile(r"(\d+)(?: ?([–-]) ?\^?(\d+))?")
_PLACE = "[0]"
_ROUND = str.maketrans("[]【】", "()()")
_WORD = re.compile(r"\w")
_DECORATION = " \t\n*_\"'`.“”‘’>#-"


@dataclass(frozen=True, slots=True)
class CheckedAnswer:
    """An answer whose every citation was checked."""

    text: str
    """With markers [1] to [k], k = len(citations), numbered as they first appear."""
    citations: tuple[Citation, ...]
    sentences: tuple[Sentence, ...]
    found: bool
    """False: the answer says that the documents do not answer the question."""


def check(answer: str, sources: Mapping[int, VisibleChunk]) -> CheckedAnswer:
    """Resolve and verify an answer's citations. Any text is taken; nothing raises.

    - A marker that names no source is removed; [1, 2], [1-3], 【1†x】 and [source 1] are understood.
    - Each quotation is verbatim: `quote == chunk.text[start - chunk.start : end - chunk.start]`.
    - A sentence is supported when its quotations hold half of its content words, and every number in it.
    - A sentence without a marker, and one whose source says nothing of the kind, is marked as unsupported.
    - `check(text, {citation.number: its chunk})` of the result gives the result again.

    Args:
        answer: as the model wrote it.
        sources: what the caller may read, by the number the model was given.
    """
    if _says_not_found(answer):
        return CheckedAnswer(NOT_FOUND_ANSWER, (), (), found=False)
    skeleton = _Skeleton.of(answer, sources)
    spans = skeleton.spans()
    if not spans:
        return CheckedAnswer(NOT_FOUND_ANSWER, (), (), found=False)
    book = _Book(sources)
    pieces: list[str] = []
    checked: list[Sentence] = []
    done = length = 0
    for start, end in spans:
        gap = skeleton.text[done:start]
        written, numbers, supported = book.write(skeleton, start, end)
        checked.append(Sentence(length + len(gap), length + len(gap) + len(written), numbers, supported))
        pieces += (gap, written)
        length += len(gap) + len(written)
        done = end
    text = "".join(pieces) + skeleton.text[done:]
    # A model may say that it found nothing and then go on from its own knowledge.
    admitted = bool(checked) and _says_not_found(text[checked[0].start : checked[0].end])
    found = not admitted or any(sentence.supported for sentence in checked)
    return CheckedAnswer(text, tuple(book.citations), tuple(checked), found)


def unmarked(text: str) -> str:
    """The text without what `check` would take for a marker, to quote words that have marks of their own."""
    return re.sub(rf"\s?{_MARKER}", "", text)


def _says_not_found(text: str) -> bool:
    return _plain(_SCAN.sub("", text) if len(text) < 200 else text) in ("", _plain(NOT_FOUND_ANSWER))


def _plain(text: str) -> str:
    return " ".join(text.strip(_DECORATION).casefold().split())


@dataclass(slots=True)
class _Skeleton:
    """The answer with every valid marker as [0], so that where sentences end does not depend on the numbers."""

    text: str = ""
    marks: dict[int, int] = field(default_factory=dict)
    """Where each [0] stands, and the source it names."""

    @classmethod
    def of(cls, answer: str, sources: Mapping[int, VisibleChunk]) -> "_Skeleton":
        first_of = {sources[number].chunk.id: number for number in sorted(sources, reverse=True)}
        same = {number: first_of[source.chunk.id] for number, source in sources.items()}
        made = cls()
        pieces: list[str] = []
        done = length = 0
        for match in _SCAN.finditer(answer):
            if match.lastgroup == "code":
                continue
            before = answer[done : match.start()]
            named = list(dict.fromkeys(same[number] for number in _named(match["markers"]) if number in same))
            if not named:
                before = before.rstrip(" \t")
            pieces.append(before + _PLACE * len(named))
            length += len(before)
            for number in named:
                made.marks[length] = number
                length += len(_PLACE)
            done = match.end()
        made.text = "".join(pieces) + answer[done:]
        made._tidy()
        return made

    def _tidy(self) -> None:
        """Trim, and part what has become a marker only because one inside it was removed."""
        pieces, done = [], 0
        for match in _SINGLE.finditer(self.text):
            if match.lastgroup == "marker" and match.start() not in self.marks:
                pieces += [self.text[done : match.start()], match.group().translate(_ROUND)]
                done = match.end()
        text = "".join(pieces) + self.text[done:]
        lead = len(text) - len(text.lstrip())
        self.text = text.strip()
        self.marks = {at - lead: number for at, number in self.marks.items()}

    def spans(self) -> list[tuple[int, int]]:
        """Sentences that say something; a line of markers alone belongs to the sentence before it."""
        found: list[tuple[int, int]] = []
        waiting: int | None = None
        for start, end in sentences(self.text):
            if _WORD.search(self.bare(start, end)):
                found.append((start if waiting is None else waiting, end))
                waiting = None
            elif any(True for _ in self.within(start, end)):
                if found:
                    found[-1] = (found[-1][0], end)
                elif waiting is None:
                    waiting = start
        return found

    def within(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Markers of a span: place and source."""
        at = self.text.find(_PLACE, start, end)
        while at >= 0:
            if at in self.marks:
                yield at, self.marks[at]
            at = self.text.find(_PLACE, at + 1, end)

    def bare(self, start: int, end: int) -> str:
        """A span without its markers."""
        pieces, done = [], start
        for at, _ in self.within(start, end):
            pieces.append(self.text[done:at])
            done = at + len(_PLACE)
        return "".join(pieces) + self.text[done:end]


def _named(markers: str) -> Iterator[int]:
    for bracket in _BRACKETED.findall(markers):
        for first, dash, last in _RANGE.findall(_TAIL.sub("", bracket)):
            yield from range(int(first), min(int(last), int(first) + 20) + 1) if dash else (int(first),)


class _Book:
    """The citations given so far, one for each part of a source that something rests on."""

    def __init__(self, sources: Mapping[int, VisibleChunk]) -> None:
        self._sources = sources
        self._read: dict[int, Source] = {}
        self._numbers: dict[tuple[int, int, int], int] = {}
        self.citations: list[Citation] = []

    def write(self, skeleton: _Skeleton, start: int, end: int) -> tuple[str, tuple[int, ...], bool]:
        """One sentence with its final markers, their numbers, and whether they support it."""
        marks = list(skeleton.within(start, end))
        if not marks:
            return skeleton.text[start:end], (), False
        claim = Claim.of(skeleton.bare(start, end))
        supports = {number: self._support(number, claim) for number in dict.fromkeys(number for _, number in marks)}
        given = {number: self._number(number, claim, support) for number, support in supports.items()}
        pieces, done = [], start
        for at, number in marks:
            pieces.append(f"{skeleton.text[done:at]}[{given[number]}]")
            done = at + len(_PLACE)
        found = supports.values()
        proven = share(claim, found) >= SUPPORTED and claim.numbers <= frozenset().union(
            *(one.numbers for one in found)
        )
        return "".join(pieces) + skeleton.text[done:end], tuple(dict.fromkeys(given.values())), proven

    def _support(self, number: int, claim: Claim) -> Support:
        chunk = self._sources[number].chunk
        source = self._read.setdefault(number, Source(chunk.text))
        # Nothing in common (another language, an invention): the reader sees the whole passage and judges.
        return source.support(claim) or Support(0, len(chunk.text), frozenset(), frozenset())

    def _number(self, number: int, claim: Claim, support: Support) -> int:
        key = (number, support.start, support.end)
        if key not in self._numbers:
            self._numbers[key] = len(self.citations) + 1
            self.citations.append(
                _citation(len(self.citations) + 1, self._sources[number], support, share(claim, [support]))
            )
        return self._numbers[key]


def _citation(number: int, source: VisibleChunk, support: Support, strength: float) -> Citation:
    chunk = source.chunk
    return Citation(
        number=number,
        chunk_id=chunk.id,
        document_id=chunk.id.document_id,
        document_name=source.document_name,
        generation=chunk.id.generation,
        start=chunk.start + support.start,
        end=chunk.start + support.end,
        quote=chunk.text[support.start : support.end],
        page=chunk.page_first,
        heading_path=chunk.heading_path,
        support=round(strength, 3),
    )
