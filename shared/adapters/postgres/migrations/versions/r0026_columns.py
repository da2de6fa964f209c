"""What every request for a document and every step of ingestion reads comes column by column.

Taking sixty columns out of two composite values took the server a third of the whole look-up.

Revision ID: 0026
Revises: 0025
"""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

DOCUMENT = [
    "tenant_id",
    "id",
    "project_id",
    "collection_id",
    "name",
    "path",
    "media_type",
    "title",
    "language",
    "size",
    "tags",
    "metadata",
    "status",
    "latest_generation",
    "committed_0",
    "committed_1",
    "content_hash",
    "duplicate_of",
    "created_at",
    "updated_at",
    "tombstoned_at",
    "swept_at",
]
GENERATION = [
    "tenant_id",
    "project_id",
    "document_id",
    "number",
    "state",
    "source_key",
    "source_version_id",
    "source_sequencer",
    "source_size",
    "recipe_reader",
    "recipe_chunking",
    "recipe_model",
    "recipe_pipeline",
    "created_at",
    "entered_at",
    "due_at",
    "lease_owner",
    "lease_until",
    "attempts",
    "waiting",
    "failure",
    "last_error",
    "content_hash",
    "title",
    "language",
    "media_type",
    "counts",
    "timings",
    "warnings",
    "finished_at",
    "text_generation",
    "ingestion_id",
    "progress",
    "index_id",
    "slot",
    "origin",
]

# As in 0016 and 0021: the caller's own rights and row-level security hold inside them, and their plans are kept.
FOUND = """
CREATE FUNCTION {name}({arguments})
RETURNS TABLE ({columns})
LANGUAGE plpgsql {volatility} ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT {document}, coalesce(c.deleted_at, p.deleted_at, t.deleted_at), c.slot, {generation}
    FROM public.documents d
    JOIN public.generations g ON g.tenant_id = d.tenant_id AND g.document_id = d.id AND g.number = {number}
    JOIN public.collections c ON c.tenant_id = d.tenant_id AND c.id = d.collection_id
    JOIN public.projects p ON p.tenant_id = c.tenant_id AND p.id = c.project_id
    JOIN public.tenants t ON t.tenant_id = c.tenant_id
    WHERE d.tenant_id = of_tenant AND d.project_id = of_project AND d.id = of_id
    {locked};
END
$$
"""


def upgrade() -> None:
    """Replace both functions."""
    columns = [
        *(f"{name} documents.{name}%TYPE" for name in DOCUMENT),
        "gone_with timestamptz",
        "live_slot smallint",
        *(f"generation_{name} generations.{name}%TYPE" for name in GENERATION),
    ]
    which = "of_tenant uuid, of_project uuid, of_id uuid"
    one = f"{which}, of_number integer"
    for name, arguments, volatility, number, locked in (
        ("lambent_latest", which, "STABLE", "d.latest_generation", ""),
        ("lambent_locked", one, "VOLATILE", "of_number", "FOR UPDATE OF d, g"),
    ):
        op.execute(f"DROP FUNCTION {name}({arguments})")
        op.execute(
            FOUND.format(
                name=name,
                arguments=arguments,
                columns=", ".join(columns),
                volatility=volatility,
                document=", ".join(f"d.{column}" for column in DOCUMENT),
                generation=", ".join(f"g.{column}" for column in GENERATION),
                number=number,
                locked=locked,
            )
        )
        op.execute(f"REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO lambent_app")
