"""Access lists of documents and collections, kept by a wall of their own.

`lambent.readers`, set as `lambent.tenant` is, holds the names by which lists admit whoever asks, between commas; `*`
is the system's own. A second policy on `documents` stands beside the tenant's, and a row has to pass both: so no
statement, whichever it is, sees a document that its list keeps from the reader, and none can forget to ask. Without the
setting only what is everyone's is seen.

Revision ID: 0023
Revises: 0022
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

COLUMNS = "readers, readers_until, readers_problem, readers_set_at, readers_set_by"
ADD = """
ALTER TABLE {table}
  ADD COLUMN readers text[],
  ADD COLUMN readers_until timestamptz,
  ADD COLUMN readers_problem text,
  ADD COLUMN readers_set_at timestamptz,
  ADD COLUMN readers_set_by text,
  -- What is not known admits nobody.
  ADD CONSTRAINT {table}_unknown_readers CHECK (readers_problem IS NULL OR readers = '{{}}')
"""
# Each is asked once a statement, not once a row.
SYSTEM = "(SELECT current_setting('lambent.readers', true) = '*')"
NAMES = "(SELECT array_prepend('everyone', string_to_array(nullif(current_setting('lambent.readers', true), ''), ',')))"
ADMITTED = "{alias}readers && {names} AND ({alias}readers_until IS NULL OR {alias}readers_until > now())"
OPEN = ADMITTED.format(alias="", names=NAMES)
CLOSED = ADMITTED.format(alias="c.", names=NAMES)
WALL = f"""
CREATE INDEX collections_with_list ON collections (tenant_id, id) WHERE readers IS NOT NULL;
-- A document without a list stands with its collection: kept back are those of collections whose list does not admit.
CREATE POLICY readable ON documents AS RESTRICTIVE FOR SELECT TO lambent_app USING (
  {SYSTEM} OR CASE WHEN readers IS NULL
    THEN collection_id <> ALL (
      ARRAY(SELECT c.id FROM collections c WHERE c.readers IS NOT NULL AND ({CLOSED}) IS NOT TRUE)
    )
    ELSE {OPEN} END
);
GRANT SELECT (collection_id, {COLUMNS}) ON documents TO lambent_clerk;
GRANT UPDATE ({COLUMNS}) ON documents TO lambent_clerk;
CREATE POLICY clerk_update ON documents FOR UPDATE TO lambent_clerk USING (true);
GRANT SELECT (tenant_id, id, project_id, deleted_at, {COLUMNS}) ON collections TO lambent_clerk;
GRANT UPDATE ({COLUMNS}) ON collections TO lambent_clerk;
CREATE POLICY clerk ON collections FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk_update ON collections FOR UPDATE TO lambent_clerk USING (true);
"""

HERE = "nullif(current_setting('lambent.tenant', true), '')::uuid"
# Whoever manages lists sees and sets them also where they do not admit their manager; only in their own tenant.
LIST = f"""
RETURNS TABLE (
  own text[], own_until timestamptz, own_problem text, own_set_at timestamptz, own_set_by text,
  above text[], above_until timestamptz, above_problem text, above_set_at timestamptz, above_set_by text
)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT d.readers, d.readers_until, d.readers_problem, d.readers_set_at, d.readers_set_by,
    c.readers, c.readers_until, c.readers_problem, c.readers_set_at, c.readers_set_by
  FROM public.documents d JOIN public.collections c ON c.tenant_id = d.tenant_id AND c.id = d.collection_id
  WHERE kind = 'document' AND d.tenant_id = {HERE} AND d.project_id = room AND d.id = wanted
    AND d.tombstoned_at IS NULL AND c.deleted_at IS NULL
  UNION ALL
  SELECT c.readers, c.readers_until, c.readers_problem, c.readers_set_at, c.readers_set_by, NULL, NULL, NULL, NULL, NULL
  FROM public.collections c
  WHERE kind = 'collection' AND c.tenant_id = {HERE} AND c.project_id = room AND c.id = wanted AND c.deleted_at IS NULL
$$"""
PUT = f"""
RETURNS boolean
LANGUAGE sql VOLATILE AS $$
  WITH one AS (
    UPDATE public.documents d SET readers = names, readers_until = until, readers_problem = problem,
      readers_set_at = moment, readers_set_by = actor
    WHERE kind = 'document' AND d.tenant_id = {HERE} AND d.project_id = room AND d.id = wanted
      AND d.tombstoned_at IS NULL RETURNING 1
  ), many AS (
    UPDATE public.collections c SET readers = names, readers_until = until, readers_problem = problem,
      readers_set_at = moment, readers_set_by = actor
    WHERE kind = 'collection' AND c.tenant_id = {HERE} AND c.project_id = room AND c.id = wanted
      AND c.deleted_at IS NULL RETURNING 1
  )
  SELECT EXISTS (SELECT FROM one UNION ALL SELECT FROM many)
$$"""

# By the membership and what it holds in the project; by the units one belongs to, and all that these lie in. An account
# that may do nothing in the project has no names there.
READERS = """
RETURNS TABLE (names text)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
BEGIN
  IF who IS NOT NULL THEN
    RETURN QUERY
      WITH RECURSIVE member AS (
        SELECT m.role, m.role_id FROM public.memberships m
        WHERE m.tenant_id = org AND m.user_id = who AND m.suspended_at IS NULL
      ), mine (id, parent_id, height) AS (
        SELECT u.id, u.parent_id, 1 FROM member, public.unit_members b
        JOIN public.units u ON u.tenant_id = b.tenant_id AND u.id = b.unit_id
        WHERE b.tenant_id = org AND b.user_id = who
        UNION
        SELECT u.id, u.parent_id, o.height + 1 FROM mine o
        JOIN public.units u ON u.tenant_id = org AND u.id = o.parent_id WHERE o.height < 32
      ), above (id, parent_id, height) AS (
        SELECT u.id, u.parent_id, 1
        FROM public.projects p JOIN public.units u ON u.tenant_id = p.tenant_id AND u.id = p.unit_id
        WHERE p.tenant_id = org AND p.id = room
        UNION
        SELECT u.id, u.parent_id, a.height + 1
        FROM above a JOIN public.units u ON u.tenant_id = org AND u.id = a.parent_id WHERE a.height < 32
      ), held AS (
        SELECT m.role, m.role_id FROM member m
        UNION
        SELECT p.role, p.role_id FROM member, public.project_members p
        WHERE p.tenant_id = org AND p.project_id = room AND p.user_id = who
        UNION
        SELECT b.role, b.role_id FROM member, above a, public.unit_members b
        WHERE b.tenant_id = org AND b.unit_id = a.id AND b.user_id = who
      ), named AS (
        SELECT 'user:' || who AS name FROM member
        UNION
        SELECT 'unit:' || o.id FROM mine o
        UNION
        SELECT 'role:' || coalesce(h.role, h.role_id::text) FROM held h WHERE num_nonnulls(h.role, h.role_id) = 1
      )
      SELECT coalesce(string_agg(n.name, ',' ORDER BY n.name), '') FROM named n;
  ELSIF account IS NOT NULL THEN
    RETURN QUERY
      SELECT coalesce(min('service_account:' || s.id || ',role:' || coalesce(s.role, s.role_id::text)), '')
      FROM public.service_accounts s
      WHERE s.tenant_id = org AND s.id = account AND s.disabled_at IS NULL
        AND (s.project_id IS NULL OR s.project_id = room);
  ELSE
    RETURN QUERY SELECT coalesce('key:' || bare, '');
  END IF;
END
$$"""
FUNCTIONS = {
    "lambent_access_list(room uuid, kind text, wanted uuid)": LIST,
    "lambent_put_access_list(room uuid, kind text, wanted uuid, names text[], until timestamptz, problem text, "
    "actor text, moment timestamptz)": PUT,
    "lambent_readers(org uuid, who uuid, account uuid, bare uuid, room uuid)": READERS,
}


def upgrade() -> None:
    """Add the columns, the wall, and what the clerk does about lists."""
    for table in ("collections", "documents"):
        op.execute(ADD.format(table=table))
    op.execute(WALL)
    # See 0002: handing a function over takes both for a moment.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    for signature, body in FUNCTIONS.items():
        name = signature.partition("(")[0]
        op.execute(f"CREATE FUNCTION {signature} {body} SECURITY DEFINER SET search_path = pg_catalog, pg_temp")
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
        op.execute(f"ALTER FUNCTION {name} OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
