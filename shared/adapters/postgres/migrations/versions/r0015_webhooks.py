"""Webhook endpoints, what was sent to them, and which of them a run names.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('lambent.tenant', true), '')::uuid)"

TABLES = """
CREATE TABLE webhooks (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  url text NOT NULL,
  description text NOT NULL,
  all_runs boolean NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  secret_version integer NOT NULL,
  rotated_at timestamptz,
  failing_since timestamptz,
  disabled_at timestamptz,
  disabled_reason text NOT NULL,
  deleted_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id)
);
CREATE INDEX webhooks_listing ON webhooks (tenant_id, project_id, created_at, id) WHERE deleted_at IS NULL;

CREATE TABLE webhook_deliveries (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  webhook_id uuid NOT NULL,
  ingestion_id uuid NOT NULL,
  kind text NOT NULL,
  body text NOT NULL,
  created_at timestamptz NOT NULL,
  state text NOT NULL,
  due_at timestamptz,
  lease uuid,
  lease_until timestamptz,
  tries integer NOT NULL,
  since timestamptz,
  attempts jsonb NOT NULL,
  finished_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id),
  FOREIGN KEY (tenant_id, ingestion_id) REFERENCES ingestions (tenant_id, id)
);
CREATE INDEX webhook_deliveries_listing ON webhook_deliveries (tenant_id, webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (due_at) WHERE due_at IS NOT NULL;

ALTER TABLE ingestions ADD COLUMN webhook_id uuid;
ALTER TABLE ingestions ADD FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhooks (tenant_id, id);
"""

CLERK = """
GRANT SELECT (tenant_id, project_id, id, due_at) ON webhook_deliveries TO lambent_clerk;
CREATE POLICY clerk ON webhook_deliveries FOR SELECT TO lambent_clerk USING (true);
CREATE FUNCTION lambent_deliveries_due(moment timestamptz, most integer)
RETURNS TABLE (tenant_id uuid, project_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT d.tenant_id, d.project_id, d.id
  FROM public.webhook_deliveries d WHERE d.due_at IS NOT NULL AND d.due_at <= moment
  ORDER BY d.due_at, d.id LIMIT most
$$;
REVOKE ALL ON FUNCTION lambent_deliveries_due FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lambent_deliveries_due TO lambent_app;
"""


def upgrade() -> None:
    """Create the tables and the clerk's question about them."""
    op.execute(TABLES)
    for table in ("webhooks", "webhook_deliveries"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} "
            f"USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO lambent_app")
    op.execute(CLERK)
    # See 0002: handing a function over takes both for a moment.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    op.execute("ALTER FUNCTION lambent_deliveries_due OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
