"""With what a document is gone, as a function whose plan the server keeps.

Read beside a document in nearly every request, where planning the three look-ups took longer than making them.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The caller's own rights and row-level security hold inside it.
GONE_WITH = """
CREATE FUNCTION lambent_gone_with(of_tenant uuid, of_collection uuid) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN (
    SELECT coalesce(c.deleted_at, p.deleted_at, t.deleted_at)
    FROM public.collections c
    JOIN public.projects p ON p.tenant_id = c.tenant_id AND p.id = c.project_id
    JOIN public.tenants t ON t.tenant_id = c.tenant_id
    WHERE c.tenant_id = of_tenant AND c.id = of_collection
  );
END
$$
"""


def upgrade() -> None:
    """Add the function."""
    op.execute(GONE_WITH)
    op.execute("REVOKE EXECUTE ON FUNCTION lambent_gone_with FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_gone_with TO lambent_app")
