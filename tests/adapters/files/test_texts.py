"""Formats that are characters: HTML, Markdown, tables, data, code, plain text."""

import json
from dataclasses import replace

import pytest

from shared.domain.extracted import BlockKind
from tests.adapters.files.making import LIMITS, PROSE, headings, of_kind, read, refusal, said


def test_read_html_keeps_visible_blocks_in_order() -> None:
    html = f"""<!DOCTYPE html><html><head><title>Rivers &amp; mills</title><style>p{{}}</style></head><body>
    <nav>Menu</nav><h1>Rivers</h1><p>{PROSE}</p><script>var x = "<p>no</p>";</script>
    <div>loose <b>bold</b> words<br>second line</div>
    <ul><li>one<ul><li>inner</li></ul></li><li><p>two</p></li></ul><ol><li>first</li></ol>
    <table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td><p>2</p><p>3</p></td></tr></table>
    <pre>def f():
    return 1</pre><p hidden>ghost</p><p style="display: none">ghost</p><img alt="a mill"></body></html>"""
    extracted = read(html, "page.html")
    assert extracted.title == "Rivers & mills"
    assert headings(extracted) == [(1, "Rivers")]
    assert of_kind(extracted, BlockKind.LIST) == ["- one\n  - inner\n- two", "1. first"]
    assert of_kind(extracted, BlockKind.TABLE) == ["a | b\n1 | 2 3"]
    assert of_kind(extracted, BlockKind.CODE) == ["def f():\n    return 1"]
    assert of_kind(extracted, BlockKind.PARAGRAPH) == [PROSE, "loose bold words\nsecond line", "a mill"]
    assert "ghost" not in extracted.text
    assert "Menu" not in extracted.text


def test_read_html_layout_tables_are_dissolved() -> None:
    inner = "<table><tr><td>k</td><td>v</td></tr></table>"
    html = f"<html><body><table><tr><td><h2>News</h2></td><td>{inner}</td></tr></table></body></html>"
    extracted = read(html)
    assert headings(extracted) == [(2, "News")]
    assert of_kind(extracted, BlockKind.TABLE) == ["k | v"]


def test_read_html_list_inside_a_table_cell_inside_a_list_stays_in_its_cell() -> None:
    html = "<html><body><ul><li>a<table><tr><td>x<ul><li>y</li></ul></td><td>z</td></tr></table></li><li>b</li></ul>"
    extracted = read(html)
    assert of_kind(extracted, BlockKind.TABLE) == ["x - y | z"]
    assert of_kind(extracted, BlockKind.LIST) == ["- a", "- b"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "cp1252", "shift_jis"])
def test_read_html_any_encoding_is_understood(encoding: str) -> None:
    words = "日本の川と水車小屋の話です。" * 5 if encoding == "shift_jis" else "Die Mühle am Fluß. " * 5
    html = f'<html><head><meta charset="{encoding}"></head><body><p>{words}</p></body></html>'
    assert read(html.encode(encoding), "a.html").text == words.strip()


def test_read_html_nested_without_end_is_refused_quickly() -> None:
    assert refusal("<html><body>" + "<div>" * 200_000 + "x", "a.html").code in ("too_deep", "no_text")


def test_read_markdown_keeps_source_and_marks_blocks() -> None:
    source = (
        "---\ntitle: Rivers\n---\n\n# Rivers\n\nSome *words* here.\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n"
        "```python\n# no heading\n```\n\nSetext\n------\n\n[ref]: http://example.org\n"
    )
    extracted = read(source, "a.md")
    assert extracted.text == source
    assert extracted.title == "Rivers"
    assert headings(extracted) == [(1, "# Rivers"), (2, "Setext\n------")]
    assert of_kind(extracted, BlockKind.LIST) == ["- a\n- b"]
    assert of_kind(extracted, BlockKind.TABLE) == ["| x | y |\n|---|---|\n| 1 | 2 |"]
    assert of_kind(extracted, BlockKind.CODE) == ["```python\n# no heading\n```"]


def test_read_markdown_deep_quotes_end_soon() -> None:
    assert read(">" * 5_000 + " x", "a.md").blocks


def test_read_csv_is_one_table_with_its_header_first() -> None:
    extracted = read('name;year\n"Upper; mill";1721\n"two\nlines";1\n', "mills.csv")
    assert of_kind(extracted, BlockKind.TABLE) == ["name | year\nUpper; mill | 1721\ntwo lines | 1"]


def test_read_csv_unclosed_quote_does_not_swallow_the_rest() -> None:
    rows = "".join(f"row {number},{number}\n" for number in range(1_000))
    extracted = read(f'a,b\n"open,1\n{rows}', "a.csv")
    assert "row 999 | 999" in extracted.text
    assert any("quotation mark" in warning for warning in extracted.warnings)


def test_read_csv_with_a_million_columns_is_one_row() -> None:
    extracted = read(",".join("x" * 1_000_000), "wide.csv")
    assert len(extracted.blocks) == 1


def test_read_tsv_takes_tabs() -> None:
    assert read("a, b\tc\n1, 2\t3\n", "a.tsv").text == "a, b | c\n1, 2 | 3"


def test_read_json_becomes_readable_lines() -> None:
    data = {"name": "Mill", "year": 1721, "open": True, "none": None, "tags": ["a", "b"], "place": {"town": "Ley"}}
    assert read(json.dumps(data), "a.json").text == (
        "name: Mill\nyear: 1721\nopen: true\nnone: null\n\ntags:\n  - a\n  - b\n\nplace:\n  town: Ley"
    )


def test_read_json_large_parts_get_headings() -> None:
    data = {"mills": [{"name": f"Mill {number}", "year": number} for number in range(60)]}
    extracted = read(json.dumps(data), "a.json")
    assert headings(extracted) == [(1, "mills")]
    assert of_kind(extracted, BlockKind.PARAGRAPH)[7] == "name: Mill 7\nyear: 7"


def test_read_json_numbers_keep_their_digits() -> None:
    assert "12345678901234567890.10" in read('{"n": 12345678901234567890.10}', "a.json").text


@pytest.mark.parametrize("text", ["[" * 100_000 + "]" * 100_000, '{"a":' * 100_000])
def test_read_json_nested_without_end_is_refused(text: str) -> None:
    assert refusal(text, "a.json").code == "too_deep"


def test_read_json_that_is_none_is_read_as_text_with_a_warning() -> None:
    extracted = read("{not json at all", "a.json")
    assert extracted.text == "{not json at all"
    assert "not valid JSON" in extracted.warnings[0]


def test_read_json_lines_keeps_broken_lines_as_text() -> None:
    extracted = read('{"a": 1}\nbroken\n{"a": 2}\n', "a.jsonl")
    assert of_kind(extracted, BlockKind.PARAGRAPH) == ["a: 1", "broken", "a: 2"]
    assert "1 of 3 lines" in extracted.warnings[0]


def test_read_json_lone_surrogates_and_nul_are_dropped() -> None:
    assert read('{"a": "x\\ud800y\\u0000z"}', "a.json").text == "a: xyz"


def test_read_notebook_keeps_cells_and_leaves_outputs_out() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Title\n", "\n", "Words."]},
        {"cell_type": "code", "source": "x = 1\ny = 2", "outputs": [{"text": "secret"}]},
    ]
    extracted = read(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}), "a.ipynb")
    assert headings(extracted) == [(1, "# Title")]
    assert of_kind(extracted, BlockKind.CODE) == ["x = 1\ny = 2"]
    assert "secret" not in extracted.text
    assert extracted.warnings


def test_read_xml_elements_become_names_and_values() -> None:
    xml = '<?xml version="1.0"?><mills><mill id="m1"><name>Upper</name><note>built <b>1721</b></note></mill></mills>'
    assert read(xml, "a.xml").text == "mill:\n  id: m1\n  name: Upper\n  note: built 1721"


def test_read_xml_not_well_formed_is_read_as_text() -> None:
    extracted = read("<?xml version='1.0'?><a>words<b></a>", "a.xml")
    assert "words" in extracted.text
    assert "not well-formed" in extracted.warnings[0]


_CODE = '''"""Module."""
import os

LIMIT = 1


# Reads things.
def read(path):
    def inner():
        return 2

    return inner


class Mill:
    """A mill."""

    wheels = 2

    @property
    def grinds(self):
        return True
'''


def test_read_code_has_a_block_for_every_definition() -> None:
    extracted = read(_CODE, "mill.py")
    assert extracted.text == _CODE
    names = {block.name: said(extracted, block) for block in extracted.blocks}
    assert names["read"].startswith("# Reads things.\ndef read(path):")
    assert names["read"].endswith("return inner")
    assert names["Mill"].startswith("class Mill:")
    assert names["Mill.grinds"].startswith("    @property")
    assert extracted.media_type == "text/x-python"


def test_read_code_without_a_grammar_is_cut_at_empty_lines() -> None:
    source = "fun a() {\n  x\n\n  y\n}\n\nfun b() {\n  z\n}\n"
    extracted = read(source, "a.kt")
    assert of_kind(extracted, BlockKind.CODE) == ["fun a() {\n  x\n\n  y\n}", "fun b() {\n  z\n}"]


def test_read_code_with_letters_beyond_ascii_keeps_offsets() -> None:
    source = "# Über Mühlen 🌊\ndef füllen():\n    pass\n\n\ndef leeren():\n    return '水'\n"
    extracted = read(source, "a.py")
    assert [block.name for block in extracted.blocks] == ["füllen", "leeren"]
    assert said(extracted, extracted.blocks[1]) == "def leeren():\n    return '水'"


def test_read_plain_text_cuts_at_empty_lines_and_sees_lists_and_titles() -> None:
    extracted = read(f"Rivers\n======\n\n{PROSE}\r\n\r\n- a\n- b\n\n1. one\n2. two\n", "a.txt")
    assert headings(extracted) == [(1, "Rivers\n======")]
    assert of_kind(extracted, BlockKind.LIST) == ["- a\n- b", "1. one\n2. two"]
    assert of_kind(extracted, BlockKind.PARAGRAPH) == [PROSE]


def test_read_restructured_text_levels_follow_first_appearance() -> None:
    extracted = read("=====\nTitle\n=====\n\nPart\n----\n\nwords\n\nOther\n-----\n\nSub\n~~~\n", "a.rst")
    assert [level for level, _ in headings(extracted)] == [1, 2, 2, 3]


def test_read_org_levels_are_stars() -> None:
    assert [level for level, _ in headings(read("* A\nwords\n** B\n* C\n", "a.org"))] == [1, 2, 1]


def test_read_text_is_composed_and_cleaned_before_offsets_are_taken() -> None:
    extracted = read("cafe\u0301 \x00\ufeffwo\u00adrds\x0cnext\u2028line\r\n", "a.txt")
    assert extracted.text == "café words\nnext\nline\n"


def test_read_rich_text_keeps_paragraphs_and_tables() -> None:
    rtf = (
        r"{\rtf1\ansi{\info{\title Rivers}}{\fonttbl{\f0 Arial;}}First \b bold\b0  words.\par Caf\'e9\par "
        r"\trowd\cellx1\cellx2 a\cell b\cell\row\trowd\cellx1\cellx2 c\cell d\cell\row\pard Last\par}"
    )
    extracted = read(rtf, "a.rtf")
    assert extracted.title == "Rivers"
    assert of_kind(extracted, BlockKind.TABLE) == ["a | b\nc | d"]
    assert of_kind(extracted, BlockKind.PARAGRAPH) == ["First bold words.", "Café", "Last"]


def test_read_text_that_falls_into_too_many_paragraphs_is_refused() -> None:
    limits = replace(LIMITS, blocks=10)
    assert read("word\n\n" * 10, "a.txt", limits=limits).blocks
    assert refusal("word\n\n" * 11, "a.txt", limits=limits).code == "too_much_text"
