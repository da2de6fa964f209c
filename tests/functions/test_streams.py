"""Streams: an answer as server-sent events."""

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from shared.domain.documents import Reason
from shared.domain.errors import Unavailable
from shared.domain.tenants import Scope
from shared.runtime import watching
from shared.runtime.steering import PERMISSIONS, PRINCIPAL
from shared.runtime.transactions import transaction
from shared.usecases.ingest.stage import end
from shared.usecases.ingestions import manage
from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.texts import GARDEN, LEAVE
from tests.functions.world import Client, World

PATH = "/streams/chats/{}/messages"


@pytest.fixture
def chat(api_client: Client, collection: str, sample_document: str) -> str:
    return str(api_client.post("/chats", {"collection_ids": [collection]}).json["id"])


def events(answer: Answer) -> list[tuple[str, Any]]:
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = []
    for block in answer.body.split("\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"])))
    return found


@pytest.mark.parametrize("case", cases("streams"))
def test_streams_with_example_answers(case: str, world: World) -> None:
    seed(world)
    found = events(Answer.of(world.call("streams", example("streams", case), milliseconds=9_000)))
    assert found[0][0] == ("progress" if case == "watch" else "sources")
    assert found[-1][0] == ("progress" if case == "watch" else "answer")


def test_ask_streams_sources_then_deltas_then_the_checked_answer(world: World, api_client: Client, chat: str) -> None:
    world.llm.answers.append("Every employee has thirty days\nof paid leave a year [1].")
    found = events(api_client.post(PATH.format(chat), {"question": "How many days of paid leave?"}))
    names = [name for name, _ in found]
    assert names[0] == "sources"
    assert set(names[1:-1]) == {"delta"}
    assert names[-1] == "answer"
    assert found[0][1]["sources"][0]["number"] == 1
    assert found[0][1]["sources"][0]["document_name"] == "leave.txt"
    deltas = "".join(data["text"] for name, data in found if name == "delta")
    assert deltas == "Every employee has thirty days\nof paid leave a year [1]."
    answer = found[-1][1]["answer"]
    assert len(answer["citations"]) == 1
    kept = api_client.get(f"/chats/{chat}/messages").json
    assert kept[1] == answer


@pytest.mark.parametrize(
    ("error", "code"),
    [(Unavailable("the model is down", code="model_down"), "model_down"), (RuntimeError("hunter2"), "internal_error")],
)
def test_ask_with_model_that_fails_midway_ends_with_an_error_event(
    error: Any, code: str, world: World, api_client: Client, chat: str, capsys: pytest.CaptureFixture[str]
) -> None:
    world.llm.answers.append(("Every employee ", error) if code != "internal_error" else crashing(error))
    found = events(api_client.post(PATH.format(chat), {"question": "How many days?"}))
    assert [name for name, _ in found][-1] == "error"
    assert found[-1][1]["code"] == code
    assert "hunter2" not in json.dumps(found)
    assert api_client.get(f"/chats/{chat}/messages").json == []


def crashing(error: Exception) -> Any:
    def parts() -> Any:
        yield "Every employee "
        raise error

    return parts()


@pytest.mark.parametrize("question", ["", "   "])
def test_ask_with_empty_question_is_a_problem_before_the_stream(question: str, api_client: Client, chat: str) -> None:
    answer = api_client.post(PATH.format(chat), {"question": question})
    assert (answer.status, answer.code) == (422, "empty_question")


def test_ask_in_unknown_chat_is_a_problem_before_the_stream(api_client: Client) -> None:
    answer = api_client.post(PATH.format("00000000-0000-7000-8000-000000000001"), {"question": "x"})
    assert (answer.status, answer.code) == (404, "chat_not_found")


def test_ask_without_key_is_a_problem_before_the_stream(world: World, chat: str) -> None:
    answer = world.api("POST", "/api/v1" + PATH.format(chat), {"question": "x"})
    assert (answer.status, answer.code) == (401, "unauthenticated")


def test_ask_with_bad_body_is_a_problem_before_the_stream(api_client: Client, chat: str) -> None:
    assert api_client.post(PATH.format(chat), {"question": "x", "more": 1}).code == "validation_failed"


WATCH = "/streams/ingestions/{}"


@pytest.fixture
def ingestion(api_client: Client, collection: str) -> str:
    return api_client.ingestion(collection)


@contextmanager
def meanwhile(world: World, patch: pytest.MonkeyPatch, *acts: Callable[[], Awaitable[object]]) -> Iterator[list[float]]:
    """While the watcher waits, a second passes and the next act is done; gives the waits."""
    waits: list[float] = []
    left = list(acts)

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        world.clock.advance(seconds)
        if left:
            await left.pop(0)()

    with patch.context() as patched:
        patched.setattr(watching, "sleep", sleep)
        yield waits


def ids(answer: Answer) -> list[int]:
    return [int(one) for one in re.findall(r"^id: (\d+)$", answer.body, re.MULTILINE)]


def test_watch_of_completed_run_tells_all_of_it_and_ends(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    api_client.upload(collection, LEAVE, ingestion_id=ingestion)
    world.settle()
    api_client.post(f"/ingestions/{ingestion}/close")
    answer = api_client.get(WATCH.format(ingestion))
    names = [name for name, _ in events(answer)]
    assert names == [
        *("progress", "ingestion.started", "document.indexed"),
        *("ingestion.closed", "ingestion.completed", "end"),
    ]
    assert ids(answer) == [1, 2, 3, 4]
    assert "retry: 1000" in answer.body
    assert events(answer)[0][1]["progress"]["states"] == {"committed": 1}
    assert events(answer)[-1][1] == {"status": "completed"}


def test_watch_resumed_by_last_event_id_loses_and_repeats_nothing(
    world: World, api_client: Client, collection: str, ingestion: str
) -> None:
    for name in ("a.txt", "b.txt"):
        api_client.upload(collection, LEAVE, name, ingestion_id=ingestion)
    world.settle()
    api_client.post(f"/ingestions/{ingestion}/close")
    for last in range(6):
        answer = api_client("GET", WATCH.format(ingestion), headers={"Last-Event-ID": str(last)})
        assert ids(answer) == list(range(last + 1, 6))
        assert events(answer)[-1][0] == "end"


def test_watch_tells_what_happens_meanwhile(
    world: World, api_client: Client, collection: str, ingestion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [api_client.slot(collection, f"{n}.txt", ingestion_id=ingestion) for n in range(2)]

    async def fail(slot: dict[str, Any]) -> None:
        async with transaction(world.scope(api_client)) as ports:
            found = await ports.documents.lock_with(ports_scope, UUID(slot["document"]["id"]), 1)
            assert found is not None
            await end(ports_scope, ports, *found, Reason("broken", "it broke"))

    async def close() -> None:
        scope = Scope(api_client.tenant_id, PRINCIPAL, PERMISSIONS, api_client.project_id)
        async with transaction(scope) as ports:
            await manage.close(scope, ports, UUID(ingestion))

    ports_scope = world.scope(api_client)
    with meanwhile(world, monkeypatch, lambda: fail(first), close, lambda: fail(second)) as waits:
        answer = api_client.get(WATCH.format(ingestion))
    assert [name for name, _ in events(answer) if name != "progress"] == [
        *("ingestion.started", "document.failed", "ingestion.closed", "document.failed"),
        *("ingestion.completed", "end"),
    ]
    assert ids(answer) == [1, 2, 3, 4, 5]
    assert waits == [1.0] * 3
    progress = [data["progress"]["finished"] for name, data in events(answer) if name == "progress"]
    assert progress == [0, 1, 1, 2]


def test_watch_ends_before_the_platform_ends_it_and_can_be_resumed(
    world: World, api_client: Client, collection: str, ingestion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api_client.slot(collection, ingestion_id=ingestion)
    with meanwhile(world, monkeypatch) as waits:
        answer = api_client.get(WATCH.format(ingestion))
    # The example context leaves 30 s.
    assert sum(waits) == 30 - watching.MARGIN_SECONDS
    assert [name for name, _ in events(answer)] == ["progress", "ingestion.started"]
    assert answer.body.count(": nothing new\n\n") == 1
    with meanwhile(world, monkeypatch):
        again = api_client("GET", WATCH.format(ingestion), headers={"Last-Event-ID": "1"})
    assert ids(again) == []


def test_watch_of_a_long_story_tells_it_without_waiting(
    world: World, api_client: Client, collection: str, ingestion: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "BATCH", 2)
    for name in ("a.txt", "b.txt", "c.txt"):
        api_client.upload(collection, GARDEN, name, ingestion_id=ingestion)
    world.settle()
    api_client.post(f"/ingestions/{ingestion}/close")
    with meanwhile(world, monkeypatch) as waits:
        answer = api_client.get(WATCH.format(ingestion))
    assert ids(answer) == [1, 2, 3, 4, 5, 6]
    assert waits == []


def test_watch_of_unknown_run_is_a_problem_before_the_stream(api_client: Client) -> None:
    answer = api_client.get(WATCH.format("00000000-0000-7000-8000-000000000001"))
    assert (answer.status, answer.code) == (404, "ingestion_not_found")


@pytest.mark.parametrize("last", ["-1", "x", "9" * 30])
def test_watch_with_bad_last_event_id_is_refused(last: str, api_client: Client, ingestion: str) -> None:
    answer = api_client("GET", WATCH.format(ingestion), headers={"Last-Event-ID": last})
    assert (answer.status, answer.code) == (422, "validation_failed")
