"""Archives that would unpack to more than any document, and XML that reaches out."""

import io
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from shared.adapters.files.archives import open_archive, read_entry
from shared.adapters.files.limits import MEBIBYTE
from shared.adapters.files.xml_parsing import parse_xml
from shared.domain.errors import Rejected
from tests.adapters.files.making import LIMITS, archive, read, refusal, unzipped, word, workbook

_SMALL = replace(LIMITS, archive_entries=100, archive_bytes=8 * MEBIBYTE)


def test_open_archive_unpacking_to_too_much_is_refused() -> None:
    data = archive({f"{number}": bytes(MEBIBYTE) for number in range(9)})
    assert refusal(data, limits=_SMALL).code == "archive_limits"


def test_open_archive_with_too_many_entries_is_refused() -> None:
    assert refusal(archive({str(number): "" for number in range(101)}), limits=_SMALL).code == "archive_limits"


def test_open_archive_with_an_absurd_ratio_is_refused() -> None:
    error = refusal(archive({"word/document.xml": bytes(4 * MEBIBYTE), "[Content_Types].xml": "x"}), limits=_SMALL)
    assert error.code == "archive_limits"
    assert "times its size" in error.detail


def test_open_archive_small_entries_may_compress_as_well_as_they_like() -> None:
    assert open_archive(archive({"a": " " * 900_000}), LIMITS).namelist() == ["a"]


def test_open_archive_whose_entries_overlap_is_refused() -> None:
    # One packed entry, listed a hundred times in the directory.
    data = archive({"a": bytes(range(256)) * 40}, method=zipfile.ZIP_STORED)
    start = data.index(b"PK\x01\x02")
    end = data.index(b"PK\x05\x06")
    entry = data[start:end]
    tail = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 90, 90, 90 * len(entry), start, 0)
    error = refusal(data[:start] + entry * 90 + tail, limits=_SMALL)
    assert error.code == "archive_limits"
    assert "overlap" in error.detail


def test_read_entry_that_lies_about_its_size_yields_no_more_than_it_declared() -> None:
    data = bytearray(archive({"a": b"x" * 100_000}))
    declared = struct.pack("<L", 10)
    directory = data.index(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = declared
    opened = open_archive(bytes(data), LIMITS)
    with pytest.raises(Rejected) as caught:
        read_entry(opened, "a")
    assert caught.value.code == "corrupt_file"


def test_open_archive_with_encrypted_entries_is_refused() -> None:
    data = bytearray(archive({"a": "words"}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    assert refusal(bytes(data)).code == "encrypted"


def test_open_archive_damaged_directory_is_refused() -> None:
    data = archive({"a": "words"})
    assert refusal(data[:-30]).code == "corrupt_file"


@pytest.mark.parametrize("name", ["../../../../tmp/slipped", "/tmp/slipped", "..\\..\\slipped", "C:\\slipped"])
def test_read_archive_entry_names_are_never_paths(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = archive(unzipped(word()) | {name: b"slipped"})
    assert "slipped" not in read(data).text
    assert list(tmp_path.iterdir()) == []


def test_read_archive_within_archive_is_not_opened() -> None:
    inner = archive({"word/document.xml": bytes(MEBIBYTE)})
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, part in unzipped(word()).items():
            file.writestr(name, part)
        file.writestr("word/embeddings/inner.docx", inner)
    assert read(buffer.getvalue()).text


_BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e0 "ha">%s]><a><b>words</b><c>&e25;</c></a>""" % b"".join(
    b'<!ENTITY e%d "&e%d;&e%d;">' % (level, level - 1, level - 1) for level in range(1, 26)
)
_OUTWARD = (
    b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><b>words</b><c>&x;</c></a>"""
)
_PARAMETER = (
    b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]><a><b>words</b></a>"""
)


@pytest.mark.parametrize("data", [_BOMB, _OUTWARD, _PARAMETER])
def test_read_xml_entities_are_never_expanded(data: bytes) -> None:
    extracted = read(data, "a.xml")
    assert "words" in extracted.text
    assert "root:" not in extracted.text
    assert "haha" not in extracted.text


@pytest.mark.parametrize("declaration", [_BOMB, _OUTWARD])
def test_read_word_document_with_entities_expands_none(declaration: bytes) -> None:
    parts = unzipped(word())
    doctype = declaration[declaration.index(b"<!DOCTYPE") : declaration.index(b"<a>")].replace(
        b"DOCTYPE a", b"DOCTYPE w"
    )
    start = parts["word/document.xml"].index(b"<w:document")
    name = b"&e25;" if declaration is _BOMB else b"&x;"
    body = parts["word/document.xml"][start:].replace(b"The end.", b"The end." + name)
    parts["word/document.xml"] = b'<?xml version="1.0"?>' + doctype + body
    assert not _expanded(archive(parts))


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/workbook.xml"])
def test_read_workbook_with_entities_expands_none(part: str) -> None:
    parts = unzipped(workbook({"S": [["first", "second"]]}))
    doctype = _BOMB[_BOMB.index(b"<!DOCTYPE") : _BOMB.index(b"<a>")]
    body = parts[part]
    body = body[body.index(b"?>") + 2 :] if body.startswith(b"<?xml") else body
    parts[part] = b'<?xml version="1.0"?>' + doctype + body.replace(b"first", b"&e25;")
    assert not _expanded(archive(parts))


def _expanded(data: bytes) -> bool:
    """Whether reading shows what an entity stands for. Being refused as damaged is as good."""
    try:
        text = read(data).text
    except Rejected as error:
        return error.code != "corrupt_file"
    return "haha" in text or "root:" in text


def test_parse_xml_nested_without_end_is_refused_by_the_parser() -> None:
    with pytest.raises(SyntaxError):
        parse_xml(b"<a>" * 100_000)
