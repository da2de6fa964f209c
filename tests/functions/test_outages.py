"""An outage of the database or the object store delays documents; it never costs one of them a try."""

from datetime import datetime, timedelta

import pytest

from shared import bootstrap
from shared.adapters.memory.clock import ManualClock
from shared.domain.documents import GenerationState
from shared.domain.errors import CommitUnknown, Outage, Unavailable
from shared.domain.events import Queue
from shared.domain.ingestion import LONGEST_OUTAGE, MAX_ATTEMPTS
from shared.runtime import stage
from tests.functions.fakes import LostStore
from tests.functions.test_sweep import brought_to, lose_messages
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World

OUT = Outage("the database connection was lost", code="database_lost")


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody sleeps here."""
    monkeypatch.setattr(stage, "STORE_PAUSES", (0.0, 0.001, 0.001))


def status(client: Client, document: str) -> str:
    return str(client.get(f"/documents/{document}").json["status"])


@pytest.mark.parametrize("error", [OUT, CommitUnknown("the connection broke")])
def test_outage_while_a_stage_works_counts_no_try(
    error: Outage, world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.embedder.failures.extend([error] * (3 * MAX_ATTEMPTS))
    world.settle()
    for _ in range(3 * MAX_ATTEMPTS):
        assert world.generation(api_client, document).attempts == 0
        world.pass_time(20)
    assert status(api_client, document) == "indexed"


def test_outage_that_never_ends_fails_the_document_after_a_day(
    world: World, api_client: Client, collection: str
) -> None:
    document = api_client.upload(collection, LEAVE)
    world.embedder.failures.extend([OUT] * 1000)
    world.settle()
    world.clock.advance(LONGEST_OUTAGE + timedelta(seconds=1))
    for _ in range(MAX_ATTEMPTS):
        assert status(api_client, document) == "processing"
        world.pass_time(300)
    assert api_client.get(f"/documents/{document}").json["latest"]["failure"]["code"] == "database_lost"


def test_outage_of_a_moment_loses_no_embedding_that_was_paid(world: World, api_client: Client, collection: str) -> None:
    document = brought_to_embedding(world, api_client, collection)
    left = 3

    class Flickering(LostStore):
        """Out for three transactions, once embedding is done."""

        def transaction(self, scope: object) -> object:  # type: ignore[override]
            nonlocal left
            if world.embedder.documents_embedded and left:
                left -= 1
                return super().transaction(None)
            return world.store.transaction(scope)  # type: ignore[arg-type]

    with bootstrap.override(store=Flickering(OUT)):
        world.settle()
    assert (left, status(api_client, document)) == (0, "indexed")
    assert len(world.embedder.documents_embedded) == len(set(world.embedder.documents_embedded))


def brought_to_embedding(world: World, client: Client, collection: str) -> str:
    document = client.upload(collection, LEAVE)
    world.notify()
    world.deliver(Queue.INGEST_EXTRACT)
    world.notify()
    world.deliver(Queue.INGEST_CHUNK)
    return document


def test_outage_in_which_the_lease_of_a_worker_ran_out_counts_no_try(
    world: World, api_client: Client, collection: str
) -> None:
    document = brought_to_embedding(world, api_client, collection)
    world.minutes(1, settling=False)
    for _ in range(2 * MAX_ATTEMPTS):
        claimed_and_vanished(world)
        # For ten minutes nothing runs; the lease ends in that time.
        world.clock.advance(600)
        world.sweep_without_settling()
        assert world.generation(api_client, document).attempts == 0
    world.settle()
    assert status(api_client, document) == "indexed"


def test_worker_that_vanishes_while_all_is_well_counts(world: World, api_client: Client, collection: str) -> None:
    document = brought_to_embedding(world, api_client, collection)
    for tried in range(1, MAX_ATTEMPTS + 1):
        claimed_and_vanished(world)
        world.minutes(6, settling=False)
        if tried < MAX_ATTEMPTS:
            assert world.generation(api_client, document).attempts == tried
    assert api_client.get(f"/documents/{document}").json["latest"]["failure"]["code"] == "gave_up"


@pytest.mark.parametrize("skew", [-30, 0, 30])
def test_outage_that_kept_one_sweep_away_counts_no_try(
    skew: float, world: World, api_client: Client, collection: str
) -> None:
    document = brought_to_embedding(world, api_client, collection)
    world.minutes(1, settling=False)
    for _ in range(2 * MAX_ATTEMPTS):
        with bootstrap.override(clock=Skewed(world.clock, -skew)):
            claimed_and_vanished(world)
        world.minutes(4, settling=False)
        # The database is away for a good minute, and the lease ends in it; whoever comes next has another clock.
        world.clock.advance(120)
        with bootstrap.override(clock=Skewed(world.clock, skew)):
            world.sweep_without_settling()
        world.minutes(1, settling=False)
        assert world.generation(api_client, document).attempts == 0
    world.settle()
    assert status(api_client, document) == "indexed"


def test_outage_that_ended_just_after_the_claim_by_a_fast_clock_counts_no_try(
    world: World, api_client: Client, collection: str
) -> None:
    document = brought_to_embedding(world, api_client, collection)
    world.sweep_without_settling()
    world.clock.advance(119)
    with bootstrap.override(clock=Skewed(world.clock, 30)):
        claimed_and_vanished(world)
    world.clock.advance(1)
    world.sweep_without_settling()
    world.minutes(6, settling=False)
    assert world.generation(api_client, document).attempts == 0


def test_clocks_that_differ_are_no_outage(world: World, api_client: Client, collection: str) -> None:
    document = brought_to_embedding(world, api_client, collection)
    for tried in range(1, 3):
        claimed_and_vanished(world)
        for minute in range(7):
            world.clock.advance(60)
            with bootstrap.override(clock=Skewed(world.clock, 30 if minute % 2 else -30)):
                world.sweep_without_settling()
        assert world.generation(api_client, document).attempts == tried


class Skewed:
    """Implements `shared.ports.clock.Clock`: a machine whose clock is off by some seconds."""

    def __init__(self, true: ManualClock, seconds: float) -> None:
        self._true = true
        self._by = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return self._true.now() + self._by

    def monotonic(self) -> float:
        return self._true.monotonic()


def claimed_and_vanished(world: World) -> None:
    """A worker takes the message of the embedding stage and dies with it."""

    class Died(BaseException):
        """The process is gone."""

    async def die() -> None:
        raise Died

    world.embedder.during_embed = die
    with pytest.raises(Died):
        world.deliver(Queue.INGEST_EMBED)
    lose_messages(world)


def test_long_queue_costs_no_try(world: World, api_client: Client, collection: str) -> None:
    document = brought_to_embedding(world, api_client, collection)
    world.minutes(120, settling=False)
    waiting = world.generation(api_client, document)
    assert (waiting.state, waiting.attempts) == (GenerationState.EMBEDDING, 0)
    # Nor is the queue made much longer by asking again and again.
    assert len(world.queue.waiting(Queue.INGEST_EMBED)) < 18
    world.settle()
    assert status(api_client, document) == "indexed"


@pytest.mark.parametrize("swept_first", [True, False])
def test_dead_letter_of_an_outage_is_queued_again(
    swept_first: bool, world: World, api_client: Client, collection: str
) -> None:
    world.sweep()
    document = brought_to(world, api_client, collection, GenerationState.PUBLISHING)
    world.minutes(4, settling=False)
    with bootstrap.override(store=LostStore(OUT)):
        for _ in range(MAX_ATTEMPTS + 1):
            assert world.deliver(Queue.INGEST_PUBLISH) or world.queue.dead(Queue.INGEST_PUBLISH)
            world.clock.advance(361)
    assert world.queue.dead(Queue.INGEST_PUBLISH)
    if swept_first:
        world.sweep_without_settling()
    world.reject_dead(Queue.INGEST_PUBLISH)
    assert world.generation(api_client, document).state is GenerationState.PUBLISHING
    world.settle()
    assert status(api_client, document) == "indexed"


def test_try_that_failed_for_its_own_reason_counts(world: World, api_client: Client, collection: str) -> None:
    document = api_client.upload(collection, LEAVE)
    world.embedder.failures.append(Unavailable("the model is down"))
    world.settle()
    assert world.generation(api_client, document).attempts == 1
