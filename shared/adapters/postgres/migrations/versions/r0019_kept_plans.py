"""What a credential may do, by functions whose plans the server keeps.

Every request asks one of them, where planning the joins took longer than making them.

Revision ID: 0019
Revises: 0018
"""

import re

from alembic import op

from shared.adapters.postgres.migrations.versions.r0018_identity import ACCESS, HELD

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# As in 0018. That the key was used is noted only when it has not been for a while.
KEY = """
RETURNS TABLE (
  tenant_id uuid, id uuid, project_id uuid, name text, permissions text[], expires_at timestamptz,
  revoked_at timestamptz, prefix text, created_by text, created_at timestamptz, user_id uuid, service_account_id uuid,
  last_used_at timestamptz, owned boolean, held_roles text[], held_permissions text[], room uuid,
  room_archived_at timestamptz
)
LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
#variable_conflict use_column
DECLARE
  barred timestamptz;
BEGIN
  SELECT k.tenant_id, k.id, k.project_id, k.name, k.permissions, k.expires_at,
    coalesce(k.revoked_at, p.deleted_at, t.deleted_at), k.prefix, k.created_by, k.created_at, k.user_id,
    k.service_account_id, k.last_used_at, k.user_id IS NOT NULL OR k.service_account_id IS NOT NULL, '{}', '{}',
    CASE WHEN p.deleted_at IS NULL THEN p.id END, p.archived_at
  INTO tenant_id, id, project_id, name, permissions, expires_at, revoked_at, prefix, created_by, created_at, user_id,
    service_account_id, last_used_at, owned, held_roles, held_permissions, room, room_archived_at
  FROM public.api_keys k
  JOIN public.tenants t ON t.tenant_id = k.tenant_id
  LEFT JOIN public.projects p ON p.tenant_id = k.tenant_id AND p.id = k.project_id
  WHERE k.secret_hash = wanted;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF chosen IS NOT NULL AND chosen IS DISTINCT FROM project_id THEN
    room := NULL;
    room_archived_at := NULL;
    SELECT CASE WHEN n.deleted_at IS NULL THEN n.id END, n.archived_at INTO room, room_archived_at
    FROM public.projects n WHERE n.tenant_id = lambent_key.tenant_id AND n.id = chosen;
  END IF;
  IF user_id IS NOT NULL THEN
    SELECT coalesce(u.disabled_at, m.suspended_at) INTO barred
    FROM public.users u LEFT JOIN public.memberships m ON m.tenant_id = lambent_key.tenant_id AND m.user_id = u.user_id
    WHERE u.user_id = lambent_key.user_id;
    SELECT h.roles, h.permissions INTO held_roles, held_permissions
    FROM public.lambent_rights(lambent_key.tenant_id, lambent_key.user_id, CASE WHEN NOT whole THEN room END) h;
  ELSIF service_account_id IS NOT NULL THEN
    SELECT s.disabled_at,
      -- An account of one project may do nothing elsewhere.
      CASE WHEN s.project_id IS NULL OR NOT whole AND s.project_id = room THEN array_remove(ARRAY[s.role], NULL)
        ELSE '{}' END,
      CASE WHEN s.project_id IS NULL OR NOT whole AND s.project_id = room THEN coalesce(r.permissions, '{}')
        ELSE '{}' END
    INTO barred, held_roles, held_permissions
    FROM public.service_accounts s LEFT JOIN public.roles r ON r.tenant_id = s.tenant_id AND r.id = s.role_id
    WHERE s.tenant_id = lambent_key.tenant_id AND s.id = lambent_key.service_account_id;
  END IF;
  revoked_at := coalesce(revoked_at, barred);
  IF revoked_at IS NULL AND (expires_at IS NULL OR expires_at > moment)
    AND (last_used_at IS NULL OR last_used_at < moment - interval '5 minutes')
  THEN
    -- Nobody waits for it.
    UPDATE public.api_keys k SET last_used_at = moment
    WHERE (k.tenant_id, k.id) IN (
      SELECT c.tenant_id, c.id FROM public.api_keys c WHERE c.secret_hash = wanted FOR NO KEY UPDATE SKIP LOCKED
    );
    last_used_at := moment;
  END IF;
  RETURN NEXT;
END
$$"""


def kept(body: str) -> str:
    """The body of a function in SQL as one whose plan is kept."""
    head, query = body.split("AS $$\n")
    begun = "AS $$\n#variable_conflict use_column\nBEGIN\n  RETURN QUERY\n"
    return re.sub("LANGUAGE sql", "LANGUAGE plpgsql", head) + begun + query.replace("\n$$", ";\nEND\n$$")


def upgrade() -> None:
    """Replace the functions; owners and grants stay."""
    safe = "SET search_path = pg_catalog, pg_temp"
    # See 0002: replacing what is another's takes both for a moment.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    op.execute(f"CREATE OR REPLACE FUNCTION lambent_rights(org uuid, who uuid, room uuid) {kept(HELD)} {safe}")
    op.execute(
        "CREATE OR REPLACE FUNCTION lambent_key(wanted text, chosen uuid, whole boolean, moment timestamptz) "
        f"{KEY} SECURITY DEFINER {safe}"
    )
    op.execute(
        "CREATE OR REPLACE FUNCTION "
        "lambent_access(who uuid, family uuid, org uuid, room uuid, whole boolean, moment timestamptz) "
        f"{kept(ACCESS)} SECURITY DEFINER {safe}"
    )
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
