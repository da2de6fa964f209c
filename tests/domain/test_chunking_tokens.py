"""The estimate of tokens."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.chunking_tokens import TokenMeter, estimate_tokens

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300)


@given(_TEXT, st.data())
def test_tokens_of_touching_spans_add_up(text: str, data: st.DataObject) -> None:
    meter = TokenMeter(text)
    middle = data.draw(st.integers(0, len(text)))
    whole = meter.tokens(0, len(text))
    parts = meter.tokens(0, middle) + meter.tokens(middle, len(text))
    assert whole <= parts <= whole + 1


@given(_TEXT, st.integers(1, 50), st.data())
def test_reach_stays_within_the_limit_and_is_the_furthest(text: str, limit: int, data: st.DataObject) -> None:
    meter = TokenMeter(text)
    start = data.draw(st.integers(0, len(text)))
    reach = meter.reach(start, len(text), limit)
    assert start <= reach <= len(text)
    assert meter.tokens(start, reach) <= limit


@given(_TEXT, st.integers(1, 50), st.data())
def test_back_stays_within_the_limit(text: str, limit: int, data: st.DataObject) -> None:
    meter = TokenMeter(text)
    end = data.draw(st.integers(0, len(text)))
    back = meter.back(0, end, limit)
    assert 0 <= back <= end
    assert meter.tokens(back, end) <= limit


def test_estimate_tokens_counts_words_punctuation_and_scripts() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens(" \n") == 0
    assert estimate_tokens("the river, the mill") == 6
    assert estimate_tokens("河流发源于山丘。") == 8
    assert estimate_tokens("Река течёт") in range(8, 11)


def test_estimate_tokens_words_cost_more_outside_english() -> None:
    sentence = "Die Mühlenbesitzer beschwerten sich über das Hochwasser"
    assert estimate_tokens(sentence, "de") > estimate_tokens(sentence, "en")
