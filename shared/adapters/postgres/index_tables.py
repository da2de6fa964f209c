"""The tables of indexes, of the words in them, and of the questions they are scored by."""

from pgvector.sqlalchemy import SPARSEVEC
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from shared.adapters.postgres.schema import Instant, metadata, tenant_column
from shared.domain.bm25 import DIMENSIONS

keywords = Table(
    "keywords",
    metadata,
    tenant_column(),
    Column("index_id", Uuid, nullable=False),
    Column("document_id", Uuid, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("length", Integer, nullable=False),
    # The mean length its weights were made with.
    Column("average", Double, nullable=False),
    Column("weights", SPARSEVEC(DIMENSIONS), nullable=False),
    PrimaryKeyConstraint("tenant_id", "index_id", "document_id", "generation", "ordinal"),
    ForeignKeyConstraint(["tenant_id", "index_id"], ["indexes.tenant_id", "indexes.id"]),
    ForeignKeyConstraint(
        ["tenant_id", "document_id", "generation", "ordinal"],
        ["chunks.tenant_id", "chunks.document_id", "chunks.generation", "chunks.ordinal"],
    ),
)

keyword_statistics = Table(
    "keyword_statistics",
    metadata,
    tenant_column(),
    Column("index_id", Uuid, nullable=False),
    Column("chunks", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    # Frozen mean length; null until the first publish.
    Column("average", Double),
    PrimaryKeyConstraint("tenant_id", "index_id"),
    ForeignKeyConstraint(["tenant_id", "index_id"], ["indexes.tenant_id", "indexes.id"]),
)

keyword_terms = Table(
    "keyword_terms",
    metadata,
    tenant_column(),
    Column("index_id", Uuid, nullable=False),
    Column("term", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    PrimaryKeyConstraint("tenant_id", "index_id", "term"),
    ForeignKeyConstraint(["tenant_id", "index_id"], ["indexes.tenant_id", "indexes.id"]),
)

keyword_generations = Table(
    "keyword_generations",
    metadata,
    tenant_column(),
    Column("index_id", Uuid, nullable=False),
    Column("document_id", Uuid, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("length", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "index_id", "document_id", "generation"),
    ForeignKeyConstraint(["tenant_id", "index_id"], ["indexes.tenant_id", "indexes.id"]),
    ForeignKeyConstraint(
        ["tenant_id", "document_id", "generation"],
        ["generations.tenant_id", "generations.document_id", "generations.number"],
    ),
)

indexes = Table(
    "indexes",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    Column("collection_id", Uuid, nullable=False),
    Column("slot", SmallInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("dimensions", Integer, nullable=False),
    Column("max_tokens", Integer, nullable=False),
    Column("chunk_method", Text, nullable=False),
    Column("chunk_size", Integer, nullable=False),
    Column("chunk_overlap", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("recipe", Text, nullable=False),
    Column("reasons", ARRAY(Text), nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("automatic", Boolean, nullable=False),
    Column("budget", JSONB, nullable=False),
    Column("spent", JSONB, nullable=False),
    Column("scores", JSONB(none_as_null=True)),
    Column("expires_at", Instant),
    Column("problem", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(
        ["tenant_id", "project_id", "collection_id"],
        ["collections.tenant_id", "collections.project_id", "collections.id"],
    ),
    CheckConstraint("slot IN (0, 1)", name="indexes_slot_check"),
    # One index a slot: of two reindexes begun at once, one fails here.
    Index(
        "indexes_open",
        "tenant_id",
        "collection_id",
        "slot",
        unique=True,
        postgresql_where=text("state IN ('building', 'ready', 'live', 'retired')"),
    ),
    Index("indexes_of_collection", "tenant_id", "collection_id", "created_at", "id"),
    Index(
        "indexes_unfinished",
        "changed_at",
        postgresql_where=text("state IN ('building', 'ready', 'retired', 'dropping')"),
    ),
)

questions = Table(
    "questions",
    metadata,
    tenant_column(),
    Column("id", Uuid, nullable=False),
    Column("project_id", Uuid, nullable=False),
    Column("collection_id", Uuid, nullable=False),
    Column("position", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("expected", JSONB, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    ForeignKeyConstraint(
        ["tenant_id", "project_id", "collection_id"],
        ["collections.tenant_id", "collections.project_id", "collections.id"],
    ),
    Index("questions_of_collection", "tenant_id", "collection_id", "position"),
)
