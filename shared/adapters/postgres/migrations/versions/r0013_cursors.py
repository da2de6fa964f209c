"""Where work that is done a little at a time goes on: names and places of ours, no tenant's data.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.execute("CREATE TABLE cursors (name text PRIMARY KEY, place text NOT NULL, at timestamptz NOT NULL)")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON cursors TO lambent_app")
