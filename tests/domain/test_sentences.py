"""Sentence boundaries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.sentences import sentences


def cut(text: str) -> list[str]:
    """The sentences themselves."""
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    "parts",
    [
        ["One thing.", "Another thing!", "A third?"],
        ["Dr. Smith met Mr. J. R. Jones at 3.14 p.m. sharp.", "They spoke."],
        ["He lives in the U.S.", "The rest stay away."],
        ["The U.S. Army came, e.g. on foot.", "It left."],
        ["See Fig. 3 and p. 12 of vol. 2.", "Then stop."],
        ["Is the answer no.", "Perhaps it is."],
        ["“Really?” he asked.", "“Yes.”", "Then he left."],
        ["Water boils at 100.", "Ice melts at 0."],
        ["It works.[1]", "It does not [2].", "Maybe. [3][4]", "End"],
        ["Am 3. Oktober 1990 geschah es.", "Danach nichts."],
        ["Well... perhaps not.", "Right…", "Done."],
        ["¿Qué es?", "¡Nada!", "Bien."],
        ["Τι είναι;", "Τίποτα."],
    ],
)
def test_sentences_of_western_text_are_cut_at_stops(parts: list[str]) -> None:
    assert cut(" ".join(parts)) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("今天下雨。明天晴！“真的吗？”他问。", ["今天下雨。", "明天晴！", "“真的吗？”", "他问。"]),
        ("यह एक है। वह दो है।", ["यह एक है।", "वह दो है।"]),
        ("هل هذا صحيح؟ نعم.", ["هل هذا صحيح؟", "نعم."]),
    ],
)
def test_sentences_of_other_scripts_need_no_space(text: str, parts: list[str]) -> None:
    assert cut(text) == parts


def test_sentences_of_thai_are_cut_at_spaces_between_long_phrases() -> None:
    first, second = "ประเทศไทยเป็นประเทศที่ตั้งอยู่ในทวีปเอเชีย", "กรุงเทพมหานครเป็นเมืองหลวงและนครที่มีประชากรมากที่สุด"
    assert cut(f"{first * 3} {second * 3}") == [first * 3, second * 3]
    assert cut(f"{first} {second}") == [f"{first} {second}"]


def test_sentences_of_wrapped_lines_are_joined() -> None:
    text = "The committee that met in the spring of that year under\nPresident Smith chose to\nwait. Nobody minded."
    assert len(cut(text)) == 2


def test_sentences_of_headings_lists_and_rows_end_with_their_line() -> None:
    line = "The committee met in the spring and decided everything at once, to the surprise of many."
    text = f"Results\n{line}\n- first\n- second\n\n| a | b |\n| 1 | 2 |\nYear | Sold\n1999 | 3"
    assert cut(text) == [
        "Results",
        line,
        "- first",
        "- second",
        "| a | b |",
        "| 1 | 2 |",
        "Year | Sold",
        "1999 | 3",
    ]


def test_sentences_of_numbered_items_keep_the_number() -> None:
    assert cut("1. Boil the water.\n2. Add the tea.\nb) Wait.") == ["1. Boil the water.", "2. Add the tea.", "b) Wait."]


@given(st.text(alphabet=st.sampled_from("aB1 .!?\n\t\"')[]|。ก\u2028\r;α"), max_size=200) | st.text(max_size=200))
def test_sentences_of_any_text_are_ordered_trimmed_and_lose_only_white_space(text: str) -> None:
    last = 0
    for start, end in sentences(text):
        assert last <= start < end <= len(text)
        assert not text[last:start].strip()
        assert text[start:end] == text[start:end].strip()
        last = end
    assert not text[last:].strip()


@pytest.mark.parametrize(
    "unit", [".", ". ", '."', "[1]", ".[1] ", "a", " ", "\n", "。", "ก ", "A.", "| ", "x\n", "a. b\n", "e.g. ", "1,"]
)
def test_sentences_of_many_hostile_characters_are_found(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    spans = sentences(text)
    assert sum(end - start for start, end in spans) <= len(text)
