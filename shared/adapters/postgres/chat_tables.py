"""Tables of chats."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKeyConstraint,
    Identity,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.adapters.postgres.schema import Instant, metadata, tenant_column

chats = Table(
    "chats",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    Column("collection_ids", ARRAY(Uuid), nullable=False),
    Column("title", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"]),
    Index("chats_listing", "tenant_id", "project_id", "created_by", "created_at", "id"),
)

messages = Table(
    "messages",
    metadata,
    tenant_column(),
    Column("chat_id", Uuid, nullable=False),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("id", Uuid, nullable=False),
    Column("role", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("citations", JSONB, nullable=False),
    Column("sentences", JSONB, nullable=False),
    Column("found", Boolean, nullable=False),
    Column("receipt", JSONB(none_as_null=True)),
    Column("metadata", JSONB, nullable=False),
    PrimaryKeyConstraint("tenant_id", "chat_id", "position"),
    UniqueConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id", "chat_id"], ["chats.tenant_id", "chats.id"], ondelete="CASCADE"),
)

# Which documents a message cites: by a key of its own, because no index over JSON is used under row-level security.
cited_documents = Table(
    "cited_documents",
    metadata,
    tenant_column(),
    Column("document_id", Uuid, nullable=False),
    Column("message_id", Uuid, nullable=False),
    PrimaryKeyConstraint("tenant_id", "document_id", "message_id"),
    ForeignKeyConstraint(["tenant_id", "message_id"], ["messages.tenant_id", "messages.id"], ondelete="CASCADE"),
    Index("cited_documents_of_message", "tenant_id", "message_id"),
)
