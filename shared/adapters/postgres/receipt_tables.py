"""Tables of deletion receipts."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from shared.adapters.postgres.schema import Instant, metadata, tenant_column

receipts = Table(
    "receipts",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    # Null: the tenant as a whole.
    Column("project_id", Uuid),
    Column("subject_id", Uuid, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("completed_at", Instant),
    Column("removed", JSONB, nullable=False),
    Column("remaining", JSONB, nullable=False),
    Column("kind", Text, nullable=False),
    Column("parent_id", Uuid),
    Column("documents", Integer, nullable=False),
    Column("steps", Integer, nullable=False),
    Column("due_at", Instant),
    Column("quiet_since", Instant),
    Column("signature", JSONB(none_as_null=True)),
    PrimaryKeyConstraint("tenant_id", "id"),
    # Receipts outlive what they are of, so they name it without referring to it.
    ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"]),
    ForeignKeyConstraint(["tenant_id", "parent_id"], ["receipts.tenant_id", "receipts.id"]),
    Index("receipts_of_subject", "tenant_id", "subject_id"),
    Index("receipts_listing", "tenant_id", "project_id", "requested_at", "id"),
    Index("receipts_of_parent", "tenant_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    Index("receipts_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)
