"""Cursors are opaque, belong to one listing, and survive whatever comes back."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import InvalidCursor
from shared.domain.pages import After, decode_cursor, encode_cursor, fingerprint, page_of

AT = datetime(2026, 1, 1, 12, 30, 0, 123456, tzinfo=UTC)
LISTING = fingerprint("documents", UUID(int=1), None)


def made(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_decode_cursor_reads_what_encode_wrote(at: datetime, id: UUID) -> None:
    cursor = encode_cursor(After(at, id), LISTING)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert decode_cursor(cursor, LISTING) == After(at, id)


def test_decode_cursor_of_another_listing_is_refused() -> None:
    cursor = encode_cursor(After(AT, UUID(int=5)), fingerprint("documents", UUID(int=1), "filtered"))
    with pytest.raises(InvalidCursor, match="another listing"):
        decode_cursor(cursor, LISTING)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "!!!!",
        "AAAA",
        made(),
        made("2026-01-01T00:00:00+00:00", str(UUID(int=5))),
        made("2026-01-01T00:00:00+00:00", "5", LISTING),
        made("2026-01-01T00:00:00+00:00", 5, LISTING),
        made("soon", str(UUID(int=5)), LISTING),
        made(None, str(UUID(int=5)), LISTING),
        made("2026-01-01T00:00:00", str(UUID(int=5)), LISTING),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_decode_cursor_of_anything_else_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidCursor) as caught:
        decode_cursor(cursor, LISTING)
    assert caught.value.hint


@given(st.text(max_size=60))
def test_decode_cursor_with_any_text_reads_or_refuses(cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(cursor, LISTING)


def test_page_of_short_list_is_the_last_page() -> None:
    page = page_of([1, 2], 2, LISTING, lambda row: After(AT, UUID(int=row)))
    assert (list(page.items), page.next) == ([1, 2], None)


def test_page_of_one_row_more_cuts_it_and_points_at_the_last_kept() -> None:
    page = page_of([1, 2, 3], 2, LISTING, lambda row: After(AT, UUID(int=row)))
    assert list(page.items) == [1, 2]
    assert page.next is not None
    assert decode_cursor(page.next, LISTING) == After(AT, UUID(int=2))


def test_fingerprint_tells_parts_apart() -> None:
    assert fingerprint("a", "bc") != fingerprint("ab", "c")
    assert fingerprint("a", None) == fingerprint("a", None)
