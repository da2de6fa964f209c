"""Long files are read in parts; wherever they are cut, the text is the one that reading in one go gives."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from shared.adapters.files.limits import CageLimits
from shared.adapters.files.protocol import decode_outcome, decode_parts, encode_outcome, encode_parts
from shared.adapters.files.reader import CagedFilesReader
from shared.adapters.files.reading import read_stretch
from shared.adapters.files.source import Stretch
from shared.domain.errors import Rejected
from shared.domain.extracted import Extracted
from shared.domain.extracted_json import to_json
from shared.domain.parts import Part
from tests.adapters.files.making import LIMITS
from tests.fixtures.long_pdf import long_pdf

PAGES = 34
FILE = long_pdf(PAGES)


def stretch(after: int, pages: int, characters: int = 0, data: bytes = FILE) -> Extracted | Part:
    limits = replace(LIMITS, part_pages=pages)
    wanted = Stretch(after, characters)
    return read_stretch(data, name="a.pdf", declared_type="", limits=limits, stretch=wanted)


def assembled(parts: list[Part], data: bytes = FILE) -> Extracted:
    wanted = Stretch(parts=tuple(part.body for part in parts))
    read = read_stretch(data, name="a.pdf", declared_type="", limits=LIMITS, stretch=wanted)
    assert isinstance(read, Extracted)
    return read


@pytest.fixture(scope="module")
def whole() -> Extracted:
    read = stretch(0, PAGES)
    assert isinstance(read, Extracted)
    return read


def in_parts(*cuts: int) -> list[Part]:
    parts: list[Part] = []
    for first, last in pairwise((0, *cuts, PAGES)):
        part = stretch(first, last - first, parts[-1].characters if parts else 0)
        assert isinstance(part, Part)
        assert (part.first, part.last, part.total) == (first, last, PAGES)
        parts.append(part)
    return parts


def test_long_pdf_has_what_spans_pages(whole: Extracted) -> None:
    headings = [block for block in whole.blocks if block.kind == "heading"]
    assert len({block.level for block in headings}) >= 3
    assert "Gazette" not in "".join(whole.text[block.start : block.end] for block in headings)
    assert "customer 11: Ada Grey 11" in whole.text


@pytest.mark.parametrize("cut", range(1, PAGES))
def test_assemble_cut_at_every_page_is_byte_for_byte_the_same(cut: int, whole: Extracted) -> None:
    assert to_json(assembled(in_parts(cut))) == to_json(whole)


def test_assemble_of_single_pages_is_the_same(whole: Extracted) -> None:
    assert to_json(assembled(in_parts(*range(1, PAGES)))) == to_json(whole)


def test_part_is_a_function_of_its_pages() -> None:
    assert stretch(7, 5, 100) == stretch(7, 5, 100)
    one, two = stretch(0, 7), stretch(0, 9)
    assert isinstance(one, Part)
    assert isinstance(two, Part)
    assert one.characters < two.characters


def test_part_survives_the_way_through_a_file() -> None:
    (part, *_) = parts = in_parts(9, 20)
    assert decode_outcome(encode_outcome(part), LIMITS) == part
    bodies = [one.body for one in parts]
    assert list(decode_parts(encode_parts(bodies))) == bodies


@pytest.mark.parametrize(
    "head",
    [b"[]", b"[1,2,3]", b"[3,3,9,0]", b"[0,9,3,0]", b"[-1,2,9,0]", b"[0,1,9,-5]", b"{}", b"[" * 50, b"[0,1,9,{}]"],
)
def test_part_that_makes_no_sense_is_a_crash(head: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        decode_outcome(b"part\n" + head + b"\nbody", LIMITS)
    assert caught.value.code == "parser_crashed"


def test_assemble_of_too_few_pages_is_refused() -> None:
    with pytest.raises(Rejected) as caught:
        assembled(in_parts(9)[:1])
    assert caught.value.code == "corrupt_file"


def test_read_too_much_text_counts_the_parts_before() -> None:
    limits = replace(LIMITS, text_chars=5_000, part_pages=5)
    part = read_stretch(FILE, name="a.pdf", declared_type="", limits=limits, stretch=Stretch())
    assert isinstance(part, Part)
    wanted = Stretch(part.last, part.characters + 3_000)
    with pytest.raises(Rejected) as caught:
        read_stretch(FILE, name="a.pdf", declared_type="", limits=limits, stretch=wanted)
    assert caught.value.code == "too_much_text"


def test_read_in_the_cage_is_the_same_however_many_processes_it_takes(tmp_path: Path, whole: Extracted) -> None:
    source = tmp_path / "upload"
    source.write_bytes(FILE)
    reader = CagedFilesReader(CageLimits(part_pages=9))
    try:
        first = reader.read_on(source, name="a.pdf", declared_type="")
        assert isinstance(first, Part)
        assert (first.first, first.last, first.total) == (0, 9, PAGES)
        assert to_json(reader.read(source, name="a.pdf", declared_type="")) == to_json(whole)
    finally:
        reader.close()


def test_read_out_of_time_stops_after_the_page_it_is_on(tmp_path: Path) -> None:
    source = tmp_path / "upload"
    source.write_bytes(FILE)
    reader = CagedFilesReader(CageLimits(part_seconds=1e-9))
    try:
        read = reader.read_on(source, name="a.pdf", declared_type="", after=4)
        assert isinstance(read, Part)
        assert (read.first, read.last) == (4, 5)
    finally:
        reader.close()
