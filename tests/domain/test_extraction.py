"""What ingest_extract leaves behind is read back strictly."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.documents import Reason
from shared.domain.errors import Rejected
from shared.domain.extracted import Block, BlockKind, Extracted, Page
from shared.domain.extraction import read_extraction, write_extraction

HASH = "0" * 64
TEXT = "Título\n\nA paragraph – with ünïcode 😀."
EXTRACTED = Extracted(
    text=TEXT,
    media_type="text/markdown",
    content_hash=HASH,
    size=45,
    title="Título",
    language="en",
    pages=(Page(1, 0, len(TEXT)),),
    blocks=(Block(BlockKind.HEADING, 0, 6, 1), Block(BlockKind.PARAGRAPH, 8, len(TEXT))),
    warnings=("one picture was left out",),
    properties={"author": "A"},
)


def changed(**changes: Any) -> bytes:
    return json.dumps({**json.loads(write_extraction(EXTRACTED)), **changes}).encode()


def test_read_extraction_of_text_is_what_was_written() -> None:
    assert read_extraction(write_extraction(EXTRACTED)) == EXTRACTED


def test_read_extraction_of_reason_is_what_was_written() -> None:
    reason = Reason("encrypted", "the file needs a password: “é”")
    assert read_extraction(write_extraction(reason)) == reason


def test_read_extraction_of_reason_is_cut_to_size() -> None:
    found = read_extraction(write_extraction(Reason("c" * 100, "d" * 5000)))
    assert found == Reason("c" * 64, "d" * 2000)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"failed":',
        b'{"failed":{}}',
        b'{"failed":null}',
        b'{"failed":{"code":1,"detail":"x"}}',
        b'{"failed":["code"]}',
        changed(more=1),
        changed(text=1),
        changed(text="a\0"),
        changed(title="\ud800"),
        changed(size=-1),
        changed(size=True),
        changed(size="1"),
        changed(content_hash="abc"),
        changed(pages=[[1, 0]]),
        changed(pages=[[1, 0, 999]]),
        changed(pages=[[1, 5, 4]]),
        changed(pages="x"),
        changed(blocks=[["poem", 0, 1, 0, ""]]),
        changed(blocks=[["heading", 0, 6, 1, ""], ["paragraph", 3, 8, 0, ""]]),
        changed(blocks=[["heading", 0, 6, 1]]),
        changed(warnings=[1]),
        changed(properties={"a": 1}),
        changed(properties=[]),
    ],
)
def test_read_extraction_of_anything_else_is_rejected(body: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        read_extraction(body)
    assert caught.value.code == "malformed_extraction"


@given(st.binary(max_size=200))
def test_read_extraction_with_any_bytes_reads_or_rejects(body: bytes) -> None:
    with pytest.raises(Rejected):
        read_extraction(body)


@given(
    st.text(max_size=100), st.text(max_size=20), st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3)
)
def test_read_extraction_round_trips_any_text(text: str, title: str, properties: dict[str, str]) -> None:
    whole = Extracted(text=text, media_type="text/plain", content_hash=HASH, size=1, title=title, properties=properties)
    if "\0" in text + title + "".join(properties) + "".join(properties.values()):
        with pytest.raises(Rejected):
            read_extraction(write_extraction(whole))
    else:
        assert read_extraction(write_extraction(whole)) == whole


def test_problems_of_sound_extraction_are_none() -> None:
    assert EXTRACTED.problems() == []
