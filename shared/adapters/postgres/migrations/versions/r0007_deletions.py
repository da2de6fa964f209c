"""Tombstones of projects and tenants, and receipts of everything that can be deleted.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE tenants ADD COLUMN deleted_at timestamptz;
ALTER TABLE projects ADD COLUMN deleted_at timestamptz;
ALTER TABLE projects DROP CONSTRAINT projects_tenant_id_name_key;
CREATE UNIQUE INDEX projects_name ON projects (tenant_id, name) WHERE deleted_at IS NULL;

ALTER TABLE receipts ALTER COLUMN project_id DROP NOT NULL;
ALTER TABLE receipts RENAME COLUMN document_id TO subject_id;
ALTER TABLE receipts
  ADD COLUMN kind text NOT NULL DEFAULT 'document',
  ADD COLUMN parent_id uuid,
  ADD COLUMN documents integer NOT NULL DEFAULT 0,
  ADD COLUMN steps integer NOT NULL DEFAULT 0,
  ADD COLUMN due_at timestamptz,
  ADD FOREIGN KEY (tenant_id, parent_id) REFERENCES receipts (tenant_id, id);
ALTER TABLE receipts
  ALTER COLUMN kind DROP DEFAULT, ALTER COLUMN documents DROP DEFAULT, ALTER COLUMN steps DROP DEFAULT;
ALTER INDEX receipts_of_document RENAME TO receipts_of_subject;
CREATE INDEX receipts_of_parent ON receipts (tenant_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX receipts_due ON receipts (due_at) WHERE due_at IS NOT NULL;

GRANT SELECT (deleted_at) ON tenants TO lambent_clerk;
GRANT SELECT (tenant_id, id, deleted_at) ON projects TO lambent_clerk;
GRANT SELECT (tenant_id, id, due_at) ON receipts TO lambent_clerk;
CREATE POLICY clerk ON projects FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON receipts FOR SELECT TO lambent_clerk USING (true);
"""

# A key is revoked in the moment its project or its tenant is deleted: it takes no row of its own to be changed.
CHANGED = {
    "lambent_tenants()": """
RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE AS $$
  SELECT t.tenant_id FROM public.tenants t WHERE t.deleted_at IS NULL ORDER BY t.tenant_id
$$""",
    "lambent_key(wanted text)": """
RETURNS TABLE (
  tenant_id uuid, id uuid, project_id uuid, name text, permissions text[], expires_at timestamptz, revoked_at
  timestamptz
)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT k.tenant_id, k.id, k.project_id, k.name, k.permissions, k.expires_at,
    coalesce(k.revoked_at, p.deleted_at, t.deleted_at)
  FROM public.api_keys k
  JOIN public.tenants t ON t.tenant_id = k.tenant_id
  LEFT JOIN public.projects p ON p.tenant_id = k.tenant_id AND p.id = k.project_id
  WHERE k.secret_hash = wanted
$$""",
    "lambent_tombstoned(most integer)": """
RETURNS TABLE (tenant_id uuid, project_id uuid, document_id uuid, number integer)
LANGUAGE sql STABLE AS $$
  SELECT w.tenant_id, w.project_id, w.id, w.latest_generation
  FROM (
    SELECT d.tenant_id, d.project_id, d.id, d.latest_generation, d.tombstoned_at,
      row_number() OVER (PARTITION BY d.tenant_id ORDER BY d.tombstoned_at, d.id) AS turn
    FROM public.documents d WHERE d.tombstoned_at IS NOT NULL AND d.swept_at IS NULL
  ) w ORDER BY w.turn, w.tombstoned_at, w.id LIMIT most
$$""",
}
NEW = {
    "lambent_erasures(moment timestamptz, most integer)": """
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE AS $$
  SELECT w.tenant_id, w.id
  FROM (
    SELECT r.tenant_id, r.id, r.due_at,
      row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.due_at, r.id) AS turn
    FROM public.receipts r WHERE r.due_at IS NOT NULL AND r.due_at <= moment
  ) w ORDER BY w.turn, w.due_at, w.id LIMIT most
$$""",
}


def upgrade() -> None:
    """Add the tombstones, widen the receipts, and let the clerk know both."""
    op.execute(TABLES)
    # As when they were made: to replace or hand over a function of the clerk's takes both, for this moment only.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    for signature, body in CHANGED.items():
        op.execute(
            f"CREATE OR REPLACE FUNCTION {signature} {body} SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
        )
    for signature, body in NEW.items():
        name = signature.partition("(")[0]
        op.execute(f"CREATE FUNCTION {signature} {body} SECURITY DEFINER SET search_path = pg_catalog, pg_temp")
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
        op.execute(f"ALTER FUNCTION {name} OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
