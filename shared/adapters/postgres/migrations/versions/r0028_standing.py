"""What a member is in an organisation, found step by step: roles, permissions and the names that access lists know.

Every request of a signed-in user asks. Most people are in no unit, so the trees of units are climbed only for those who
are, and once for rights and names together.

Revision ID: 0028
Revises: 0027
"""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

# In the organisation by the membership; in a project also by what one is there, and in the units it lies in.
STANDING = """
CREATE FUNCTION lambent_standing(org uuid, who uuid, room uuid)
RETURNS TABLE (roles text[], permissions text[], names text)
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  one record;
  customs uuid[] := '{}';
  own uuid[] := '{}';
BEGIN
  roles := '{}';
  permissions := '{}';
  names := '';
  SELECT m.role, m.role_id INTO one FROM public.memberships m
  WHERE m.tenant_id = org AND m.user_id = who AND m.suspended_at IS NULL;
  IF NOT FOUND THEN
    RETURN NEXT;
    RETURN;
  END IF;
  roles := roles || one.role;
  customs := customs || one.role_id;
  IF room IS NOT NULL THEN
    SELECT p.role, p.role_id INTO one FROM public.project_members p
    WHERE p.tenant_id = org AND p.project_id = room AND p.user_id = who;
    IF FOUND THEN
      roles := roles || one.role;
      customs := customs || one.role_id;
    END IF;
  END IF;
  IF EXISTS (SELECT FROM public.unit_members b WHERE b.tenant_id = org AND b.user_id = who) THEN
    WITH RECURSIVE mine (id, parent_id, height) AS (
      SELECT u.id, u.parent_id, 1 FROM public.unit_members b
      JOIN public.units u ON u.tenant_id = b.tenant_id AND u.id = b.unit_id
      WHERE b.tenant_id = org AND b.user_id = who
      UNION
      SELECT u.id, u.parent_id, o.height + 1 FROM mine o
      JOIN public.units u ON u.tenant_id = org AND u.id = o.parent_id WHERE o.height < 32
    )
    SELECT array_agg(DISTINCT o.id) INTO own FROM mine o;
    IF room IS NOT NULL THEN
      WITH RECURSIVE above (id, parent_id, height) AS (
        SELECT u.id, u.parent_id, 1
        FROM public.projects p JOIN public.units u ON u.tenant_id = p.tenant_id AND u.id = p.unit_id
        WHERE p.tenant_id = org AND p.id = room
        UNION ALL
        SELECT u.id, u.parent_id, a.height + 1
        FROM above a JOIN public.units u ON u.tenant_id = org AND u.id = a.parent_id WHERE a.height < 32
      )
      SELECT array_agg(b.role) AS roles, array_agg(b.role_id) AS customs INTO one
      FROM above a JOIN public.unit_members b ON b.tenant_id = org AND b.unit_id = a.id AND b.user_id = who;
      roles := roles || one.roles;
      customs := customs || one.customs;
    END IF;
  END IF;
  roles := array_remove(roles, NULL);
  customs := array_remove(customs, NULL);
  IF cardinality(roles) > 1 THEN
    roles := ARRAY(SELECT DISTINCT r FROM unnest(roles) r);
  END IF;
  IF cardinality(customs) > 0 THEN
    permissions := ARRAY(
      SELECT DISTINCT p FROM public.roles r, unnest(r.permissions) p WHERE r.tenant_id = org AND r.id = ANY (customs)
    );
  END IF;
  names := concat_ws(
    ',', 'user:' || who, 'role:' || nullif(array_to_string(roles, ',role:'), ''),
    'role:' || nullif(array_to_string(customs, ',role:'), ''), 'unit:' || nullif(array_to_string(own, ',unit:'), '')
  );
  RETURN NEXT;
END
$$
"""

RIGHTS = """
CREATE OR REPLACE FUNCTION lambent_rights(org uuid, who uuid, room uuid)
RETURNS TABLE (roles text[], permissions text[])
LANGUAGE plpgsql STABLE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY SELECT s.roles, s.permissions FROM public.lambent_standing(org, who, room) s;
END
$$
"""

# An account that may do nothing in the project has no names there.
READERS = """
CREATE OR REPLACE FUNCTION lambent_readers(org uuid, who uuid, account uuid, bare uuid, room uuid)
RETURNS TABLE (names text)
LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF who IS NOT NULL THEN
    RETURN QUERY SELECT s.names FROM public.lambent_standing(org, who, room) s;
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
$$
"""

# One row while user and session are good. Without a name the only organisation, and its only project, are meant; of an
# organisation that the user does not belong to nothing is said, not even whether it exists.
ACCESS = """
CREATE FUNCTION lambent_access(who uuid, family uuid, org uuid, room uuid, whole boolean, moment timestamptz)
RETURNS TABLE (
  tenant_id uuid, project_id uuid, archived_at timestamptz, organisations bigint, roles text[], permissions text[],
  names text
)
LANGUAGE plpgsql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
  mine uuid[];
  rooms uuid[];
  chosen uuid;
  place uuid;
BEGIN
  PERFORM FROM public.users u JOIN public.sessions s ON s.user_id = u.user_id AND s.id = family
  WHERE u.user_id = who AND u.disabled_at IS NULL AND s.revoked_at IS NULL AND s.expires_at > moment;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  SELECT coalesce(array_agg(m.tenant_id), '{}') INTO mine
  FROM public.memberships m JOIN public.tenants t ON t.tenant_id = m.tenant_id
  WHERE m.user_id = who AND m.suspended_at IS NULL AND t.deleted_at IS NULL;
  IF org IS NOT NULL THEN
    chosen := CASE WHEN org = ANY (mine) THEN org END;
  ELSIF room IS NOT NULL THEN
    SELECT p.tenant_id INTO chosen FROM public.projects p WHERE p.id = room AND p.tenant_id = ANY (mine);
  ELSIF cardinality(mine) = 1 THEN
    chosen := mine[1];
  END IF;
  organisations := cardinality(mine);
  tenant_id := chosen;
  IF room IS NOT NULL THEN
    SELECT p.id, p.archived_at INTO place, archived_at FROM public.projects p
    WHERE p.tenant_id = chosen AND p.id = room AND p.deleted_at IS NULL;
  ELSIF NOT whole THEN
    rooms := ARRAY(
      SELECT p.id FROM public.projects p
      WHERE p.tenant_id = chosen AND p.deleted_at IS NULL AND p.archived_at IS NULL LIMIT 2
    );
    place := CASE WHEN cardinality(rooms) = 1 THEN rooms[1] END;
  END IF;
  project_id := place;
  SELECT s.roles, s.permissions, s.names INTO roles, permissions, names
  FROM public.lambent_standing(chosen, who, CASE WHEN NOT whole THEN place END) s;
  RETURN NEXT;
END
$$
"""


def upgrade() -> None:
    """Replace the functions; what is only replaced keeps its owner and its grants."""
    # See 0002: replacing what is another's takes both for a moment.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    op.execute(STANDING)
    op.execute("REVOKE ALL ON FUNCTION lambent_standing FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_standing TO lambent_app, lambent_clerk")
    op.execute(RIGHTS)
    op.execute(READERS)
    op.execute("DROP FUNCTION lambent_access")
    op.execute(ACCESS)
    op.execute("REVOKE ALL ON FUNCTION lambent_access FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_access TO lambent_app")
    op.execute("ALTER FUNCTION lambent_access OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
