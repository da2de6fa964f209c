"""Signs that a sentence holds the kind of thing a question asks for. English; in other languages only figures and names
speak.
"""

import re
from collections.abc import Sequence

from shared.adapters.extractive.question import Kind, Question
from shared.domain.function_words import FUNCTION_WORDS
from shared.domain.words import words

_NUMERAL = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|millions?|billions?"
    r"|half|third|quarter|twice)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d[\d.,]*+")
_TIME = re.compile(
    r"\b1\d{3}\b|\b20\d{2}\b|\b\d{1,2}(?:st|nd|rd|th) century\b|\d{3}s\b"
    r"|\b(?:january|february|march|april|may|june|july|august|september|october|november|december|monday|tuesday|wednesday"
    r"|thursday|friday|saturday|sunday|century|decade|bc|ad|bce)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<!^)(?<![.?!:]\s)\b[^\W\d_a-zß-öø-ÿ][\w'’-]++")
_CAUSE = re.compile(
    r"\b(?:because|due to|since|so that|in order to|caused?|reasons?|result|led to|therefore|to avoid|as)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\W{0,3}(?:he|she|it|they|this|these|those|that|his|her|its|their|such|the (?:latter|former))\b", re.IGNORECASE
)
_BEFORE = 4
"""Words between a number and what it counts."""


def fits(question: Question, text: str) -> float:
    """1 when the text has something of the kind asked for that the question does not have itself; ½ where any kind will
    do.
    """
    match question.kind:
        case Kind.TIME:
            return float(_any_new(question, _TIME, text))
        case Kind.NUMBER:
            return float(_any_new(question, _FIGURE, text) or bool(_NUMERAL.search(text)))
        case Kind.PERSON | Kind.PLACE:
            return float(_any_new(question, _NAME, text))
        case Kind.REASON:
            return float(bool(_CAUSE.search(text)))
        case Kind.ANY:
            return 0.5


def counts(question: Question, stems: Sequence[str]) -> float:
    """1 when a number stands shortly before what 'how many' counts."""
    for place, stem in enumerate(stems):
        if stem in question.counted:
            window = stems[max(0, place - _BEFORE) : place]
            if any(part[0].isdigit() or _NUMERAL.fullmatch(part) for part in window):
                return 1.0
    return 0.0


def is_pointing(text: str) -> bool:
    """Whether the sentence begins with a word that stands for something named before."""
    return _POINTING.match(text) is not None


def _any_new(question: Question, pattern: re.Pattern[str], text: str) -> bool:
    return any(_is_new(question, match.group()) for match in pattern.finditer(text))


def _is_new(question: Question, text: str) -> bool:
    return any(question.stem(word) not in question.terms and word not in FUNCTION_WORDS for word in words(text))
