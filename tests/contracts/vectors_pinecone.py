"""Pinecone among the vector stores: its own client against a server that shows writes late; documents are in memory."""

from typing import TYPE_CHECKING

import pytest

from shared.adapters.memory.rows import MemoryStore
from shared.adapters.pinecone.vectors import PineconeVectors
from tests.contracts.samples import DIMENSIONS
from tests.fixtures.pinecone_server import API_KEY, PineconeServer

if TYPE_CHECKING:
    from tests.contracts.conftest import VectorsUnderTest

LAG = 10.0


def vectors_under_test(request: pytest.FixtureRequest) -> "VectorsUnderTest":
    """A server for one test, whose clock moves on when the test waits."""
    # Imported here: that module imports this one.
    from tests.contracts.conftest import VectorsUnderTest

    server = PineconeServer(DIMENSIONS)
    request.addfinalizer(server.stop)
    server.lag = LAG
    vectors = PineconeVectors(host=server.host, api_key=API_KEY)

    async def settle() -> None:
        server.time += LAG

    return VectorsUnderTest(rows=MemoryStore(), of=lambda _: vectors, settle=settle, gated=False)
