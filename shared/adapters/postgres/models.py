"""The schema as SQLAlchemy tables: what the repositories build statements from and what migrations are compared with.

Plain tables, not mapped classes: rows become frozen domain values and are written back explicitly, so there is no
unit of work to pay for. Row-level security, grants and the clerk's functions are in the migrations only;
tests/adapters/postgres checks them in the catalogue. Tables that most functions never touch are in modules of their
own; `catalogue` has all.
"""

from pgvector.sqlalchemy import VECTOR
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.adapters.postgres.chat_tables import chats, cited_documents, messages
from shared.adapters.postgres.index_tables import (
    indexes,
    keyword_generations,
    keyword_statistics,
    keyword_terms,
    keywords,
    questions,
)
from shared.adapters.postgres.ingestion_tables import ingestion_events, ingestions
from shared.adapters.postgres.receipt_tables import receipts
from shared.adapters.postgres.schema import Instant, access_list, metadata, tenant_column
from shared.adapters.postgres.webhook_tables import webhook_deliveries, webhooks

__all__ = [
    "api_keys",
    "buckets",
    "chats",
    "chunks",
    "cited_documents",
    "collections",
    "documents",
    "embedding_cache",
    "generations",
    "indexes",
    "ingestion_events",
    "ingestions",
    "keyword_generations",
    "keyword_statistics",
    "keyword_terms",
    "keywords",
    "messages",
    "metadata",
    "outbox",
    "projects",
    "questions",
    "rates",
    "receipts",
    "tallies",
    "tenants",
    "vector_indexes",
    "vectors",
    "webhook_deliveries",
    "webhooks",
]


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


tenants = Table(
    "tenants",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
)

projects = Table(
    "projects",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    Column("unit_id", Uuid),
    Column("archived_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"]),
    ForeignKeyConstraint(["tenant_id", "unit_id"], ["units.tenant_id", "units.id"]),
    Index("projects_id", "id"),
    Index("projects_name", "tenant_id", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),
    Index("projects_listing", "tenant_id", "created_at", "id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid),
    Column("name", Text, nullable=False),
    Column("secret_hash", Text, nullable=False),
    Column("permissions", ARRAY(Text), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("prefix", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("user_id", Uuid),
    Column("service_account_id", Uuid),
    Column("last_used_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("secret_hash"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"]),
    ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"]),
    ForeignKeyConstraint(
        ["tenant_id", "user_id"], ["memberships.tenant_id", "memberships.user_id"], ondelete="CASCADE"
    ),
    ForeignKeyConstraint(
        ["tenant_id", "service_account_id"],
        ["service_accounts.tenant_id", "service_accounts.id"],
        ondelete="CASCADE",
    ),
    CheckConstraint("num_nonnulls(user_id, service_account_id) <= 1", name="api_keys_one_owner"),
    Index("api_keys_listing", "tenant_id", "created_at", "id"),
)

collections = Table(
    "collections",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    *_texts("name", "description", "language", "model"),
    Column("dimensions", Integer, nullable=False),
    Column("max_tokens", Integer, nullable=False),
    Column("chunk_method", Text, nullable=False),
    Column("chunk_size", Integer, nullable=False),
    Column("chunk_overlap", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    # The index that is searched, and its place on every document. Only a cut changes them.
    Column("index_id", Uuid, nullable=False),
    Column("slot", SmallInteger, nullable=False),
    # Until then nothing is published into it, because a cut is near.
    Column("held_until", Instant),
    *access_list(),
    Index("collections_with_list", "tenant_id", "id", postgresql_where=text("readers IS NOT NULL")),
    PrimaryKeyConstraint("tenant_id", "id"),
    # What a document refers to: its collection is one of its own project.
    UniqueConstraint("tenant_id", "project_id", "id"),
    ForeignKeyConstraint(["tenant_id", "project_id"], ["projects.tenant_id", "projects.id"]),
    Index(
        "collections_name", "tenant_id", "project_id", "name", unique=True, postgresql_where=text("deleted_at IS NULL")
    ),
    Index(
        "collections_listing",
        "tenant_id",
        "project_id",
        "created_at",
        "id",
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

documents = Table(
    "documents",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    Column("collection_id", Uuid, nullable=False),
    *_texts("name", "path", "media_type", "title", "language"),
    Column("size", BigInteger, nullable=False),
    Column("tags", ARRAY(Text), nullable=False),
    Column("metadata", JSONB, nullable=False),
    Column("status", Text, nullable=False),
    Column("latest_generation", Integer, nullable=False),
    # What is committed in the index of each slot; which of them is searched, the collection says.
    Column("committed_0", Integer),
    Column("committed_1", Integer),
    Column("content_hash", Text, nullable=False),
    Column("duplicate_of", Uuid),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("tombstoned_at", Instant),
    Column("swept_at", Instant),
    *access_list(),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(
        ["tenant_id", "project_id", "collection_id"],
        ["collections.tenant_id", "collections.project_id", "collections.id"],
    ),
    ForeignKeyConstraint(["tenant_id", "duplicate_of"], ["documents.tenant_id", "documents.id"]),
    *(
        ForeignKeyConstraint(
            ["tenant_id", "id", f"committed_{slot}"],
            ["generations.tenant_id", "generations.document_id", "generations.number"],
            name=f"documents_committed_{slot}_fkey",
            use_alter=True,
        )
        for slot in (0, 1)
    ),
    Index(
        "documents_path",
        "tenant_id",
        "collection_id",
        "path",
        unique=True,
        postgresql_where=text("path <> '' AND tombstoned_at IS NULL"),
    ),
    Index(
        "documents_listing",
        "tenant_id",
        "project_id",
        "created_at",
        "id",
        postgresql_where=text("tombstoned_at IS NULL"),
    ),
    Index(
        "documents_in_collection",
        "tenant_id",
        "collection_id",
        "created_at",
        "id",
        postgresql_where=text("tombstoned_at IS NULL"),
    ),
    Index(
        "documents_content",
        "tenant_id",
        "project_id",
        "content_hash",
        postgresql_where=text("content_hash <> '' AND tombstoned_at IS NULL"),
    ),
    Index(
        "documents_unswept", "tombstoned_at", postgresql_where=text("tombstoned_at IS NOT NULL AND swept_at IS NULL")
    ),
)

# How many documents of a status a collection has: the sum of its rows. Triggers on documents write them.
tallies = Table(
    "tallies",
    metadata,
    tenant_column(),
    Column("id", BigInteger, Identity(always=True), nullable=False),
    Column("collection_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    Column("documents", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id", "collection_id"], ["collections.tenant_id", "collections.id"]),
    Index("tallies_of_collection", "tenant_id", "collection_id"),
)

generations = Table(
    "generations",
    metadata,
    tenant_column(),
    Column("project_id", Uuid, nullable=False),
    Column("document_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    *_texts("state", "source_key", "source_version_id", "source_sequencer"),
    Column("source_size", BigInteger, nullable=False),
    *_texts("recipe_reader", "recipe_chunking", "recipe_model", "recipe_pipeline"),
    Column("created_at", Instant, nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("lease_owner", Text),
    Column("lease_until", Instant),
    Column("attempts", Integer, nullable=False),
    Column("waiting", Text, nullable=False),
    Column("failure", JSONB(none_as_null=True)),
    Column("last_error", JSONB(none_as_null=True)),
    *_texts("content_hash", "title", "language", "media_type"),
    Column("counts", JSONB, nullable=False),
    Column("timings", JSONB, nullable=False),
    Column("warnings", ARRAY(Text), nullable=False),
    Column("finished_at", Instant),
    Column("text_generation", Integer),
    Column("ingestion_id", Uuid),
    Column("progress", JSONB(none_as_null=True)),
    # The index it is made for, null for the collection's first, and that index's slot.
    Column("index_id", Uuid),
    Column("slot", SmallInteger, nullable=False),
    Column("origin", Integer, nullable=False),
    PrimaryKeyConstraint("tenant_id", "document_id", "number"),
    ForeignKeyConstraint(["tenant_id", "document_id"], ["documents.tenant_id", "documents.id"]),
    ForeignKeyConstraint(["tenant_id", "ingestion_id"], ["ingestions.tenant_id", "ingestions.id"]),
    ForeignKeyConstraint(["tenant_id", "index_id"], ["indexes.tenant_id", "indexes.id"]),
    # Terminal states have no deadline, so the index holds what is unfinished only.
    CheckConstraint(
        "(due_at IS NULL) = (state IN ('committed', 'unchanged', 'superseded', 'failed'))",
        name="generations_unfinished_have_a_deadline",
    ),
    Index("generations_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("generations_in_line", "tenant_id", "entered_at", postgresql_where=text("state = 'queued'")),
    Index(
        "generations_in_progress",
        "tenant_id",
        postgresql_where=text("state IN ('chunking', 'embedding', 'extracting', 'publishing')"),
    ),
    Index("generations_under_way", "tenant_id", "index_id", postgresql_where=text("due_at IS NOT NULL")),
    Index("generations_failed", "tenant_id", "project_id", postgresql_where=text("state = 'failed'")),
    # Rows of documents in no run are in neither: they cost such documents nothing.
    Index(
        "generations_in_ingestion",
        "tenant_id",
        "ingestion_id",
        "document_id",
        "number",
        postgresql_where=text("ingestion_id IS NOT NULL"),
    ),
    Index(
        "generations_unfinished_in_ingestion",
        "tenant_id",
        "ingestion_id",
        "document_id",
        postgresql_where=text("ingestion_id IS NOT NULL AND due_at IS NOT NULL"),
    ),
)

chunks = Table(
    "chunks",
    metadata,
    tenant_column(),
    Column("document_id", Uuid, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("text", Text, nullable=False),
    # END is a reserved word; both offsets are named alike.
    Column("start_offset", Integer, nullable=False),
    Column("end_offset", Integer, nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("heading_path", ARRAY(Text), nullable=False),
    Column("page_first", Integer),
    Column("page_last", Integer),
    Column("kind", Text, nullable=False),
    Column("tokens", Integer, nullable=False),
    Column("language", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "document_id", "generation", "ordinal"),
    ForeignKeyConstraint(
        ["tenant_id", "document_id", "generation"],
        ["generations.tenant_id", "generations.document_id", "generations.number"],
    ),
    Index("chunks_content", "tenant_id", "content_hash"),
)

vectors = Table(
    "vectors",
    metadata,
    tenant_column(),
    Column("index_id", Uuid, nullable=False),
    Column("document_id", Uuid, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    # Any dimension; all vectors of an index have its model's.
    Column("embedding", VECTOR, nullable=False),
    PrimaryKeyConstraint("tenant_id", "index_id", "document_id", "generation", "ordinal"),
    ForeignKeyConstraint(["tenant_id", "index_id"], ["indexes.tenant_id", "indexes.id"]),
    ForeignKeyConstraint(
        ["tenant_id", "document_id", "generation"],
        ["generations.tenant_id", "generations.document_id", "generations.number"],
    ),
)

vector_indexes = Table(
    "vector_indexes",
    metadata,
    tenant_column(),
    Column("index_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "index_id"),
    ForeignKeyConstraint(["tenant_id", "index_id"], ["indexes.tenant_id", "indexes.id"]),
)

embedding_cache = Table(
    "embedding_cache",
    metadata,
    tenant_column(),
    Column("content_hash", Text, nullable=False),
    Column("model", Text, nullable=False),
    # Little-endian float32.
    Column("embedding", LargeBinary, nullable=False),
    PrimaryKeyConstraint("tenant_id", "content_hash", "model"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"]),
)

outbox = Table(
    "outbox",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    *_texts("queue", "message_group", "body"),
    Column("delay_seconds", Integer, nullable=False),
    Column("added_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(["tenant_id"], ["tenants.tenant_id"]),
    Index("outbox_age", "added_at", "id"),
    Index("outbox_id", "id"),
)

# Keyed by a provider credential, not by a tenant; unlogged, because a bucket lost in a crash is merely full again.
buckets = Table(
    "buckets",
    metadata,
    Column("key", Text, primary_key=True),
    Column("level", Double, nullable=False),
    # The moment of `level`, which is negative while more is promised than has flowed in.
    Column("at", Instant, nullable=False),
    # What the latest `reserve` has to wait; kept because it is computed inside the upsert.
    Column("wait", Double, nullable=False),
    # Until when the provider asked for silence.
    Column("quiet_until", Instant),
    prefixes=["UNLOGGED"],
)

# Who asked how often, by names of ours.
rates = Table(
    "rates",
    metadata,
    Column("name", Text, primary_key=True),
    Column("opened", Instant, nullable=False),
    Column("count", Integer, nullable=False),
    Column("previous", Integer, nullable=False),
    Column("until", Instant, nullable=False),
    prefixes=["UNLOGGED"],
)

# Names and places of ours, no tenant's data.
cursors = Table(
    "cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
