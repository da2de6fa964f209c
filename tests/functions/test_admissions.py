"""A tenant's flood stands in its own line: another tenant's document does not wait behind it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared import bootstrap
from shared.domain.documents import IN_PROGRESS, GenerationState
from shared.domain.events import Queue
from shared.domain.ingestion import Pace
from tests.functions.texts import LEAVE
from tests.functions.world import STAGES, Client, World

MOST = 4


@pytest.fixture(autouse=True)
def narrow() -> Iterator[None]:
    """At most four of a tenant's documents are in progress."""
    with bootstrap.override(pace=Pace(in_progress=MOST)):
        yield


def flood(world: World, client: Client, collection: str, documents: int) -> list[str]:
    """So many uploads that arrived."""
    made = [client.upload(collection, f"{LEAVE}\n\nCopy {number}.", f"{number}.txt") for number in range(documents)]
    world.notify()
    return made


def states(world: World, client: Client, documents: list[str]) -> list[GenerationState]:
    return [world.generation(client, document).state for document in documents]


def indexed(client: Client, collection: str) -> int:
    return int(client.get(f"/collections/{collection}").json["indexed"])


def rounds(world: World, client: Client, collection: str) -> int:
    """Deliver ten messages of every queue in turn until a document is searchable; how often that took."""
    for count in range(1, 200):
        world.notify()
        for queue in STAGES:
            world.deliver(queue)
        if indexed(client, collection):
            return count
    raise AssertionError("never searchable")


def test_flood_waits_in_line_and_says_so(world: World, api_client: Client, collection: str) -> None:
    documents = flood(world, api_client, collection, 10)
    found = states(world, api_client, documents)
    assert found == [GenerationState.EXTRACTING] * MOST + [GenerationState.QUEUED] * 6
    assert len(world.queue.waiting(Queue.INGEST_EXTRACT)) == MOST
    why = api_client.get(f"/documents/{documents[-1]}/why").json
    assert "waiting for its turn" in why["summary"]
    assert "when one of the organisation's documents in progress is done" in why["next"]


def test_flood_moves_on_by_itself_in_order_and_never_beyond_its_bound(
    world: World, api_client: Client, collection: str
) -> None:
    documents = flood(world, api_client, collection, 25)
    for _ in range(200):
        world.notify()
        for queue in STAGES:
            world.deliver(queue, limit=1)
            found = states(world, api_client, documents)
            assert sum(state in IN_PROGRESS for state in found) <= MOST
            # Nobody is let in before one who came earlier.
            line = [state is GenerationState.QUEUED for state in found]
            assert line == sorted(line)
        if indexed(api_client, collection) == 25:
            return
    raise AssertionError(states(world, api_client, documents))


def test_another_tenants_document_takes_no_more_rounds_than_alone(
    world: World, api_client: Client, collection: str
) -> None:
    quiet, patient = world.owner("Quiet"), world.owner("Patient")
    alone = patient.collection()
    patient.upload(alone, LEAVE)
    expected = rounds(world, patient, alone)
    flood(world, api_client, collection, 60)
    mine = quiet.collection()
    quiet.upload(mine, LEAVE)
    assert rounds(world, quiet, mine) <= expected + 1
    assert indexed(api_client, collection) < 60


def test_line_nobody_moves_is_moved_by_the_sweep(world: World, api_client: Client, collection: str) -> None:
    documents = flood(world, api_client, collection, 6)
    world.settle()
    assert indexed(api_client, collection) == 6
    more = flood(world, api_client, collection, 6)
    # All that were in progress ended where nobody saw it.
    for queue in Queue:
        for message in world.queue.receive(queue, 99):
            world.queue.done(message)
    world.clock.advance(timedelta(hours=2))
    for _ in range(20):
        world.sweep()
        world.clock.advance(timedelta(minutes=10))
    assert states(world, api_client, documents + more) == [GenerationState.COMMITTED] * 12


def test_line_is_left_by_a_deleted_document(world: World, api_client: Client, collection: str) -> None:
    documents = flood(world, api_client, collection, 6)
    assert api_client.delete(f"/documents/{documents[4]}").status == 202
    world.settle()
    world.sweep()
    found = states(world, api_client, documents)
    assert found.pop(4) is GenerationState.SUPERSEDED
    assert found == [GenerationState.COMMITTED] * 5


def test_line_moves_when_a_document_fails(world: World, api_client: Client, collection: str) -> None:
    for number in range(MOST):
        api_client.upload(collection, b"\xff\xfe\x00", f"{number}.bin")
    world.notify()
    documents = flood(world, api_client, collection, 2)
    assert states(world, api_client, documents) == [GenerationState.QUEUED] * 2
    world.settle()
    assert states(world, api_client, documents) == [GenerationState.COMMITTED] * 2


def test_line_holds_for_processing_again_too(world: World, api_client: Client, collection: str) -> None:
    documents = flood(world, api_client, collection, 6)
    world.settle()
    for document in documents:
        assert api_client.post(f"/documents/{document}/process").status == 202
    found = [world.generation(api_client, document, 2).state for document in documents]
    assert found == [GenerationState.EXTRACTING] * MOST + [GenerationState.QUEUED] * 2
    world.settle()
    assert indexed(api_client, collection) == 6
