"""Alembic's folder: env.py runs the versions over the connection that `shared.adapters.postgres.migrate` hands it."""
