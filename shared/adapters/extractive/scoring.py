"""How well each sentence of the passages answers a question.

The weights were fitted on half of the articles of an English reading test (softmax over the sentences of five passages
for the order, logistic regression against passages of other articles for whether there is an answer at all), rounded,
and measured on the other half: `python -m tests.evaluation.answers`.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from shared.adapters.extractive import tables
from shared.adapters.extractive.cues import counts, fits, is_pointing
from shared.adapters.extractive.question import Question
from shared.domain.chats import Passage
from shared.domain.citations import unmarked
from shared.domain.sentences import sentences

FOUND = -0.75
"""What `Candidate.evidence` must reach for there to be an answer: of 100 answerable questions 6 fall below it, of 100
unanswerable ones 89.
"""
_NEAR = 4
"""Words between two terms that still count as neighbours."""
_NO_NAMES = 0.6
"""What a question without names counts as having found of them."""


@dataclass(slots=True)
class Candidate:
    """A sentence or table row of a passage, and what speaks for it. Shares are of the question's terms, weighted by how
    rare they are here.
    """

    passage: int
    """Place in the list of passages, 0 first."""
    place: int
    """Place in the passage."""
    text: str
    """As it would be said."""
    stems: list[str]
    own: float = 0.0
    """Share of the terms in the sentence."""
    before: float = 0.0
    """Further share in the sentence before and the headings."""
    after: float = 0.0
    """Further share in the sentence after."""
    elsewhere: float = 0.0
    """Further share in the rest of the passage."""
    pairs: float = 0.0
    """Share of the question's neighbouring terms that are neighbours here too."""
    names: float = 0.0
    """Share of the question's names in the sentence, the one before, or the headings."""
    fits: float = 0.0
    """1 when something of the kind asked for is in it."""
    counts: float = 0.0
    """1 when a number stands before what is counted."""
    pointing: bool = False
    """It begins with 'it', 'they', 'this' …"""
    terms: int = 0
    """How many terms are in it."""
    nameless: bool = True
    """The question has no names."""

    @property
    def score(self) -> float:
        """For the order: a difference of 2 is a factor of e² in likelihood."""
        return (
            4.6 * self.own
            + 3.2 * self.before
            + 1.7 * self.after
            + 2.8 / (self.passage + 1)
            + 0.85 * self.pairs
            + 0.5 * self.names
            + 2.0 * self.fits
            + 0.4 * self.counts
            + 1.2 * (self.before if self.pointing else 0.0)
            + 0.75 * self.terms
            + 0.35 / (self.place + 1)
        )

    @property
    def evidence(self) -> float:
        """Log-odds that its passage answers the question."""
        return (
            5.2 * self.own
            + 7.0 * (self.before + self.after)
            + 5.5 * self.elsewhere
            + 2.8 * self.pairs
            + 2.8 * (_NO_NAMES if self.nameless else self.names)
            + 3.5 * min(self.terms, 4) / 4
            - 6.4
        )


def candidates(question: Question, passages: Sequence[Passage]) -> list[Candidate]:
    """All sentences and rows of all passages, measured."""
    found = [one for index, passage in enumerate(passages) for one in _cut(question, index, passage)]
    _join_forms(question, found)
    present = Counter(stem for one in found for stem in set(one.stems))
    weight = {term: math.log(1 + (len(found) - present[term] + 0.5) / (present[term] + 0.5)) for term in question.terms}
    for index, passage in enumerate(passages):
        within = [one for one in found if one.passage == index]
        heading = {stem for part in (passage.document_name, *passage.heading_path) for stem in question.stems(part)}
        _measure(question, weight, within, heading)
    return found


def _cut(question: Question, index: int, passage: Passage) -> list[Candidate]:
    """A passage's sentences; rows of a table are told with their header, which is none itself."""
    # Reference marks of the source's own would pass for ours.
    text = unmarked(passage.text)
    lines = [text[start:end] for start, end in sentences(text)]
    found: list[Candidate] = []
    header = ""
    for place, line in enumerate(lines):
        if not tables.is_row(line):
            found.append(Candidate(index, place, line, question.stems(line)))
            continue
        if place == 0 or not tables.is_row(lines[place - 1]):
            until = next((last for last in range(place, len(lines)) if not tables.is_row(lines[last])), len(lines))
            header = tables.header_of(lines[place:until])
            if header:
                continue
        if not tables.is_rule(tables.cells(line)):
            text = tables.spoken(line, header)
            found.append(Candidate(index, place, text, question.stems(text)))
    return found


def _measure(question: Question, weight: dict[str, float], within: Sequence[Candidate], heading: set[str]) -> None:
    terms, total = set(question.terms), sum(weight.values()) or 1.0
    held = [terms & set(one.stems) for one in within]
    everything = set().union(*held)
    headed = terms & heading

    def share(stems: set[str]) -> float:
        return sum(weight[stem] for stem in stems) / total

    for at, one in enumerate(within):
        own = held[at]
        near = ((held[at - 1] if at else set()) | headed) - own
        after = (held[at + 1] if at + 1 < len(within) else set()) - own - near
        one.own, one.before, one.after = share(own), share(near), share(after)
        one.elsewhere = share(everything - own - near - after)
        one.pairs = _pairs(question, one.stems)
        one.nameless = not question.names
        one.names = len(question.names & (own | near)) / len(question.names) if question.names else 0.0
        one.fits, one.counts = fits(question, one.text), counts(question, one.stems)
        one.pointing, one.terms = is_pointing(one.text), len(own)


def _pairs(question: Question, stems: Sequence[str]) -> float:
    places: dict[str, list[int]] = {}
    for place, stem in enumerate(stems):
        if stem in question.terms:
            places.setdefault(stem, []).append(place)
    neighbours = list(pairwise(question.terms))
    close = sum(
        any(abs(a - b) <= _NEAR for a in places.get(left, ()) for b in places.get(right, ()))
        for left, right in neighbours
    )
    return close / len(neighbours) if neighbours else 0.0


def _join_forms(question: Question, found: Sequence[Candidate]) -> None:
    """Where a term is nowhere, take words that begin alike for it: percentage and percent, Maastrich and Maastricht."""
    known = {stem for one in found for stem in one.stems}
    alike = {
        stem: term
        for term in question.terms
        if term not in known and len(term) >= 5
        for stem in known
        if _common(term, stem) >= max(5, 0.75 * max(len(term), len(stem)))
    }
    if alike:
        for one in found:
            one.stems = [alike.get(stem, stem) for stem in one.stems]


def _common(left: str, right: str) -> int:
    """How many characters two words begin with alike."""
    return next(
        (place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right))
    )
