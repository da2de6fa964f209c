"""PostgreSQL as a child process: its roles, its data over a restart, and the places it cannot live in."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg
import pytest

from shared.local.errors import StepFailed
from shared.local.layout import Layout
from shared.local.postgres import OWNER, Postgres
from shared.local.state import Remembered

pytestmark = pytest.mark.enable_socket


@asynccontextmanager
async def server(root: Path, remembered: Remembered, *, durable: bool = False) -> AsyncIterator[Postgres]:
    layout = Layout.of(root)
    layout.create()
    postgres = Postgres(layout, remembered, durable=durable)
    try:
        await postgres.start()
        yield postgres
    finally:
        await postgres.stop()


def query(postgres: Postgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(postgres.url(OWNER).replace("+psycopg", ""), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that the server's user can pass through, although pytest's are private."""
    for part in (tmp_path, *tmp_path.parents[:3]):
        if part.stat().st_uid == os.geteuid():
            part.chmod(0o755)
    return tmp_path


async def test_start_owner_is_no_superuser_and_data_survives_a_restart(open_folder: Path) -> None:
    remembered = Remembered()
    async with server(open_folder, remembered) as postgres:
        assert query(
            postgres, "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ) == [(False, False, True)]
        assert query(postgres, "SELECT extname FROM pg_extension WHERE extname = 'vector'") == [("vector",)]
        assert query(postgres, "SHOW listen_addresses") == [("",)]
        query(postgres, "CREATE TABLE kept AS SELECT 1 AS one")
    async with server(open_folder, remembered) as postgres:
        assert query(postgres, "SELECT one FROM kept") == [(1,)]


async def test_start_after_a_killed_server_has_everything_committed(open_folder: Path) -> None:
    remembered = Remembered()
    async with server(open_folder, remembered, durable=True) as postgres:
        query(postgres, "CREATE TABLE kept AS SELECT 1 AS one")
        os.kill(postgres.pid, signal.SIGKILL)
        assert postgres.child is not None
        await postgres.child.wait()
        async with server(open_folder, remembered, durable=True) as again:
            assert query(again, "SELECT one FROM kept") == [(1,)]


async def test_revive_a_killed_server_is_back_at_the_same_address_with_everything_committed(open_folder: Path) -> None:
    deep = open_folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    async with server(deep, Remembered(), durable=True) as postgres:
        address, first = postgres.address, postgres.pid
        query(postgres, "CREATE TABLE kept AS SELECT 1 AS one")
        with psycopg.connect(postgres.url(OWNER).replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("SELECT 1")
            # Its backend still lives, and holds the shared memory, when the next server starts.
            os.kill(first, signal.SIGKILL)
            assert postgres.child is not None
            await postgres.child.wait()
            await postgres.revive()
        assert (postgres.address, postgres.pid != first) == (address, True)
        assert query(postgres, "SELECT one FROM kept") == [(1,)]


async def test_start_in_a_deep_folder_uses_a_short_socket_path(open_folder: Path) -> None:
    deep = open_folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    async with server(deep, Remembered()) as postgres:
        assert len(postgres.address) < 100
        assert query(postgres, "SELECT 1") == [(1,)]


async def test_start_without_the_passwords_says_what_to_do(open_folder: Path) -> None:
    async with server(open_folder, Remembered()):
        pass
    with pytest.raises(StepFailed, match="cannot log in") as caught:
        async with server(open_folder, Remembered()):
            pass
    assert "lambent reset" in caught.value.hint


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another user")
async def test_start_in_a_private_folder_goes_elsewhere_and_remembers_it(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    remembered = Remembered()
    async with server(private, remembered) as postgres:
        assert query(postgres, "SELECT 1") == [(1,)]
    home = Path(remembered.postgres_home)
    assert (home / "postgres" / "PG_VERSION").exists()
    assert not (private / ".lambent" / "postgres").exists()
    async with server(private, remembered) as postgres:
        assert postgres.address.startswith(str(home))
    for folder, _, files in os.walk(home, topdown=False):
        for file in files:
            (Path(folder) / file).unlink()
        Path(folder).rmdir()
