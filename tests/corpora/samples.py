"""One sound file of every format, made in code."""

from functools import cache

from tests.adapters.files.making import (
    PROSE,
    book,
    chart,
    lines,
    message,
    opendocument,
    pdf,
    slides,
    word,
    workbook,
)

_TABLE = (
    '<table:table table:name="S"><table:table-row><table:table-cell><text:p>Upper mill</text:p></table:table-cell>'
    "<table:table-cell><text:p>1721</text:p></table:table-cell></table:table-row></table:table>"
)


@cache
def samples() -> dict[str, bytes]:
    """By name; the extension says the format."""
    return {
        "a.pdf": pdf([lines(PROSE)] * 2, bookmarks=[PROSE]),
        "a.docx": word(),
        "a.pptx": slides(),
        "chart.pptx": chart(),
        "a.xlsx": workbook({"S": [["a", 1], ["b", 2.5]], "T": [["c"]]}),
        "a.odt": opendocument("text", f"<text:h>Rivers</text:h><text:p>{PROSE}</text:p>"),
        "a.ods": opendocument("spreadsheet", _TABLE),
        "a.epub": book({"a.xhtml": f"<html><body><p>{PROSE}</p></body></html>", "b.xhtml": "<p>The end.</p>"}),
        "a.eml": message(plain=PROSE, html="<p>x</p>", attachment="a.pdf"),
        "html.eml": message(html=f"<table><tr><td>{PROSE}</td></tr></table>"),
        "a.rtf": rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}" + PROSE.encode() + rb"\par \u8364? \'e9}",
        "a.html": f"<html><body><table><tr><td>{PROSE}<td>b</table><ul><li>c</ul></body></html>".encode(),
        "a.md": f"# T\n\n{PROSE}\n\n> - a\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```x\ny\n```\n".encode(),
        "a.csv": b'a,b\n"1,""2",3\n' * 20,
        "a.tsv": b"a\tb\n1\t2\n" * 20,
        "a.json": b'{"a": [1, {"b": "c"}], "d": "' + PROSE.encode() + b'"}',
        "a.jsonl": b'{"a": 1}\n{"b": "two"}\n',
        "a.xml": f"<?xml version='1.0'?><a x='1'><b>{PROSE}</b><c/></a>".encode(),
        "a.ipynb": b'{"cells": [{"cell_type": "markdown", "source": ["# a"]}], "metadata": {}}',
        "a.yaml": b"a: 1\nb:\n  - two\n",
        "a.rst": f"Title\n=====\n\n{PROSE}\n".encode(),
        "a.txt": PROSE.encode("utf-16"),
        "a.py": b"class A:\n    def b(self):\n        return 'c'\n" * 5,
        "a.ts": b"export class A { b(): string { return 'c' } }\n" * 5,
        "a.go": b'package a\n\nfunc B() string {\n\treturn "c"\n}\n' * 5,
    }
