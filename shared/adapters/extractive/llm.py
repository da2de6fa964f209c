"""The answerer that needs no key: it selects sentences, it does not write any."""

import re
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

from shared.adapters.extractive.question import Question, read
from shared.adapters.extractive.scoring import FOUND, Candidate, candidates
from shared.domain.chats import NOT_FOUND_ANSWER, Passage
from shared.domain.prompts import Prompt
from shared.ports.llm import Finished, LlmEvent, TextDelta

NAME = "extractive/1"
MAX_SENTENCES = 3
"""Chosen for their score; one more may come along because a chosen one points back to it."""
MARGIN = 2.0
"""How far below the best score another sentence may lie."""
ALIKE = 0.8
"""Two sentences that share this part of their words say the same."""
LONGEST = 600
"""Characters said of one sentence; text without stops is cut around what was asked."""

_SPACE = re.compile(r"\s+")
_BULLET = re.compile(r"(?:[-*+•‣◦▪–—]|#{1,6}|>)\s+")
_END = re.compile(r"[.!?…。！？।؟][\"'”’»)\]」』）]*\Z")


class ExtractiveLlm:
    """Implements `shared.ports.llm.Llm`: 1-4 sentences of the passages, word for word, each with its marker."""

    name = NAME

    async def stream(self, prompt: Prompt) -> AsyncIterator[LlmEvent]:
        """See the port. Costs no tokens and never fails."""
        said = answer(prompt.question, prompt.passages)
        for sentence in said or [NOT_FOUND_ANSWER]:
            yield TextDelta(sentence)
        yield Finished(self.name, 0, 0, "stop")


def answer(question: str, passages: Sequence[Passage]) -> list[str]:
    """Sentences with their markers, ready to be put one after the other; none when the passages do not answer.

    Args:
        question: in the language of the passages.
        passages: best first.
    """
    asked = read(question)
    found = candidates(asked, passages)
    chosen = _choose(found)
    texts = [f"{_said(asked, one)} [{passages[one.passage].number}]" for one in chosen]
    return [text + _glue(one) for one, text in zip(chosen[:-1], texts, strict=False)] + texts[-1:]


def _choose(found: Sequence[Candidate]) -> list[Candidate]:
    """The sentences to say, the best passage's first and those of one passage in their order."""
    ranked = sorted(found, key=lambda one: (-one.score, one.passage, one.place))
    if not ranked or not ranked[0].terms or ranked[0].evidence < FOUND:
        return []
    chosen: list[Candidate] = []
    for one in ranked:
        if len(chosen) == MAX_SENTENCES or one.score < ranked[0].score - MARGIN:
            break
        if not any(_alike(one, other) for other in chosen):
            chosen.append(one)
    before = {(one.passage, one.place): earlier for earlier, one in pairwise(found) if earlier.passage == one.passage}
    for one in list(chosen):
        earlier = before.get((one.passage, one.place)) if one.pointing else None
        if earlier and len(chosen) <= MAX_SENTENCES and not any(_alike(earlier, other) for other in chosen):
            chosen.append(earlier)
    order: dict[int, int] = {}
    for one in chosen:
        order.setdefault(one.passage, len(order))
    return sorted(chosen, key=lambda one: (order[one.passage], one.place))


def _alike(left: Candidate, right: Candidate) -> bool:
    a, b = set(left.stems), set(right.stems)
    return len(a & b) >= ALIKE * min(len(a), len(b))


def _said(question: Question, one: Candidate) -> str:
    """The sentence on one line and without its bullet."""
    text = _BULLET.sub("", _SPACE.sub(" ", one.text).strip(), count=1)
    return text if len(text) <= LONGEST else _cut(question, text)


def _cut(question: Question, text: str) -> str:
    """The stretch of whole words around the first terms of the question."""
    lower = text.casefold()
    places = [at for term in question.terms if (at := lower.find(term[:6])) >= 0]
    start = max(0, min(places, default=0) - LONGEST // 4)
    start = text.find(" ", start) + 1 if start else 0
    end = text.rfind(" ", start, start + LONGEST)
    return text[start : end if end > start else start + LONGEST]


def _glue(one: Candidate) -> str:
    """What parts a sentence from the next: a line break where no stop ends it."""
    return " " if _END.search(one.text.rstrip()) else "\n"
