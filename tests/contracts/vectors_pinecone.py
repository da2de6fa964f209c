"""Pinecone among the vector stores: its own client against a server that shows writes late; documents are in memory."""

from typing import TYPE_CHECKING

import pytest

from shared.adapters.memory.rows import MemoryStore
from tests.contracts.samples import DIMENSIONS
from tests.fixtures.pinecone_server import OpenPinecone

if TYPE_CHECKING:
    from tests.contracts.conftest import VectorsUnderTest

LAG = 10.0


def vectors_under_test(request: pytest.FixtureRequest) -> "VectorsUnderTest":
    """A server for one test, whose clock moves on when the test waits."""
    # Imported here: that module imports this one.
    from tests.contracts.conftest import VectorsUnderTest

    opened: OpenPinecone = request.getfixturevalue("open_pinecone")
    server, vectors = opened(DIMENSIONS)
    server.lag = LAG

    async def settle() -> None:
        server.time += LAG

    return VectorsUnderTest(rows=MemoryStore(), of=lambda _: vectors, settle=settle, gated=False)
