"""The version of the schema that this code needs, readable without importing Alembic; a test keeps it equal to the
newest migration.
"""

HEAD = "0031"
