"""A town, and an oracle, each on a database of its own: what is planted there meets no other test."""

import asyncio
from collections.abc import Iterator
from contextlib import redirect_stdout

import pytest

from shared.adapters.postgres.migrate import PgMigrations
from tests.fixtures.postgres import PostgresUrls, TestServer
from tests.isolation.attackers import Crowds
from tests.isolation.town import Town, built
from tests.schemas.__main__ import Nowhere


def migrated(server: TestServer, name: str) -> PostgresUrls:
    """A database of this name."""
    urls = server.create_database(name)
    asyncio.run(PgMigrations(urls.owner, urls.app).migrate())
    return urls


@pytest.fixture(scope="module")
def town(postgres_server: TestServer, request: pytest.FixtureRequest) -> Iterator[Town]:
    """Three organisations, on a database of the module's."""
    urls = migrated(postgres_server, request.module.__name__.rpartition(".")[2])
    with redirect_stdout(Nowhere()), built(urls) as made:
        yield made


@pytest.fixture(scope="module")
def crowds(town: Town) -> Crowds:
    """Everybody who should get nowhere in it."""
    with redirect_stdout(Nowhere()):
        return Crowds(town)
