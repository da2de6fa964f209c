"""A document with its latest generation, as a function whose plan the server keeps.

Every look at a document reads it; planning fifty columns of four tables took longer than finding them.

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# The caller's own rights and row-level security hold inside it.
LATEST = """
CREATE FUNCTION lambent_latest(
  of_tenant uuid, of_project uuid, of_id uuid,
  OUT document documents, OUT gone_with timestamptz, OUT live_slot smallint, OUT generation generations
) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
    SELECT d, coalesce(c.deleted_at, p.deleted_at, t.deleted_at), c.slot, g
    FROM public.documents d
    JOIN public.generations g ON g.tenant_id = d.tenant_id AND g.document_id = d.id AND g.number = d.latest_generation
    JOIN public.collections c ON c.tenant_id = d.tenant_id AND c.id = d.collection_id
    JOIN public.projects p ON p.tenant_id = c.tenant_id AND p.id = c.project_id
    JOIN public.tenants t ON t.tenant_id = c.tenant_id
    WHERE d.tenant_id = of_tenant AND d.project_id = of_project AND d.id = of_id;
END
$$
"""


def upgrade() -> None:
    """Add the function."""
    op.execute(LATEST)
    op.execute("REVOKE EXECUTE ON FUNCTION lambent_latest FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_latest TO lambent_app")
