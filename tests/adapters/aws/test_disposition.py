"""A file name of anybody's choice in a header."""

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.aws.disposition import MAX_NAME, attachment, safe_content_type

FORM = re.compile(r"""attachment; filename="([A-Za-z0-9 ._()-]+)"; filename\*=UTF-8''([A-Za-z0-9._~%-]+)""")


@pytest.mark.parametrize(
    ("name", "plain", "true"),
    [
        ("report.pdf", "report.pdf", "report.pdf"),
        ("Zürich Straße.pdf", "Zurich Strae.pdf", "Zürich Straße.pdf"),
        ("财务.pdf", "pdf", "财务.pdf"),
        ('a"; filename="b.exe', "a__ filename__b.exe", 'a"; filename="b.exe'),
        ("a\r\nSet-Cookie: x=1.pdf", "aSet-Cookie_ x_1.pdf", "aSet-Cookie_ x=1.pdf"),
        ("../../etc/passwd", "etc_passwd", "_.._etc_passwd"),
        ("..\\..\\x.bat", "x.bat", "_.._x.bat"),
        ("invoice\u202efdp.exe", "invoicefdp.exe", "invoicefdp.exe"),
        ("", "download", "download"),
        ("...", "download", "download"),
        ("\ud800.txt", "txt", "txt"),
    ],
)
def test_attachment_keeps_the_name_and_nothing_else(name: str, plain: str, true: str) -> None:
    found = FORM.fullmatch(attachment(name))
    assert found is not None, attachment(name)
    assert (found[1], unquote(found[2])) == (plain, true)


def test_attachment_long_name_keeps_its_end() -> None:
    found = FORM.fullmatch(attachment("x" * 400 + ".pdf"))
    assert found is not None
    assert len(found[1]) == MAX_NAME
    assert found[1].endswith(".pdf")


@given(st.text(max_size=300))
def test_attachment_any_name_is_one_well_formed_header(name: str) -> None:
    found = FORM.fullmatch(attachment(name))
    assert found is not None
    assert not set(unquote(found[2])) & set("/\\:\r\n\0")


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "TEXT/HTML; charset=utf-8",
        "image/svg+xml",
        "application/xml",
        "application/xhtml+xml",
        "text/plain",
        "application/pdf",
        "image/png",
        "text/javascript",
        "application/json",
        "",
        "nonsense",
        "application/zip\r\nX: y",
        "multipart/x-mixed-replace",
    ],
)
def test_safe_content_type_of_what_a_browser_could_show_is_binary(kind: str) -> None:
    assert safe_content_type(kind) == "application/octet-stream"


@pytest.mark.parametrize(
    "kind",
    [
        "application/zip",
        "application/epub+zip",
        "application/msword",
        "application/vnd.ms-excel",
        "application/rtf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ],
)
def test_safe_content_type_of_what_is_always_saved_stays(kind: str) -> None:
    assert safe_content_type(kind) == kind
