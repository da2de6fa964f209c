"""Hosts for single functions, and one small cloud for all end-to-end tests."""

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.local import cloud
from shared.local.functions import FunctionSpec
from shared.local.host import FunctionHost

FIXTURES = Path(__file__).parent / "fixtures"
CLOUD = FIXTURES / "cloud"
PATIENCE = 120.0


def until(happened: Callable[[], object], patience: float = PATIENCE) -> None:
    """Waits for something that will happen; fails when it does not."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


async def eventually(happened: Callable[[], object], patience: float = PATIENCE) -> None:
    """As `until`, inside an event loop."""
    deadline = time.monotonic() + patience
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


def probe(**changes: Any) -> FunctionSpec:
    """The function that does what its event says."""
    plain = FunctionSpec("ProbeFunction", "probe.handler", (FIXTURES,), timeout=20.0, memory_mb=256, task_root=FIXTURES)
    return replace(plain, **changes)


@asynccontextmanager
async def hosting(spec: FunctionSpec, logs: Path, **settings: Any) -> AsyncIterator[FunctionHost]:
    """A host with one function."""
    async with FunctionHost([spec], logs=logs, **settings) as host:
        yield host


@pytest.fixture(scope="session")
def small_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[cloud.Options, cloud.Ready]]:
    """The small system, up and running, with a state folder of its own."""
    root = tmp_path_factory.mktemp("cloud") / "root"
    shutil.copytree(CLOUD, root)
    options = cloud.Options(root=root, durable=False, port=0, watch=False)
    ready = cloud.up_detached(options)
    yield options, ready
    cloud.down(root)
    cloud.reset(root)
