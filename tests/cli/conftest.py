"""A fake API on a loopback port, a runner for commands, and a local cloud that starts nothing."""

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import typer
import uvicorn

from shared.cli import address, app, local_cloud
from tests.cli.deployment import Deployment, listening
from tests.cli.fake_api import create_app
from tests.cli.fake_cloud import FakeCloud
from tests.cli.fake_world import KEY, World
from tests.functions.world import World as RealWorld


class Server(uvicorn.Server):
    """A server in a thread that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@pytest.fixture(scope="session")
def served() -> Iterator[World]:
    """The fake API on a loopback port; making its routes takes too long to do it for every test."""
    world = World()
    server = Server(uvicorn.Config(create_app(world), port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    server.listening.wait(30)
    world.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield world
    server.should_exit = True
    thread.join(30)


@pytest.fixture
def world(served: World) -> World:
    """An empty API."""
    World.__init__(served, url=served.url)
    return served


@pytest.fixture
def fake_cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCloud:
    """A local cloud that starts nothing; commands find this one."""
    cloud = FakeCloud()
    (tmp_path / "template.yaml").touch()
    monkeypatch.setattr(local_cloud, "load", lambda: cloud)
    monkeypatch.setattr(local_cloud, "running", lambda root: cloud.ready)
    monkeypatch.setattr(address, "repository_root", lambda: tmp_path)
    return cloud


@pytest.fixture(autouse=True)
def config(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The platform's folder for settings: never that of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setattr(typer, "get_app_dir", lambda name: str(folder / name))
    return folder


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def problem(self) -> Any:
        return json.loads(self.err)


Run = Callable[..., Ran]


@pytest.fixture
def run_local(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, fake_cloud: FakeCloud) -> Run:
    """Runs a command that finds its address by itself."""
    for name in ("LAMBENT_URL", "LAMBENT_API_KEY", "LAMBENT_PROJECT", "LAMBENT_ORG"):
        monkeypatch.delenv(name, raising=False)

    def run(*args: str) -> Ran:
        capsys.readouterr()
        code = app.main([str(one) for one in args])
        said = capsys.readouterr()
        return Ran(code, said.out, said.err)

    return run


@pytest.fixture
def run(run_local: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command against the fake API."""
    monkeypatch.setenv("LAMBENT_URL", world.url)
    monkeypatch.setenv("LAMBENT_API_KEY", KEY)
    return run_local


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """The real handlers, behind a loopback port."""
    world = RealWorld()
    # Commands ask their own clock whether something has expired.
    world.clock.advance((datetime.now(UTC) - world.clock.now()).total_seconds())
    with world.active(), listening(world) as made:
        monkeypatch.setattr(local_cloud, "inbox", lambda ready: made.messages())
        yield made


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts lines onto the standard input of the next command, which is no terminal."""

    def put(*lines: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))

    return put


@pytest.fixture
def lambent(run_local: Run, deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command against the real handlers."""
    monkeypatch.setenv("LAMBENT_URL", deployment.url)
    return run_local


PASSWORD = "correct horse battery"


@pytest.fixture
def come_in(lambent: Run, deployment: Deployment, typed: Callable[..., None]) -> Callable[..., Ran]:
    """Registers and confirms somebody, as anyone would; they are signed in."""

    def done(email: str = "ada@example.com", organisation: str = "Acme") -> Ran:
        typed(PASSWORD)
        name = email.partition("@")[0].title()
        told = lambent("register", email, "--name", name, "--organisation", organisation, "--password-stdin")
        assert told.code == 0, told.err
        typed(PASSWORD)
        told = lambent("verify", deployment.code(email), "--password-stdin", "--json")
        assert told.code == 0, told.err
        return told

    return done


@pytest.fixture
def ada(come_in: Callable[..., Ran]) -> Ran:
    """A user who is signed in, the owner of Acme."""
    return come_in()


@pytest.fixture
def bob(lambent: Run, ada: Ran, come_in: Callable[..., Ran]) -> str:
    """The id of somebody who is an editor of Acme; Ada is signed in."""
    user = str(come_in("bob@example.com", "Bobs").json["user_id"])
    assert lambent("switch", "ada@example.com").code == 0
    return user
