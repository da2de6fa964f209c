"""Answers and what they rest on."""

import time
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.chats import NOT_FOUND_ANSWER
from shared.domain.chunks import Chunk, ChunkId
from shared.domain.citations import CheckedAnswer, check
from shared.domain.search import VisibleChunk

DOCUMENT = UUID(int=7)
TOWER = (
    "The Eiffel Tower was completed in 1889. It is 330 metres tall, and stands on the Champ de Mars. "
    "Gustave Eiffel’s company   designed\nand built the tower [3]. About 5.8 million people paid to go up in 2023."
)
WALL = "The Great Wall of China is 21,196 km long. Most of it was built by the Ming dynasty."


def chunk_of(text: str, ordinal: int, start: int = 100, page: int | None = 4) -> VisibleChunk:
    chunk = Chunk(ChunkId(DOCUMENT, 2, ordinal), text, start, start + len(text), "hash", ("Towers",), page, page)
    return VisibleChunk(chunk, UUID(int=1), "towers.pdf", "Towers", "application/pdf", (), {})


SOURCES = {1: chunk_of(TOWER, 0), 2: chunk_of(WALL, 1, start=900)}


def quotes(answer: CheckedAnswer) -> list[str]:
    return [citation.quote for citation in answer.citations]


def sentences_of(answer: CheckedAnswer) -> list[str]:
    return [answer.text[one.start : one.end] for one in answer.sentences]


def test_check_with_the_same_words_quotes_them_whatever_their_spacing_and_case() -> None:
    answer = check('the company of Eiffel: "Gustave Eiffel\'s company designed and built the Tower" [1].', SOURCES)
    assert answer.text.endswith("[1].")
    answer = check("Gustave Eiffel's company designed and built the tower. [1]", SOURCES)
    (citation,) = answer.citations
    assert citation.quote == "Gustave Eiffel’s company   designed\nand built the tower [3]."[:-5].rstrip()
    assert citation.support == 1.0
    assert answer.sentences[0].supported


def test_check_with_other_words_quotes_the_sentence_that_shares_most() -> None:
    answer = check("Its height is 330 metres [1]. The Ming dynasty built most of the wall [2].", SOURCES)
    assert quotes(answer) == [
        "It is 330 metres tall, and stands on the Champ de Mars.",
        "Most of it was built by the Ming dynasty.",
    ]
    first = answer.citations[0]
    assert (first.start, first.end) == (100 + TOWER.index("It is"), 100 + TOWER.index("It is") + len(first.quote))
    assert (first.page, first.heading_path, first.generation, first.document_id) == (4, ("Towers",), 2, DOCUMENT)
    assert answer.found
    assert all(sentence.supported for sentence in answer.sentences)


def test_check_with_two_parts_of_one_source_gives_each_its_number() -> None:
    answer = check("It was completed in 1889 [1]. It is 330 metres tall [1]. Completed in 1889 [1].", SOURCES)
    assert answer.text == "It was completed in 1889 [1]. It is 330 metres tall [2]. Completed in 1889 [3]."
    assert answer.citations[0].quote != answer.citations[1].quote
    repeated = check("It is 330 metres tall [1]. It is 330 metres tall [1].", SOURCES)
    assert repeated.text == "It is 330 metres tall [1]. It is 330 metres tall [1]."


def test_check_with_a_fact_over_two_sentences_quotes_both() -> None:
    answer = check("The tower completed in 1889 stands on the Champ de Mars and is 330 metres tall [1].", SOURCES)
    assert quotes(answer) == [TOWER[: TOWER.index(" Gustave")]]


def test_check_with_an_unknown_number_removes_the_marker() -> None:
    answer = check("It is 330 metres tall [9]. The wall is long [2], very long [2020].", SOURCES)
    assert answer.text == "It is 330 metres tall. The wall is long [1], very long."
    assert [sentence.supported for sentence in answer.sentences] == [False, True]
    assert answer.sentences[0].citations == ()


@pytest.mark.parametrize(
    "marker",
    [
        "[1, 2]",
        "[1][2]",
        "[1] [2]",
        "[1-2]",
        "【1†towers】【2†L3】",
        "[source 1], [^2]",
        "[1](https://e.example/?q=x)[2]",
    ],
)
def test_check_with_other_spellings_of_markers_understands_them(marker: str) -> None:
    answer = check(f"The tower was completed in 1889 and the wall is 21196 km long {marker}.", SOURCES)
    assert answer.text == "The tower was completed in 1889 and the wall is 21196 km long [1][2]."
    assert answer.sentences[0].citations == (1, 2)
    assert answer.sentences[0].supported


def test_check_with_a_number_the_source_does_not_have_is_unsupported() -> None:
    answer = check("The Eiffel Tower was completed in 1899 [1].", SOURCES)
    assert answer.citations[0].quote == "The Eiffel Tower was completed in 1889."
    assert answer.citations[0].support >= 0.5
    assert not answer.sentences[0].supported


def test_check_with_numbers_in_another_notation_is_supported() -> None:
    assert check("The wall is 21196 km long [2].", SOURCES).sentences[0].supported
    five = {1: chunk_of("The committee has five members.", 0)}
    assert check("1. The committee has 5 members [1].", five).sentences[0].supported


def test_check_with_nothing_cited_marks_every_sentence() -> None:
    answer = check("It is tall. It is old.", SOURCES)
    assert answer.citations == ()
    assert [sentence.supported for sentence in answer.sentences] == [False, False]
    assert answer.found


def test_check_with_nothing_in_common_keeps_the_passage_for_the_reader() -> None:
    answer = check("Bananas contain potassium [2].", SOURCES)
    assert quotes(answer) == [WALL]
    assert answer.citations[0].support == 0
    assert not answer.sentences[0].supported


@pytest.mark.parametrize(
    "text",
    [
        NOT_FOUND_ANSWER,
        "not found in the documents",
        f"**{NOT_FOUND_ANSWER}** [1]",
        f"  “{NOT_FOUND_ANSWER}”\n",
        "",
        " \n",
        "[1]",
        "[7]",
        "...",
    ],
)
def test_check_with_no_answer_is_not_found(text: str) -> None:
    assert check(text, SOURCES) == CheckedAnswer(NOT_FOUND_ANSWER, (), (), found=False)


def test_check_with_not_found_followed_by_invention_is_not_found() -> None:
    answer = check(f"{NOT_FOUND_ANSWER} But bananas contain potassium.", SOURCES)
    assert not answer.found
    assert check(f"{NOT_FOUND_ANSWER} But it is 330 metres tall [1].", SOURCES).found


def test_check_with_markers_on_a_line_of_their_own_gives_them_to_the_sentence_before() -> None:
    answer = check("It is 330 metres tall.\n[1]", SOURCES)
    assert sentences_of(answer) == ["It is 330 metres tall.\n[1]"]
    assert answer.sentences[0].supported


def test_check_with_code_leaves_its_brackets_alone() -> None:
    answer = check("Use `rows[1]` there [2].\n```\nrows[2] = rows[9]\n```", SOURCES)
    assert "`rows[1]`" in answer.text
    assert "rows[2] = rows[9]" in answer.text
    assert len(answer.citations) == 1


def test_check_with_one_chunk_under_two_numbers_cites_it_once() -> None:
    answer = check("It is 330 metres tall [1][5].", {**SOURCES, 5: SOURCES[1]})
    assert answer.text == "It is 330 metres tall [1]."


def test_check_with_markers_that_appear_when_others_go_makes_no_citation() -> None:
    answer = check("It is 330 metres [[9]1] tall [1[99],2] or not [1].", SOURCES)
    assert answer.text == "It is 330 metres (1) tall (1,2) or not [1]."


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("東京は日本の首都です。人口は約1400万人です。", "人口は約1400万人です [1]。"),
        ("Москва — столица России. Её население 13 миллионов.", "Население Москвы: 13 миллионов [1]."),
        ("กรุงเทพมหานครเป็นเมืองหลวงของประเทศไทย มีประชากรประมาณ 5.4 ล้านคน", "กรุงเทพมหานครเป็นเมืองหลวง [1]"),
    ],
)
def test_check_in_other_scripts_finds_the_support(text: str, claim: str) -> None:
    answer = check(claim, {1: chunk_of(text, 0)})
    assert answer.sentences[0].supported
    assert len(answer.citations[0].quote) <= len(text)


MARKS = "[1] [2] [3] [0] [1,2] [[ ]] [ ] 【1†a】 ` ``` [1](#x) [^2]"
OTHERS = ". ! \n \n\n 1 2 , - | † ( ) * ß İ ﬁ \u200b 。 ก 🙂 \t"
PARTS = st.sampled_from([*TOWER.split(" "), *MARKS.split(" "), *OTHERS.split(" ")])
ANSWERS = st.lists(PARTS, max_size=40).flatmap(
    lambda parts: st.sampled_from(["", " "]).map(lambda glue: glue.join(parts))
)


def assert_sound(answer: CheckedAnswer, sources: dict[int, VisibleChunk]) -> None:
    by_id = {source.chunk.id: source.chunk for source in sources.values()}
    for position, citation in enumerate(answer.citations, start=1):
        chunk = by_id[citation.chunk_id]
        assert citation.number == position
        assert f"[{position}]" in answer.text
        assert citation.quote
        assert chunk.start <= citation.start < citation.end <= chunk.end
        assert citation.quote == chunk.text[citation.start - chunk.start : citation.end - chunk.start]
        assert 0 <= citation.support <= 1
    last = 0
    for sentence in answer.sentences:
        assert last <= sentence.start < sentence.end <= len(answer.text)
        last = sentence.end
        assert set(sentence.citations) <= {citation.number for citation in answer.citations}
        for number in sentence.citations:
            assert f"[{number}]" in answer.text[sentence.start : sentence.end]
        assert sentence.citations or not sentence.supported
    assert [number for one in answer.sentences for number in one.citations if number > len(answer.citations)] == []


@settings(max_examples=400, deadline=None)
@given(ANSWERS | st.text(max_size=80))
def test_check_of_any_text_is_sound_and_checking_again_changes_nothing(text: str) -> None:
    answer = check(text, SOURCES)
    assert_sound(answer, SOURCES)
    by_id = {source.chunk.id: source for source in SOURCES.values()}
    again = check(answer.text, {citation.number: by_id[citation.chunk_id] for citation in answer.citations})
    assert again.text == answer.text
    assert again.sentences == answer.sentences
    assert again.found == answer.found
    assert quotes(again) == quotes(answer)


@settings(max_examples=200, deadline=None)
@given(st.text(min_size=1, max_size=80), st.text(max_size=80))
def test_check_of_any_source_quotes_it_verbatim(source: str, claim: str) -> None:
    sources = {1: chunk_of(source, 0)}
    assert_sound(check(f"{claim} [1]. {source} [1]", sources), sources)


UNITS = [
    "[1]",
    "[1] ",
    "a [1]. ",
    "[[",
    "]",
    "[1,",
    "[9]",
    "`",
    "```",
    "a[1]b[2]",
    "x ",
    ". ",
    "\n",
    "It is 330 metres tall [1]. ",
    "ﬁ[2]",
    "[1](#",
]


@pytest.mark.parametrize("unit", UNITS)
def test_check_of_a_long_text_ends(unit: str) -> None:
    text = "a " + unit * (200_000 // len(unit))
    before = time.process_time()
    assert_sound(check(text, SOURCES), SOURCES)
    # Not a measurement: quadratic behaviour would take many minutes.
    assert time.process_time() - before < 60
