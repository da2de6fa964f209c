"""Receipts are signed, and listed.

Revision ID: 0011
Revises: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the index of the listing."""
    op.execute("ALTER TABLE receipts ADD COLUMN quiet_since timestamptz, ADD COLUMN signature jsonb")
    op.execute("CREATE INDEX receipts_listing ON receipts (tenant_id, project_id, requested_at, id)")
