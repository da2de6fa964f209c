"""The written form of extracted text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Rejected
from shared.domain.extracted import Block, BlockKind, Extracted, Page
from shared.domain.extracted_json import from_json, to_json

_WORDS = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
_SOUND = Extracted(
    "Rivers\n\nWater flows.",
    "text/plain",
    "a" * 64,
    21,
    "Rivers",
    "en",
    (Page(1, 0, 6), Page(2, 8, 20)),
    (Block(BlockKind.HEADING, 0, 6, 1), Block(BlockKind.CODE, 8, 20, 0, "f")),
    ("a warning",),
    {"author": "A. Miller"},
)


def test_from_json_reads_what_to_json_wrote() -> None:
    assert from_json(to_json(_SOUND)) == _SOUND


@given(_WORDS, _WORDS, st.lists(_WORDS, max_size=3), st.dictionaries(_WORDS, _WORDS, max_size=3))
def test_from_json_any_words_survive(text: str, title: str, warnings: list[str], properties: dict[str, str]) -> None:
    made = Extracted(text, "a/b", "0" * 64, 0, title, warnings=tuple(warnings), properties=properties)
    assert from_json(to_json(made)) == made


def _changed(**changes: Any) -> bytes:
    return json.dumps(json.loads(to_json(_SOUND)) | changes).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        _changed(extra=1),
        json.dumps({key: value for key, value in json.loads(to_json(_SOUND)).items() if key != "size"}).encode(),
        _changed(text=1),
        _changed(text="\ud800"),
        _changed(text="a\0b" + " " * 30),
        _changed(size=-1),
        _changed(size=True),
        _changed(size=1.5),
        _changed(content_hash="abc"),
        _changed(pages=[[1, 0]]),
        _changed(pages=[[1, 0, 99]]),
        _changed(pages=[[1, 5, 6], [2, 0, 3]]),
        _changed(pages={}),
        _changed(blocks=[["song", 0, 1, 0, ""]]),
        _changed(blocks=[[["heading"], 0, 1, 0, ""]]),
        _changed(blocks=[["heading", 0, 1, 0, None]]),
        _changed(warnings=["a", 1]),
        _changed(properties={"a": 1}),
        _changed(properties=[]),
    ],
)
def test_from_json_anything_unsound_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        from_json(data)
    assert caught.value.code == "malformed_extraction"
