"""Requests may be counted several at once, by whoever is far from its limits: see shared/domain/rates.py.

Revision ID: 0025
Revises: 0024
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

WHO = "kind text, address text, credential text, who uuid, org uuid, parts text[], most integer[], lasts integer[]"
# Counted first, in the order of the parts, which is the same for all requests, so that no two wait for each other; what
# turns out to be too much is taken back: first what was wanted ahead, then the request itself. A row is written in the
# place it has, since nothing indexed changes. The arithmetic is that of shared/domain/rates.py.
SPEND = """
RETURNS TABLE (place integer, opened timestamptz, count integer, previous integer, granted boolean, taken integer)
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
  room double precision := 'infinity';
  counted integer;
BEGIN
  SELECT p.principal, p.tenant INTO known FROM public.lambent_payer(credential, who, org) p;
  FOR i IN 1 .. cardinality(parts) LOOP
    whose := CASE parts[i] WHEN 'address' THEN address WHEN 'principal' THEN known.principal ELSE known.tenant END;
    CONTINUE WHEN whose IS NULL;
    names[i] := kind || ':' || parts[i] || ':' || whose;
    starts := to_timestamp(floor(extract(epoch FROM moment) / lasts[i]) * lasts[i]);
    lasting := make_interval(secs => lasts[i]);
    INSERT INTO public.rates AS r (name, opened, count, previous, until)
      VALUES (names[i], starts, wanted, 0, starts + 2 * lasting)
    ON CONFLICT (name) DO UPDATE SET
      opened = greatest(r.opened, starts),
      count = CASE WHEN r.opened >= starts THEN r.count ELSE 0 END + wanted,
      previous = CASE WHEN r.opened >= starts THEN r.previous WHEN r.opened = starts - lasting THEN r.count ELSE 0 END,
      until = greatest(r.opened, starts) + 2 * lasting
    RETURNING r.opened, r.count, r.previous INTO kept;
    opens[i] := kept.opened;
    counts[i] := kept.count;
    befores[i] := kept.previous;
    room := least(room, wanted + most[i] - counts[i]
      - befores[i] * greatest(0, 1 - greatest(0, extract(epoch FROM moment - opens[i])) / lasts[i]));
  END LOOP;
  counted := CASE WHEN room >= wanted THEN wanted WHEN room >= 1 THEN 1 ELSE 0 END;
  IF counted < wanted THEN
    UPDATE public.rates r SET count = r.count - wanted + counted WHERE r.name = ANY (names);
  END IF;
  RETURN QUERY SELECT i, opens[i], counts[i] - wanted + counted, befores[i], counted > 0, counted
    FROM generate_series(1, cardinality(parts)) i WHERE names[i] IS NOT NULL;
END
$$"""


def upgrade() -> None:
    """Replace the function that counts."""
    op.execute(f"DROP FUNCTION lambent_spend({WHO}, moment timestamptz)")
    op.execute(f"CREATE FUNCTION lambent_spend({WHO}, moment timestamptz, wanted integer) {SPEND}")
    op.execute("REVOKE ALL ON FUNCTION lambent_spend FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_spend TO lambent_app")
