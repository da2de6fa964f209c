"""What a question asks for: its telling words, and the kind of thing that would answer it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import Stemmer

from shared.domain.function_words import FUNCTION_WORDS
from shared.domain.words import prefix_stem, words


class Kind(StrEnum):
    """What an answer must have in it."""

    PERSON = "person"
    TIME = "time"
    PLACE = "place"
    NUMBER = "number"
    REASON = "reason"
    ANY = "any"


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ENGLISH = _listed(
    """
    the of is are was were do does did what who whom whose when where which why how many much in to and for with by can
    has have had a an at from that this
    """
)
_ASKING = _listed(
    """
    what who whom whose when where which why how many much name list tell describe explain define give kind type sort
    does do did is are was were quel quelle quels quelles qui quand où comment pourquoi combien was wer wem wen wann wo
    wie warum welche welcher welches wieviel viele qué quién quiénes cuándo dónde cómo cuál cuáles cuánto cuántos
    cuántas por que quem quando onde como qual quais quanto quantos chi cosa dove perché quanti quante wat wie wanneer
    waar hoe waarom welke что кто когда где как почему сколько какой какая какие
    """
)
_UNITS = (
    "percent(?:age)?|number|amount|age|population|distance|height|length|speed|price|cost|temperature|rate|ratio|size"
)
_PLACES = "city|country|state|place|town|region|continent|county|river|location|area"
_TIMES = "year|date|day|month|decade|century|time|era|period"
_DEGREES = "many|much|old|long|far|tall|high|large|big|fast|often|deep|wide|heavy"
_CUES: tuple[tuple[Kind, str], ...] = (
    (Kind.TIME, rf"when|(?:what|which)\s+(?:\w+\s+)?(?:{_TIMES})|how long ago|wann|quand|cuándo|quando|wanneer|когда"),
    (
        Kind.NUMBER,
        rf"how (?:{_DEGREES})|what (?:\w+ )?(?:{_UNITS})|wie ?viele?|combien|cuánt[oa]s?|quant[oaie]s?|hoeveel|сколько",
    ),
    (Kind.PERSON, "who|whom|whose|wer|wem|wen|qui|quién(?:es)?|quem|chi|кто"),
    (Kind.PLACE, rf"where|(?:what|which) (?:\w+ )?(?:{_PLACES})|wo|woher|wohin|où|dónde|onde|dove|waar|где"),
    (
        Kind.REASON,
        "why|what (?:caused|causes|was the reason|is the reason)|warum|pourquoi|por qué|perché|waarom|почему",
    ),
)
_KINDS = tuple((kind, re.compile(rf"\b(?:{words_of_it})\b", re.IGNORECASE)) for kind, words_of_it in _CUES)
_THAI = re.compile("[\u0e00-\u0eff]")
_VIETNAMESE = re.compile("[\u1ea0-\u1ef9\u01a1\u01b0\u0103\u0111]", re.IGNORECASE)
_COUNTED = re.compile(r"\bhow (?:many|much)\s+(?:\w+ly\s+)?(\w+)(?:\s+(\w+))?", re.IGNORECASE)
_NAME = re.compile(r"(?<![.?!]\s)(?<!^)\b[A-Z][\w'’-]+|\b\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the scorer sees it."""

    terms: tuple[str, ...]
    """Stems of its telling words in order, each once."""
    names: frozenset[str]
    """Those of names and numbers: an answer that speaks of none of them speaks of something else."""
    kind: Kind
    counted: frozenset[str]
    """Stems of what 'how many' counts."""
    stem: Callable[[str], str]
    """Of one word."""
    step: int = 0
    """In languages whose words are single syllables, a term is two syllables this far apart among `words`; 0
    elsewhere.
    """

    def stems(self, text: str) -> list[str]:
        """A text as terms, in order."""
        if self.step:
            return _joined([word for word in words(text) if word not in FUNCTION_WORDS], self.step)
        return [self.stem(word) for word in words(text)]


def read(text: str) -> Question:
    """Analyse a question in any language; kinds are recognised in the larger European ones."""
    found = words(text)
    stem = Stemmer.Stemmer("english").stemWord if any(word in _ENGLISH for word in found) else prefix_stem
    telling = [word for word in found if word not in FUNCTION_WORDS and word not in _ASKING] or found
    # Pairs of Thai letters overlap and say little; the third next with its own makes about a word.
    step = 3 if _THAI.search(text) else 1 if _VIETNAMESE.search(text) else 0
    terms = _joined(telling, step) if step else [stem(word) for word in telling]
    names = [word for name in _NAME.findall(text) for word in words(name) if word not in FUNCTION_WORDS]
    counted = _COUNTED.search(text)
    return Question(
        terms=tuple(dict.fromkeys(terms)),
        names=frozenset(map(stem, names)) & set(terms),
        kind=next((kind for kind, cue in _KINDS if cue.search(text)), Kind.ANY),
        counted=frozenset(stem(word.lower()) for word in counted.groups() if word) if counted else frozenset(),
        stem=stem,
        step=step,
    )


def _joined(found: list[str], step: int) -> list[str]:
    return [left + right for left, right in zip(found, found[step:], strict=False)] or found
