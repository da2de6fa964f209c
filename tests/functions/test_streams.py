"""Streams: an answer as server-sent events."""

import json
from typing import Any

import pytest

from shared.domain.errors import Unavailable
from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
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
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@pytest.mark.parametrize("case", cases("streams"))
def test_streams_with_example_answers(case: str, world: World) -> None:
    seed(world)
    found = events(Answer.of(world.call("streams", example("streams", case))))
    assert found[0][0] == "sources"
    assert found[-1][0] == "answer"


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
