"""The table of answers that are kept for requests with a key."""

from sqlalchemy import Boolean, Column, Index, Integer, PrimaryKeyConstraint, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.adapters.postgres.schema import Instant, metadata, tenant_column

kept_answers = Table(
    "kept_answers",
    metadata,
    # All zeros: a user's own, outside all tenants.
    tenant_column(),
    Column("principal", Text, nullable=False),
    Column("key_hash", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("project_id", Uuid),
    Column("lease", Uuid),
    Column("until", Instant),
    # Null: leased, not answered yet.
    Column("status", Integer),
    Column("headers", JSONB, nullable=False),
    # Null in an answer: erased.
    Column("body", Text),
    Column("about", ARRAY(Uuid), nullable=False),
    Column("finished", Boolean, nullable=False),
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "principal", "key_hash"),
    Index("kept_answers_about", "about", postgresql_using="gin"),
    Index("kept_answers_expiry", "expires_at"),
)
