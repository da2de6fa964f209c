"""A retried generation may be cut from the text of an earlier one, and those that failed are found by project.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and the index."""
    op.execute("ALTER TABLE generations ADD COLUMN text_generation integer")
    op.execute("CREATE INDEX generations_failed ON generations (tenant_id, project_id) WHERE state = 'failed'")
