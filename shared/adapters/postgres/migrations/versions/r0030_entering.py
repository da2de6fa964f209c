"""Whoever shows a credential is found and their context is set in one step of the server's.

Finding alone left the context to the statement around it, and the settings of the transaction to another one, which the
server planned anew for every request.

Revision ID: 0030
Revises: 0029
"""

from alembic import op

from shared.adapters.postgres.migrations.versions.r0019_kept_plans import KEY
from shared.adapters.postgres.migrations.versions.r0028_standing import ACCESS

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

END = "  RETURN NEXT;\nEND\n$$"
# Names and values by turns. An assignment is no statement of its own to the server, as PERFORM is.
SET = """
  FOR place_of IN 1 .. coalesce(array_length(settings, 1), 0) BY 2 LOOP
    ignored := set_config(settings[place_of], settings[place_of + 1], true);
  END LOOP;
"""
DECLARED = "  ignored text;\nBEGIN\n"
WITH_KEY = (
    KEY.replace("lambent_key.", "lambent_enter_with_key.")
    .replace("BEGIN\n", DECLARED + SET, 1)
    .replace("  room_archived_at timestamptz\n)", "  room_archived_at timestamptz, readers text\n)")
    .replace(
        END,
        """
  readers := 'key:' || id;
  IF owned THEN
    SELECT r.names INTO readers FROM public.lambent_readers(tenant_id, user_id, service_account_id, id, room) r;
  END IF;
  ignored := set_config('lambent.tenant', tenant_id::text, true);
  ignored := set_config('lambent.readers', readers, true);
"""
        + END,
    )
)
AS_USER = (
    ACCESS.replace("lambent_access", "lambent_enter_as")
    .replace("moment timestamptz)", "moment timestamptz, settings text[])")
    .replace("BEGIN\n", DECLARED + SET, 1)
    .replace(" STABLE ", " VOLATILE ")
    .replace(
        END,
        """
  ignored := set_config('lambent.tenant', coalesce(tenant_id::text, ''), true);
  ignored := set_config('lambent.user', who::text, true);
  ignored := set_config('lambent.readers', names, true);
"""
        + END,
    )
)


def upgrade() -> None:
    """Add the functions; those they stand in for stay for the functions of the release before."""
    # See 0002: making what is another's takes both for a moment.
    op.execute("GRANT lambent_clerk TO CURRENT_USER")
    op.execute("GRANT CREATE ON SCHEMA public TO lambent_clerk")
    op.execute(
        "CREATE FUNCTION lambent_enter_with_key"
        "(wanted text, chosen uuid, whole boolean, moment timestamptz, settings text[]) "
        f"{WITH_KEY} SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
    )
    op.execute(AS_USER)
    for name in ("lambent_enter_with_key", "lambent_enter_as"):
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
        op.execute(f"ALTER FUNCTION {name} OWNER TO lambent_clerk")
    op.execute("REVOKE CREATE ON SCHEMA public FROM lambent_clerk")
    op.execute("REVOKE lambent_clerk FROM CURRENT_USER")
