"""What every table of the schema is made with."""

from sqlalchemy import Column, DateTime, MetaData, Uuid

metadata = MetaData()

Instant = DateTime(timezone=True)


def tenant_column() -> Column[object]:
    """The column that row-level security looks at."""
    return Column("tenant_id", Uuid, nullable=False)
