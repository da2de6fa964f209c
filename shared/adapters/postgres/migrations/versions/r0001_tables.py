"""Tables, row-level security and the rights of the application role.

Revision ID: 0001
Revises:
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "tenants",
    "projects",
    "api_keys",
    "collections",
    "documents",
    "generations",
    "chunks",
    "vectors",
    "vector_indexes",
    "keywords",
    "keyword_statistics",
    "keyword_terms",
    "keyword_generations",
    "embedding_cache",
    "chats",
    "messages",
    "receipts",
    "outbox",
)

# A subquery is evaluated once per statement, not once per row. Unset or empty it is NULL, and no row equals NULL.
CURRENT_TENANT = "(SELECT nullif(current_setting('lambent.tenant', true), '')::uuid)"

TABLES = """
CREATE TABLE tenants (
  tenant_id uuid PRIMARY KEY,
  name text NOT NULL,
  created_at timestamptz NOT NULL
);

CREATE TABLE projects (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  id uuid NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, name)
);
CREATE INDEX projects_listing ON projects (tenant_id, created_at, id);

CREATE TABLE api_keys (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  id uuid NOT NULL,
  project_id uuid,
  name text NOT NULL,
  secret_hash text NOT NULL UNIQUE,
  permissions text[] NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
);

CREATE TABLE collections (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  language text NOT NULL,
  model text NOT NULL,
  dimensions integer NOT NULL,
  max_tokens integer NOT NULL,
  chunk_method text NOT NULL,
  chunk_size integer NOT NULL,
  chunk_overlap integer NOT NULL,
  created_at timestamptz NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  UNIQUE (tenant_id, project_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
);
CREATE UNIQUE INDEX collections_name ON collections (tenant_id, project_id, name) WHERE deleted_at IS NULL;
CREATE INDEX collections_listing ON collections (tenant_id, project_id, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE documents (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  name text NOT NULL,
  path text NOT NULL,
  media_type text NOT NULL,
  title text NOT NULL,
  language text NOT NULL,
  size bigint NOT NULL,
  tags text[] NOT NULL,
  metadata jsonb NOT NULL,
  status text NOT NULL,
  latest_generation integer NOT NULL,
  committed_generation integer,
  content_hash text NOT NULL,
  duplicate_of uuid,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  tombstoned_at timestamptz,
  swept_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id, collection_id) REFERENCES collections (tenant_id, project_id, id),
  FOREIGN KEY (tenant_id, duplicate_of) REFERENCES documents (tenant_id, id)
);
CREATE UNIQUE INDEX documents_path ON documents (tenant_id, collection_id, path)
  WHERE path <> '' AND tombstoned_at IS NULL;
CREATE INDEX documents_listing ON documents (tenant_id, project_id, created_at, id) WHERE tombstoned_at IS NULL;
CREATE INDEX documents_in_collection ON documents (tenant_id, collection_id, created_at, id)
  WHERE tombstoned_at IS NULL;
CREATE INDEX documents_content ON documents (tenant_id, project_id, content_hash)
  WHERE committed_generation IS NOT NULL AND tombstoned_at IS NULL;
CREATE INDEX documents_unswept ON documents (tombstoned_at) WHERE tombstoned_at IS NOT NULL AND swept_at IS NULL;

CREATE TABLE generations (
  tenant_id uuid NOT NULL,
  project_id uuid NOT NULL,
  document_id uuid NOT NULL,
  number integer NOT NULL,
  state text NOT NULL,
  source_key text NOT NULL,
  source_version_id text NOT NULL,
  source_sequencer text NOT NULL,
  source_size bigint NOT NULL,
  recipe_reader text NOT NULL,
  recipe_chunking text NOT NULL,
  recipe_model text NOT NULL,
  created_at timestamptz NOT NULL,
  entered_at timestamptz NOT NULL,
  due_at timestamptz,
  lease_owner text,
  lease_until timestamptz,
  attempts integer NOT NULL,
  waiting text NOT NULL,
  failure jsonb,
  last_error jsonb,
  content_hash text NOT NULL,
  title text NOT NULL,
  language text NOT NULL,
  media_type text NOT NULL,
  counts jsonb NOT NULL,
  timings jsonb NOT NULL,
  warnings text[] NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, document_id, number),
  FOREIGN KEY (tenant_id, document_id) REFERENCES documents (tenant_id, id),
  CONSTRAINT generations_unfinished_have_a_deadline
    CHECK ((due_at IS NULL) = (state IN ('committed', 'unchanged', 'superseded', 'failed')))
);
CREATE INDEX generations_due ON generations (due_at) WHERE due_at IS NOT NULL;
ALTER TABLE documents ADD FOREIGN KEY (tenant_id, id, committed_generation)
  REFERENCES generations (tenant_id, document_id, number);

CREATE TABLE chunks (
  tenant_id uuid NOT NULL,
  document_id uuid NOT NULL,
  generation integer NOT NULL,
  ordinal integer NOT NULL,
  text text NOT NULL,
  start_offset integer NOT NULL,
  end_offset integer NOT NULL,
  content_hash text NOT NULL,
  heading_path text[] NOT NULL,
  page_first integer,
  page_last integer,
  kind text NOT NULL,
  tokens integer NOT NULL,
  language text NOT NULL,
  PRIMARY KEY (tenant_id, document_id, generation, ordinal),
  FOREIGN KEY (tenant_id, document_id, generation) REFERENCES generations (tenant_id, document_id, number)
);
CREATE INDEX chunks_content ON chunks (tenant_id, content_hash);

CREATE TABLE vectors (
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  document_id uuid NOT NULL,
  generation integer NOT NULL,
  ordinal integer NOT NULL,
  embedding vector NOT NULL,
  PRIMARY KEY (tenant_id, collection_id, document_id, generation, ordinal),
  FOREIGN KEY (tenant_id, collection_id) REFERENCES collections (tenant_id, id),
  FOREIGN KEY (tenant_id, document_id, generation) REFERENCES generations (tenant_id, document_id, number)
) PARTITION BY HASH (collection_id);
-- In the row as long as a page holds it: a scan that fetches every vector from a side table is twenty times slower,
-- and the planner, which does not count those fetches, would prefer it to the index.
ALTER TABLE vectors ALTER COLUMN embedding SET STORAGE MAIN;

CREATE TABLE vector_indexes (
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, collection_id),
  FOREIGN KEY (tenant_id, collection_id) REFERENCES collections (tenant_id, id)
);

CREATE TABLE keywords (
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  document_id uuid NOT NULL,
  generation integer NOT NULL,
  ordinal integer NOT NULL,
  length integer NOT NULL,
  average double precision NOT NULL,
  weights sparsevec(536870912) NOT NULL,
  PRIMARY KEY (tenant_id, collection_id, document_id, generation, ordinal),
  FOREIGN KEY (tenant_id, collection_id) REFERENCES collections (tenant_id, id),
  FOREIGN KEY (tenant_id, document_id, generation, ordinal)
    REFERENCES chunks (tenant_id, document_id, generation, ordinal)
);
ALTER TABLE keywords ALTER COLUMN weights SET STORAGE MAIN;

CREATE TABLE keyword_statistics (
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  chunks bigint NOT NULL,
  length bigint NOT NULL,
  average double precision,
  PRIMARY KEY (tenant_id, collection_id),
  FOREIGN KEY (tenant_id, collection_id) REFERENCES collections (tenant_id, id)
);

-- Counts change with every publish: room on each page keeps the new version beside the old one.
CREATE TABLE keyword_terms (
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  term integer NOT NULL,
  chunks integer NOT NULL,
  PRIMARY KEY (tenant_id, collection_id, term),
  FOREIGN KEY (tenant_id, collection_id) REFERENCES collections (tenant_id, id)
) WITH (fillfactor = 60);

CREATE TABLE keyword_generations (
  tenant_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  document_id uuid NOT NULL,
  generation integer NOT NULL,
  chunks integer NOT NULL,
  length bigint NOT NULL,
  PRIMARY KEY (tenant_id, collection_id, document_id, generation),
  FOREIGN KEY (tenant_id, collection_id) REFERENCES collections (tenant_id, id),
  FOREIGN KEY (tenant_id, document_id, generation) REFERENCES generations (tenant_id, document_id, number)
);

CREATE TABLE embedding_cache (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  content_hash text NOT NULL,
  model text NOT NULL,
  embedding bytea NOT NULL,
  PRIMARY KEY (tenant_id, content_hash, model)
);
-- Floats do not compress; do not try.
ALTER TABLE embedding_cache ALTER COLUMN embedding SET STORAGE EXTERNAL;

CREATE TABLE chats (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  collection_ids uuid[] NOT NULL,
  title text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
);
CREATE INDEX chats_listing ON chats (tenant_id, project_id, created_by, created_at, id);

CREATE TABLE messages (
  tenant_id uuid NOT NULL,
  chat_id uuid NOT NULL,
  position bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  id uuid NOT NULL,
  role text NOT NULL,
  content text NOT NULL,
  created_at timestamptz NOT NULL,
  citations jsonb NOT NULL,
  sentences jsonb NOT NULL,
  found boolean NOT NULL,
  receipt jsonb,
  metadata jsonb NOT NULL,
  PRIMARY KEY (tenant_id, chat_id, position),
  UNIQUE (tenant_id, id),
  FOREIGN KEY (tenant_id, chat_id) REFERENCES chats (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE receipts (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  document_id uuid NOT NULL,
  requested_by text NOT NULL,
  requested_at timestamptz NOT NULL,
  completed_at timestamptz,
  removed jsonb NOT NULL,
  remaining jsonb NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
);
CREATE INDEX receipts_of_document ON receipts (tenant_id, document_id);

CREATE TABLE outbox (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  id uuid NOT NULL,
  queue text NOT NULL,
  message_group text NOT NULL,
  body text NOT NULL,
  delay_seconds integer NOT NULL,
  added_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX outbox_age ON outbox (added_at, id);
CREATE INDEX outbox_id ON outbox (id);

CREATE UNLOGGED TABLE buckets (
  key text PRIMARY KEY,
  level double precision NOT NULL,
  at timestamptz NOT NULL,
  wait double precision NOT NULL
);
"""


# Indexing a large collection stops writers of its partition only, and a plan looks at that partition's indexes only.
VECTOR_PARTITIONS = 16


def upgrade() -> None:
    """Create everything but the clerk's functions."""
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.execute(VECTOR_VERSION_CHECK)
    op.execute(TABLES)
    for table in TENANT_TABLES:
        _isolate(table)
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO lambent_app")
    for remainder in range(VECTOR_PARTITIONS):
        partition = f"vectors_{remainder:02}"
        op.execute(
            f"CREATE TABLE {partition} PARTITION OF vectors "
            f"FOR VALUES WITH (MODULUS {VECTOR_PARTITIONS}, REMAINDER {remainder})"
        )
        # Nobody is granted a partition by itself; should anybody ever be, the wall is there.
        _isolate(partition)
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON buckets TO lambent_app")
    op.execute("GRANT SELECT ON alembic_version TO lambent_app")


def _isolate(table: str) -> None:
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    # The owner too: only a superuser, or a role with BYPASSRLS, sees past it.
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON {table} "
        f"USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )


# Iterative scans are in 0.8.0.
VECTOR_VERSION_CHECK = """
DO $$
DECLARE installed text := (SELECT extversion FROM pg_extension WHERE extname = 'vector');
BEGIN
  IF string_to_array(installed, '.')::int[] < ARRAY[0, 8, 0] THEN
    RAISE EXCEPTION 'pgvector % is too old: 0.8.0 is needed', installed
      USING HINT = 'update the extension (ALTER EXTENSION vector UPDATE) or the server';
  END IF;
END $$
"""
