"""The written form of `Extracted`: compact JSON.

It is read back strictly, because it may come from a process or a place that is not trusted.
"""

import json
from collections.abc import Callable
from typing import Any

from shared.domain.errors import Rejected
from shared.domain.extracted import Block, BlockKind, Extracted, Page

_STRINGS = ("text", "media_type", "content_hash", "title", "language")
_KEYS = {*_STRINGS, "size", "pages", "blocks", "warnings", "properties"}
_HASH_LENGTH = 64
_KINDS = frozenset(kind.value for kind in BlockKind)


def to_json(extracted: Extracted) -> bytes:
    """Write `extracted` as UTF-8 JSON.

    Pages and blocks become arrays: `[number, start, end]` and `[kind, start, end, level, name]`.
    """
    document = {key: getattr(extracted, key) for key in _STRINGS} | {
        "size": extracted.size,
        "pages": [[page.number, page.start, page.end] for page in extracted.pages],
        "blocks": [[block.kind.value, block.start, block.end, block.level, block.name] for block in extracted.blocks],
        "warnings": list(extracted.warnings),
        "properties": extracted.properties,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def from_json(data: bytes) -> Extracted:
    """Read what `to_json` wrote, checking every type and every invariant.

    Raises:
        Rejected: `malformed_extraction`; the bytes are not the JSON of a sound `Extracted`.
    """
    try:
        document = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _malformed("not JSON in UTF-8") from error
    if not isinstance(document, dict) or set(document) != _KEYS:
        raise _malformed("not an object with exactly the known keys")
    extracted = Extracted(
        **{key: _string(document[key], key) for key in _STRINGS},
        size=_number(document["size"], "size"),
        pages=_each(document["pages"], "pages", _page),
        blocks=_each(document["blocks"], "blocks", _block),
        warnings=_each(document["warnings"], "warnings", lambda item: _string(item, "warnings")),
        properties=_properties(document["properties"]),
    )
    if problems := extracted.problems():
        raise _malformed(problems[0])
    if len(extracted.content_hash) != _HASH_LENGTH:
        raise _malformed("content_hash is no sha256")
    return extracted


def _malformed(what: str) -> Rejected:
    return Rejected(f"the extracted text is malformed: {what}", code="malformed_extraction")


def _string(value: object, key: str) -> str:
    if not isinstance(value, str):
        raise _malformed(f"{key} is not text")
    # JSON can spell lone surrogates, which no database and no UTF-8 file can hold.
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise _malformed(f"{key} holds a lone surrogate") from error
    if "\0" in value:
        raise _malformed(f"{key} holds NUL")
    return value


def _number(value: object, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _malformed(f"{key} is no whole number from 0")
    return value


def _each[T](value: object, key: str, read: Callable[[Any], T]) -> tuple[T, ...]:
    if not isinstance(value, list):
        raise _malformed(f"{key} is no list")
    return tuple(read(item) for item in value)


def _row(value: object, key: str, length: int) -> list[object]:
    if not isinstance(value, list) or len(value) != length:
        raise _malformed(f"{key} holds something other than rows of {length}")
    return value


def _page(value: object) -> Page:
    return Page(*(_number(item, "pages") for item in _row(value, "pages", 3)))


def _block(value: object) -> Block:
    kind, start, end, level, name = _row(value, "blocks", 5)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise _malformed("blocks holds an unknown kind")
    first, last, depth = (_number(item, "blocks") for item in (start, end, level))
    return Block(BlockKind(kind), first, last, depth, _string(name, "blocks"))


def _properties(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _malformed("properties is no object")
    return {_string(key, "properties"): _string(item, "properties") for key, item in value.items()}
