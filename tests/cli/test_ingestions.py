"""Ingestion runs on the command line: made by `ingest`, listed, shown, watched, cancelled, retried."""

from pathlib import Path
from typing import Any

import pytest

from shared.cli.api import Api
from tests.cli.conftest import Run
from tests.cli.fake_world import World
from tests.cli.test_ingest import folder, quick

__all__ = ["folder", "quick"]


@pytest.fixture
def done(run: Run, world: World, folder: Path) -> str:
    """Id of a run with one document that is indexed and one that failed."""
    (folder / "bad.txt").write_text("BROKEN")
    (folder / "leave" / "annual.md").unlink()
    told = run("ingest", folder, "--json")
    return str(told.json["ingestion"]["id"])


def test_ingest_makes_a_run_names_it_in_each_upload_and_closes_it(run: Run, world: World, folder: Path) -> None:
    told = run("ingest", folder, "-c", "hr")
    ((id, made),) = world.ingestions.items()
    assert (made["name"], made["expected"]) == ("handbook", 2)
    assert {body["ingestion_id"] for body in world.bodies} == {id}
    assert world.actions == [(id, "close")]
    assert f"lambent ingestions show {id}" in told.out + told.err


def test_ingest_that_ends_early_closes_its_run(
    run: Run, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(api: Api, upload: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(Api, "announce", crash)
    assert run("ingest", folder).code == 130
    assert [action for _, action in world.actions] == ["close"]


def test_ingestions_lists_runs_newest_first(run: Run, world: World, folder: Path) -> None:
    run("ingest", folder / "start.txt")
    run("ingest", folder)
    told = run("ingestions", "--json")
    assert [one["name"] for one in told.json] == ["handbook", "start.txt"]
    assert run("ingestions", "list", "--json", "-n", "1").json == told.json[:1]
    assert "handbook" in run("ingestions").out
    assert run("ingestions", "list", "-c", "default", "--json").json == told.json


def test_ingestions_without_any_says_how_to_make_one(run: Run) -> None:
    assert "lambent ingest FOLDER" in run("ingestions").err
    told = run("ingestions", "show")
    assert (told.code, "there are no ingestions yet" in told.err) == (1, True)


def test_show_tells_progress_cost_and_errors(run: Run, done: str) -> None:
    told = run("ingestions", "show", done)
    words = " ".join(told.out.split())
    assert "100% of 2 documents" in words
    assert "3 chunks (2 embedded, 1 known already), 40 tokens" in words
    assert "unreadable_file 1 bad.txt the file is damaged" in words
    assert run("ingestions", "show", "--json").json["id"] == done


def test_show_of_unknown_run_is_told(run: Run, done: str) -> None:
    told = run("ingestions", "show", "00000000-0000-0000-0000-000000000001")
    assert (told.code, "no such ingestion" in told.err) == (1, True)
    assert "is no id" in run("ingestions", "show", "July").err


def test_watch_tells_every_event_once_over_several_streams(run: Run, world: World, done: str) -> None:
    news: dict[str, Any] = {"document_id": None, "version": None, "data": {}}
    world.happened += [(done, {"kind": kind, **news}) for kind in ("ingestion.closed", "ingestion.completed")]
    told = run("ingestions", "watch", done, "--json")
    assert [one["number"] for one in told.lines] == [1, 2, 3, 4]
    assert told.code == 1
    streams = [path for _, path in world.requests if path.startswith("/api/v1/streams/")]
    assert len(streams) == 2
    words = run("ingestions", "watch", done).out
    assert "document.failed" in words
    assert "the file is damaged" in words


def test_cancel_and_retry_concern_the_latest_run(run: Run, world: World, done: str) -> None:
    assert "1 document taken up again" in run("ingestions", "retry").out
    assert "cancelled" in run("ingestions", "cancel").out
    assert world.actions[-2:] == [(done, "retry"), (done, "cancel")]


def test_retry_without_failures_says_so(run: Run, world: World, folder: Path) -> None:
    run("ingest", folder)
    assert "Nothing failed" in run("ingestions", "retry").out
