r"""Words of any language, without a model: what both analyses of the keyword leg are made from.

Python's own idea of a word (`\w`) drops combining marks and so cuts Hindi, Bengali or Tamil at every vowel sign; here
marks belong to their word. Scripts written without spaces become overlapping pairs of characters. Identifiers give the
whole and its parts, so that both `getUserName` and "user name" find it. `tests.evaluation.keywords` measures all this.
"""

import re
import unicodedata
from functools import cache
from itertools import pairwise

MAX_WORD = 64
"""Characters of one word that count. Longer runs are encoded data, whose parts would only fill the index."""
STEM_LENGTH = 6
"""Characters kept of a word by `prefix_stem`."""
STEM_MARK = "~"
"""Ends every stem cut by `prefix_stem`, so that 'proper~' (properties) is never taken for another word or stem."""

# Written without spaces: Thai, Lao, Myanmar, Khmer, kana, Han with its extensions; and Hangul, whose particles stick to
# the nouns.
_UNSPACED = re.compile(
    "([\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u1000-\u103f\u1050-\u109f\u1780-\u17d3\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+)"
)
# Zero-width joiners, direction marks, soft hyphens, byte order marks, the Arabic stretch and Arabic vowel points: they
# change how a word looks, seldom what it is, and people leave them out when they type.
_LEFT_OUT = re.compile(
    "[\u00ad\u034f\u061c\u0640\u064b-\u065f\u0670\u200c-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]+"
)
# One form for signs and letters that keyboards and writers mix: apostrophes, hyphens, Arabic and Persian alef, ya, ta
# and kaf.
_ONE_FORM = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc`\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u2010\u2011"), "-"),
    **dict.fromkeys(map(ord, "\u0622\u0623\u0625\u0671"), "\u0627"),
    **dict.fromkeys(map(ord, "\u0649\u06cc"), "\u064a"),
    0x0629: "\u0647",
    0x06A9: "\u0643",
}
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_ARTICLES = (
    "\u0648\u0627\u0644",
    "\u0628\u0627\u0644",
    "\u0643\u0627\u0644",
    "\u0641\u0627\u0644",
    "\u0627\u0644",
    "\u0644\u0644",
)
"""Arabic 'the' and what is written together with it (and-, by-, like-, so-, for-)."""
# Letters of Vietnamese alone: there, accents are tones and tell words apart.
_VIETNAMESE = re.compile("[\u1ea0-\u1ef9\u01a1\u01b0\u0103\u0111]")
_CURRENCIES = "$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd"
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*+")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})++(?:\.\d+)?")
_DOTS = re.compile("[.,]")
_IDENTIFIER_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NOT_ONLY_LETTERS = re.compile(r"[\d_.%#+]")


def words(text: str) -> list[str]:
    """Words in order, repeats kept, in one spelling.

    - NFKC, case folded; accents of Latin and Greek letters dropped (not in Vietnamese words), other marks kept.
    - Thai, Lao, Khmer, Myanmar, Chinese, Japanese, Korean: pairs of neighbouring characters with their marks.
    - Arabic: vowel points, variant letters and the article are dropped.
    - An apostrophe parts a word, and single letters left over are dropped: l'homme → homme, panther's → panther.
    - A hyphen parts a word; a short part also sticks: 10-K → 10, k, 10k.
    - camelCase, snake_case, dotted.names, letters with digits: the whole and its parts of two characters or more.
    - Numbers lose their thousands commas and write decimals with a point; 5% and $5 also give 5.

    Linear in the length of the text, whatever is in it.
    """
    found: list[str] = []
    if text.isascii():
        _add_words(_ascii_words(), text, found)
        return found
    for index, part in enumerate(_UNSPACED.split(_one_form(text))):
        if index % 2:
            found += _pairs(part)
        else:
            _add_words(_any_words(), part, found)
    # A dot above goes with the accents, and between underscores it was all there was.
    return [word for word in found if word]


def prefix_stem(word: str) -> str:
    """The stem of a word of which no language is known.

    Its first six characters, marked; numbers, identifiers and short words stay whole.
    """
    if len(word) < STEM_LENGTH or _NOT_ONLY_LETTERS.search(word):
        return word
    return word[:STEM_LENGTH] + STEM_MARK


def _one_form(text: str) -> str:
    text = _LEFT_OUT.sub("", unicodedata.normalize("NFKC", text)).translate(_ONE_FORM)
    return _FOREIGN_DIGIT.sub(lambda digit: str(unicodedata.digit(digit[0], "")), text)


def _pattern(letters: str, marks: str = "") -> re.Pattern[str]:
    """Words with what joins them inside; a word begins with a letter or digit, never with a mark.

    Nothing taken is given back, so hostile input costs no more than its length.
    """
    word = f"[{letters}][{letters}{marks}]*+"
    return re.compile(
        rf"[A-Za-z](?:\+\+|\#)(?![{letters}])|[{_CURRENCIES}]?{word}(?:(?:[-.']|(?<=\d),(?=\d)){word})*+%?+"
    )


@cache
def _ascii_words() -> re.Pattern[str]:
    return _pattern("A-Za-z0-9_")


@cache
def _any_words() -> re.Pattern[str]:
    return _pattern(r"\w", _marks())


@cache
def _marks() -> str:
    """Every combining mark of the blocks that living scripts use, as ranges for a character class.

    Made once (4 ms), by the first foreign text.
    """
    blocks = (
        range(0x300, 0x3100),
        range(0xA600, 0xAC00),
        range(0xFB1E, 0xFB1F),
        range(0xFE20, 0xFE30),
        range(0x11000, 0x12000),
        range(0x1E000, 0x1EA00),
    )
    codes = [code for block in blocks for code in block if unicodedata.category(chr(code))[0] == "M"]
    starts = [code for before, code in zip([-1, *codes], codes, strict=False) if code != before + 1]
    ends = [code for code, after in zip(codes, [*codes[1:], -1], strict=True) if after != code + 1]
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))


@cache
def _clusters() -> re.Pattern[str]:
    return re.compile(f".[{_marks()}]*", re.DOTALL)


@cache
def _unaccented() -> dict[int, str | None]:
    """Latin and Greek letters without their accents; also Cyrillic io, which print seldom dots."""
    table: dict[int, str | None] = {0x451: "\u0435", 0x307: None}
    for code in (*range(0xE0, 0x250), *range(0x370, 0x400), *range(0x1F00, 0x2000)):
        base, *marks = list(unicodedata.normalize("NFD", chr(code)))
        if marks and all(unicodedata.combining(mark) for mark in marks):
            table[code] = base
    return table


def _pairs(run: str) -> list[str]:
    characters = _clusters().findall(run)
    return [left + right for left, right in pairwise(characters)] or [run]


def _add_words(pattern: re.Pattern[str], text: str, found: list[str]) -> None:
    for word in pattern.findall(text):
        # Most words are letters in one case; the rest is looked at more closely.
        if (
            word.isascii()
            and word.isalpha()
            and (word.islower() or word[1:].islower() or word.isupper())
            and len(word) <= MAX_WORD
        ):
            found.append(word.lower())
        elif word.isalpha():
            _add_identifier(word, found)
        else:
            _add_compound(word, found)


def _add_compound(word: str, found: list[str]) -> None:
    if word[-1] in "#+":
        found.append(word.lower())
        return
    parts = word.split("-")
    for part in parts:
        _add_dotted(part, found)
    if (
        len(parts) == 2
        and min(map(len, parts)) <= 2
        and all(map(str.isalnum, parts))
        and not all(map(str.isdigit, parts))
    ):
        found.append(_spelled("".join(parts)))


def _add_dotted(word: str, found: list[str]) -> None:
    bare = word.strip(_CURRENCIES + "%")
    if _NUMBER.fullmatch(bare):
        _add_number(word, bare, found)
        return
    parts = _DOTS.split(bare)
    if len(parts) == 1:
        _add_apostrophe(bare, found)
        return
    found.append(_spelled(bare))
    if all(len(part) == 1 for part in parts):
        found.append(_spelled("".join(parts)))
        return
    for part in parts:
        if len(part) > 1:
            _add_apostrophe(part, found)


def _add_number(word: str, bare: str, found: list[str]) -> None:
    number = (bare.replace(",", "") if _THOUSANDS.fullmatch(bare) else bare.replace(",", "."))[:MAX_WORD]
    found.append(number)
    if word[-1] == "%":
        found.append(f"{number}%")
    if word[0] in _CURRENCIES:
        found.append(word[0] + number)


def _add_apostrophe(word: str, found: list[str]) -> None:
    if "'" in word:
        parts = word.split("'")
        for part in [part for part in parts if len(part) > 1] or parts[:1]:
            _add_identifier(part, found)
    else:
        _add_identifier(word, found)


def _add_identifier(word: str, found: list[str]) -> None:
    name = word.strip("_")
    if not name:
        return
    found.append(_spelled(name))
    if len(name) > MAX_WORD or (name.isalpha() and not name.isascii()):
        return
    parts = [
        part for piece in name.split("_") for part in (_IDENTIFIER_PARTS.findall(piece) if piece.isascii() else [piece])
    ]
    if len(parts) > 1:
        found += [_spelled(part) for part in parts if len(part) > 1]


def _spelled(word: str) -> str:
    word = word[:MAX_WORD].casefold()
    if word.isascii():
        return word
    if not _VIETNAMESE.search(word):
        word = word.translate(_unaccented())
    for article in _ARTICLES:
        if word.startswith(article) and len(word) >= len(article) + 3:
            return word[len(article) :]
    return word
