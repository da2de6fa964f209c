"""English by stop words and the Snowball stemmer; every other language by the language-neutral form.

Snowball has stemmers for other languages too. They are not used: over twelve languages the neutral form (marks kept,
six-character stems, pairs of characters where no spaces are written) was as good or better, and a question, whose
language nobody states, then needs two analyses and not twenty.
"""

import re

from shared.domain.words import prefix_stem, words

MAX_QUERY_TERMS = 256
ENGLISH = "en"


def _listed(text: str) -> frozenset[str]:
    return frozenset(text.split())


STOP_WORDS = _listed(
    """
        a about above after again against all also am an and any are aren as at be because been before being below
    between both     but by can cannot could couldn d did didn do does doesn doing don down during each few for from
    further had hadn has hasn     have haven having he her here hers herself him himself his how i if in into is isn
    it its itself just ll m me more most my     myself no nor not now of off on once only or other our ours
    ourselves out over own re s same she should shouldn so some     such t than that the their theirs them
    themselves then there these they this those through to too under until up ve very     was wasn we were weren
    what when where which while who whom whose why will with won would wouldn you your yours yourself     yourselves
    """
)
"""English words that say nothing of a subject, as `shared.domain.words` spells them (don't → don)."""

_FOREIGN_LETTER = re.compile(r"[^\W\d_a-zA-Z]")
_FOREIGN_SHARE = 0.01


class SnowballAnalyser:
    """Implements `shared.ports.analyser.Analyser`.

    Holds no state: one stemmer is made a call (under 1 µs), for they must not be shared by threads.
    """

    @property
    def version(self) -> str:
        """See the port.

        Raise it whenever the terms of any text change; a test compares them with what this version gave.
        """
        return "snowball/1"

    def terms(self, text: str, language: str) -> list[str]:
        """See the port.

        A text of unknown language counts as English when hardly any letter (1 %) is outside ASCII: mostly code and
        short notes.
        """
        if language == ENGLISH or (not language and _looks_english(text)):
            return _english([word for word in words(text) if word not in STOP_WORDS])
        return [prefix_stem(word) for word in words(text)]

    def query_terms(self, text: str) -> list[str]:
        """See the port. English and neutral terms of each word in turn, 256 at most.

        English stop words are left out of both analyses: in a mostly English collection they are rare among the few
        texts analysed neutrally, so they would count as the most telling words there. A question of nothing but stop
        words keeps them.
        """
        found = words(text)
        kept = [word for word in found if word not in STOP_WORDS] or found
        both = (term for pair in zip(_english(kept), map(prefix_stem, kept), strict=True) for term in pair)
        return list(dict.fromkeys(both))[:MAX_QUERY_TERMS]


def _english(found: list[str]) -> list[str]:
    # Imported here: most functions never analyse a text.
    from Stemmer import Stemmer

    stems: list[str] = Stemmer("english", 0).stemWords(found)
    return stems


def _looks_english(text: str) -> bool:
    return text.isascii() or len(_FOREIGN_LETTER.findall(text)) <= _FOREIGN_SHARE * len(text)
