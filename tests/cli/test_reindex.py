"""lambent reindex: what is stale, and from one index to the next."""

from pathlib import Path

import pytest

from shared.cli.commands import reindex
from tests.cli.conftest import Run
from tests.cli.fake_world import World


def test_plan_names_what_is_stale_and_what_it_would_become(run: Run, world: World) -> None:
    world.add_document(world.add_collection("hr"), "leave.md")
    world.add_collection("empty")
    told = run("reindex", "plan")
    assert told.code == 0
    assert "model 1" in told.out
    assert "local/large, structure 200/20" in told.out
    assert "1200" in told.out


def test_plan_of_one_collection_as_json(run: Run, world: World) -> None:
    made = world.add_collection("hr")
    world.add_collection("other")
    (one,) = run("reindex", "plan", "hr", "--json").json
    assert (one["collection_id"], one["needed"]) == (made["id"], False)


def test_plan_of_an_unknown_collection_says_where_to_look(run: Run) -> None:
    told = run("reindex", "plan", "nope")
    assert told.code == 1
    assert "lambent collections" in told.err


def test_start_tells_what_is_built_and_what_comes_then(run: Run, world: World) -> None:
    world.add_collection("hr")
    told = run("reindex", "start", "hr", "--model", "openai_api/x", "--chunk-size", "120", "--documents-per-day", "9")
    assert told.code == 0
    assert "building" in told.out
    (body,) = world.bodies
    assert (body["model"], body["chunking"]["size"], body["budget"]["documents_per_day"]) == ("openai_api/x", 120, 9)
    again = run("reindex", "start", "hr")
    assert again.code == 1
    assert "promote it" in again.err


def test_status_shows_every_index_and_the_scores_of_both(run: Run, world: World) -> None:
    world.add_collection("hr")
    run("reindex", "start", "hr")
    told = run("reindex", "status", "hr")
    assert "2 of 3" in told.out
    assert "0.800 -> 0.850" in told.out
    assert [one["state"] for one in run("reindex", "status", "hr", "--json").json] == ["building", "live"]


def test_promote_and_rollback_choose_the_index_that_can(run: Run, world: World) -> None:
    made = world.add_collection("hr")
    run("reindex", "start", "hr")
    assert "its status tells" in run("reindex", "promote", "hr").err
    world.reindexes[made["id"]][0]["state"] = "ready"
    assert "is live" in run("reindex", "promote", "hr").out
    assert run("reindex", "rollback", "hr", "--json").json["id"] == world.reindexes[made["id"]][0]["id"]


def test_promote_and_rollback_ask_again_while_uploads_are_on_their_way(
    run: Run, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reindex, "ASKED_AGAIN", 0.001)
    made = world.add_collection("hr")
    run("reindex", "start", "hr")
    world.reindexes[made["id"]][0]["state"] = "ready"
    world.uploads_on_their_way = 2
    assert "is live" in run("reindex", "promote", "hr").out
    world.uploads_on_their_way = 1
    assert "is dropping" in run("reindex", "rollback", "hr").out
    assert world.uploads_on_their_way == 0


def test_questions_are_set_from_lines_and_shown(run: Run, world: World, tmp_path: Path) -> None:
    made = world.add_collection("hr")
    document = world.add_document(made, "leave.md")["id"]
    assert "made from its documents" in run("reindex", "questions", "hr").err
    file = tmp_path / "questions.jsonl"
    file.write_text(f'{{"text": "How long?", "expected": [{{"document_id": "{document}"}}]}}\n\n')
    assert "How long?" in run("reindex", "questions", "hr", str(file)).out
    file.write_text("no json")
    assert "one JSON object a line" in run("reindex", "questions", "hr", str(file)).err
