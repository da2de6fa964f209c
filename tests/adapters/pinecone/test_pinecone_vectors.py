"""What is particular to Pinecone; what every vector store must do is in tests/contracts."""

import asyncio
import random
from datetime import UTC, datetime
from uuid import UUID

import pytest

from shared.adapters.pinecone.vectors import PineconeVectors
from shared.domain.chunks import ChunkId, Chunking, ChunkVector
from shared.domain.collections import Collection, EmbeddingModel
from shared.domain.errors import Delayed, Invalid, NotFound, Unavailable
from shared.domain.tenants import Scope, system_scope
from tests.fixtures.pinecone_server import API_KEY, MAX_BODY, OpenPinecone, PineconeServer, matches

ONE, OTHER = (system_scope(UUID(int=n), UUID(int=n + 100), "test") for n in (1, 2))


def collection_of(scope: Scope, number: int = 1, dimensions: int = 8) -> Collection:
    return Collection(
        id=UUID(int=1000 * number + scope.tenant_id.int),
        tenant_id=scope.tenant_id,
        project_id=scope.project_id,
        name="c",
        model=EmbeddingModel("m", dimensions),
        chunking=Chunking(),
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def vectors_of(document: UUID, generation: int, count: int, dimensions: int = 8) -> list[ChunkVector]:
    chance = random.Random(f"{document}{generation}")
    return [
        ChunkVector(ChunkId(document, generation, n), [chance.uniform(-1, 1) for _ in range(dimensions)])
        for n in range(count)
    ]


DOCUMENT = UUID(int=7)
C = collection_of(ONE)


@pytest.fixture
def opened(open_pinecone: OpenPinecone) -> tuple[PineconeServer, PineconeVectors]:
    return open_pinecone(8)


@pytest.fixture
def pinecone_server(opened: tuple[PineconeServer, PineconeVectors]) -> PineconeServer:
    return opened[0]


@pytest.fixture
def vectors(opened: tuple[PineconeServer, PineconeVectors]) -> PineconeVectors:
    return opened[1]


async def test_put_many_vectors_sends_batches_within_the_limits(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    await vectors.put(ONE, C, vectors_of(DOCUMENT, 1, 450))
    assert [path for _, path in pinecone_server.asked] == ["/vectors/upsert"] * 3
    assert len(pinecone_server.stored(str(ONE.tenant_id))) == 450


async def test_put_wide_vectors_keeps_every_request_under_two_megabytes(open_pinecone: OpenPinecone) -> None:
    server, vectors = open_pinecone(3072)
    await vectors.put(ONE, collection_of(ONE, dimensions=3072), vectors_of(DOCUMENT, 1, 60, 3072))
    assert max(server.bodies) < MAX_BODY
    assert len(server.stored(str(ONE.tenant_id))) == 60


async def test_put_keeps_ids_and_metadata_that_name_everything(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    await vectors.put(ONE, C, vectors_of(DOCUMENT, 3, 1))
    stored = pinecone_server.stored(str(ONE.tenant_id))
    assert list(stored) == [f"{DOCUMENT}:3:0"]
    assert stored[f"{DOCUMENT}:3:0"].metadata == {
        "project_id": str(ONE.project_id),
        "collection_id": str(C.id),
        "document_id": str(DOCUMENT),
        "generation": 3,
    }


async def test_put_wrong_dimensions_sends_nothing(vectors: PineconeVectors, pinecone_server: PineconeServer) -> None:
    with pytest.raises(Invalid):
        await vectors.put(ONE, C, [*vectors_of(DOCUMENT, 1, 3), *vectors_of(DOCUMENT, 2, 1, 7)])
    with pytest.raises(Invalid):
        await vectors.put(ONE, C, [ChunkVector(ChunkId(DOCUMENT, 1, 0), [float("nan")] * 8)])
    assert pinecone_server.asked == []


async def test_put_collection_of_another_tenant_is_not_found(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    with pytest.raises(NotFound):
        await vectors.put(OTHER, C, vectors_of(DOCUMENT, 1, 1))
    assert pinecone_server.asked == []


async def test_two_tenants_with_the_same_ids_never_meet(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    mine, theirs = collection_of(ONE), collection_of(OTHER)
    await vectors.put(ONE, mine, vectors_of(DOCUMENT, 1, 5))
    await vectors.put(OTHER, theirs, vectors_of(DOCUMENT, 1, 5))
    query = [1.0] * 8
    assert len(await vectors.query(ONE, [mine], query, 100)) == 5
    assert await vectors.query(ONE, [theirs], query, 100) == []
    assert await vectors.ids(ONE, theirs, DOCUMENT) == []
    assert await vectors.delete(ONE, theirs, DOCUMENT, keep=None) == 0
    assert await vectors.delete(ONE, mine, DOCUMENT, keep=None) == 5
    assert len(pinecone_server.stored(str(OTHER.tenant_id))) == 5
    assert pinecone_server.wide == []


async def test_query_without_collections_or_documents_asks_nobody(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    assert await vectors.query(ONE, [], [1.0] * 8, 10) == []
    assert await vectors.query(ONE, [C], [1.0] * 8, 10, document_ids=[]) == []
    assert pinecone_server.asked == []


async def test_query_document_ids_and_collections_narrow_it(vectors: PineconeVectors) -> None:
    first, second, elsewhere = UUID(int=11), UUID(int=12), collection_of(ONE, 2)
    await vectors.put(ONE, C, [*vectors_of(first, 1, 4), *vectors_of(second, 1, 4)])
    await vectors.put(ONE, elsewhere, vectors_of(UUID(int=13), 1, 4))
    hits = await vectors.query(ONE, [C], [1.0] * 8, 100, document_ids=[second, UUID(int=13)])
    assert {hit.id.document_id for hit in hits} == {second}
    assert len(await vectors.query(ONE, [C, elsewhere], [1.0] * 8, 100)) == 12
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert all(-1.001 <= hit.score <= 1.001 for hit in hits)


async def test_ids_over_many_pages_lists_each_once(vectors: PineconeVectors, pinecone_server: PineconeServer) -> None:
    await vectors.put(ONE, C, [*vectors_of(DOCUMENT, 1, 120), *vectors_of(DOCUMENT, 2, 130)])
    await vectors.put(ONE, C, vectors_of(UUID(int=70), 1, 30))
    listed = await vectors.ids(ONE, C, DOCUMENT)
    assert sorted(map(str, listed)) == sorted(
        [f"{DOCUMENT}:{g}:{n}" for g, size in ((1, 120), (2, 130)) for n in range(size)]
    )
    assert pinecone_server.asked.count(("GET", "/vectors/list")) == 3


async def test_delete_older_generations_in_calls_of_a_thousand(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    await vectors.put(ONE, C, [*vectors_of(DOCUMENT, 1, 1500), *vectors_of(DOCUMENT, 2, 20)])
    assert await vectors.delete(ONE, C, DOCUMENT, keep=2) == 1500
    assert {key.split(":")[1] for key in pinecone_server.stored(str(ONE.tenant_id))} == {"2"}
    assert pinecone_server.asked.count(("POST", "/vectors/delete")) == 2
    assert pinecone_server.wide == []


async def test_delete_in_a_tenant_without_vectors_removes_nothing(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    assert await vectors.delete(ONE, C, DOCUMENT, keep=None) == 0
    assert ("POST", "/vectors/delete") not in pinecone_server.asked


@pytest.mark.parametrize("strict", [False, True])
async def test_query_missing_namespace_finds_nothing(
    vectors: PineconeVectors, pinecone_server: PineconeServer, strict: bool
) -> None:
    pinecone_server.strict = strict
    assert await vectors.query(ONE, [C], [1.0] * 8, 10) == []
    assert await vectors.ids(ONE, C, DOCUMENT) == []
    assert await vectors.delete(ONE, C, DOCUMENT, keep=None) == 0


async def test_put_is_done_when_acknowledged_although_reads_lag(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    pinecone_server.lag = 30.0
    await vectors.put(ONE, C, vectors_of(DOCUMENT, 1, 3))
    assert await vectors.ids(ONE, C, DOCUMENT) == []
    pinecone_server.time = 31.0
    assert len(await vectors.ids(ONE, C, DOCUMENT)) == 3
    assert await vectors.delete(ONE, C, DOCUMENT, keep=None) == 3
    # Still listed: that is the store's affair, and a second delete does no harm.
    assert await vectors.delete(ONE, C, DOCUMENT, keep=None) == 3
    pinecone_server.time = 62.0
    assert await vectors.query(ONE, [C], [1.0] * 8, 10) == []


@pytest.mark.parametrize(("retry_after", "seconds"), [("30", 30.0), ("", 5.0), ("0", 1.0)])
async def test_put_too_many_requests_is_delayed_after_one_request(
    vectors: PineconeVectors, pinecone_server: PineconeServer, retry_after: str, seconds: float
) -> None:
    pinecone_server.throttles = [retry_after] * 5
    with pytest.raises(Delayed) as raised:
        await vectors.put(ONE, C, vectors_of(DOCUMENT, 1, 1))
    assert raised.value.seconds == seconds
    assert len(pinecone_server.asked) == 1


async def test_query_over_the_rate_of_a_namespace_is_delayed(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    asked = [vectors.query(ONE, [C], [1.0] * 8, 1) for _ in range(110)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Delayed) for answer in answers) == 10


async def test_query_server_error_is_unavailable(vectors: PineconeVectors, pinecone_server: PineconeServer) -> None:
    pinecone_server.failures = [500]
    with pytest.raises(Unavailable, match="500"):
        await vectors.query(ONE, [C], [1.0] * 8, 1)
    pinecone_server.failures = [503]
    assert await vectors.query(ONE, [C], [1.0] * 8, 1) == []


async def test_ping_wrong_key_is_unavailable_and_silent_about_it(pinecone_server: PineconeServer) -> None:
    made = PineconeVectors(hosts={8: pinecone_server.host}, api_key="pc-secret-key")
    with pytest.raises(Unavailable) as raised:
        await made.ping()
    await made.close()
    assert "pc-secret-key" not in str(raised.value)


async def test_ping_nobody_there_is_unavailable() -> None:
    made = PineconeVectors(hosts={8: "http://127.0.0.1:9"}, api_key=API_KEY)
    with pytest.raises(Unavailable):
        await made.ping()
    await made.close()


async def test_ping_malformed_settings_is_unavailable() -> None:
    for host, key in (("", API_KEY), ("http://127.0.0.1:9", "two\nlines")):
        with pytest.raises(Unavailable) as raised:
            await PineconeVectors(hosts={8: host}, api_key=key).ping()
        assert raised.value.code == "not_configured"


async def test_ping_reachable_index_answers(vectors: PineconeVectors) -> None:
    await vectors.ping()


def test_matches_operators_agree_with_their_meaning() -> None:
    stored = {"a": "x", "n": 3}
    assert matches({"a": "x", "n": {"$gte": 3, "$lt": 4}}, stored)
    assert matches({"$or": [{"a": {"$in": ["y"]}}, {"$and": [{"a": {"$ne": "y"}}, {"n": {"$gt": 2}}]}]}, stored)
    assert not matches({"missing": {"$gt": 1}}, stored)
    assert not matches({"a": {"$nin": ["x"]}}, stored)


async def test_delete_reaches_what_is_known_and_not_listed_yet(
    vectors: PineconeVectors, pinecone_server: PineconeServer
) -> None:
    await vectors.put(ONE, C, vectors_of(DOCUMENT, 1, 2))
    known = [ChunkId(DOCUMENT, number, ordinal) for number in (1, 2, 3) for ordinal in range(2)]
    assert await vectors.delete(ONE, C, DOCUMENT, keep=3, known=known) == 4
    assert pinecone_server.stored(str(ONE.tenant_id)) == {}
    assert pinecone_server.asked.count(("POST", "/vectors/delete")) == 1
