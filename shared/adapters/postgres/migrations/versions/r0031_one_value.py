"""A document comes with its generation as one JSON array.

Describing, forming and reading sixty columns took the server and the driver longer than finding them.

Revision ID: 0031
Revises: 0030
"""

from alembic import op

from shared.adapters.postgres.migrations.versions.r0026_columns import DOCUMENT, GENERATION

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

# As in 0026: the caller's own rights and row-level security hold inside them, and their plans are kept.
FOUND = """
CREATE FUNCTION {name}({arguments}) RETURNS json
LANGUAGE plpgsql {volatility} SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  found_one json;
BEGIN
  SELECT json_build_array({document}, coalesce(c.deleted_at, p.deleted_at, t.deleted_at), c.slot, {generation})
  INTO found_one
  FROM public.documents d
  JOIN public.generations g ON g.tenant_id = d.tenant_id AND g.document_id = d.id AND g.number = {number}
  JOIN public.collections c ON c.tenant_id = d.tenant_id AND c.id = d.collection_id
  JOIN public.projects p ON p.tenant_id = c.tenant_id AND p.id = c.project_id
  JOIN public.tenants t ON t.tenant_id = c.tenant_id
  WHERE d.tenant_id = of_tenant AND d.project_id = of_project AND d.id = of_id
  {locked};
  RETURN found_one;
END
$$
"""


def upgrade() -> None:
    """Add the functions; those they stand in for stay for the functions of the release before."""
    which = "of_tenant uuid, of_project uuid, of_id uuid"
    one = f"{which}, of_number integer"
    for name, arguments, volatility, number, locked in (
        ("lambent_latest_document", which, "STABLE", "d.latest_generation", ""),
        ("lambent_locked_document", one, "VOLATILE", "of_number", "FOR UPDATE OF d, g"),
    ):
        op.execute(
            FOUND.format(
                name=name,
                arguments=arguments,
                volatility=volatility,
                document=", ".join(f"d.{column}" for column in DOCUMENT),
                generation=", ".join(f"g.{column}" for column in GENERATION),
                number=number,
                locked=locked,
            )
        )
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
