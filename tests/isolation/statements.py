"""Statements about any table, which name no tenant, and what is known of the tables for them."""

from collections.abc import Sequence

from sqlalchemy import TextClause, text

from tests.isolation.model import KEYS, Key

WRITTEN = {
    **dict.fromkeys(("collections", "webhooks", "roles", "service_accounts"), "description"),
    **dict.fromkeys(("documents", "chats"), "title"),
    **dict.fromkeys(("outbox", "webhook_deliveries"), "body"),
    "chunks": "language",
    "messages": "content",
    "questions": "text",
    "receipts": "requested_by",
    **dict.fromkeys(("ingestions", "api_keys"), "created_by"),
}
"""A text that stands for itself, by table; elsewhere an update writes what is there."""
COPIED = {
    "audit_events": "id",
    "chats": "id",
    "cited_documents": "document_id",
    "embedding_cache": "content_hash",
    "outbox": "id",
    "questions": "id",
    "receipts": "id",
    "roles": "id",
    "webhooks": "id",
}
"""Tables of which a row may stand twice, and what makes it another one."""
UNIQUE = {"roles": "name", "questions": "position", "receipts": "subject_id"}
"""What else there may be only once."""


def key_of(table: str) -> str:
    """A row's primary key, as the text of an array."""
    return f"ARRAY[{', '.join(f'{column}::text' for column in KEYS[table])}]::text"


KEY_LIST = "CAST(:keys AS text[])"


def given(keys: Sequence[Key]) -> dict[str, object]:
    """The parameter `keys`."""
    return {"keys": list(map(written, keys))}


def written(key: Key) -> str:
    """As PostgreSQL writes the array of its parts."""
    return "{" + ",".join(map(quoted, key)) + "}"


def quoted(part: str) -> str:
    """One part of an array."""
    plain = part and not any(character in part for character in ' ",{}\\')
    return part if plain else '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'


def inserting(table: str) -> TextClause:
    """The insert of a row that is given as JSON."""
    return text(
        f"INSERT INTO {table} OVERRIDING SYSTEM VALUE "
        f"SELECT (jsonb_populate_record(NULL::{table}, CAST(:row AS jsonb))).*"
    )
