"""Alembic's entry: runs the migrations inside the transaction that the caller has open."""

from alembic import context
from sqlalchemy import Connection

from shared.adapters.postgres.catalogue import metadata

connection = context.config.attributes["connection"]
if not isinstance(connection, Connection):
    raise TypeError("migrations run over a connection of shared.adapters.postgres.migrate")
context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
context.run_migrations()
