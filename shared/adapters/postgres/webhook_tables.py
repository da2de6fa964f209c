"""Tables of webhooks."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.adapters.postgres.schema import Instant, metadata, tenant_column

webhooks = Table(
    "webhooks",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("all_runs", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("secret_version", Integer, nullable=False),
    Column("rotated_at", Instant),
    Column("failing_since", Instant),
    Column("disabled_at", Instant),
    Column("disabled_reason", Text, nullable=False),
    Column("deleted_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    # What a delivery and a run refer to: an endpoint of their own project.
    ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"]),
    Index(
        "webhooks_listing", "tenant_id", "project_id", "created_at", "id", postgresql_where=text("deleted_at IS NULL")
    ),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    Column("webhook_id", Uuid, nullable=False),
    Column("ingestion_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("state", Text, nullable=False),
    Column("due_at", Instant),
    Column("lease", Uuid),
    Column("lease_until", Instant),
    Column("tries", Integer, nullable=False),
    Column("since", Instant),
    Column("attempts", JSONB, nullable=False),
    Column("finished_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id", "webhook_id"], ["webhooks.tenant_id", "webhooks.id"]),
    ForeignKeyConstraint(["tenant_id", "ingestion_id"], ["ingestions.tenant_id", "ingestions.id"]),
    Index("webhook_deliveries_listing", "tenant_id", "webhook_id", "created_at", "id"),
    Index("webhook_deliveries_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)
