"""Tables of ingestion runs."""

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, PrimaryKeyConstraint, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from shared.adapters.postgres.schema import Instant, metadata, tenant_column

ingestions = Table(
    "ingestions",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    Column("collection_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expected", Integer),
    Column("announced", Integer, nullable=False),
    Column("closed_at", Instant),
    Column("cancelled_at", Instant),
    Column("completed_at", Instant),
    Column("sequence", Integer, nullable=False),
    Column("webhook_id", Uuid),
    Column("trouble", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id", "webhook_id"], ["webhooks.tenant_id", "webhooks.id"]),
    ForeignKeyConstraint(
        ["tenant_id", "project_id", "collection_id"],
        ["collections.tenant_id", "collections.project_id", "collections.id"],
    ),
    Index("ingestions_listing", "tenant_id", "project_id", "created_at", "id"),
    Index("ingestions_troubled", "tenant_id", "project_id", "created_at", postgresql_where=text("trouble <> ''")),
)

ingestion_events = Table(
    "ingestion_events",
    metadata,
    tenant_column(),
    Column("ingestion_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("document_id", Uuid),
    Column("generation", Integer),
    Column("data", JSONB, nullable=False),
    PrimaryKeyConstraint("tenant_id", "ingestion_id", "sequence"),
    ForeignKeyConstraint(["tenant_id", "ingestion_id"], ["ingestions.tenant_id", "ingestions.id"]),
)
