"""Silences a provider asked for, apart from the moment of a bucket's level.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; a bucket holds nothing worth keeping."""
    op.execute("ALTER TABLE buckets ADD COLUMN quiet_until timestamptz")
