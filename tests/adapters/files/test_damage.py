"""Damaged files of every format: the cage answers each with text or a reason, whatever the parser makes of it."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.treesitter.syntax import TreeSitterSyntax
from shared.domain.errors import Rejected
from shared.domain.retrying import UNREADABLE
from tests.adapters.files.making import PROSE, book, lines, message, opendocument, pdf, slides, word, workbook

_MUTANTS = 14
_FILES = {
    "a.pdf": pdf([lines(PROSE)] * 2, bookmarks=[PROSE]),
    "a.docx": word(),
    "a.pptx": slides(),
    "a.xlsx": workbook({"S": [["a", 1], ["b", 2.5]]}),
    "a.odt": opendocument("text", f"<text:p>{PROSE}</text:p>"),
    "a.epub": book({"a.xhtml": f"<html><body><p>{PROSE}</p></body></html>"}),
    "a.eml": message(plain=PROSE, html="<p>x</p>", attachment="a.pdf"),
    "a.rtf": rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}" + PROSE.encode() + rb"\par \u8364? \'e9}",
    "a.html": f"<html><body><table><tr><td>{PROSE}</td><td>b</td></tr></table><ul><li>c</ul></body></html>".encode(),
    "a.md": f"# T\n\n{PROSE}\n\n> - a\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```x\n".encode(),
    "a.csv": b'a,b\n"1,""2",3\n' * 20,
    "a.json": b'{"a": [1, {"b": "c"}], "d": "' + PROSE.encode() + b'"}',
    "a.xml": f"<?xml version='1.0'?><a x='1'><b>{PROSE}</b><c/></a>".encode(),
    "a.ipynb": b'{"cells": [{"cell_type": "markdown", "source": ["# a"]}], "metadata": {}}',
    "a.py": b"class A:\n    def b(self):\n        return 'c'\n" * 5,
}


@pytest.fixture(scope="module")
def files_reader() -> Iterator[CagedFilesReader]:
    reader = CagedFilesReader(syntax=TreeSitterSyntax)
    yield reader
    reader.close()


def _mutant(data: bytes, chance: random.Random) -> bytes:
    """A damaged copy: cut, spliced, overwritten, repeated or sprinkled."""
    mutant = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(mutant) + 1)
        length = chance.choice((1, 2, 8, 64, 512))
        match chance.randrange(5):
            case 0:
                del mutant[at:]
            case 1:
                del mutant[at : at + length]
            case 2:
                mutant[at : at + length] = chance.randbytes(length)
            case 3:
                mutant[at:at] = mutant[at : at + length] * chance.randint(2, 40)
            case _:
                for _ in range(10):
                    if mutant:
                        mutant[chance.randrange(len(mutant))] ^= 1 << chance.randrange(8)
        if not mutant:
            return b"\0"
    return bytes(mutant)


@pytest.mark.parametrize("name", list(_FILES))
def test_read_damaged_file_ends_as_text_or_with_a_known_reason(
    files_reader: CagedFilesReader, tmp_path: Path, name: str
) -> None:
    chance = random.Random(name)
    source = tmp_path / "upload"
    ends: Counter[str] = Counter()
    for _ in range(_MUTANTS):
        source.write_bytes(_mutant(_FILES[name], chance))
        try:
            extracted = files_reader.read(source, name=name, declared_type="")
        except Rejected as error:
            ends[error.code] += 1
        else:
            assert extracted.problems() == []
            ends["read"] += 1
    assert set(ends) <= UNREADABLE - {"parser_crashed", "parser_memory", "parser_timeout"} | {"read"}
    assert ends.total() == _MUTANTS
