"""The version of the pipeline is part of a generation's recipe.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is there was made by the first version."""
    op.execute("ALTER TABLE generations ADD COLUMN recipe_pipeline text NOT NULL DEFAULT 'ingest/1'")
    op.execute("ALTER TABLE generations ALTER COLUMN recipe_pipeline DROP DEFAULT")
