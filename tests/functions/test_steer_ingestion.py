"""A whole run cancelled or retried, whatever its documents are doing."""

from collections import Counter
from uuid import UUID

import pytest

from shared import bootstrap
from shared.adapters.memory.clock import START
from shared.adapters.memory.queue import MAX_RECEIVES
from shared.domain.documents import GenerationState, Reason
from shared.domain.errors import CommitUnknown, Outage, Rejected, Unavailable
from shared.domain.events import IngestionAction, IngestionMessage, Queue
from shared.domain.tenants import Scope
from shared.runtime.invocation import run
from shared.runtime.steering import PERMISSIONS, PRINCIPAL, steer_documents
from shared.runtime.transactions import transaction
from shared.usecases.ingest.stage import end
from shared.usecases.ingestions import steer
from shared.usecases.ingestions.manage import cancel
from tests.functions.examples import outcome, seed
from tests.functions.fakes import FragileStore, LostStore
from tests.functions.gateway import cases, example, records
from tests.functions.test_ingestions import kinds, run_of
from tests.functions.test_races import WORK, brought_before, during
from tests.functions.texts import GARDEN, LEAVE, LEAVE_CHANGED
from tests.functions.world import Client, World


@pytest.fixture
def ingestion(api_client: Client, collection: str) -> str:
    return api_client.ingestion(collection)


@pytest.mark.parametrize("case", cases("steer_ingestion"))
def test_steer_ingestion_with_example_does_its_work(case: str, world: World) -> None:
    seed(world)
    assert outcome(world.call("steer_ingestion", example("steer_ingestion", case))) == 0


def test_cancel_ends_what_has_not_ended_and_keeps_what_is_indexed(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    indexed = api_client.upload(collection, LEAVE, "a.txt", ingestion_id=ingestion)
    world.settle()
    waiting = api_client.slot(collection, "b.txt", ingestion_id=ingestion)
    on_its_way = api_client.upload(collection, GARDEN, "c.txt", ingestion_id=ingestion)
    world.notify()
    answer = api_client.post(f"/ingestions/{ingestion}/cancel")
    assert (answer.status, answer.json["status"]) == (202, "cancelling")
    refused = api_client.post("/documents", {"collection_id": collection, "name": "d.txt", "ingestion_id": ingestion})
    assert refused.code == "ingestion_closed"
    world.settle()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["cancelled"]) == ("cancelled", 2)
    assert found["progress"]["states"] == {"committed": 1}
    assert found["progress"]["errors"] == []
    assert api_client.get(f"/documents/{indexed}").json["status"] == "indexed"
    for document in (on_its_way, waiting["document"]["id"]):
        shown = api_client.get(f"/documents/{document}").json
        assert (shown["status"], shown["latest"]["failure"]["code"]) == ("failed", "cancelled")
    assert api_client.search(collection, "tomatoes stake sun")[0]["document_id"] == indexed
    assert Counter(kinds(api_client, ingestion))["document.cancelled"] == 2
    assert kinds(api_client, ingestion)[-1] == "ingestion.completed"
    assert world.measured("documents_failed") == []


def test_cancel_twice_and_after_completion_changes_nothing(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    api_client.slot(collection, ingestion_id=ingestion)
    for _ in range(3):
        assert api_client.post(f"/ingestions/{ingestion}/cancel").status == 202
    world.settle()
    first = run_of(api_client, ingestion)
    assert api_client.post(f"/ingestions/{ingestion}/cancel").json == first
    world.settle()
    assert run_of(api_client, ingestion) == first
    assert Counter(kinds(api_client, ingestion)).most_common(1)[0][1] == 1


def test_cancel_of_completed_run_leaves_it_completed(api_client: Client, ingestion: str) -> None:
    api_client.post(f"/ingestions/{ingestion}/close")
    assert api_client.post(f"/ingestions/{ingestion}/cancel").json["status"] == "completed"


@pytest.mark.parametrize("stage", WORK)
def test_cancel_in_the_middle_of_a_stage_ends_the_document_for_good(
    stage: Queue, world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    document = brought_before(world, api_client, collection, stage, ingestion_id=ingestion)
    scope = Scope(api_client.tenant_id, PRINCIPAL, PERMISSIONS, api_client.project_id)

    async def act() -> None:
        async with transaction(scope) as ports:
            await cancel(scope, ports, UUID(ingestion))
        message = IngestionMessage(
            scope.tenant_id, scope.project_id, UUID(ingestion), IngestionAction.CANCEL, world.clock.now(), START
        )
        await steer_documents(message)

    during(world, stage, act)
    world.deliver(stage)
    world.settle()
    world.clock.advance(3600)
    world.sweep()
    generation = world.generation(api_client, document)
    assert generation.failure is not None
    assert (generation.state, generation.failure.code) == (GenerationState.FAILED, "cancelled")
    assert api_client.search(collection, "paid leave") == []
    assert run_of(api_client, ingestion)["status"] == "cancelled"
    assert all(world.queue.waiting(queue) == [] for queue in WORK)


def test_upload_that_arrives_after_the_cancel_does_not_bring_the_document_back(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    slot = api_client.slot(collection, ingestion_id=ingestion)
    document = slot["document"]["id"]
    world.send(slot, LEAVE)
    api_client.post(f"/ingestions/{ingestion}/cancel")
    late, world.blobs.notifications = world.blobs.notifications, []
    world.settle()
    world.notify(late)
    world.notify(late)
    world.settle()
    assert api_client.search(collection, "paid leave") == []
    assert run_of(api_client, ingestion)["status"] == "cancelled"
    # The file was kept: whoever wants the document after all need not send it again.
    assert api_client.post(f"/documents/{document}/process").status == 202
    world.settle()
    assert api_client.search(collection, "paid leave")


def test_cancel_of_many_goes_on_with_further_messages(
    world: World, api_client: Client, collection: str, ingestion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steer, "BATCH", 2)
    for number in range(5):
        api_client.slot(collection, f"{number}.txt", ingestion_id=ingestion)
    api_client.post(f"/ingestions/{ingestion}/cancel")
    world.settle()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["cancelled"]) == ("cancelled", 5)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3, 4, 5])
def test_cancel_that_crashes_anywhere_is_finished_by_the_next_delivery(
    number: int, committed: bool, world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    for name in ("a.txt", "b.txt"):
        api_client.slot(collection, name, ingestion_id=ingestion)
    api_client.post(f"/ingestions/{ingestion}/cancel")
    error = CommitUnknown("lost") if committed else Unavailable("lost")
    with bootstrap.override(store=FragileStore(world.store, number, error, committed=committed)):
        world.deliver(Queue.STEER_INGESTION)
    world.settle()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["cancelled"]) == ("cancelled", 2)
    assert Counter(kinds(api_client, ingestion)) == {
        "ingestion.started": 1,
        "ingestion.cancelled": 1,
        "document.cancelled": 2,
        "ingestion.completed": 1,
    }


def broken(world: World, client: Client, collection: str, ingestion: str, name: str = "a.txt") -> str:
    """A document that failed for a reason that has gone away since."""
    document = client.upload(collection, LEAVE, name, ingestion_id=ingestion)
    world.notify()
    scope = world.scope(client)

    async def fail() -> None:
        async with transaction(scope) as ports:
            found = await ports.documents.lock_with(scope, UUID(document), 1)
            assert found is not None
            await end(scope, ports, *found, Reason("gave_up", "the reader was down"))

    run(fail())
    world.settle()
    return document


def test_retry_takes_up_what_failed_and_completes_again(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    documents = [broken(world, api_client, collection, ingestion, name) for name in ("a.txt", "b.txt")]
    api_client.post(f"/ingestions/{ingestion}/close")
    assert run_of(api_client, ingestion)["status"] == "completed"
    world.clock.advance(60)
    answer = api_client.post(f"/ingestions/{ingestion}/retry")
    assert (answer.status, answer.json["status"]) == (202, "running")
    world.settle()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["states"]) == ("completed", {"committed": 2})
    assert found["progress"]["errors"] == []
    assert all(api_client.get(f"/documents/{one}").json["status"] == "indexed" for one in documents)
    counted = Counter(kinds(api_client, ingestion))
    assert (counted["ingestion.completed"], counted["ingestion.retried"], counted["document.indexed"]) == (2, 1, 2)


def test_retry_takes_up_what_was_processed_again_outside_the_run_in_vain(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    document = broken(world, api_client, collection, ingestion)
    api_client.post(f"/ingestions/{ingestion}/close")
    world.reader.failures.append(Rejected("the reader stopped", code="parser_timeout"))
    assert api_client.post(f"/documents/{document}/process").status == 202
    world.settle()
    assert world.generation(api_client, document, 2).state is GenerationState.FAILED
    world.clock.advance(60)
    api_client.post(f"/ingestions/{ingestion}/retry")
    world.settle()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["states"]) == ("completed", {"committed": 1})
    assert world.generation(api_client, document, 3).state is GenerationState.COMMITTED


def test_retry_delivered_twice_starts_each_once(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    document = broken(world, api_client, collection, ingestion)
    api_client.post(f"/ingestions/{ingestion}/retry")
    (message,) = world.queue.waiting(Queue.STEER_INGESTION)
    event = {"Records": [{"messageId": "one", "body": message.body, "attributes": {}}]}
    world.call("steer_ingestion", event)
    world.call("steer_ingestion", event)
    world.settle()
    world.call("steer_ingestion", event)
    assert api_client.get(f"/documents/{document}").json["latest_version"] == 2


def test_retry_of_a_document_no_try_helps_completes_all_the_same(
    world: World, api_client: Client, collection: str
) -> None:
    ingestion = api_client.ingestion(collection, expected=1)
    api_client.slot(collection, ingestion_id=ingestion)
    world.clock.advance(1300)
    world.sweep()
    assert api_client.post(f"/ingestions/{ingestion}/retry").json["status"] == "running"
    world.settle()
    found = run_of(api_client, ingestion)
    assert (found["status"], found["progress"]["errors"][0]["code"]) == ("completed", "upload_never_arrived")
    assert Counter(kinds(api_client, ingestion))["ingestion.completed"] == 2


def test_retry_of_one_document_is_followed_by_its_run(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    document = broken(world, api_client, collection, ingestion)
    api_client.post(f"/ingestions/{ingestion}/close")
    assert api_client.post(f"/documents/{document}/retry").status == 202
    assert run_of(api_client, ingestion)["status"] == "running"
    world.settle()
    assert run_of(api_client, ingestion)["progress"]["states"] == {"committed": 1}


def test_retry_without_failures_changes_nothing(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    api_client.upload(collection, LEAVE, ingestion_id=ingestion)
    world.settle()
    before = api_client.post(f"/ingestions/{ingestion}/close").json
    assert api_client.post(f"/ingestions/{ingestion}/retry").json == before
    assert world.queue.waiting(Queue.STEER_INGESTION) == []


def test_retry_leaves_a_document_with_a_newer_version_alone(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    document = broken(world, api_client, collection, ingestion)
    world.send(api_client.post(f"/documents/{document}/versions", {}).json, LEAVE_CHANGED)
    world.settle()
    assert api_client.post(f"/ingestions/{ingestion}/retry").status == 202
    world.settle()
    assert api_client.get(f"/documents/{document}").json["latest_version"] == 2


def test_retry_of_cancelled_run_is_refused(api_client: Client, collection: str, ingestion: str) -> None:
    api_client.slot(collection, ingestion_id=ingestion)
    api_client.post(f"/ingestions/{ingestion}/cancel")
    answer = api_client.post(f"/ingestions/{ingestion}/retry")
    assert (answer.status, answer.code) == (409, "ingestion_cancelled")


def dead_letters(world: World) -> list[str]:
    """Every delivery of the steering messages fails; returns the bodies of the dead letters, which are taken away."""
    with bootstrap.override(store=LostStore(Outage("no database"))):
        for _ in range(MAX_RECEIVES + 1):
            world.deliver(Queue.STEER_INGESTION)
            world.clock.advance(1000)
    return [message.body for message in world.queue.bury(Queue.STEER_INGESTION)]


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_steering_that_was_a_dead_letter_goes_on_when_the_outage_is_over(
    action: str, world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    document = broken(world, api_client, collection, ingestion)
    api_client.slot(collection, "b.txt", ingestion_id=ingestion)
    if action == "retry":
        api_client.post(f"/ingestions/{ingestion}/close")
    world.clock.advance(60)
    assert api_client.post(f"/ingestions/{ingestion}/{action}").status == 202
    letters = dead_letters(world)
    assert len(letters) == 1
    assert outcome(world.call("ingest_reject", records(letters, "SteerIngestionDeadQueue"))) == 0
    (held_up,) = api_client.get("/health/waiting").json["runs"]
    assert (held_up["id"], "the next follows in 1 min" in held_up["trouble"]) == (ingestion, True)
    assert run_of(api_client, ingestion)["trouble"] == held_up["trouble"]
    world.pass_time(60)
    assert api_client.get("/health/waiting").json["runs"] == []
    found = run_of(api_client, ingestion)
    assert found["trouble"] == ""
    if action == "cancel":
        assert (found["status"], found["progress"]["cancelled"]) == ("cancelled", 1)
    else:
        assert api_client.get(f"/documents/{document}").json["status"] == "indexed"


def test_steering_that_is_a_dead_letter_time_and_again_ends_with_a_reason(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    document = broken(world, api_client, collection, ingestion)
    api_client.post(f"/ingestions/{ingestion}/close")
    world.clock.advance(60)
    api_client.post(f"/ingestions/{ingestion}/retry")
    for _ in range(steer.ROUNDS + 1):
        assert run_of(api_client, ingestion)["status"] == "running"
        world.call("ingest_reject", records(dead_letters(world), "SteerIngestionDeadQueue"))
        world.clock.advance(900)
    assert world.queue.waiting(Queue.STEER_INGESTION) == []
    assert run_of(api_client, ingestion)["status"] == "completed"
    assert kinds(api_client, ingestion)[-2:] == ["ingestion.stalled", "ingestion.completed"]
    (given_up,) = api_client.get("/health/waiting").json["runs"]
    assert given_up["trouble"].startswith("gave up to retry what failed in it")
    # Asked again, it is done.
    api_client.post(f"/ingestions/{ingestion}/retry")
    world.settle()
    assert api_client.get(f"/documents/{document}").json["status"] == "indexed"
    assert api_client.get("/health/waiting").json["runs"] == []
