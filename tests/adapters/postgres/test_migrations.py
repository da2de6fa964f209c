"""The migrations, the models and the revision that the code asks for are one."""

import re

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from shared.adapters.postgres.migrate import newest
from shared.adapters.postgres.models import metadata
from shared.adapters.postgres.revision import HEAD
from tests.fixtures.postgres import PostgresUrls


def _in_the_models(object_: object, name: str | None, type_: str, reflected: bool, compare_to: object) -> bool:
    """Leaves out Alembic's own table and the partitions of `vectors`, which look like tables."""
    return not (type_ == "table" and reflected and bool(re.fullmatch(r"alembic_version|vectors_\d\d", name or "")))


def test_models_compared_with_migrations_show_no_difference(database: PostgresUrls) -> None:
    engine = create_engine(
        database.superuser.replace("postgresql://", "postgresql+psycopg://"), use_native_hstore=False
    )
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": _in_the_models}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    assert differences == []


def test_head_equals_the_newest_migration() -> None:
    assert newest() == HEAD
