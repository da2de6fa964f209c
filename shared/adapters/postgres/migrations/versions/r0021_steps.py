"""What every step of ingestion reads, by functions whose plans the server keeps; counts of a collection from an index.

Planning the joins took longer than making them. A collection's documents are counted by their status without a look at
the documents themselves.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

COUNTS = """
DROP INDEX documents_in_collection;
CREATE INDEX documents_in_collection ON documents (tenant_id, collection_id, created_at, id) INCLUDE (status)
  WHERE tombstoned_at IS NULL;
"""

# The caller's own rights and row-level security hold inside them. Both rows are locked: a generation that was only read
# would be as old as the statement, which may have waited for the lock.
LOCKED = """
CREATE FUNCTION lambent_locked(
  of_tenant uuid, of_project uuid, of_id uuid, of_number integer,
  OUT document documents, OUT gone_with timestamptz, OUT live_slot smallint, OUT generation generations
) RETURNS SETOF record
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
    SELECT d, coalesce(c.deleted_at, p.deleted_at, t.deleted_at), c.slot, g
    FROM public.documents d
    JOIN public.generations g ON g.tenant_id = d.tenant_id AND g.document_id = d.id AND g.number = of_number
    JOIN public.collections c ON c.tenant_id = d.tenant_id AND c.id = d.collection_id
    JOIN public.projects p ON p.tenant_id = c.tenant_id AND p.id = c.project_id
    JOIN public.tenants t ON t.tenant_id = c.tenant_id
    WHERE d.tenant_id = of_tenant AND d.project_id = of_project AND d.id = of_id
    FOR UPDATE OF d, g;
END
$$
"""

THROUGH = """
CREATE FUNCTION lambent_through(
  of_tenant uuid, of_project uuid, of_id uuid, of_index uuid, OUT "index" indexes, OUT home collections
) RETURNS SETOF record
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY
    SELECT x, c
    FROM public.collections c
    JOIN public.indexes x ON x.tenant_id = c.tenant_id AND x.collection_id = c.id AND x.id = of_index
      AND x.state IN ('building', 'ready', 'live', 'retired')
    JOIN public.projects p ON p.tenant_id = c.tenant_id AND p.id = c.project_id AND p.deleted_at IS NULL
    JOIN public.tenants t ON t.tenant_id = c.tenant_id AND t.deleted_at IS NULL
    WHERE c.tenant_id = of_tenant AND c.project_id = of_project AND c.id = of_id AND c.deleted_at IS NULL;
END
$$
"""


def upgrade() -> None:
    """Add the functions, and the status to an index."""
    op.execute(COUNTS)
    for name, body in {"lambent_locked": LOCKED, "lambent_through": THROUGH}.items():
        op.execute(body)
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
