"""Ingestion runs, their events, and the generations that belong to them.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('lambent.tenant', true), '')::uuid)"

TABLES = """
CREATE TABLE ingestions (
  tenant_id uuid NOT NULL,
  id uuid NOT NULL,
  project_id uuid NOT NULL,
  collection_id uuid NOT NULL,
  name text NOT NULL,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  expected integer,
  announced integer NOT NULL,
  closed_at timestamptz,
  cancelled_at timestamptz,
  completed_at timestamptz,
  sequence integer NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id, collection_id) REFERENCES collections (tenant_id, project_id, id)
) WITH (fillfactor = 50);
CREATE INDEX ingestions_listing ON ingestions (tenant_id, project_id, created_at, id);

CREATE TABLE ingestion_events (
  tenant_id uuid NOT NULL,
  ingestion_id uuid NOT NULL,
  sequence integer NOT NULL,
  at timestamptz NOT NULL,
  kind text NOT NULL,
  document_id uuid,
  generation integer,
  data jsonb NOT NULL,
  PRIMARY KEY (tenant_id, ingestion_id, sequence),
  FOREIGN KEY (tenant_id, ingestion_id) REFERENCES ingestions (tenant_id, id)
);

ALTER TABLE generations ADD COLUMN ingestion_id uuid;
ALTER TABLE generations ADD FOREIGN KEY (tenant_id, ingestion_id) REFERENCES ingestions (tenant_id, id);
CREATE INDEX generations_in_ingestion ON generations (tenant_id, ingestion_id, document_id, number)
  WHERE ingestion_id IS NOT NULL;
CREATE INDEX generations_unfinished_in_ingestion ON generations (tenant_id, ingestion_id, document_id)
  WHERE ingestion_id IS NOT NULL AND due_at IS NOT NULL;
"""

# One call for one round trip, and several statements because each sees what was committed before it began: the first
# waits for whoever holds the run, so the question whether anything is unfinished is asked of rows no older than that.
# As one statement with subqueries, the last two documents of a run could each miss the other's end, and the run would
# never complete. Numbers are given under the run's lock, which is held until the commit: a reader who has seen number
# n has seen every number below it.
HAPPENED = """
CREATE FUNCTION lambent_happened(tenant uuid, project uuid, wanted uuid, news jsonb, moment timestamptz)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fresh integer := jsonb_array_length(news);
  run record;
  unfinished boolean;
BEGIN
  UPDATE public.ingestions i SET sequence = i.sequence + fresh
    WHERE i.tenant_id = tenant AND i.project_id = project AND i.id = wanted
    RETURNING i.sequence, i.closed_at, i.completed_at INTO run;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  INSERT INTO public.ingestion_events (tenant_id, ingestion_id, sequence, at, kind, document_id, generation, data)
    SELECT tenant, wanted, run.sequence - fresh + one.place, moment, one.item ->> 'kind',
      (one.item ->> 'document_id')::uuid, (one.item ->> 'generation')::integer, one.item -> 'data'
    FROM jsonb_array_elements(news) WITH ORDINALITY AS one (item, place);
  IF run.closed_at IS NULL THEN
    RETURN false;
  END IF;
  unfinished := EXISTS (
    SELECT 1 FROM public.generations g
    WHERE g.tenant_id = tenant AND g.ingestion_id = wanted AND g.due_at IS NOT NULL
  );
  IF unfinished = (run.completed_at IS NULL) THEN
    RETURN false;
  END IF;
  UPDATE public.ingestions i
    SET completed_at = CASE WHEN unfinished THEN NULL ELSE moment END,
      sequence = i.sequence + CASE WHEN unfinished THEN 0 ELSE 1 END
    WHERE i.tenant_id = tenant AND i.id = wanted;
  IF unfinished THEN
    RETURN false;
  END IF;
  INSERT INTO public.ingestion_events (tenant_id, ingestion_id, sequence, at, kind, data)
    VALUES (tenant, wanted, run.sequence + 1, moment, 'ingestion.completed', '{}');
  RETURN true;
END $$;
"""


def upgrade() -> None:
    """Create the tables, the column, and the one way to tell of what happened."""
    op.execute(TABLES)
    for table in ("ingestions", "ingestion_events"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY tenant ON {table} "
            f"USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
        )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ingestions TO lambent_app")
    # Nobody changes what has happened.
    op.execute("GRANT SELECT, INSERT, DELETE ON ingestion_events TO lambent_app")
    op.execute(HAPPENED)
    op.execute("REVOKE ALL ON FUNCTION lambent_happened FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_happened TO lambent_app")
