"""What is particular to English stems and to the choice between the two analyses."""

import hashlib

import pytest

from shared.adapters.snowball.analyser import STOP_WORDS, SnowballAnalyser
from shared.domain.words import words

ANALYSER = SnowballAnalyser()
EVERYTHING = """
The quick brown foxes weren't jumping over 1,234.50 lazy dogs' kennels; they'd paid $5.20 (12.5%) on 2026-01-31.
getUserName(HTTPServer) snake_case_name os.path.join README.md v1.2.3 C++ C# U.S.A. FY2018 10-K e-mail IL-6 B12
Straße İstanbul café naïve Ελληνικά Россия ёлка नमस्ते दुनिया العربية ٣٤٥ ภาษาไทย 中文 日本語テキスト 한국어 tiếng Việt
"""


def test_terms_of_this_version_are_what_they_were() -> None:
    """A change of terms makes every index stale: raise `version` with the digest."""
    terms = [*ANALYSER.terms(EVERYTHING, "en"), *ANALYSER.terms(EVERYTHING, "de"), *ANALYSER.query_terms(EVERYTHING)]
    digest = hashlib.sha256("\n".join(terms).encode()).hexdigest()
    assert (ANALYSER.version, digest[:16]) == ("snowball/1", "dded4859c787e1c0")


def test_terms_english_drops_stop_words_and_stems() -> None:
    assert ANALYSER.terms("The connections were connecting to it", "en") == ["connect", "connect"]


def test_terms_other_languages_keep_every_word() -> None:
    assert ANALYSER.terms("Die Verbindungen waren it", "de") == ["die", "verbin~", "waren", "it"]


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("for x in connections: return x", True),
        ("Connections – “quoted” – and nothing foreign at all in a text as long as this one is", True),
        ("Los niños están aquí", False),
        ("соединения", False),
    ],
)
def test_terms_unknown_language_is_english_when_it_is_ascii(text: str, english: bool) -> None:
    assert (ANALYSER.terms(text, "") == ANALYSER.terms(text, "en")) is english


def test_query_terms_hold_both_analyses_of_each_word_in_turn() -> None:
    assert ANALYSER.query_terms("the inductive properties of cells") == [
        "induct",
        "induct~",
        "properti",
        "proper~",
        "cell",
        "cells",
    ]


def test_query_terms_of_stop_words_only_keeps_them() -> None:
    assert ANALYSER.query_terms("To be or not to be") == ["to", "be", "or", "not"]


def test_stop_words_are_spelled_as_words_spells_them() -> None:
    assert all(words(word) == [word] for word in STOP_WORDS)
