"""E-mail and e-books."""

from dataclasses import replace
from email.message import EmailMessage

from shared.domain.extracted import BlockKind
from tests.adapters.files.making import LIMITS, PROSE, archive, book, headings, message, of_kind, read, refusal


def test_read_mail_writes_headers_then_the_plain_body() -> None:
    extracted = read(message(plain=f"{PROSE}\n\nÜber alles.", html="<p>other</p>"), "a.eml")
    assert extracted.title == "About the mill"
    assert extracted.properties["from"] == "Ada <ada@example.org>"
    assert extracted.text.startswith(
        "Subject: About the mill\nFrom: Ada <ada@example.org>\nTo: Bob <bob@example.org>\n"
    )
    assert PROSE in extracted.text.replace("\n", " ")
    assert "Über alles." in extracted.text
    assert "other" not in extracted.text


def test_read_mail_with_only_html_converts_it() -> None:
    extracted = read(message(html="<h1>News</h1><p>Words</p><script>x</script>"), "a.eml")
    assert headings(extracted) == [(1, "News")]
    assert "script" not in extracted.text


def test_read_mail_attachments_are_named_in_warnings_and_nowhere_else() -> None:
    extracted = read(message(plain="See attached.", attachment="../../etc/passwd"), "a.eml")
    assert any("../../etc/passwd" in warning for warning in extracted.warnings)
    assert "passwd" not in extracted.text


def test_read_mail_encoded_subject_is_decoded() -> None:
    assert read(message(plain="x", subject="Mühle 水"), "a.eml").title == "Mühle 水"


def test_read_mail_unknown_charset_falls_back_to_a_guess() -> None:
    raw = b"Subject: a\nFrom: b\nTo: c\nContent-Type: text/plain; charset=klingon\n\nM\xc3\xbchle\n"
    assert "Mühle" in read(raw, "a.eml").text


def test_read_mail_broken_header_does_not_stop_the_reading() -> None:
    raw = b"Subject: =?utf-8?q?=ff=fe?=\nFrom: \xff\xfe <<<\nDate: never\nTo: a\n\nbody words\n"
    assert "body words" in read(raw, "a.eml").text


def test_read_mail_without_extension_is_recognised() -> None:
    assert read(message(plain="body"), "").media_type == "message/rfc822"


def test_read_mail_sealed_message_is_refused() -> None:
    raw = b'Subject: a\nFrom: b\nTo: c\nContent-Type: application/pkcs7-mime; smime-type="enveloped-data"\n\nAAAA\n'
    assert refusal(raw, "a.eml").code == "encrypted"


def test_read_mail_parts_nested_without_end_are_refused() -> None:
    inner = EmailMessage()
    inner.set_content("x")
    for _ in range(30):
        outer = EmailMessage()
        outer.make_mixed()
        outer.attach(inner)
        inner = outer
    assert refusal(inner.as_bytes(), "a.eml", limits=replace(LIMITS, depth=20)).code == "too_deep"


def test_read_mail_with_too_many_parts_is_refused() -> None:
    mail = EmailMessage()
    mail.make_mixed()
    for _ in range(60):
        part = EmailMessage()
        part.set_content("x")
        mail.attach(part)
    assert refusal(mail.as_bytes(), "a.eml", limits=replace(LIMITS, archive_entries=50)).code == "archive_limits"


def test_read_book_follows_the_spine() -> None:
    chapters = {
        "a.xhtml": "<?xml version='1.0'?><html><head><title/></head><body><h1>One</h1><p>First.</p></body></html>",
        "b.xhtml": "<html><body><h1>Two</h1><p>Second.</p></body></html>",
    }
    extracted = read(book(chapters), "rivers.epub")
    assert extracted.title == "Rivers"
    assert extracted.properties["author"] == "A. Miller"
    assert headings(extracted) == [(1, "One"), (1, "Two")]
    assert of_kind(extracted, BlockKind.PARAGRAPH) == ["First.", "Second."]


def test_read_book_with_protected_chapters_is_refused() -> None:
    encryption = (
        '<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:CipherData>'
        '<enc:CipherReference URI="OPS/text/a.xhtml"/></enc:CipherData></encryption>'
    )
    data = book({"a.xhtml": "<p>x</p>"}, extra={"META-INF/encryption.xml": encryption})
    assert refusal(data).code == "encrypted"


def test_read_book_without_package_is_refused() -> None:
    data = archive({"mimetype": "application/epub+zip", "META-INF/container.xml": "<container/>"})
    assert refusal(data).code == "corrupt_file"


def test_read_book_missing_chapter_is_a_warning() -> None:
    data = book({"a.xhtml": "<p>here</p>", "../../../etc/passwd": "<p>never a path</p>"})
    extracted = read(data)
    assert "here" in extracted.text
    assert "passwd" not in extracted.text


def test_read_message_with_an_endless_header_cuts_it_before_it_is_parsed() -> None:
    # Parsed whole it takes minutes: by the square of its length.
    endless = b"a@b.c, " * 60_000
    data = message(plain=PROSE).replace(b"Ada <ada@example.org>", endless)
    assert len(read(data, "a.eml").text) < 25_000
