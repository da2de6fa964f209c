"""Which documents a message cites, so that what it quotes of a deleted one can be taken away.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

CURRENT_TENANT = "(SELECT nullif(current_setting('lambent.tenant', true), '')::uuid)"

TABLES = """
CREATE TABLE cited_documents (
  tenant_id uuid NOT NULL,
  document_id uuid NOT NULL,
  message_id uuid NOT NULL,
  PRIMARY KEY (tenant_id, document_id, message_id),
  FOREIGN KEY (tenant_id, message_id) REFERENCES messages (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX cited_documents_of_message ON cited_documents (tenant_id, message_id);
"""

# The owner sees no rows under forced row-level security, so it is lifted while what is there is looked through.
KNOWN = """
ALTER TABLE messages NO FORCE ROW LEVEL SECURITY;
INSERT INTO cited_documents (tenant_id, document_id, message_id)
SELECT DISTINCT m.tenant_id, (cited.value ->> 'document_id')::uuid, m.id
FROM messages m CROSS JOIN LATERAL jsonb_array_elements(m.citations) cited;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
"""


def upgrade() -> None:
    """Create the table and fill it from the messages there are."""
    op.execute(TABLES)
    op.execute(KNOWN)
    op.execute("ALTER TABLE cited_documents ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE cited_documents FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY tenant ON cited_documents "
        f"USING (tenant_id = {CURRENT_TENANT}) WITH CHECK (tenant_id = {CURRENT_TENANT})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON cited_documents TO lambent_app")
