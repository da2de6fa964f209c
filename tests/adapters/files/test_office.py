"""Word, PowerPoint, Excel and OpenDocument files."""

import datetime as dt
from dataclasses import replace

import pytest

from shared.domain.extracted import BlockKind
from tests.adapters.files.making import (
    LIMITS,
    PROSE,
    archive,
    chart,
    headings,
    of_kind,
    opendocument,
    read,
    refusal,
    slides,
    unzipped,
    word,
    workbook,
)

_BODY = b"<w:body>"


def _with_body(inserted: str) -> bytes:
    parts = unzipped(word())
    parts["word/document.xml"] = parts["word/document.xml"].replace(_BODY, _BODY + inserted.encode(), 1)
    return archive(parts)


def test_read_word_document_keeps_structure_and_properties() -> None:
    extracted = read(word(), "report.docx")
    assert extracted.title == "River report"
    assert extracted.properties["author"] == "A. Miller"
    assert headings(extracted) == [(1, "Rivers"), (2, "Mills")]
    assert of_kind(extracted, BlockKind.LIST) == ["- Upper mill\n- Lower mill"]
    assert of_kind(extracted, BlockKind.TABLE) == ["Name | Year | Owner\nUpper mill | 1721 | Grey"]
    assert of_kind(extracted, BlockKind.PARAGRAPH) == [PROSE, "The end."]
    assert extracted.language == "en"


def test_read_word_tracked_changes_keeps_insertions_and_drops_deletions() -> None:
    data = _with_body(
        "<w:p><w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins>"
        "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del></w:p>"
    )
    assert "kept inserted" in read(data).text
    assert "deleted" not in read(data).text


def test_read_word_content_controls_text_boxes_and_breaks_are_read_once() -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
    mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    data = _with_body(
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>one</w:t><w:br/><w:t>two</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        f"<w:p><w:r><mc:AlternateContent {mc}><mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )
    text = read(data).text
    assert "one\ntwo" in text
    assert text.count("boxed") == 1


def test_read_word_macro_variant_is_read_like_a_document() -> None:
    parts = unzipped(word())
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        b"application/vnd.ms-word.document.macroEnabled.main+xml",
    )
    assert PROSE in read(archive(parts), "report.docm").text


def test_read_word_part_name_out_of_the_package_is_never_a_path() -> None:
    parts = unzipped(word())
    parts["_rels/.rels"] = parts["_rels/.rels"].replace(b"word/document.xml", b"../../../../etc/passwd")
    assert refusal(archive(parts)).code == "corrupt_file"


def test_read_slides_are_pages_with_titles_lists_tables_and_notes() -> None:
    extracted = read(slides(), "talk.pptx")
    assert headings(extracted) == [(1, "Rivers"), (1, "Mills")]
    assert of_kind(extracted, BlockKind.LIST) == ["- Cold water\n  - In every season"]
    assert of_kind(extracted, BlockKind.TABLE) == ["Name | Year\nUpper mill | 1721"]
    assert [page.number for page in extracted.pages] == [1, 2]
    second = extracted.pages[1]
    assert extracted.text[second.start : second.end].startswith("Mills")
    assert "Notes: Speak slowly." in extracted.text


def test_read_slide_charts_are_tables_and_groups_are_looked_into() -> None:
    extracted = read(chart(), "talk.pptx")
    assert of_kind(extracted, BlockKind.TABLE) == ["| Flour | Oil\n2020 | 1.5 | 3\n2021 | 2"]
    assert "in a group" in extracted.text


def test_read_hidden_slide_and_sheet_are_read_with_a_warning() -> None:
    parts = unzipped(slides())
    name = "ppt/slides/slide1.xml"
    parts[name] = parts[name].replace(b"<p:sld ", b'<p:sld show="0" ', 1)
    assert any("slide 1 is hidden" in warning for warning in read(archive(parts)).warnings)
    parts = unzipped(workbook({"One": [["a", "b"]], "Two": [["c", "d"]]}))
    second = b'sheetId="2" state="visible"'
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(second, second.replace(b"visible", b"hidden"))
    extracted = read(archive(parts))
    assert "c | d" in extracted.text
    assert any("sheet Two is hidden" in warning for warning in extracted.warnings)


def test_read_word_notes_are_read_and_comments_are_not() -> None:
    parts = unzipped(word())
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    note = "<w:footnote w:id='{0}' {1}><w:p><w:r><w:t>{2}</w:t></w:r></w:p></w:footnote>"
    notes = note.format(0, "w:type='separator'", "separator") + note.format(1, "", "a note below")
    parts["word/footnotes.xml"] = f"<w:footnotes {w}>{notes}</w:footnotes>".encode()
    parts["word/comments.xml"] = f"<w:comments {w}><w:p><w:r><w:t>a remark</w:t></w:r></w:p></w:comments>".encode()
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = "".join(
        f'<Relationship Id="x{name}" Type="{kind}/{name}" Target="{name}.xml"/>' for name in ("footnotes", "comments")
    )
    rels = "word/_rels/document.xml.rels"
    parts[rels] = parts[rels].replace(b"</Relationships>", relations.encode() + b"</Relationships>")
    extracted = read(archive(parts))
    assert extracted.text.endswith("a note below")
    assert "remark" not in extracted.text
    assert "separator" not in extracted.text
    assert any("comments" in warning for warning in extracted.warnings)


def test_read_slides_without_any_slide_is_refused() -> None:
    parts = unzipped(slides())
    parts["ppt/presentation.xml"] = b'<p:presentation xmlns:p="http://x"/>'
    assert refusal(archive(parts)).code == "no_pages"


def test_read_workbook_shows_values_and_cuts_regions_at_empty_rows() -> None:
    rows: list[list[object]] = [
        ["Mill", "Built", "Share", "Open"],
        ["Upper", dt.datetime(1721, 5, 1), 0.1 + 0.2, True],
        [],
        ["A note below"],
    ]
    extracted = read(workbook({"Mills": rows, "Void": [], "More": [["x", 1]]}), "mills.xlsx")
    assert of_kind(extracted, BlockKind.TABLE) == [
        "Mill | Built | Share | Open\nUpper | 1721-05-01 | 0.3 | TRUE",
        "x | 1",
    ]
    assert headings(extracted) == [(1, "Mills"), (1, "More")]
    assert [extracted.text[page.start : page.end][:4] for page in extracted.pages] == ["Mill", "", "More"]
    assert {block.name for block in extracted.blocks if block.kind is BlockKind.TABLE} == {"Mills", "More"}


def test_read_workbook_formula_without_result_is_left_empty_with_a_warning() -> None:
    extracted = read(workbook({"Sums": [["total", "=SUM(1,2)"]]}))
    assert "SUM" not in extracted.text
    assert any("1 formulas have no stored result" in warning for warning in extracted.warnings)


def test_read_workbook_hostile_dimension_is_ignored() -> None:
    parts = unzipped(workbook({"One": [["a", "b"]]}))
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'ref="A1:B1"', b'ref="A1:XFD1048576"')
    assert of_kind(read(archive(parts)), BlockKind.TABLE) == ["a | b"]


def test_read_empty_workbook_is_refused_as_without_text() -> None:
    assert refusal(workbook({"Void": []})).code == "no_text"


def test_read_opendocument_text_keeps_structure() -> None:
    body = (
        '<text:h text:outline-level="2">Mills</text:h><text:p>Two<text:s text:c="2"/>words<text:tab/>x</text:p>'
        "<text:list><text:list-item><text:p>a</text:p><text:list><text:list-item><text:p>b</text:p></text:list-item>"
        "</text:list></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>1</text:p></table:table-cell>"
        "<table:table-cell><text:p>2</text:p></table:table-cell></table:table-row></table:table>"
        "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
    )
    extracted = read(opendocument("text", body), "a.odt")
    assert headings(extracted) == [(2, "Mills")]
    assert of_kind(extracted, BlockKind.LIST) == ["- a\n  - b"]
    assert of_kind(extracted, BlockKind.TABLE) == ["1 | 2"]
    assert of_kind(extracted, BlockKind.PARAGRAPH) == ["Two  words\tx"]


def test_read_opendocument_notes_boxes_and_description() -> None:
    body = (
        "<text:p>Words<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>below</text:p>"
        "</text:note-body></text:note> on<text:line-break/>two lines</text:p>"
        "<text:p>Beside<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame></text:p>"
        "<text:list><text:list-item><text:p>first</text:p><text:p>more</text:p></text:list-item></text:list>"
    )
    parts = unzipped(opendocument("text", body))
    parts["meta.xml"] = (
        b"<meta><title>Rivers</title><initial-creator>A. Miller</initial-creator>"
        b"<creation-date>2026</creation-date></meta>"
    )
    extracted = read(archive(parts))
    assert extracted.title == "Rivers"
    assert extracted.properties == {"author": "A. Miller", "created": "2026"}
    assert of_kind(extracted, BlockKind.PARAGRAPH) == ["Words (below) on\ntwo lines", "Beside", "boxed"]
    assert of_kind(extracted, BlockKind.LIST) == ["- first\n  more"]


def test_read_opendocument_sheet_does_not_unfold_repeated_cells() -> None:
    row = (
        "<table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-repeated="1000000000"/></table:table-row>'
    )
    extracted = read(opendocument("spreadsheet", f'<table:table table:name="S">{row}{row}</table:table>'), "a.ods")
    assert of_kind(extracted, BlockKind.TABLE) == ["a\na"]
    assert len(extracted.pages) == 1


def test_read_opendocument_slides_are_pages() -> None:
    page = (
        '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Title {0}</text:p></draw:text-box>'
        "</draw:frame><draw:frame><draw:text-box><text:p>Words {0}</text:p></draw:text-box></draw:frame></draw:page>"
    )
    extracted = read(opendocument("presentation", page.format(1) + page.format(2)), "a.odp")
    assert headings(extracted) == [(1, "Title 1"), (1, "Title 2")]
    assert len(extracted.pages) == 2


def test_read_opendocument_with_password_is_refused() -> None:
    data = opendocument("text", "", manifest="<manifest><encryption-data/></manifest>")
    assert refusal(data).code == "encrypted"


@pytest.mark.parametrize("make", [word, slides, lambda: workbook({"S": [["a", "b"]]})])
def test_read_office_file_cut_short_is_refused_as_damaged(make) -> None:  # type: ignore[no-untyped-def]
    data = make()
    assert refusal(data[: len(data) // 2], "x.docx").code == "corrupt_file"


@pytest.mark.parametrize("part", ["word/document.xml", "_rels/.rels", "[Content_Types].xml"])
def test_read_word_document_without_a_part_is_refused(part: str) -> None:
    parts = unzipped(word())
    del parts[part]
    assert refusal(archive(parts)).code in ("corrupt_file", "unsupported_type")


def test_read_word_nested_tables_deeper_than_the_limit_are_refused() -> None:
    cell = "<w:tbl><w:tr><w:tc>" * 70 + "<w:p><w:r><w:t>x</w:t></w:r></w:p>" + "</w:tc></w:tr></w:tbl>" * 70
    assert refusal(_with_body(cell), limits=replace(LIMITS, depth=20)).code == "too_deep"
