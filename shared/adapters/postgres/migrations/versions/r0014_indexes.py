"""Indexes of a collection, side by side: vectors and words belong to an index, and generations are made for one.

Each collection's first index bears the collection's id, so what is there keeps its ids.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('lambent.tenant', true), '')::uuid)"

TABLES = """
CREATE TABLE indexes (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  slot smallint NOT NULL CONSTRAINT indexes_slot_check CHECK (slot IN (0, 1)),
  state text NOT NULL,
  model text NOT NULL,
  dimensions integer NOT NULL,
  max_tokens integer NOT NULL,
  chunk_method text NOT NULL,
  chunk_size integer NOT NULL,
  chunk_overlap integer NOT NULL,
  created_at timestamptz NOT NULL,
  changed_at timestamptz NOT NULL,
  recipe text NOT NULL,
  reasons text[] NOT NULL,
  requested_by text NOT NULL,
  automatic boolean NOT NULL,
  budget jsonb NOT NULL,
  spent jsonb NOT NULL,
  scores jsonb,
  expires_at timestamptz,
  problem text NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id, collection_id) REFERENCES collections (tenant_id, project_id, id)
);
CREATE UNIQUE INDEX indexes_open ON indexes (tenant_id, collection_id, slot)
  WHERE state IN ('building', 'ready', 'live', 'retired');
CREATE INDEX indexes_of_collection ON indexes (tenant_id, collection_id, created_at, id);
CREATE INDEX indexes_unfinished ON indexes (changed_at)
  WHERE state IN ('building', 'ready', 'retired', 'dropping');

CREATE TABLE questions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  position integer NOT NULL,
  text text NOT NULL,
  expected jsonb NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id, collection_id) REFERENCES collections (tenant_id, project_id, id)
);
CREATE INDEX questions_of_collection ON questions (tenant_id, collection_id, position);
"""

# The owner sees no tenant's rows while row-level security is forced on it.
BACKFILL = """
ALTER TABLE collections NO FORCE ROW LEVEL SECURITY;
ALTER TABLE collections ADD COLUMN index_id uuid;
ALTER TABLE collections ADD COLUMN slot smallint NOT NULL DEFAULT 0;
UPDATE collections SET index_id = id;
ALTER TABLE collections ALTER COLUMN index_id SET NOT NULL;
ALTER TABLE collections ALTER COLUMN slot DROP DEFAULT;
INSERT INTO indexes
  SELECT tenant_id, id, project_id, id, 0, 'live', model, dimensions, max_tokens, chunk_method, chunk_size,
    chunk_overlap, created_at, created_at, '', '{}', '', false, '{}', '{}', NULL, NULL, ''
  FROM collections;
ALTER TABLE collections FORCE ROW LEVEL SECURITY;

ALTER TABLE documents RENAME COLUMN committed_generation TO committed_0;
ALTER TABLE documents ADD COLUMN committed_1 integer;
ALTER TABLE documents RENAME CONSTRAINT documents_tenant_id_id_committed_generation_fkey TO documents_committed_0_fkey;
ALTER TABLE documents ADD CONSTRAINT documents_committed_1_fkey FOREIGN KEY (tenant_id, id, committed_1)
  REFERENCES generations (tenant_id, document_id, number);
DROP INDEX documents_content;
CREATE INDEX documents_content ON documents (tenant_id, project_id, content_hash)
  WHERE content_hash <> '' AND tombstoned_at IS NULL;

ALTER TABLE generations ADD COLUMN index_id uuid;
ALTER TABLE generations ADD COLUMN slot smallint NOT NULL DEFAULT 0;
ALTER TABLE generations ADD COLUMN origin integer NOT NULL DEFAULT 0;
ALTER TABLE generations ALTER COLUMN slot DROP DEFAULT;
ALTER TABLE generations ALTER COLUMN origin DROP DEFAULT;
ALTER TABLE generations ADD FOREIGN KEY (tenant_id, index_id) REFERENCES indexes (tenant_id, id);
CREATE INDEX generations_under_way ON generations (tenant_id, index_id) WHERE due_at IS NOT NULL;
"""

OF_AN_INDEX = (
    "vectors",
    "vector_indexes",
    "keywords",
    "keyword_statistics",
    "keyword_terms",
    "keyword_generations",
)

# Only the owner of the table can index it. The caller's tenant decides which index can be named.
INDEX_VECTORS = """
CREATE OR REPLACE FUNCTION lambent_index_vectors(wanted uuid, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET maintenance_work_mem = '256MB' AS $$
DECLARE
  known record;
  partition regclass := (SELECT v.tableoid FROM public.vectors v WHERE v.index_id = wanted LIMIT 1);
  index_name text := 'vectors_of_' || replace(wanted::text, '-', '');
BEGIN
  SELECT i.tenant_id, i.dimensions INTO known FROM public.indexes i
    JOIN public.collections c ON c.tenant_id = i.tenant_id AND c.id = i.collection_id
    WHERE i.id = wanted AND i.state IN ('building', 'ready', 'live', 'retired') AND c.deleted_at IS NULL;
  -- pgvector indexes vectors of up to 2,000 dimensions.
  IF NOT FOUND OR partition IS NULL OR known.dimensions > 2000 THEN
    RETURN false;
  END IF;
  INSERT INTO public.vector_indexes (tenant_id, index_id, name, created_at)
    VALUES (known.tenant_id, wanted, index_name, moment) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  EXECUTE format(
    'CREATE INDEX %I ON %s USING hnsw ((embedding::public.vector(%s)) public.vector_ip_ops) '
    'WHERE index_id = %L::uuid',
    index_name, partition, known.dimensions, wanted
  );
  RETURN true;
END $$;

CREATE OR REPLACE FUNCTION lambent_drop_vector_index(wanted uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE index_name text;
BEGIN
  DELETE FROM public.vector_indexes i WHERE i.index_id = wanted RETURNING i.name INTO index_name;
  IF index_name IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP INDEX public.%I', index_name);
  RETURN true;
END $$;
"""

UNFINISHED = """
CREATE FUNCTION lambent_unfinished_indexes(most integer)
RETURNS TABLE (tenant_id uuid, project_id uuid, collection_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT i.tenant_id, i.project_id, i.collection_id, i.id
  FROM public.indexes i WHERE i.state IN ('building', 'ready', 'retired', 'dropping')
  ORDER BY i.changed_at, i.id LIMIT most
$$
"""


def upgrade() -> None:
    """Make the tables, give every collection its first index, and let what is kept of chunks belong to indexes."""
    op.execute(TABLES)
    op.execute(BACKFILL)
    for table in ("indexes", "questions"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} "
            f"USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO lambent_app")
    for table in OF_AN_INDEX:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {table}_tenant_id_collection_id_fkey")
        op.execute(f"ALTER TABLE {table} RENAME COLUMN collection_id TO index_id")
        op.execute(f"ALTER TABLE {table} ADD FOREIGN KEY (tenant_id, index_id) REFERENCES indexes (tenant_id, id)")
    op.execute(INDEX_VECTORS)
    op.execute("GRANT SELECT (tenant_id, project_id, collection_id, id, state, changed_at) ON indexes TO lambent_clerk")
    op.execute("CREATE POLICY clerk ON indexes FOR SELECT TO lambent_clerk USING (true)")
    op.execute(UNFINISHED)
    op.execute("REVOKE ALL ON FUNCTION lambent_unfinished_indexes FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_unfinished_indexes TO lambent_app")
    # To hand a function over, one must be a member of the new owner, who must be allowed to create in the schema.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    op.execute("ALTER FUNCTION lambent_unfinished_indexes OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
