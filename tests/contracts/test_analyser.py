"""What every analyser must do: the neutral one and Snowball alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.memory.analyser import MemoryAnalyser
from shared.adapters.snowball.analyser import MAX_QUERY_TERMS, STOP_WORDS, SnowballAnalyser
from shared.domain.words import words
from shared.ports.analyser import Analyser

ANALYSERS: list[Analyser] = [MemoryAnalyser(), SnowballAnalyser()]
TEXTS = {
    "en": "Connections between the properties of getUserName and FY2018 revenues, up 5.5% to $1,200.",
    "de": "Die Versicherungsnehmer haften für Straßenschäden in Höhe von 12,5 Prozent.",
    "fr": "L'homme qu'il a rencontré à l'école s'appelle François.",
    "ru": "Российские учёные исследовали соединения кислорода.",
    "hi": "वैज्ञानिकों ने ऑक्सीजन के यौगिकों का अध्ययन किया।",
    "ar": "درس العلماء مركبات الأكسجين في المختبر.",
    "zh": "科学家研究了氧气的化合物。",
    "ja": "科学者は酸素の化合物を研究した。",
    "ko": "과학자들은 산소 화합물을 연구했다.",
    "th": "นักวิทยาศาสตร์ศึกษาสารประกอบของออกซิเจน",
    "vi": "Các nhà khoa học nghiên cứu hợp chất của ôxy.",
    "": "def read_file(path): return open(path).read()",
}


@pytest.fixture(params=ANALYSERS, ids=lambda analyser: type(analyser).__name__)
def analyser(request: pytest.FixtureRequest) -> Analyser:
    chosen: Analyser = request.param
    return chosen


@pytest.mark.parametrize("language", TEXTS)
def test_terms_every_language_gives_terms_that_a_question_finds(analyser: Analyser, language: str) -> None:
    terms = analyser.terms(TEXTS[language], language)
    assert len(terms) >= 5
    asked = analyser.query_terms(TEXTS[language])
    assert len(set(terms) & set(asked)) >= 0.6 * len(set(terms))


@pytest.mark.parametrize("language", TEXTS)
def test_query_terms_of_each_single_word_meet_the_text_in_any_language(analyser: Analyser, language: str) -> None:
    for word in words(TEXTS[language]):
        found = set(analyser.terms(word, language))
        assert not found or word in STOP_WORDS or found & set(analyser.query_terms(word)), word


def test_terms_keeps_repeats_and_order(analyser: Analyser) -> None:
    assert analyser.terms("cell acid cell", "en") == ["cell", "acid", "cell"]


def test_query_terms_are_distinct_and_capped(analyser: Analyser) -> None:
    many = " ".join(f"w{n}x" for n in range(1000))
    assert len(analyser.query_terms(many)) == MAX_QUERY_TERMS
    terms = analyser.query_terms("cell cell Cells cells")
    assert len(terms) == len(set(terms))


def test_terms_nothing_in_it_gives_nothing(analyser: Analyser) -> None:
    for text in ("", "  \n\t ", "… — !?", "\x00"):
        assert analyser.terms(text, "") == analyser.terms(text, "en") == analyser.query_terms(text) == []


@given(text=st.text(max_size=300), language=st.sampled_from(["", "en", "de", "hi", "th", "xx"]))
def test_terms_any_text_is_analysed_alike_every_time(text: str, language: str) -> None:
    for analyser in ANALYSERS:
        terms = analyser.terms(text, language)
        assert terms == analyser.terms(text, language)
        assert all(term and not term.isspace() and "\x00" not in term for term in terms)
        asked = analyser.query_terms(text)
        assert len(asked) == len(set(asked)) <= MAX_QUERY_TERMS


@given(text=st.text(min_size=1, max_size=100))
def test_query_terms_share_a_term_with_the_same_text_indexed_in_any_language(text: str) -> None:
    for analyser in ANALYSERS:
        asked = set(analyser.query_terms(text))
        for language in ("", "en", "de"):
            terms = set(analyser.terms(text, language))
            assert not terms or terms & asked


def test_version_is_stated(analyser: Analyser) -> None:
    assert analyser.version
