"""Words in every script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.words import MAX_WORD, prefix_stem, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hello, World!", ["hello", "world"]),
        ("the panther’s claws, dogs' and don't", ["the", "panther", "claws", "dogs", "and", "don"]),
        ("I'm l'homme d’affaires rock'n'roll", ["i", "homme", "affaires", "rock", "roll"]),
        ("state-of-the-art", ["state", "of", "the", "art"]),
        ("10-K IL-6 x-ray e‑mail", ["10", "k", "10k", "il", "6", "il6", "x", "ray", "xray", "e", "mail", "email"]),
        ("2015-2016 2026-01-31", ["2015", "2016", "2026", "01", "31"]),
    ],
    ids=["plain", "possessives", "elisions", "hyphens", "short parts stick", "ranges and dates"],
)
def test_words_of_prose(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,000,000.50", ["1000000.50"]),
        ("3.14 and 12,5", ["3.14", "and", "12.5"]),
        ("5% 12.5 %", ["5", "5%", "12.5"]),
        ("$5.20 €1,000 ¥300", ["5.20", "$5.20", "1000", "€1000", "300", "¥300"]),
        ("٣٤٥ १२३ １２", ["345", "123", "12"]),
        ("1,2,3", ["1.2.3"]),
        ("10,20", ["10.20"]),
    ],
)
def test_words_of_numbers(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("getUserName", ["getusername", "get", "user", "name"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        (
            "snake_case_name __init__ MAX_SIZE",
            ["snake_case_name", "snake", "case", "name", "init", "max_size", "max", "size"],
        ),
        ("os.path.join(a)", ["os.path.join", "os", "path", "join", "a"]),
        ("README.md", ["readme.md", "readme", "md"]),
        ("FY2018 B12 mRNA", ["fy2018", "fy", "2018", "b12", "12", "mrna", "rna"]),
        ("U.S.A. e.g.", ["u.s.a", "usa", "e.g", "eg"]),
        ("C++, C# and C", ["c++", "c#", "and", "c"]),
        ("a@example.com", ["a", "example.com", "example", "com"]),
        ("v1.2.3", ["v1.2.3", "v1"]),
        ("___ - .", []),
    ],
)
def test_words_of_identifiers(text: str, expected: list[str]) -> None:
    found = words(text)
    assert [word for word in found if word in expected] == expected
    assert set(expected) <= set(found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("বাংলা ভাষা", ["বাংলা", "ভাষা"]),
        ("中文处理", ["中文", "文处", "处理"]),
        ("中", ["中"]),
        ("iPhone手机2台", ["iphone", "phone", "手机", "2", "台"]),
        ("東京タワー ﾗｰﾒﾝ", ["東京", "京タ", "タワ", "ワー", "ラー", "ーメ", "メン"]),
        ("한국어", ["한국", "국어"]),
        ("ที่นี่", ["ที่นี่"]),
        ("القاهرة وَالكِتَاب كتاب", ["قاهره", "كتاب", "كتاب"]),
        ("کتاب می‌خواهم", ["كتاب", "ميخواهم"]),
        ("Straße ISTANBUL İstanbul", ["strasse", "istanbul", "istanbul"]),
        ("Αθήνα ΑΘΗΝΑ", ["αθηνα", "αθηνα"]),
        ("café CAFÉ cafe\u0301 naïve", ["cafe", "cafe", "cafe", "naive"]),
        ("đường tiếng", ["đường", "tiếng"]),
        ("ёлка елка", ["елка", "елка"]),
        ("co\u00adoperate \ufeffword", ["cooperate", "word"]),
        ("ﬁle № ½", ["file", "no", "1", "2"]),
        ("˙ _\u0307_ a", ["a"]),
    ],
)
def test_words_of_other_scripts(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_words_of_either_path_agree_on_plain_text() -> None:
    text = "The getUserName of U.S.A. paid $5.20 (12.5%) for state-of-the-art C++ 10-K, didn't it?"
    assert words(f"{text} é")[:-1] == words(text)


def test_words_longer_than_the_limit_are_cut_and_not_taken_apart() -> None:
    found = words("aB" * 5000 + " " + "7" * 5000)
    assert [len(word) for word in found] == [MAX_WORD, MAX_WORD]


@given(st.text(max_size=400))
def test_words_of_any_text_are_spelled_one_way(text: str) -> None:
    for word in words(text):
        assert word
        assert len(word) <= 2 * MAX_WORD + 2 or not word.isascii()
        assert not any(character.isspace() for character in word)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "a-" * 100_000,
        "a." * 100_000,
        "'" * 200_000,
        "1," * 100_000,
        "aB" * 100_000,
        "ก็" * 100_000,
        "é_" * 100_000,
        "$" * 200_000,
        "a'" * 100_000,
        "+" * 200_000,
        "\u0301" * 200_000,
    ],
)
def test_words_of_hostile_text_come_to_an_end(text: str) -> None:
    """Each takes a fraction of a second; work that grew faster than the text would take hours."""
    assert all(len(word) <= 2 * MAX_WORD for word in words(text))


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("cell", "cell"),
        ("wasser", "wasser~"),
        ("wassers", "wasser~"),
        ("snake_case", "snake_case"),
        ("b12345678", "b12345678"),
        ("1000000.50", "1000000.50"),
        ("os.path.join", "os.path.join"),
        ("दुनियादारी", "दुनिया~"),
    ],
)
def test_prefix_stem_cuts_words_and_nothing_else(word: str, stem: str) -> None:
    assert prefix_stem(word) == stem
