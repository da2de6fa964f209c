"""PostgreSQL with pgvector: rows, vectors and the keyword index in one database, behind row-level security."""
