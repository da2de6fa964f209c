"""What happened to users' accounts: sign-ins, refusals, sessions, passwords. It belongs to no organisation.

Behind the wall of users, added and read and never changed. Rows need no user: a refused sign-in at an address that has
no account leaves one too, for an hour, so that it takes no less time than at one that has. The clerk removes what
expired.

Revision ID: 0027
Revises: 0026
"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CURRENT_USER = "(SELECT nullif(current_setting('lambent.user', true), '')::uuid)"
TABLE = f"""
CREATE TABLE user_events (
  user_id uuid NOT NULL,
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  action text NOT NULL,
  address text NOT NULL,
  client text NOT NULL,
  session_id uuid,
  details jsonb NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, id)
);
CREATE INDEX user_events_listing ON user_events (user_id, at, id);
CREATE INDEX user_events_expiry ON user_events (expires_at);
ALTER TABLE user_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_events FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON user_events USING (user_id = {CURRENT_USER}) WITH CHECK (user_id = {CURRENT_USER});
GRANT SELECT, INSERT ON user_events TO lambent_app;
GRANT SELECT (user_id, id, expires_at), DELETE ON user_events TO lambent_clerk;
-- Locking a row takes the right to update one of its columns.
GRANT UPDATE (expires_at) ON user_events TO lambent_clerk;
CREATE POLICY clerk_select ON user_events FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk_lock ON user_events FOR UPDATE TO lambent_clerk USING (true) WITH CHECK (false);
CREATE POLICY clerk_delete ON user_events FOR DELETE TO lambent_clerk USING (true);
"""
FORGET = """
CREATE FUNCTION lambent_forget_user_events(moment timestamptz, most integer) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  DELETE FROM public.user_events e WHERE (e.user_id, e.id) IN (
    SELECT o.user_id, o.id FROM public.user_events o WHERE o.expires_at <= moment
    ORDER BY o.expires_at LIMIT most FOR UPDATE SKIP LOCKED
  )
$$
"""


def upgrade() -> None:
    """Create the table, its wall, and what the clerk may do to it."""
    op.execute(TABLE)
    # See 0002: handing a function over takes both for a moment.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    op.execute(FORGET)
    op.execute("REVOKE ALL ON FUNCTION lambent_forget_user_events FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_forget_user_events TO lambent_app")
    op.execute("ALTER FUNCTION lambent_forget_user_events OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
