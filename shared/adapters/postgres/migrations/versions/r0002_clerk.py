"""The clerk: the few questions that cross tenants, and the index of a large collection.

`lambent_clerk` cannot log in and owns the functions here. Its policies let it see rows of every tenant, its grants
only the columns named here; the application role may call the functions and nothing else of it.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RIGHTS = """
GRANT SELECT (tenant_id) ON tenants TO lambent_clerk;
GRANT SELECT (tenant_id, id, project_id, name, secret_hash, permissions, expires_at, revoked_at)
  ON api_keys TO lambent_clerk;
GRANT SELECT (tenant_id, project_id, document_id, number, due_at) ON generations TO lambent_clerk;
GRANT SELECT (tenant_id, project_id, id, latest_generation, tombstoned_at, swept_at) ON documents TO lambent_clerk;
GRANT SELECT, DELETE ON outbox TO lambent_clerk;
-- Locking a row takes the right to update one of its columns.
GRANT UPDATE (delay_seconds) ON outbox TO lambent_clerk;

CREATE POLICY clerk ON tenants FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON api_keys FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON generations FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON documents FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk_select ON outbox FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk_lock ON outbox FOR UPDATE TO lambent_clerk USING (true) WITH CHECK (false);
CREATE POLICY clerk_delete ON outbox FOR DELETE TO lambent_clerk USING (true);
"""

FUNCTIONS = {
    "lambent_tenants()": """
RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE AS $$
  SELECT t.tenant_id FROM public.tenants t ORDER BY t.tenant_id
$$""",
    "lambent_key(wanted text)": """
RETURNS TABLE (
  tenant_id uuid, id uuid, project_id uuid, name text, permissions text[], expires_at timestamptz, revoked_at
  timestamptz
)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT k.tenant_id, k.id, k.project_id, k.name, k.permissions, k.expires_at, k.revoked_at
  FROM public.api_keys k WHERE k.secret_hash = wanted
$$""",
    "lambent_due(moment timestamptz, most integer)": """
RETURNS TABLE (tenant_id uuid, project_id uuid, document_id uuid, number integer)
LANGUAGE sql STABLE AS $$
  SELECT g.tenant_id, g.project_id, g.document_id, g.number
  FROM public.generations g WHERE g.due_at IS NOT NULL AND g.due_at <= moment
  ORDER BY g.due_at, g.document_id LIMIT most
$$""",
    "lambent_tombstoned(most integer)": """
RETURNS TABLE (tenant_id uuid, project_id uuid, document_id uuid, number integer)
LANGUAGE sql STABLE AS $$
  SELECT d.tenant_id, d.project_id, d.id, d.latest_generation
  FROM public.documents d WHERE d.tombstoned_at IS NOT NULL AND d.swept_at IS NULL
  ORDER BY d.tombstoned_at, d.id LIMIT most
$$""",
    "lambent_left_behind(before timestamptz, most integer)": """
RETURNS TABLE (id uuid, queue text, message_group text, body text, delay_seconds integer)
LANGUAGE sql VOLATILE AS $$
  SELECT o.id, o.queue, o.message_group, o.body, o.delay_seconds
  FROM public.outbox o WHERE o.added_at < before
  ORDER BY o.added_at, o.id LIMIT most FOR UPDATE SKIP LOCKED
$$""",
    "lambent_sent(ids uuid[])": """
RETURNS void
LANGUAGE sql VOLATILE AS $$
  DELETE FROM public.outbox o WHERE o.id = ANY (ids)
$$""",
}

# Only the owner of the table can index it. The caller's tenant decides which collection can be named.
INDEX_VECTORS = """
CREATE FUNCTION lambent_index_vectors(wanted uuid, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET maintenance_work_mem = '256MB' AS $$
DECLARE
  known record;
  partition regclass := (SELECT v.tableoid FROM public.vectors v WHERE v.collection_id = wanted LIMIT 1);
  index_name text := 'vectors_of_' || replace(wanted::text, '-', '');
BEGIN
  SELECT c.tenant_id, c.dimensions INTO known FROM public.collections c WHERE c.id = wanted AND c.deleted_at IS NULL;
  -- pgvector indexes vectors of up to 2,000 dimensions.
  IF NOT FOUND OR partition IS NULL OR known.dimensions > 2000 THEN
    RETURN false;
  END IF;
  INSERT INTO public.vector_indexes (tenant_id, collection_id, name, created_at)
    VALUES (known.tenant_id, wanted, index_name, moment) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  EXECUTE format(
    'CREATE INDEX %I ON %s USING hnsw ((embedding::public.vector(%s)) public.vector_ip_ops) '
    'WHERE collection_id = %L::uuid',
    index_name, partition, known.dimensions, wanted
  );
  RETURN true;
END $$;

CREATE FUNCTION lambent_drop_vector_index(wanted uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE index_name text;
BEGIN
  DELETE FROM public.vector_indexes i WHERE i.collection_id = wanted RETURNING i.name INTO index_name;
  IF index_name IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP INDEX public.%I', index_name);
  RETURN true;
END $$;
"""


def upgrade() -> None:
    """Create the clerk's policies and functions."""
    op.execute(RIGHTS)
    for signature, body in FUNCTIONS.items():
        op.execute(f"CREATE FUNCTION {signature} {body} SECURITY DEFINER SET search_path = pg_catalog, pg_temp")
    op.execute(INDEX_VECTORS)
    names = [signature.partition("(")[0] for signature in FUNCTIONS]
    for name in (*names, "lambent_index_vectors", "lambent_drop_vector_index"):
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
    # To hand a function over, one must be a member of the new owner, who must be allowed to create in the schema.
    # Both for this moment only.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    for name in names:
        op.execute(f"ALTER FUNCTION {name} OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
