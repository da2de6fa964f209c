"""What a file is taken for: content first, then its name, then what was declared."""

import random

import pytest

from shared.adapters.files.catalogue import BY_EXTENSION, FORMATS
from shared.adapters.files.language import language_of
from shared.adapters.files.reading import reader_of
from tests.adapters.files.making import LIMITS, archive, lines, message, pdf, read, refusal, slides, word, workbook

_PDF = "application/pdf"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(504)


def _ole(*streams: str) -> bytes:
    return _OLE + b"".join(f"{stream}\0".encode("utf-16-le").ljust(64, b"\0") for stream in streams)


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (pdf([lines("words")]), _PDF),
        (word(), FORMATS["docx"].media_type),
        (slides(), FORMATS["pptx"].media_type),
        (workbook({"S": [["a"]]}), FORMATS["xlsx"].media_type),
        (rb"{\rtf1 words}", FORMATS["rtf"].media_type),
        (b"<!-- c --><!DOCTYPE html><html><body>words</body></html>", "text/html"),
        (b"<?xml version='1.0'?><html><body>words</body></html>", "text/html"),
        (b"<?xml version='1.0'?><a>words</a>", "application/xml"),
        (b'{"a": 1}', "application/json"),
        (message(plain="words"), "message/rfc822"),
        (b"just words", "text/plain"),
    ],
)
@pytest.mark.parametrize("name", ["", "upload", "strange.extension"])
def test_read_file_without_a_telling_name_is_recognised_by_content(data: bytes, media_type: str, name: str) -> None:
    assert read(data, name).media_type == media_type


@pytest.mark.parametrize(
    ("data", "name", "media_type"),
    [
        (pdf([lines("words")]), "report.docx", _PDF),
        (word(), "report.pdf", FORMATS["docx"].media_type),
        (b"<!DOCTYPE html><html><body>words</body></html>", "page.txt", "text/html"),
        (b"<!DOCTYPE html><html><body>words</body></html>", "page.docx", "text/html"),
        (b"plain words, no tags", "page.html", "text/plain"),
        (b"plain words", "report.pdf", "text/plain"),
        (message(plain="words"), "mail.txt", "message/rfc822"),
    ],
)
def test_read_file_under_a_wrong_name_is_read_as_what_it_is_with_a_warning(
    data: bytes, name: str, media_type: str
) -> None:
    extracted = read(data, name)
    assert extracted.media_type == media_type
    assert "but the content is" in extracted.warnings[0]


def test_read_file_declared_type_decides_only_when_nothing_else_does() -> None:
    assert read("# words", "upload", declared_type="text/markdown; charset=utf-8").media_type == "text/markdown"
    assert read("# words", "a.txt", declared_type="text/markdown").media_type == "text/plain"
    assert read(pdf([lines("words")]), "", declared_type="text/plain").media_type == _PDF


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile", "GEMFILE"])
def test_read_file_known_by_its_whole_name_is_code(name: str) -> None:
    assert read("all: words", name).media_type.startswith("text/x-")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(20), "PNG picture"),
        (b"\xff\xd8\xff\xe0" + bytes(20), "JPEG picture"),
        (b"RIFF\0\0\0\0WAVEfmt ", "WAV recording"),
        (b"ID3\x04" + bytes(20), "MP3 recording"),
        (b"\xff\xfb\x90\x64" + bytes(20), "MP3 recording"),
        (b"\0\0\0\x18ftypmp42" + bytes(20), "MP4"),
        (b"\x1f\x8b\x08" + bytes(20), "gzip archive"),
        (b"BM" + bytes(12) + b"\x28\0\0\0" + bytes(20), "BMP picture"),
        (b"\x7fELF" + bytes(20), "program"),
        (b"SQLite format 3\0" + bytes(20), "SQLite"),
        (archive({"a.txt": "words"}), "ZIP archive"),
        (archive({"xl/workbook.bin": b"x", "[Content_Types].xml": b"x"}), "xlsb"),
        (_ole("WordDocument"), "save it as .docx"),
        (_ole("Workbook"), "save it as .xlsx"),
        (_ole("PowerPoint Document"), "save it as .pptx"),
        (_ole("Something"), "unknown kind"),
        (random.Random(1).randbytes(4_000), "binary data"),
    ],
)
@pytest.mark.parametrize("name", ["", "a.txt"])
def test_read_unsupported_file_is_refused_by_name_and_with_advice(data: bytes, says: str, name: str) -> None:
    error = refusal(data, name)
    assert error.code == "unsupported_type"
    assert says in error.detail
    assert "Supported: PDF, Word" in error.detail


def test_read_file_that_claims_a_binary_format_and_is_none_is_damaged() -> None:
    assert refusal(random.Random(2).randbytes(4_000), "a.pdf").code == "corrupt_file"


def test_read_office_file_with_a_password_is_refused() -> None:
    assert refusal(_ole("EncryptedPackage"), "a.docx").code == "encrypted"


def test_read_outlook_file_that_is_damaged_is_refused() -> None:
    assert refusal(_ole("__properties_version1.0"), "a.msg").code == "corrupt_file"


@pytest.mark.parametrize("data", [b"", b"   \n\t\r\n ", bytes(100)])
def test_read_empty_file_is_refused(data: bytes) -> None:
    assert refusal(data, "a.txt").code == "empty_file"


def test_read_file_over_the_limit_is_refused() -> None:
    assert refusal(b"x" * (LIMITS.file_bytes + 1)).code == "file_too_large"


def test_catalogue_every_format_has_a_reader_and_a_media_type_of_its_own() -> None:
    for format_ in FORMATS.values():
        assert callable(reader_of(format_))
    assert len(BY_EXTENSION) == sum(len(format_.extensions) for format_ in FORMATS.values())


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The river rises in the hills above the town and flows east.", "en"),
        ("Der Fluss entspringt in den Hügeln über der Stadt und fließt nach Osten.", "de"),
        ("Река берёт начало на холмах над городом и течёт на восток. Вода в ней холодная в любое время года.", "ru"),
        ("川は町の上の丘から始まり、東へ流れている。", "ja"),
        ("河流发源于城镇上方的山丘，向东流去。", "zh"),
        ("แม่น้ำมีต้นกำเนิดบนเนินเขาเหนือเมือง", "th"),
        ("강은 마을 위 언덕에서 시작하여 동쪽으로 흐른다.", "ko"),
        ("river", ""),
        ("1,234 5,678 | 9 || 10", ""),
        ("x x x x x x x x x x x x x x x x x x x x x x x x x x x x", ""),
    ],
)
def test_language_of_text_is_told_when_it_is_long_enough(text: str, language: str) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize("declared", ["UTF-0", "UTh1", "punycode", "idna", "undefined", "zlib", "rot13"])
def test_read_text_that_declares_an_encoding_nobody_has_is_read_all_the_same(declared: str) -> None:
    data = f'<?xml version="1.0" encoding="{declared}"?><a><b>Caf\xe9 words</b></a>'.encode("cp1252")
    assert "Café words" in read(data, "a.xml").text
