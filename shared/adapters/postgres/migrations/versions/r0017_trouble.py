"""Why what was asked for a whole ingestion run is not done yet.

Revision ID: 0017
Revises: 0016
"""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and an index of the few runs that have something in it."""
    op.execute("ALTER TABLE ingestions ADD COLUMN trouble text NOT NULL DEFAULT ''")
    op.execute("CREATE INDEX ingestions_troubled ON ingestions (tenant_id, project_id, created_at) WHERE trouble <> ''")
