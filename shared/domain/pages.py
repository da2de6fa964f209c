"""Cursor pagination: an opaque cursor says after which row the next page begins, and for which listing it was made."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.domain.errors import InvalidCursor


@dataclass(frozen=True, slots=True)
class After:
    """The last row of the page before: its time and id, in the listing's order (newest first)."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Page[Item]:
    """Some rows of a listing; `next` is None on the last page."""

    items: Sequence[Item]
    next: str | None


def fingerprint(*parts: object) -> str:
    """Short text naming a listing and its filters, so that a cursor is not used with others."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:12]


def encode_cursor(after: After, listing: str) -> str:
    """Make the opaque form."""
    data = json.dumps([after.at.isoformat(), str(after.id), listing]).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode_cursor(cursor: str, listing: str) -> After:
    """Read the opaque form.

    Raises:
        InvalidCursor: not one of ours, or made for another listing or other filters.
    """
    try:
        at, id, made_for = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        )
        after = After(datetime.fromisoformat(at), UUID(id))
        known = after.at.tzinfo is not None
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise InvalidCursor(
            "the cursor is not one this service made", hint="leave it out to start from the first page"
        ) from error
    if made_for != listing or not known:
        raise InvalidCursor(
            "the cursor belongs to another listing or other filters", hint="leave it out to start from the first page"
        )
    return after


def page_of[Item](rows: Sequence[Item], limit: int, listing: str, key: Callable[[Item], After]) -> Page[Item]:
    """Cut `limit + 1` fetched rows to a page with its next cursor.

    Args:
        rows: up to limit + 1 rows in order.
        limit: page size.
        listing: from `fingerprint`.
        key: gives a row's place in the order.
    """
    if len(rows) <= limit:
        return Page(rows, None)
    kept = rows[:limit]
    return Page(kept, encode_cursor(key(kept[-1]), listing))
