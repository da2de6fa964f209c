"""Fixtures: a deployment in memory, its API, a document that is indexed."""

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.functions.texts import LEAVE
from tests.functions.world import Client, World

if TYPE_CHECKING:
    from tests.functions.ways import Ways

type Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def world() -> Iterator[World]:
    """A fresh deployment."""
    made = World()
    with made.active():
        yield made


@pytest.fixture
def ways(world: World) -> Iterator["Ways"]:
    """Two parties that vouch for people of this deployment."""
    # Signs and checks signatures, which few tests need.
    from tests.functions.ways import ways_into

    with ways_into(world) as made:
        yield made


@pytest.fixture
def api_client(world: World) -> Client:
    """The owner of a new tenant."""
    return world.owner()


@pytest.fixture
def collection(api_client: Client) -> str:
    """Id of an empty collection with small chunks."""
    return api_client.collection(chunking={"method": "structure", "size": 40})


@pytest.fixture
def sample_document(world: World, api_client: Client, collection: str) -> str:
    """Id of a document that is indexed."""
    document = api_client.upload(collection, LEAVE, tags=["hr"], metadata={"year": 2026}, path="hr/leave.txt")
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    return document


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """The lines logged since the last look, each of which must be JSON."""

    def lines() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return lines
