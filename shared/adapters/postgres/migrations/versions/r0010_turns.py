"""Lines before ingestion, one a tenant; what is overdue or unsent in turns of the tenants.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

INDEXES = """
CREATE INDEX generations_in_line ON generations (tenant_id, entered_at) WHERE state = 'queued';
CREATE INDEX generations_in_progress ON generations (tenant_id)
  WHERE state IN ('chunking', 'embedding', 'extracting', 'publishing');
GRANT SELECT (state) ON generations TO lambent_clerk;
"""

# The first of each tenant, then the second of each, and so on; among equals the longest overdue first.
FUNCTIONS = {
    "lambent_due(moment timestamptz, most integer)": """
RETURNS TABLE (tenant_id uuid, project_id uuid, document_id uuid, number integer)
LANGUAGE sql STABLE AS $$
  SELECT w.tenant_id, w.project_id, w.document_id, w.number FROM (
    SELECT g.tenant_id, g.project_id, g.document_id, g.number, g.due_at,
      row_number() OVER (PARTITION BY g.tenant_id ORDER BY g.due_at, g.document_id) AS turn
    FROM public.generations g WHERE g.due_at IS NOT NULL AND g.due_at <= moment AND g.state <> 'queued'
  ) w ORDER BY w.turn, w.due_at, w.document_id LIMIT most
$$""",
    "lambent_left_behind(before timestamptz, most integer)": """
RETURNS TABLE (id uuid, queue text, message_group text, body text, delay_seconds integer)
LANGUAGE sql VOLATILE AS $$
  SELECT o.id, o.queue, o.message_group, o.body, o.delay_seconds
  FROM (
    SELECT w.tenant_id, w.id, row_number() OVER (PARTITION BY w.tenant_id ORDER BY w.added_at, w.id) AS turn
    FROM public.outbox w WHERE w.added_at < before
  ) t JOIN public.outbox o ON o.tenant_id = t.tenant_id AND o.id = t.id
  ORDER BY t.turn, o.added_at, o.id LIMIT most FOR UPDATE OF o SKIP LOCKED
$$""",
    # From tenant to tenant by the index, however long their lines are.
    "lambent_in_line(most integer)": """
RETURNS TABLE (tenant_id uuid)
LANGUAGE sql STABLE AS $$
  WITH RECURSIVE line AS (
    (SELECT g.tenant_id FROM public.generations g WHERE g.state = 'queued' ORDER BY g.tenant_id LIMIT 1)
    UNION ALL
    SELECT (SELECT g.tenant_id FROM public.generations g
      WHERE g.state = 'queued' AND g.tenant_id > l.tenant_id ORDER BY g.tenant_id LIMIT 1)
    FROM line l WHERE l.tenant_id IS NOT NULL
  )
  SELECT l.tenant_id FROM line l WHERE l.tenant_id IS NOT NULL LIMIT most
$$""",
}


def upgrade() -> None:
    """Add the indexes, replace two of the clerk's functions and add one."""
    op.execute(INDEXES)
    # Only a member of the owner may replace its functions; for this moment only.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    for signature, body in FUNCTIONS.items():
        op.execute(
            f"CREATE OR REPLACE FUNCTION {signature} {body} SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
        )
    op.execute("REVOKE ALL ON FUNCTION lambent_in_line FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_in_line TO lambent_app")
    op.execute("ALTER FUNCTION lambent_in_line OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
