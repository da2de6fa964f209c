"""The migrations, the models and the revision that the code asks for are one; running them is safe."""

import asyncio
import re
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from psycopg.rows import TupleRow
from sqlalchemy import create_engine

from shared.adapters.postgres.catalogue import metadata
from shared.adapters.postgres.migrate import PgMigrations, newest
from shared.adapters.postgres.revision import HEAD
from shared.domain.errors import Invalid, Unavailable
from tests.fixtures.postgres import PostgresUrls, TestServer

type Superuser = psycopg.Connection[TupleRow]


def _in_the_models(thing: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Leaves out Alembic's own table and the partitions of `vectors`, which look like tables."""
    return not (kind == "table" and reflected and re.fullmatch(r"alembic_version|vectors_\d\d", name or ""))


def test_models_compared_with_migrations_show_no_difference(database: PostgresUrls) -> None:
    url = database.superuser.replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(url, use_native_hstore=False)
    with engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_object": _in_the_models}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    engine.dispose()
    assert differences == []


def test_head_equals_the_newest_migration() -> None:
    assert newest() == HEAD


def test_partitions_cover_every_collection(as_superuser: Superuser) -> None:
    bounds = as_superuser.execute(
        "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition AND relkind = 'r'"
    ).fetchall()
    remainders = sorted(int(bound.split("remainder ")[1].rstrip(")")) for (bound,) in bounds)
    assert remainders == list(range(16))


async def test_migrate_from_nothing_then_again_changes_nothing(postgres_server: TestServer) -> None:
    urls = postgres_server.create_database("from_nothing")
    migrations = PgMigrations(urls.owner, urls.app)
    assert await migrations.migrate() == {"before": None, "after": HEAD}
    assert await migrations.migrate() == {"before": HEAD, "after": HEAD}
    assert migrations.head() == HEAD


async def test_migrate_twice_at_once_takes_turns(postgres_server: TestServer) -> None:
    urls = postgres_server.create_database("twice_at_once")
    outcomes = await asyncio.gather(*(PgMigrations(urls.owner, urls.app).migrate() for _ in range(3)))
    assert sorted(str(outcome["before"]) for outcome in outcomes) == [HEAD, HEAD, "None"]


async def test_migrate_that_fails_leaves_nothing(postgres_server: TestServer) -> None:
    urls = postgres_server.create_database("half_way")
    with psycopg.connect(urls.superuser, autocommit=True) as connection:
        # In the way of the last table but some.
        connection.execute("CREATE TABLE receipts (id int)")
        with pytest.raises(Exception, match="receipts"):
            await PgMigrations(urls.owner, urls.app).migrate()
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert tables == [("receipts",)]
        connection.execute("DROP TABLE receipts")
    assert (await PgMigrations(urls.owner, urls.app).migrate())["after"] == HEAD


async def test_migrate_gives_the_application_its_password_as_a_verifier(
    postgres_server: TestServer, database: PostgresUrls, as_superuser: Superuser
) -> None:
    stored = "SELECT rolpassword FROM pg_authid WHERE rolname = 'lambent_app'"
    before = as_superuser.execute(stored).fetchone()
    await PgMigrations(database.owner, database.app.replace(":secret@", ":another'secret@")).migrate()
    after = as_superuser.execute(stored).fetchone()
    assert before is not None
    assert after is not None
    assert after != before
    assert after[0].startswith("SCRAM-SHA-256$")


async def test_migrate_by_an_owner_without_superuser_leaves_it_so(as_superuser: Superuser) -> None:
    found = as_superuser.execute(
        "SELECT rolsuper, rolbypassrls FROM pg_roles WHERE rolname = 'lambent_owner'"
    ).fetchone()
    assert found == (False, False)
    owners = as_superuser.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert owners == [("lambent_owner",)]


async def test_migrate_for_another_user_is_invalid(database: PostgresUrls) -> None:
    with pytest.raises(Invalid):
        await PgMigrations(database.owner, database.superuser).migrate()


async def test_migrate_of_a_database_that_is_not_there_is_unavailable(postgres_server: TestServer) -> None:
    missing = postgres_server.url("lambent_owner", "no_such_database")
    with pytest.raises(Unavailable):
        await PgMigrations(missing, postgres_server.url("lambent_app")).migrate()
