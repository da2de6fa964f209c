"""search, ask, chats."""

import pytest

from tests.cli.conftest import Run
from tests.cli.fake_world import World


@pytest.fixture
def document(world: World) -> dict[str, object]:
    return world.add_document(world.add_collection("hr"), "leave.md", b"Eight days may be carried over until 30 April.")


def test_search_shows_passages_with_their_place(run: Run, document: dict[str, object]) -> None:
    told = run("search", "carry over")
    assert told.code == 0
    assert "1. leave.md  0.91  (meaning 0.71  words 5.20)" in told.out
    assert "version 1, pages 1-2, characters 0-46, Leave › Carrying over" in told.out
    assert "Eight days may be carried over" in told.out
    assert "embed 4 ms · vector 2 ms · keyword 2 ms" in told.out


def test_search_sends_what_was_asked(run: Run, world: World, document: dict[str, object]) -> None:
    condition = '{"field": "tags", "op": "contains", "value": "hr"}'
    run("search", "x", "-c", "hr", "-n", "3", "--mode", "keyword", "--filter", condition)
    body = world.bodies[-1]
    assert (body["limit"], body["mode"], body["filter"]["value"]) == (3, "keyword", "hr")
    assert body["collection_ids"] == list(world.collections)


def test_search_without_collection_searches_all(run: Run, world: World) -> None:
    for name in ("a", "b"):
        world.add_collection(name)
    run("search", "x")
    assert set(world.bodies[-1]["collection_ids"]) == set(world.collections)


def test_search_more_collections_than_allowed_asks_to_choose(run: Run, world: World) -> None:
    for index in range(21):
        world.add_collection(str(index))
    told = run("search", "x")
    assert told.code == 1
    assert "--collection" in told.err


def test_search_nothing_found_says_where_it_looked(run: Run, document: dict[str, object]) -> None:
    told = run("search", "nothing at all")
    assert told.code == 0
    assert "Nothing found in hr" in told.err


def test_search_empty_project_says_what_to_do(run: Run) -> None:
    told = run("search", "x")
    assert told.code == 1
    assert "lambent ingest" in told.err


def test_search_unknown_collection_is_named(run: Run, document: dict[str, object]) -> None:
    assert "'nope'" in run("search", "x", "-c", "nope").err


def test_search_json_is_the_api_s_answer(run: Run, document: dict[str, object]) -> None:
    assert run("search", "x", "--json").json["hits"][0]["document_id"] == document["id"]


def test_search_long_passage_is_cut_unless_full(run: Run, world: World) -> None:
    world.add_document(world.add_collection("hr"), "long.md", b"word " * 200)
    assert "…" in run("search", "x").out
    assert "…" not in run("search", "x", "--full").out


def test_ask_prints_answer_sources_and_receipt(run: Run, world: World, document: dict[str, object]) -> None:
    told = run("ask", "How many?")
    assert told.code == 0
    assert told.out.startswith("It is 42 [1]. Trust me.\n")
    assert "[1] leave.md  version 1, page 3, characters 0-40, Leave" in told.out
    assert "“Eight days may be carried over until 30”" in told.out
    assert "No source supports" in told.out
    assert "? Trust me." in told.out
    assert "extractive · 120 tokens in, 9 out · search 12 ms · answer 30 ms" in told.out
    assert f"--chat {next(iter(world.chats))}" in told.err


def test_ask_in_a_chat_goes_on_there(run: Run, world: World, document: dict[str, object]) -> None:
    run("ask", "How many?")
    chat = next(iter(world.chats))
    run("ask", "And then?", "--chat", chat)
    assert len(world.chats) == 1
    assert len(world.messages[chat]) == 4


def test_ask_unknown_says_that_documents_do_not_answer(run: Run, document: dict[str, object]) -> None:
    told = run("ask", "something unknown")
    assert told.code == 0
    assert told.out.startswith("Not found in the documents.")
    assert "do not answer" in told.err


def test_ask_text_changed_by_the_check_is_shown(run: Run, document: dict[str, object]) -> None:
    told = run("ask", "to be corrected")
    assert told.out.startswith("It is 42 [1].\n\nSources")


def test_ask_json_is_a_line_for_each_event(run: Run, world: World, document: dict[str, object]) -> None:
    told = run("ask", "How many?", "--json")
    names = [line["event"] for line in told.lines]
    assert (names[0], names[-1]) == ("sources", "answer")
    assert told.lines[-1]["chat_id"] == next(iter(world.chats))
    assert told.lines[-1]["data"]["answer"]["citations"][0]["quote"] == "Eight days may be carried over until 30 "


def test_ask_failure_half_way_is_told(run: Run, document: dict[str, object]) -> None:
    told = run("ask", "explode")
    assert told.code == 1
    assert "the model is down" in told.err
    assert "ask again later" in told.err


def test_ask_stream_that_breaks_off_is_told(run: Run, document: dict[str, object]) -> None:
    told = run("ask", "break off")
    assert told.code == 1
    assert "broke off" in told.err


def test_ask_unknown_chat_is_told(run: Run) -> None:
    told = run("ask", "x", "--chat", "00000000-0000-0000-0000-000000000001", "--json")
    assert told.code == 1
    assert told.problem["code"] == "chat_not_found"


def test_chats_list_show_and_delete(run: Run, world: World, document: dict[str, object]) -> None:
    assert "lambent ask" in run("chats").err
    run("ask", "How many?")
    chat = next(iter(world.chats))
    assert chat in run("chats").out
    shown = run("chats", "show", chat).out
    assert "How many?" in shown
    assert "[1] leave.md" in shown
    assert run("chats", "delete", chat, "--json").json == {"deleted": chat}
    assert run("chats", "delete", chat).code == 1
