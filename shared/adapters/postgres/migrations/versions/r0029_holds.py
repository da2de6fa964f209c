"""Until when nothing is published into a collection because a cut to another index is near.

Revision ID: 0029
Revises: 0028
"""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nobody waits at first."""
    op.execute("ALTER TABLE collections ADD COLUMN held_until timestamptz")
