"""Answers of requests that carry an idempotency key.

Revision ID: 0024
Revises: 0023
"""

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('lambent.tenant', true), '')::uuid)"
CURRENT_USER = "(SELECT nullif(current_setting('lambent.user', true), ''))"
NOBODY = "'00000000-0000-0000-0000-000000000000'::uuid"
# A user's own lie behind the users' wall: no tenant has this id.
OWN = f"tenant_id = {NOBODY} AND principal = 'user:' || {CURRENT_USER}"
WALL = f"tenant_id = {CURRENT_TENANT} OR {OWN}"
TABLE = f"""
CREATE TABLE kept_answers (
  tenant_id uuid NOT NULL,
  principal text NOT NULL,
  key_hash text NOT NULL,
  fingerprint text NOT NULL,
  project_id uuid,
  lease uuid,
  until timestamptz,
  status integer,
  headers jsonb NOT NULL,
  body text,
  about uuid[] NOT NULL,
  finished boolean NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, principal, key_hash)
);
CREATE INDEX kept_answers_about ON kept_answers USING gin (about);
CREATE INDEX kept_answers_expiry ON kept_answers (expires_at);
ALTER TABLE kept_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE kept_answers FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON kept_answers USING ({WALL}) WITH CHECK ({WALL});
GRANT SELECT, INSERT, UPDATE, DELETE ON kept_answers TO lambent_app;
GRANT SELECT (tenant_id, principal, key_hash, expires_at), DELETE ON kept_answers TO lambent_clerk;
CREATE POLICY clerk_select ON kept_answers FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk_delete ON kept_answers FOR DELETE TO lambent_clerk USING (true);
"""

# Each statement within sees what was committed before it: so the row is looked for when the lock is held, by when
# whoever had it before has committed. With the rights and within the walls of whoever asks.
CLAIM = """
RETURNS TABLE (
  free boolean, fingerprint text, until timestamptz, status integer, headers jsonb, body text, finished boolean
)
LANGUAGE plpgsql VOLATILE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended(concat_ws(' ', 'idempotency', org, who, wanted), 0)) THEN
    RETURN QUERY SELECT false, NULL::text, NULL::timestamptz, NULL::integer, NULL::jsonb, NULL::text, NULL::boolean;
    RETURN;
  END IF;
  DELETE FROM public.kept_answers a WHERE a.tenant_id = org AND a.principal = who AND a.key_hash = wanted
    AND (a.expires_at <= moment OR a.status IS NULL AND a.until <= moment);
  IF holder IS NOT NULL THEN
    INSERT INTO public.kept_answers (
      tenant_id, principal, key_hash, fingerprint, project_id, lease, until, headers, about, finished, expires_at
    ) VALUES (org, who, wanted, print, room, holder, lasting, '{}', '{}', false, expiry) ON CONFLICT DO NOTHING;
    IF FOUND THEN
      RETURN;
    END IF;
  END IF;
  RETURN QUERY SELECT true, a.fingerprint, a.until, a.status, a.headers, a.body, a.finished
    FROM public.kept_answers a WHERE a.tenant_id = org AND a.principal = who AND a.key_hash = wanted;
END
$$"""
SIGNATURES = {
    "lambent_claim(org uuid, who text, wanted text, print text, room uuid, holder uuid, lasting timestamptz, "
    "expiry timestamptz, moment timestamptz)": CLAIM,
    # The clerk's: of every tenant, and of nothing but what is over.
    "lambent_forget_answers(moment timestamptz, most integer)": """
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  WITH gone AS (
    DELETE FROM public.kept_answers a WHERE (a.tenant_id, a.principal, a.key_hash) IN (
      SELECT o.tenant_id, o.principal, o.key_hash FROM public.kept_answers o WHERE o.expires_at <= moment
      ORDER BY o.expires_at LIMIT most
    ) RETURNING 1
  )
  SELECT count(*) FROM gone
$$""",
}


def upgrade() -> None:
    """Create the table, its walls, and what claims and forgets."""
    op.execute(TABLE)
    # See 0002: handing a function over takes both for a moment.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    for signature, body in SIGNATURES.items():
        name = signature.partition("(")[0]
        op.execute(f"CREATE FUNCTION {signature} {body}")
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
    op.execute("ALTER FUNCTION lambent_forget_answers OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
