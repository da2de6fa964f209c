"""Bring a database to the newest schema: roles, then every migration that is missing, in one transaction."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from shared.adapters.postgres.revision import HEAD
from shared.domain.errors import Invalid, Unavailable

APP_ROLE = "lambent_app"
CLERK_ROLE = "lambent_clerk"
LOCK = 0x6C616D62656E74
"""Advisory lock of migrations: "lambent" in ASCII."""

FOLDER = Path(__file__).parent / "migrations"


class PgMigrations:
    """The migrations of one database."""

    def __init__(self, owner_url: str, app_url: str) -> None:
        """Args:
        owner_url: of the role that owns the tables. It needs CREATEROLE and the right to create in the database, no
            more.
        app_url: of the application, whose user must be `lambent_app`; it is given this password.
        """
        self._owner = make_url(owner_url).set(drivername="postgresql+psycopg")
        self._app = make_url(app_url)

    async def migrate(self) -> Mapping[str, object]:
        """Create or update everything in the database. Two at once wait for each other; repeating it changes nothing.

        Returns:
            `before` (None: the database was empty) and `after`.

        Raises:
            Invalid: the application's URL names another user.
            Unavailable: the database cannot be reached.
        """
        if self._app.username != APP_ROLE:
            raise Invalid(
                f"the application must connect as {APP_ROLE}, not as {self._app.username!r}",
                code="invalid_database_url",
            )
        before = await asyncio.to_thread(_migrate, self._owner, self._app)
        return {"before": before, "after": HEAD}

    def head(self) -> str:
        """The newest revision of the source."""
        return HEAD


def newest() -> str | None:
    """The newest revision in the migrations folder; `HEAD` must be equal to it."""
    return ScriptDirectory.from_config(_config()).get_current_head()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    return config


def _migrate(owner: URL, app: URL) -> str | None:
    engine = create_engine(owner, poolclass=NullPool, use_native_hstore=False, connect_args={"prepare_threshold": None})
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            _ensure_roles(connection, app)
            before = MigrationContext.configure(connection).get_current_revision()
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        if isinstance(error.orig, psycopg.OperationalError):
            raise Unavailable(
                "the database cannot be reached or did not answer in time", code="database_unreachable"
            ) from error
        raise
    finally:
        engine.dispose()
    return before


def _ensure_roles(connection: Connection, app: URL) -> None:
    known = set(
        connection.execute(
            text("SELECT rolname FROM pg_roles WHERE rolname = ANY (:names)"), {"names": [APP_ROLE, CLERK_ROLE]}
        ).scalars()
    )
    if CLERK_ROLE not in known:
        connection.execute(text(f"CREATE ROLE {CLERK_ROLE} NOLOGIN"))
    if APP_ROLE not in known:
        connection.execute(text(f"CREATE ROLE {APP_ROLE} LOGIN NOINHERIT"))
    # A database that was closed to PUBLIC still lets the application in.
    name = connection.execute(text("SELECT quote_ident(current_database())")).scalar_one()
    connection.execute(text(f"GRANT CONNECT ON DATABASE {name} TO {APP_ROLE}"))
    if app.password:
        driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        # Only the SCRAM verifier travels: a password in a statement would reach the server's log.
        verifier = driver.pgconn.encrypt_password(str(app.password).encode(), APP_ROLE.encode(), b"scram-sha-256")
        driver.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(APP_ROLE), sql.Literal(verifier.decode()))
        )
