"""Commands about documents, collections and projects."""

import io
import sys
from pathlib import Path

import pytest

from shared.cli.commands import files
from tests.cli.conftest import Run
from tests.cli.fake_world import World, problem


@pytest.fixture
def document(world: World) -> dict[str, object]:
    return world.add_document(world.add_collection("hr"), "handbook/leave.md")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_POLL_SECONDS", (0.0,))


def test_documents_lists_path_status_and_id(run: Run, document: dict[str, object]) -> None:
    told = run("documents")
    assert told.code == 0
    assert "handbook/leave.md" in told.out
    assert "indexed" in told.out
    assert str(document["id"]) in told.out
    assert "\x1b" not in told.out


def test_documents_none_says_what_to_do(run: Run) -> None:
    told = run("documents")
    assert (told.code, told.out) == (0, "")
    assert "lambent ingest" in told.err


def test_documents_reads_every_page(run: Run, world: World) -> None:
    world.page = 2
    room = world.add_collection("hr")
    for index in range(5):
        world.add_document(room, f"{index}.md")
    assert len(run("documents", "--json", "--limit", "0").json) == 5


def test_documents_limit_says_that_there_are_more(run: Run, world: World) -> None:
    room = world.add_collection("hr")
    for index in range(3):
        world.add_document(room, f"{index}.md")
    told = run("documents", "--limit", "2")
    assert len(told.out.splitlines()) == 3
    assert "--limit 0" in told.err


def test_documents_filters_by_collection_status_tag_and_filter(
    run: Run, world: World, document: dict[str, object]
) -> None:
    document["tags"] = ["hr"]
    world.add_document(world.add_collection("other"), "x.md")
    given = (
        "--collection",
        "hr",
        "--status",
        "indexed",
        "--tag",
        "hr",
        "--filter",
        '{"field": "name", "op": "eq", "value": "leave.md"}',
    )
    assert [one["path"] for one in run("documents", "--json", *given).json] == ["handbook/leave.md"]
    assert run("documents", "--json", "--tag", "none").json == []


def test_documents_malformed_filter_shows_how_to_write_one(run: Run) -> None:
    told = run("documents", "--filter", "{tags")
    assert told.code == 1
    assert "not JSON" in told.err
    assert '"op": "contains"' in told.err


def test_documents_filter_the_api_refuses_is_told(run: Run) -> None:
    told = run("documents", "--filter", '{"oops": 1}')
    assert told.code == 1
    assert "expected exactly field, op and value" in told.err


def test_documents_unknown_collection_is_named(run: Run) -> None:
    told = run("documents", "-c", "nope")
    assert told.code == 1
    assert "'nope'" in told.err
    assert "lambent collections" in told.err


def test_documents_unknown_status_lists_the_choices(run: Run) -> None:
    told = run("documents", "--status", "done")
    assert told.code == 2
    assert "processing" in told.err


def test_documents_newer_version_not_served_is_shown(run: Run, document: dict[str, object]) -> None:
    document["latest_generation"] = 2
    assert "1 (2 not yet)" in run("documents").out


@pytest.mark.parametrize("way", ["handbook/leave.md", "leave.md", "id"])
def test_document_is_found_by_path_name_and_id(run: Run, document: dict[str, object], way: str) -> None:
    told = run("document", str(document["id"]) if way == "id" else way)
    assert told.code == 0
    assert "1 is searched, 1 is the latest" in told.out
    assert "3 chunks" in told.out


def test_document_unknown_name_says_how_to_list(run: Run) -> None:
    told = run("document", "nope.md")
    assert told.code == 1
    assert "lambent documents" in told.err


def test_document_unknown_id_is_told(run: Run) -> None:
    told = run("document", "00000000-0000-0000-0000-000000000001")
    assert told.code == 1
    assert "there is no document" in told.err


def test_document_name_that_repeats_lists_the_ways_out(run: Run, world: World) -> None:
    room = world.add_collection("hr")
    ids = [str(world.add_document(room, path)["id"]) for path in ("a/x.md", "b/x.md")]
    told = run("document", "x.md")
    assert told.code == 1
    assert all(one in told.err for one in ids)
    assert run("document", "a/x.md", "--json").json["id"] == ids[0]


def test_document_name_that_repeats_is_found_within_a_collection(run: Run, world: World) -> None:
    world.add_document(world.add_collection("one"), "x.md")
    wanted = world.add_document(world.add_collection("two"), "x.md")
    assert run("document", "x.md", "-c", "two", "--json").json["id"] == wanted["id"]


def test_why_tells_summary_next_and_history(run: Run, document: dict[str, object]) -> None:
    document["latest_generation"] = 2
    told = run("why", "leave.md")
    assert told.code == 0
    assert "being embedded for 12 s" in told.out
    assert "queued again in 7 min" in told.out
    assert "published" in told.out


def test_why_json_is_the_explanation(run: Run, document: dict[str, object]) -> None:
    assert run("why", str(document["id"]), "--json").json["status"] == "indexed"


def test_text_prints_it_as_it_is(run: Run, document: dict[str, object]) -> None:
    document["text"] = "Line one.\n[bold]Line two\x1b."
    assert run("text", "leave.md").out == "Line one.\n[bold]Line two\x1b."


def test_text_of_a_long_document_is_whole(run: Run, document: dict[str, object]) -> None:
    document["text"] = "0123456789" * 45_000
    assert run("text", "leave.md").out == document["text"]


def test_text_span_is_what_was_asked_for(run: Run, document: dict[str, object]) -> None:
    document["text"] = "0123456789" * 45_000
    assert run("text", "leave.md", "--start", "3", "--end", "7").out == "3456"
    assert len(run("text", "leave.md", "--start", "10", "--end", "300010").out) == 300_000


def test_text_of_an_empty_document_is_empty(run: Run, document: dict[str, object]) -> None:
    document["text"] = ""
    assert run("text", "leave.md").out == ""


def test_download_writes_the_original(
    run: Run, document: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = run("download", "leave.md")
    assert told.code == 0
    assert (tmp_path / "leave.md").read_bytes() == b"Some text. It says 42."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["leave.md", "template.yaml"]


def test_download_replaces_a_file_only_when_told_to(run: Run, document: dict[str, object], tmp_path: Path) -> None:
    target = tmp_path / "mine.md"
    target.write_text("mine")
    told = run("download", "leave.md", "-o", target)
    assert told.code == 1
    assert target.read_text() == "mine"
    assert run("download", "leave.md", "-o", target, "--force", "--json").json["bytes"] == 22


def test_download_to_standard_output_is_the_bytes(
    run: Run, document: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdout", out)
    run("download", "leave.md", "-o", "-")
    assert out.buffer.getvalue() == b"Some text. It says 42."


def test_download_refused_leaves_no_file(run: Run, world: World, document: dict[str, object], tmp_path: Path) -> None:
    world.objects.clear()
    told = run("download", "leave.md", "-o", tmp_path / "x.md")
    assert told.code == 1
    assert "NoSuchKey" in told.err
    assert [path.name for path in tmp_path.iterdir()] == ["template.yaml"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("../../etc/passwd", "passwd"), ("a\\b.txt", "b.txt"), (".bashrc", "bashrc"), ("..", "document")],
)
def test_file_name_stays_in_the_folder(name: str, expected: str) -> None:
    assert files.file_name(name) == expected


def test_delete_waits_for_the_receipt_and_prints_it(run: Run, world: World, document: dict[str, object]) -> None:
    told = run("delete", "leave.md")
    assert told.code == 0
    assert "nothing is left in any store" in told.out
    assert "vectors" in told.out
    assert world.documents == {}


def test_delete_several_gives_a_receipt_each(run: Run, world: World) -> None:
    room = world.add_collection("hr")
    for path in ("a.md", "b.md"):
        world.add_document(room, path)
    assert [one["complete"] for one in run("delete", "a.md", "b.md", "--json").json] == [True, True]


def test_delete_with_one_unknown_name_deletes_nothing(run: Run, world: World, document: dict[str, object]) -> None:
    told = run("delete", "leave.md", "typo.md")
    assert told.code == 1
    assert len(world.documents) == 1


def test_delete_no_wait_shows_the_receipt_as_it_is(run: Run, document: dict[str, object]) -> None:
    told = run("delete", "leave.md", "--no-wait")
    assert told.code == 0
    assert "out of every answer" in told.out


def test_delete_receipt_that_stays_open_is_an_error(
    run: Run, world: World, document: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stuck = True
    monkeypatch.setattr(files, "RECEIPT_SECONDS", 0.0)
    told = run("delete", "leave.md")
    assert told.code == 1
    assert f"lambent receipt {document['id']}" in told.err


def test_receipt_shows_the_proof(run: Run, document: dict[str, object]) -> None:
    run("delete", "leave.md")
    assert "nothing is left" in run("receipt", str(document["id"])).out


def test_receipt_of_a_name_asks_for_the_id(run: Run) -> None:
    told = run("receipt", "leave.md")
    assert told.code == 1
    assert "id only" in told.err


def test_receipt_unknown_is_told(run: Run) -> None:
    assert "no deletion receipt" in run("receipt", "00000000-0000-0000-0000-000000000001").err


def test_process_starts_a_new_version(run: Run, document: dict[str, object]) -> None:
    assert "Version 2" in run("process", "leave.md").out
    told = run("process", "leave.md")
    assert told.code == 1
    assert "still embedding" in told.err


def test_collections_lists_counts(run: Run, document: dict[str, object]) -> None:
    told = run("collections")
    assert told.code == 0
    assert told.out.splitlines()[1].split()[:5] == ["hr", "1", "1", "0", "3"]


def test_collections_none_says_how_to_make_one(run: Run) -> None:
    assert "lambent ingest" in run("collections").err


def test_collections_create_and_delete(run: Run, world: World) -> None:
    assert run("collections", "create", "legal", "--json").json["name"] == "legal"
    assert "there is a collection" in run("collections", "create", "legal").err
    told = run("collections", "delete", "legal", "--yes")
    assert told.code == 0
    assert world.collections == {}


def test_collections_delete_without_yes_and_nobody_to_ask_is_refused(
    run: Run, world: World, document: dict[str, object]
) -> None:
    told = run("collections", "delete", "hr")
    assert told.code == 1
    assert "--yes" in told.err
    assert len(world.collections) == 1


def test_collections_options_before_the_subcommand_count(run: Run) -> None:
    assert run("collections", "--json", "create", "legal").json["name"] == "legal"


def test_projects_create_and_list(run: Run) -> None:
    made = run("projects", "create", "north", "--json").json
    told = run("projects")
    assert "north" in told.out
    assert made["id"] in told.out
    assert "--project" in run("projects", "create", "south").err


def test_project_option_is_sent_as_header(run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.refusals.append(problem(404, "project_not_found", "no such project for this key"))
    told = run("documents", "--project", "00000000-0000-0000-0000-000000000001")
    assert "no such project" in told.err
