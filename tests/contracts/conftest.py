"""One suite per port, run against every adapter of it.

`store` is the database under test: the suites of all ports that live in it run once with memory and once with
PostgreSQL. `another` opens a further way into the same database, for tests with two workers.

Vector stores have a fixture of their own, because not all of them are the database. An adapter joins the suite of
`test_vectors.py` by a module `tests/contracts/vectors_<name>.py` with a function

    def vectors_under_test(request: pytest.FixtureRequest) -> VectorsUnderTest

which may ask `request` for fixtures. It says which database keeps the rows, which vector store a transaction uses,
how to wait until writes can be seen, and whether the store itself keeps back what is not committed.
"""

import importlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from shared.adapters.memory.rows import MemoryStore
from shared.ports.vectors import Vectors
from tests.contracts.samples import RowsWithVectors, Store

STORES = ("memory", "postgres")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    """An empty database."""
    if request.param == "memory":
        return MemoryStore()
    opened: Store = request.getfixturevalue("open_store")()
    return opened


@pytest.fixture
def another(request: pytest.FixtureRequest, store: Store) -> Callable[[], Store]:
    """Opens a further way into the same database."""
    if isinstance(store, MemoryStore):
        return lambda: store
    opened: Callable[[], Store] = request.getfixturevalue("open_store")
    return opened


async def _at_once() -> None:
    """Writes can be seen when the transaction has committed."""


@dataclass(frozen=True, slots=True)
class VectorsUnderTest:
    """A vector store and what the suite has to know about it."""

    rows: Store
    """The database that keeps documents and chunks."""
    of: Callable[[RowsWithVectors], Vectors] = lambda rows: rows.vectors
    """The vector store as a transaction uses it."""
    settle: Callable[[], Awaitable[None]] = _at_once
    """Wait until what was written and deleted can be seen."""
    gated: bool = True
    """Hits have passed the read gate already."""


def _remote() -> dict[str, Callable[[pytest.FixtureRequest], VectorsUnderTest]]:
    names = [file.stem for file in sorted(Path(__file__).parent.glob("vectors_*.py"))]
    modules = {name.removeprefix("vectors_"): importlib.import_module(f"tests.contracts.{name}") for name in names}
    return {name: module.vectors_under_test for name, module in modules.items()}


REMOTE = _remote()


@pytest.fixture(params=(*STORES, *REMOTE))
def under_test(request: pytest.FixtureRequest) -> VectorsUnderTest:
    """A vector store with an empty database beside it."""
    if request.param in REMOTE:
        return REMOTE[request.param](request)
    return VectorsUnderTest(MemoryStore() if request.param == "memory" else request.getfixturevalue("open_store")())
