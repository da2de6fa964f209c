"""How many documents of each status a collection has, kept as they change.

Every change adds a row of its own, so that documents of one collection do not wait for each other; every so often one
of them adds up what is there.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

from shared.adapters.postgres.migrations.versions.r0001_tables import CURRENT_TENANT

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE tallies (
  tenant_id uuid NOT NULL,
  id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
  collection_id uuid NOT NULL,
  status text NOT NULL,
  documents bigint NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, collection_id) REFERENCES collections (tenant_id, id)
);
CREATE INDEX tallies_of_collection ON tallies (tenant_id, collection_id);
-- The owner of the tables is held back by their walls too, but for this.
ALTER TABLE documents NO FORCE ROW LEVEL SECURITY;
INSERT INTO tallies (tenant_id, collection_id, status, documents)
  SELECT tenant_id, collection_id, status, count(*) FROM documents WHERE tombstoned_at IS NULL
  GROUP BY tenant_id, collection_id, status;
ALTER TABLE documents FORCE ROW LEVEL SECURITY;
-- Nothing counts by it any more.
DROP INDEX documents_in_collection;
CREATE INDEX documents_in_collection ON documents (tenant_id, collection_id, created_at, id)
  WHERE tombstoned_at IS NULL;
"""

# With the rights and within the walls of whoever changes the document. Rows that another transaction is adding up, or
# has not committed, are left for the next time.
TALLY = """
CREATE FUNCTION lambent_tally() RETURNS trigger
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  latest bigint;
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.tombstoned_at IS NULL THEN
    INSERT INTO public.tallies (tenant_id, collection_id, status, documents)
      VALUES (OLD.tenant_id, OLD.collection_id, OLD.status, -1) RETURNING id INTO latest;
  END IF;
  IF TG_OP <> 'DELETE' AND NEW.tombstoned_at IS NULL THEN
    INSERT INTO public.tallies (tenant_id, collection_id, status, documents)
      VALUES (NEW.tenant_id, NEW.collection_id, NEW.status, 1) RETURNING id INTO latest;
  END IF;
  IF latest % 64 < 2 AND TG_OP <> 'DELETE' THEN
    WITH chosen AS (
      SELECT t.id FROM public.tallies t WHERE t.tenant_id = NEW.tenant_id AND t.collection_id = NEW.collection_id
      FOR UPDATE SKIP LOCKED
    ), gone AS (
      DELETE FROM public.tallies t USING chosen WHERE t.tenant_id = NEW.tenant_id AND t.id = chosen.id
      RETURNING t.status, t.documents
    )
    INSERT INTO public.tallies (tenant_id, collection_id, status, documents)
      SELECT NEW.tenant_id, NEW.collection_id, gone.status, sum(gone.documents) FROM gone
      GROUP BY gone.status HAVING sum(gone.documents) <> 0;
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER tally_new AFTER INSERT ON documents FOR EACH ROW EXECUTE FUNCTION lambent_tally();
CREATE TRIGGER tally_gone AFTER DELETE ON documents FOR EACH ROW EXECUTE FUNCTION lambent_tally();
CREATE TRIGGER tally_changed AFTER UPDATE ON documents FOR EACH ROW
  WHEN (
    OLD.status <> NEW.status OR OLD.collection_id <> NEW.collection_id
    OR (OLD.tombstoned_at IS NULL) <> (NEW.tombstoned_at IS NULL)
  )
  EXECUTE FUNCTION lambent_tally();
"""


def upgrade() -> None:
    """Add the table and what fills it."""
    op.execute(TABLE)
    op.execute("ALTER TABLE tallies ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tallies FORCE ROW LEVEL SECURITY")
    own = f"tenant_id = {CURRENT_TENANT}"
    op.execute(f"CREATE POLICY tenant ON tallies USING ({own}) WITH CHECK ({own})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON tallies TO lambent_app")
    op.execute(TALLY)
    op.execute("REVOKE EXECUTE ON FUNCTION lambent_tally FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_tally TO lambent_app")
