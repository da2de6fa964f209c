"""A delete, a new upload or a crash in the middle of every stage: what is left is right."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from shared import bootstrap
from shared.domain.documents import TERMINAL
from shared.domain.errors import CommitUnknown
from shared.domain.events import Queue
from shared.ports.blobs import Bucket
from shared.runtime.invocation import run
from shared.runtime.sweeping import sweep_everything
from tests.functions.fakes import FragileStore
from tests.functions.texts import LEAVE, LEAVE_CHANGED
from tests.functions.world import STAGES, Client, World

WORK = (Queue.INGEST_EXTRACT, Queue.INGEST_CHUNK, Queue.INGEST_EMBED, Queue.INGEST_PUBLISH)


def brought_before(world: World, client: Client, collection: str, stage: Queue, **fields: Any) -> str:
    """A document whose message for `stage` is in its queue."""
    document = client.upload(collection, LEAVE, **fields)
    world.notify()
    for queue in WORK:
        if queue is stage:
            break
        world.deliver(queue)
        world.notify()
    assert len(world.queue.waiting(stage)) == 1
    return document


def during(world: World, stage: Queue, act: Callable[[], Coroutine[None, None, None]]) -> None:
    """Have `act` run in the middle of the stage's work; a publish has no middle, so it comes right before."""
    if stage is Queue.INGEST_EMBED:
        world.embedder.during_embed = act
    elif stage is Queue.INGEST_PUBLISH:
        run(act())
    else:
        world.blobs.during_get = act


def nothing_left(world: World, client: Client, collection: str, document: str) -> None:
    assert client.search(collection, "paid leave laptop travel") == []
    receipt = client.get(f"/documents/{document}/receipt").json
    assert receipt["complete"], receipt
    assert not any(receipt["remaining"].values())
    assert world.blobs.keys(Bucket.UPLOADS) == world.blobs.keys(Bucket.WORK) == []
    assert all(world.queue.waiting(queue) == [] for queue in STAGES)
    assert world.generation(client, document).state in TERMINAL


@pytest.mark.parametrize("swept", [False, True], ids=["deleted", "deleted and swept"])
@pytest.mark.parametrize("stage", WORK)
def test_delete_in_the_middle_of_a_stage_leaves_nothing(
    stage: Queue, swept: bool, world: World, api_client: Client, collection: str
) -> None:
    document = brought_before(world, api_client, collection, stage)

    async def delete() -> None:
        await world.delete_now(api_client, document)
        if swept:
            await sweep_everything()

    during(world, stage, delete)
    assert world.deliver(stage) == []
    assert api_client.search(collection, "paid leave") == []
    world.settle()
    nothing_left(world, api_client, collection, document)


@pytest.mark.parametrize("stage", WORK)
def test_delete_before_a_stage_leaves_nothing(stage: Queue, world: World, api_client: Client, collection: str) -> None:
    document = brought_before(world, api_client, collection, stage)
    api_client.delete(f"/documents/{document}")
    world.settle()
    nothing_left(world, api_client, collection, document)


@pytest.mark.parametrize("stage", WORK)
def test_new_version_in_the_middle_of_a_stage_wins_in_the_end(
    stage: Queue, world: World, api_client: Client, collection: str
) -> None:
    document = brought_before(world, api_client, collection, stage)
    slot = api_client.post(f"/documents/{document}/versions", {}).json

    async def upload() -> None:
        world.send(slot, LEAVE_CHANGED)

    during(world, stage, upload)
    world.settle()
    found = api_client.get(f"/documents/{document}").json
    assert (found["version"], found["status"]) == (2, "indexed")
    hits = api_client.search(collection, "days of paid leave")
    assert {hit["version"] for hit in hits} == {2}
    assert "thirty-one" in hits[0]["text"]


@pytest.mark.parametrize("lost", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 7))
@pytest.mark.parametrize("stage", [None, *WORK])
def test_commit_of_unknown_outcome_is_repeated_and_harms_nothing(
    stage: Queue | None, number: int, lost: str, world: World, api_client: Client, collection: str
) -> None:
    document = (
        api_client.upload(collection, LEAVE) if stage is None else brought_before(world, api_client, collection, stage)
    )
    error = CommitUnknown("the connection broke while committing")
    store = FragileStore(world.store, number, error, committed=lost == "after")
    with bootstrap.override(store=store):
        if stage is None:
            world.blobs.notifications += world.notify()
        else:
            world.deliver(stage)
    for _ in range(3):
        world.pass_time(timedelta(minutes=21).total_seconds())
        world.sweep()
    found = api_client.get(f"/documents/{document}").json
    assert (found["status"], found["version"], found["latest"]["attempts"]) == ("indexed", 1, 0)
    chunks = api_client.get(f"/documents/{document}/chunks").json
    assert len(chunks) == found["latest"]["counts"]["chunks"]
    assert len(api_client.search(collection, "leave travel laptop", limit=100)) == len(chunks)
    # Words were counted into the statistics once: the scores are those of an undisturbed twin.
    twin = api_client.collection("twin", chunking={"method": "structure", "size": 40})
    api_client.upload(twin, LEAVE)
    world.settle()
    scores = [
        [(hit["start"], hit["keyword_score"]) for hit in api_client.search(one, "laptop desk", mode="keyword")]
        for one in (collection, twin)
    ]
    assert scores[0] == scores[1]
