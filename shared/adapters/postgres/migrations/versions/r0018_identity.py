"""Users and how they sign in; who belongs where, as what; invitations, service accounts, owners of keys, the audit.

A user belongs to no tenant, so a second wall stands beside the tenants': `lambent.user`, set as `lambent.tenant` is,
when a credential was found. Behind it a transaction sees that user's own rows; of the users who are members of its
tenant it sees name and address too, never what they sign in with. What belongs to nobody yet (a registration, a sign-in
under way) lies in `tickets`, which the application can put things into, and take one from whose secret it was shown.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('lambent.tenant', true), '')::uuid)"
CURRENT_USER = "(SELECT nullif(current_setting('lambent.user', true), '')::uuid)"

USER_TABLES = """
CREATE TABLE users (
  user_id uuid PRIMARY KEY,
  email text NOT NULL,
  email_key text NOT NULL UNIQUE,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  verified_at timestamptz,
  disabled_at timestamptz
);
CREATE TABLE passwords (
  user_id uuid PRIMARY KEY REFERENCES users (user_id),
  hash text NOT NULL,
  changed_at timestamptz NOT NULL
);
CREATE TABLE identities (
  user_id uuid NOT NULL REFERENCES users (user_id),
  issuer text NOT NULL,
  subject text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (user_id, issuer, subject),
  UNIQUE (issuer, subject)
);
CREATE TABLE sessions (
  user_id uuid NOT NULL REFERENCES users (user_id),
  id uuid NOT NULL,
  method text NOT NULL,
  client text NOT NULL,
  address text NOT NULL,
  created_at timestamptz NOT NULL,
  used_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  revoked_at timestamptz,
  revoked_reason text NOT NULL,
  PRIMARY KEY (user_id, id)
);
CREATE INDEX sessions_listing ON sessions (user_id, created_at, id);
CREATE TABLE refresh_tokens (
  user_id uuid NOT NULL,
  token_hash text NOT NULL,
  session_id uuid NOT NULL,
  created_at timestamptz NOT NULL,
  used_at timestamptz,
  PRIMARY KEY (user_id, token_hash),
  UNIQUE (token_hash),
  FOREIGN KEY (user_id, session_id) REFERENCES sessions (user_id, id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (user_id, session_id);

CREATE TABLE tickets (
  kind text NOT NULL,
  secret_hash text NOT NULL,
  payload jsonb NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (kind, secret_hash)
);
CREATE INDEX tickets_expiry ON tickets (expires_at);
CREATE TABLE attempts (
  key text PRIMARY KEY,
  failures integer NOT NULL,
  at timestamptz NOT NULL,
  blocked_until timestamptz
);
CREATE INDEX attempts_age ON attempts (at);
"""

TENANT_TABLES = """
CREATE TABLE units (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  id uuid NOT NULL,
  parent_id uuid,
  name text NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, parent_id) REFERENCES units (tenant_id, id),
  CONSTRAINT units_not_within_itself CHECK (parent_id <> id),
  CONSTRAINT units_name UNIQUE NULLS NOT DISTINCT (tenant_id, parent_id, name)
);
ALTER TABLE projects
  ADD COLUMN unit_id uuid,
  ADD COLUMN archived_at timestamptz,
  ADD FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id);
-- A token may name a project alone.
CREATE INDEX projects_id ON projects (id);

CREATE TABLE roles (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  id uuid NOT NULL,
  name text NOT NULL,
  description text NOT NULL,
  permissions text[] NOT NULL,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, id),
  CONSTRAINT roles_name UNIQUE (tenant_id, name)
);

CREATE TABLE memberships (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  user_id uuid NOT NULL REFERENCES users (user_id),
  role text,
  role_id uuid,
  created_at timestamptz NOT NULL,
  suspended_at timestamptz,
  PRIMARY KEY (tenant_id, user_id),
  FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id),
  CONSTRAINT memberships_one_role CHECK (num_nonnulls(role, role_id) <= 1)
);
CREATE INDEX memberships_of_user ON memberships (user_id);
CREATE INDEX memberships_listing ON memberships (tenant_id, created_at, user_id);

CREATE TABLE unit_members (
  tenant_id uuid NOT NULL,
  unit_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text,
  role_id uuid,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, unit_id, user_id),
  FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id),
  CONSTRAINT unit_members_one_role CHECK (num_nonnulls(role, role_id) <= 1)
);
CREATE INDEX unit_members_of_user ON unit_members (tenant_id, user_id);

CREATE TABLE project_members (
  tenant_id uuid NOT NULL,
  project_id uuid NOT NULL,
  user_id uuid NOT NULL,
  role text,
  role_id uuid,
  created_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, project_id, user_id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id),
  FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id),
  CONSTRAINT project_members_one_role CHECK (num_nonnulls(role, role_id) = 1)
);
CREATE INDEX project_members_of_user ON project_members (tenant_id, user_id);

CREATE TABLE service_accounts (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  id uuid NOT NULL,
  project_id uuid,
  name text NOT NULL,
  description text NOT NULL,
  role text,
  role_id uuid,
  created_by text NOT NULL,
  created_at timestamptz NOT NULL,
  disabled_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id),
  FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id),
  CONSTRAINT service_accounts_one_role CHECK (num_nonnulls(role, role_id) = 1),
  CONSTRAINT service_accounts_name UNIQUE (tenant_id, name)
);
CREATE INDEX service_accounts_listing ON service_accounts (tenant_id, created_at, id);

CREATE TABLE invitations (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  id uuid NOT NULL,
  email text NOT NULL,
  email_key text NOT NULL,
  token_hash text NOT NULL UNIQUE,
  role text,
  role_id uuid,
  unit_id uuid,
  project_id uuid,
  invited_by text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  accepted_at timestamptz,
  accepted_by uuid,
  revoked_at timestamptz,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, role_id) REFERENCES roles (tenant_id, id),
  FOREIGN KEY (tenant_id, unit_id) REFERENCES units (tenant_id, id) ON DELETE CASCADE,
  FOREIGN KEY (tenant_id, project_id) REFERENCES projects (tenant_id, id),
  CONSTRAINT invitations_one_role CHECK (num_nonnulls(role, role_id) <= 1),
  CONSTRAINT invitations_one_place CHECK (num_nonnulls(unit_id, project_id) <= 1)
);
CREATE INDEX invitations_listing ON invitations (tenant_id, created_at, id);

-- A key of a member goes with the membership, a key of a service account with the account.
ALTER TABLE api_keys
  ADD COLUMN prefix text NOT NULL DEFAULT '',
  ADD COLUMN created_by text NOT NULL DEFAULT '',
  ADD COLUMN user_id uuid,
  ADD COLUMN service_account_id uuid,
  ADD COLUMN last_used_at timestamptz,
  ADD FOREIGN KEY (tenant_id, user_id) REFERENCES memberships (tenant_id, user_id) ON DELETE CASCADE,
  ADD FOREIGN KEY (tenant_id, service_account_id) REFERENCES service_accounts (tenant_id, id) ON DELETE CASCADE,
  ADD CONSTRAINT api_keys_one_owner CHECK (num_nonnulls(user_id, service_account_id) <= 1);
ALTER TABLE api_keys ALTER COLUMN prefix DROP DEFAULT, ALTER COLUMN created_by DROP DEFAULT;
CREATE INDEX api_keys_listing ON api_keys (tenant_id, created_at, id);

CREATE TABLE audit_events (
  tenant_id uuid NOT NULL REFERENCES tenants (tenant_id),
  id uuid NOT NULL,
  at timestamptz NOT NULL,
  action text NOT NULL,
  actor text NOT NULL,
  subject_kind text NOT NULL,
  subject_id text NOT NULL,
  project_id uuid,
  address text NOT NULL,
  details jsonb NOT NULL,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX audit_events_listing ON audit_events (tenant_id, at, id);
CREATE INDEX audit_events_of_actor ON audit_events (tenant_id, actor, at, id);
CREATE INDEX audit_events_of_subject ON audit_events (tenant_id, subject_kind, subject_id, at, id);
"""

OWN = ("passwords", "identities", "sessions", "refresh_tokens")
WHOLE = "SELECT, INSERT, UPDATE, DELETE"
TENANTS = {
    "units": WHOLE,
    "roles": WHOLE,
    "memberships": WHOLE,
    "unit_members": WHOLE,
    "project_members": WHOLE,
    "service_accounts": WHOLE,
    "invitations": WHOLE,
    # What has happened stays so.
    "audit_events": "SELECT, INSERT",
}

USERS = f"""
CREATE POLICY own ON users USING (user_id = {CURRENT_USER}) WITH CHECK (user_id = {CURRENT_USER});
-- Memberships have a wall of their own: this finds those of the transaction's tenant.
CREATE POLICY peers ON users FOR SELECT USING (
  user_id IN (SELECT m.user_id FROM memberships m WHERE m.tenant_id = {CURRENT_TENANT})
);
GRANT SELECT, INSERT, UPDATE ON users TO lambent_app;
GRANT INSERT ON tickets TO lambent_app;
GRANT {WHOLE} ON attempts TO lambent_app;
"""

RIGHTS = """
GRANT SELECT (user_id, email_key, disabled_at) ON users TO lambent_clerk;
GRANT SELECT (user_id, issuer, subject) ON identities TO lambent_clerk;
GRANT SELECT (user_id, id, expires_at, revoked_at) ON sessions TO lambent_clerk;
GRANT SELECT (user_id, token_hash) ON refresh_tokens TO lambent_clerk;
GRANT SELECT, DELETE ON tickets TO lambent_clerk;
-- Locking a row takes the right to update one of its columns.
GRANT UPDATE (expires_at) ON tickets TO lambent_clerk;
GRANT SELECT (tenant_id, user_id, role, role_id, created_at, suspended_at) ON memberships TO lambent_clerk;
GRANT SELECT (tenant_id, unit_id, user_id, role, role_id) ON unit_members TO lambent_clerk;
GRANT SELECT (tenant_id, project_id, user_id, role, role_id) ON project_members TO lambent_clerk;
GRANT SELECT (tenant_id, id, parent_id) ON units TO lambent_clerk;
GRANT SELECT (tenant_id, id, name, permissions) ON roles TO lambent_clerk;
GRANT SELECT (tenant_id, id, project_id, role, role_id, disabled_at) ON service_accounts TO lambent_clerk;
GRANT SELECT (tenant_id, id, token_hash) ON invitations TO lambent_clerk;
GRANT SELECT (name, created_at) ON tenants TO lambent_clerk;
GRANT SELECT (unit_id, archived_at) ON projects TO lambent_clerk;
GRANT SELECT (prefix, created_by, created_at, user_id, service_account_id, last_used_at) ON api_keys TO lambent_clerk;
GRANT UPDATE (last_used_at) ON api_keys TO lambent_clerk;

CREATE POLICY clerk ON users FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON identities FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON sessions FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON refresh_tokens FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk_select ON tickets FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk_lock ON tickets FOR UPDATE TO lambent_clerk USING (true) WITH CHECK (false);
CREATE POLICY clerk_delete ON tickets FOR DELETE TO lambent_clerk USING (true);
CREATE POLICY put ON tickets FOR INSERT TO lambent_app WITH CHECK (true);
CREATE POLICY clerk ON memberships FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON unit_members FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON project_members FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON units FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON roles FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON service_accounts FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk ON invitations FOR SELECT TO lambent_clerk USING (true);
CREATE POLICY clerk_update ON api_keys FOR UPDATE TO lambent_clerk USING (true);
"""

# What a user may do in a tenant, or in one of its projects: by the membership, by the units the project lies in, by the
# project itself. Who is no member, or a suspended one, may do nothing, whatever the other rows say.
HELD = """
RETURNS TABLE (roles text[], permissions text[])
LANGUAGE sql STABLE ROWS 1 AS $$
  WITH RECURSIVE above (id, parent_id, height) AS (
    SELECT u.id, u.parent_id, 1
    FROM public.projects p JOIN public.units u ON u.tenant_id = p.tenant_id AND u.id = p.unit_id
    WHERE p.tenant_id = org AND p.id = room
    UNION ALL
    SELECT u.id, u.parent_id, a.height + 1
    FROM above a JOIN public.units u ON u.tenant_id = org AND u.id = a.parent_id WHERE a.height < 32
  ), member AS (
    SELECT m.role, m.role_id FROM public.memberships m
    WHERE m.tenant_id = org AND m.user_id = who AND m.suspended_at IS NULL
  ), held AS (
    SELECT m.role, m.role_id FROM member m
    UNION
    SELECT p.role, p.role_id FROM member m, public.project_members p
    WHERE p.tenant_id = org AND p.project_id = room AND p.user_id = who
    UNION
    SELECT u.role, u.role_id FROM member m, above a, public.unit_members u
    WHERE u.tenant_id = org AND u.unit_id = a.id AND u.user_id = who
  )
  SELECT coalesce((SELECT array_agg(h.role) FROM held h WHERE h.role IS NOT NULL), '{}'),
    coalesce((
      SELECT array_agg(DISTINCT p)
      FROM held h JOIN public.roles r ON r.tenant_id = org AND r.id = h.role_id, unnest(r.permissions) p
    ), '{}')
$$"""

# A key is good as long as its tenant, its project and its owner are; what it may do is never more than its owner may
# now, in the project that is asked for. `whole`: the request concerns the tenant, no project.
KEY = """
RETURNS TABLE (
  tenant_id uuid, id uuid, project_id uuid, name text, permissions text[], expires_at timestamptz,
  revoked_at timestamptz, prefix text, created_by text, created_at timestamptz, user_id uuid, service_account_id uuid,
  last_used_at timestamptz, owned boolean, held_roles text[], held_permissions text[], room uuid,
  room_archived_at timestamptz
)
LANGUAGE sql VOLATILE ROWS 1 AS $$
  -- Now and then is enough, and nobody waits for it.
  UPDATE public.api_keys k SET last_used_at = moment
  WHERE (k.tenant_id, k.id) IN (
    SELECT c.tenant_id, c.id FROM public.api_keys c
    WHERE c.secret_hash = wanted AND (c.last_used_at IS NULL OR c.last_used_at < moment - interval '5 minutes')
      AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > moment)
    FOR NO KEY UPDATE SKIP LOCKED
  );
  SELECT k.tenant_id, k.id, k.project_id, k.name, k.permissions, k.expires_at,
    coalesce(k.revoked_at, p.deleted_at, t.deleted_at, u.disabled_at, m.suspended_at, s.disabled_at),
    k.prefix, k.created_by, k.created_at, k.user_id, k.service_account_id, k.last_used_at,
    k.user_id IS NOT NULL OR k.service_account_id IS NOT NULL,
    CASE
      WHEN k.service_account_id IS NULL THEN coalesce(h.roles, '{}')
      -- An account of one project may do nothing elsewhere.
      WHEN s.project_id IS NULL OR NOT whole AND s.project_id = n.id THEN array_remove(ARRAY[s.role], NULL)
      ELSE '{}'
    END,
    CASE
      WHEN k.service_account_id IS NULL THEN coalesce(h.permissions, '{}')
      WHEN s.project_id IS NULL OR NOT whole AND s.project_id = n.id THEN coalesce(r.permissions, '{}')
      ELSE '{}'
    END,
    CASE WHEN n.deleted_at IS NULL THEN n.id END, n.archived_at
  FROM public.api_keys k
  JOIN public.tenants t ON t.tenant_id = k.tenant_id
  LEFT JOIN public.projects p ON p.tenant_id = k.tenant_id AND p.id = k.project_id
  LEFT JOIN public.projects n ON n.tenant_id = k.tenant_id AND n.id = coalesce(chosen, k.project_id)
  LEFT JOIN public.users u ON u.user_id = k.user_id
  LEFT JOIN public.memberships m ON m.tenant_id = k.tenant_id AND m.user_id = k.user_id
  LEFT JOIN public.service_accounts s ON s.tenant_id = k.tenant_id AND s.id = k.service_account_id
  LEFT JOIN public.roles r ON r.tenant_id = s.tenant_id AND r.id = s.role_id
  LEFT JOIN LATERAL public.lambent_rights(k.tenant_id, k.user_id, CASE WHEN NOT whole THEN n.id END) h
    ON k.user_id IS NOT NULL
  WHERE k.secret_hash = wanted
$$"""

# One row while user and session are good. Without a name the only organisation, and its only project, are meant; of an
# organisation that the user does not belong to nothing is said, not even whether it exists.
ACCESS = """
RETURNS TABLE (
  tenant_id uuid, project_id uuid, archived_at timestamptz, organisations bigint, roles text[], permissions text[]
)
LANGUAGE sql STABLE ROWS 1 AS $$
  WITH mine AS (
    SELECT m.tenant_id FROM public.memberships m JOIN public.tenants t ON t.tenant_id = m.tenant_id
    WHERE m.user_id = who AND m.suspended_at IS NULL AND t.deleted_at IS NULL
  ), chosen AS (
    SELECT CASE
      WHEN org IS NOT NULL THEN (SELECT o.tenant_id FROM mine o WHERE o.tenant_id = org)
      WHEN room IS NOT NULL THEN
        (SELECT o.tenant_id FROM mine o JOIN public.projects p ON p.tenant_id = o.tenant_id WHERE p.id = room)
      WHEN (SELECT count(*) FROM mine) = 1 THEN (SELECT o.tenant_id FROM mine o)
    END AS tenant_id
  ), place AS (
    SELECT p.id, p.archived_at FROM chosen c JOIN public.projects p ON p.tenant_id = c.tenant_id
    WHERE p.deleted_at IS NULL AND (p.id = room OR room IS NULL AND NOT whole AND p.archived_at IS NULL)
    ORDER BY p.id LIMIT 2
  ), only_place AS (
    SELECT p.id, p.archived_at FROM place p WHERE (SELECT count(*) FROM place) = 1
  )
  SELECT c.tenant_id, o.id, o.archived_at, (SELECT count(*) FROM mine), h.roles, h.permissions
  FROM public.users u
  JOIN public.sessions s ON s.user_id = u.user_id AND s.id = family
  CROSS JOIN chosen c
  LEFT JOIN only_place o ON true
  LEFT JOIN LATERAL public.lambent_rights(c.tenant_id, who, CASE WHEN NOT whole THEN o.id END) h ON true
  WHERE u.user_id = who AND u.disabled_at IS NULL AND s.revoked_at IS NULL AND s.expires_at > moment
$$"""

FUNCTIONS = {
    "lambent_key(wanted text, chosen uuid, whole boolean, moment timestamptz)": KEY,
    "lambent_access(who uuid, family uuid, org uuid, room uuid, whole boolean, moment timestamptz)": ACCESS,
    "lambent_user_of_email(wanted text)": """
RETURNS TABLE (user_id uuid)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT u.user_id FROM public.users u WHERE u.email_key = wanted
$$""",
    "lambent_user_of_identity(wanted_issuer text, wanted_subject text)": """
RETURNS TABLE (user_id uuid)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT i.user_id FROM public.identities i WHERE i.issuer = wanted_issuer AND i.subject = wanted_subject
$$""",
    "lambent_user_of_token(wanted text)": """
RETURNS TABLE (user_id uuid)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT r.user_id FROM public.refresh_tokens r WHERE r.token_hash = wanted
$$""",
    "lambent_session(who uuid, family uuid, moment timestamptz)": """
RETURNS TABLE (user_id uuid)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT u.user_id FROM public.users u JOIN public.sessions s ON s.user_id = u.user_id AND s.id = family
  WHERE u.user_id = who AND u.disabled_at IS NULL AND s.revoked_at IS NULL AND s.expires_at > moment
$$""",
    # Of the user whose transaction it is, nobody else.
    "lambent_belongings()": """
RETURNS TABLE (
  tenant_id uuid, name text, role text, role_id uuid, role_name text, created_at timestamptz, suspended_at timestamptz
)
LANGUAGE sql STABLE AS $$
  SELECT t.tenant_id, t.name, m.role, m.role_id, r.name, m.created_at, m.suspended_at
  FROM public.memberships m
  JOIN public.tenants t ON t.tenant_id = m.tenant_id
  LEFT JOIN public.roles r ON r.tenant_id = m.tenant_id AND r.id = m.role_id
  WHERE m.user_id = nullif(current_setting('lambent.user', true), '')::uuid AND t.deleted_at IS NULL
  ORDER BY m.created_at, m.tenant_id
$$""",
    "lambent_invitation(wanted text)": """
RETURNS TABLE (tenant_id uuid, id uuid)
LANGUAGE sql STABLE ROWS 1 AS $$
  SELECT i.tenant_id, i.id FROM public.invitations i JOIN public.tenants t ON t.tenant_id = i.tenant_id
  WHERE i.token_hash = wanted AND t.deleted_at IS NULL
$$""",
    "lambent_take_ticket(wanted_kind text, wanted text, moment timestamptz)": """
RETURNS TABLE (payload jsonb)
LANGUAGE sql VOLATILE ROWS 1 AS $$
  DELETE FROM public.tickets t WHERE t.kind = wanted_kind AND t.secret_hash = wanted AND t.expires_at > moment
  RETURNING t.payload
$$""",
    "lambent_forget_tickets(moment timestamptz, most integer)": """
RETURNS void
LANGUAGE sql VOLATILE AS $$
  DELETE FROM public.tickets t WHERE (t.kind, t.secret_hash) IN (
    SELECT o.kind, o.secret_hash FROM public.tickets o WHERE o.expires_at <= moment
    ORDER BY o.expires_at LIMIT most FOR UPDATE SKIP LOCKED
  )
$$""",
}


def upgrade() -> None:
    """Create the tables, their walls, and what the clerk knows of them."""
    op.execute(USER_TABLES)
    op.execute(TENANT_TABLES)
    for table in ("users", *OWN, "tickets", *TENANTS):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for table in OWN:
        op.execute(
            f"CREATE POLICY own ON {table} USING (user_id = {CURRENT_USER}) WITH CHECK (user_id = {CURRENT_USER})"
        )
        op.execute(f"GRANT {WHOLE} ON {table} TO lambent_app")
    for table, rights in TENANTS.items():
        op.execute(
            f"CREATE POLICY tenant ON {table} "
            f"USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
        )
        op.execute(f"GRANT {rights} ON {table} TO lambent_app")
    op.execute(USERS)
    op.execute(RIGHTS)
    # See 0002: handing a function over takes both for a moment.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    # Its successor asks for more, and nobody shall come in by the old one.
    op.execute("DROP FUNCTION lambent_key(text)")
    # Of whoever calls it: the application finds its tenant's rows by it, the clerk's functions everybody's.
    op.execute(
        f"CREATE FUNCTION lambent_rights(org uuid, who uuid, room uuid) {HELD} SET search_path = pg_catalog, pg_temp"
    )
    op.execute("REVOKE ALL ON FUNCTION lambent_rights FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION lambent_rights TO lambent_app, lambent_clerk")
    for signature, body in FUNCTIONS.items():
        name = signature.partition("(")[0]
        op.execute(f"CREATE FUNCTION {signature} {body} SECURITY DEFINER SET search_path = pg_catalog, pg_temp")
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
        op.execute(f"ALTER FUNCTION {name} OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
