"""Making text sound before any offset is taken: one kind of newline, composed characters, no controls."""

import re
import unicodedata

_NEWLINE = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
# Controls other than tab and newline, soft hyphens, byte order marks, lone surrogates, noncharacters.
_DROPPED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\xad\ufeff\ud800-\udfff\ufffe\uffff]")
_SPACE = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_TRAILING = re.compile(r"[^\S\n]+(?=\n|$)")


def clean(text: str) -> str:
    """One kind of newline, nothing that is neither text nor layout, characters composed (NFC)."""
    text = _DROPPED.sub("", _NEWLINE.sub("\n", text))
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def one_line(text: str) -> str:
    """Clean text with every run of white space made one space."""
    return _SPACE.sub(" ", clean(text)).strip()


def paragraph(text: str) -> str:
    """Clean text of several lines: no trailing spaces, no empty lines, no space around."""
    return _BLANK_LINES.sub("\n", _TRAILING.sub("", clean(text))).strip()


def table_row(cells: list[str]) -> str:
    """One row as `a | b | c`; empty cells keep their place, except at the end."""
    texts = [one_line(cell) for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return " | ".join(texts)
