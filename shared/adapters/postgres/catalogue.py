"""Every table of the schema. What runs in a function imports the modules it needs; migrations and tests need all."""

from shared.adapters.postgres import idempotency_tables, member_tables, models, user_tables
from shared.adapters.postgres.schema import metadata

__all__ = ["idempotency_tables", "member_tables", "metadata", "models", "user_tables"]
