"""What every table of the schema is made with."""

from typing import Any

from sqlalchemy import Column, DateTime, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY

metadata = MetaData()

Instant = DateTime(timezone=True)


def tenant_column() -> Column[object]:
    """The column that row-level security looks at."""
    return Column("tenant_id", Uuid, nullable=False)


def access_list() -> list[Column[Any]]:
    """Who may read it, as names; null: it has no list. Only the clerk's functions set them."""
    return [
        Column("readers", ARRAY(Text)),
        Column("readers_until", Instant),
        Column("readers_problem", Text),
        Column("readers_set_at", Instant),
        Column("readers_set_by", Text),
    ]
