"""How often callers ask. Not logged: after a crash of the server everybody begins anew.

Revision ID: 0020
Revises: 0019
"""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# Whom a request is counted for besides its address. The clerk's, because nobody is known yet.
PAYER = """
RETURNS TABLE (principal text, tenant text)
LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  IF who IS NULL THEN
    RETURN QUERY SELECT k.id::text, k.tenant_id::text FROM public.api_keys k WHERE k.secret_hash = credential;
  ELSE
    RETURN QUERY SELECT who::text, CASE WHEN count(*) = 1 THEN min(m.tenant_id::text) END
      FROM public.memberships m WHERE m.user_id = who AND (org IS NULL OR m.tenant_id = org);
  END IF;
END
$$"""

# Counted first, in the order of the parts, which is the same for all requests, so that no two wait for each other; what
# turns out to be too much is taken back. A row is written in the place it has, since nothing indexed changes. The
# arithmetic is that of shared/domain/rates.py.
SPEND = """
RETURNS TABLE (place integer, opened timestamptz, count integer, previous integer, granted boolean)
LANGUAGE plpgsql VOLATILE ROWS 3 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  known record;
  kept record;
  whose text;
  names text[];
  starts timestamptz;
  lasting interval;
  opens timestamptz[];
  counts integer[];
  befores integer[];
  allowed boolean := true;
BEGIN
  SELECT p.principal, p.tenant INTO known FROM public.lambent_payer(credential, who, org) p;
  FOR i IN 1 .. cardinality(parts) LOOP
    whose := CASE parts[i] WHEN 'address' THEN address WHEN 'principal' THEN known.principal ELSE known.tenant END;
    CONTINUE WHEN whose IS NULL;
    names[i] := kind || ':' || parts[i] || ':' || whose;
    starts := to_timestamp(floor(extract(epoch FROM moment) / lasts[i]) * lasts[i]);
    lasting := make_interval(secs => lasts[i]);
    INSERT INTO public.rates AS r (name, opened, count, previous, until)
      VALUES (names[i], starts, 1, 0, starts + 2 * lasting)
    ON CONFLICT (name) DO UPDATE SET
      opened = greatest(r.opened, starts),
      count = CASE WHEN r.opened >= starts THEN r.count ELSE 0 END + 1,
      previous = CASE WHEN r.opened >= starts THEN r.previous WHEN r.opened = starts - lasting THEN r.count ELSE 0 END,
      until = greatest(r.opened, starts) + 2 * lasting
    RETURNING r.opened, r.count, r.previous INTO kept;
    opens[i] := kept.opened;
    counts[i] := kept.count;
    befores[i] := kept.previous;
    allowed := allowed AND counts[i]
      + befores[i] * greatest(0, 1 - greatest(0, extract(epoch FROM moment - opens[i])) / lasts[i]) <= most[i];
  END LOOP;
  IF NOT allowed THEN
    UPDATE public.rates r SET count = r.count - 1 WHERE r.name = ANY (names);
  END IF;
  RETURN QUERY SELECT i, opens[i], counts[i] - (NOT allowed)::integer, befores[i], allowed
    FROM generate_series(1, cardinality(parts)) i WHERE names[i] IS NOT NULL;
END
$$"""


def upgrade() -> None:
    """Create the table and the functions that count in it."""
    op.execute("""
CREATE UNLOGGED TABLE rates (
  name text PRIMARY KEY, opened timestamptz NOT NULL, count integer NOT NULL, previous integer NOT NULL,
  until timestamptz NOT NULL
) WITH (fillfactor = 50)""")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON rates TO lambent_app")
    payer = "lambent_payer(credential text, who uuid, org uuid)"
    spend = (
        "lambent_spend(kind text, address text, credential text, who uuid, org uuid, parts text[], most integer[], "
        "lasts integer[], moment timestamptz)"
    )
    # See 0002: making what is another's takes both for a moment.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    op.execute(f"CREATE FUNCTION {payer} {PAYER}")
    op.execute(f"CREATE FUNCTION {spend} {SPEND}")
    for name in ("lambent_payer", "lambent_spend"):
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
    op.execute("ALTER FUNCTION lambent_payer OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
