"""Files in, indexed documents out."""

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from fastapi import Response

from shared.cli import ingestion, transfer
from shared.cli.api import Api
from shared.cli.errors import ApiProblem, Unreachable
from tests.cli.conftest import Run
from tests.cli.fake_world import World


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake moves when it is looked at; waiting between looks would only cost time."""
    monkeypatch.setattr(ingestion, "_FIRST_POLL", 0.0)
    monkeypatch.setattr(ingestion, "_LONGEST_POLL", 0.001)
    monkeypatch.setattr(ingestion, "_TICK", 0.005)
    monkeypatch.setattr(ingestion, "_LOOKING_SHARE", 0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "handbook"
    (root / "leave").mkdir(parents=True)
    (root / "leave" / "annual.md").write_text("# Leave\n\n28 days.")
    (root / "start.txt").write_text("Welcome.")
    return root


def paths_of(world: World) -> set[str]:
    return {one["path"] for one in world.documents.values()}


def test_ingest_folder_indexes_every_file_under_its_name(run: Run, world: World, folder: Path) -> None:
    told = run("ingest", folder, "--collection", "hr")
    assert told.code == 0
    assert paths_of(world) == {"handbook/leave/annual.md", "handbook/start.txt"}
    assert {one["status"] for one in world.documents.values()} == {"indexed"}
    assert [one["name"] for one in world.collections.values()] == ["hr"]
    assert "hr: 2 indexed" in told.out
    assert "6 chunks" in told.out
    assert "indexed    handbook/start.txt" in told.err


def test_ingest_sends_labels_type_and_hash(run: Run, world: World, folder: Path) -> None:
    given = ("--tag", "a", "--tag", "b", "-m", "year=2026", "-m", "final=true", "-m", "code=007x", "-m", 'pin="1"')
    run("ingest", folder / "leave" / "annual.md", *given)
    body = world.bodies[0]
    assert (body["path"], body["name"], body["media_type"]) == ("annual.md", "annual.md", "text/markdown")
    assert body["tags"] == ["a", "b"]
    assert body["metadata"] == {"year": 2026, "final": True, "code": "007x", "pin": "1"}
    assert len(body["content_hash"]) == 64
    assert [one["name"] for one in world.collections.values()] == ["default"]


def test_ingest_again_sends_only_what_changed(run: Run, world: World, folder: Path) -> None:
    run("ingest", folder)
    (folder / "start.txt").write_text("Welcome back.")
    world.requests.clear()
    told = run("ingest", folder)
    assert told.code == 0
    assert "1 indexed, 1 unchanged" in told.out
    assert world.requests.count(("POST", "/objects")) == 1
    assert sorted(one["latest_generation"] for one in world.documents.values()) == [1, 2]


def test_ingest_failed_document_says_why_and_exits_1(run: Run, world: World, folder: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"BROKEN")
    told = run("ingest", folder)
    assert told.code == 1
    assert "handbook/bad.pdf" in told.out
    assert "the file is damaged" in told.out
    assert "2 indexed, 1 failed" in told.out
    assert "lambent why" in told.err


def test_ingest_warning_is_shown(run: Run, folder: Path) -> None:
    (folder / "scan.txt").write_bytes(b"SCAN")
    told = run("ingest", folder)
    assert told.code == 0
    assert "page 2 has no text" in told.out


def test_ingest_json_is_one_document(run: Run, folder: Path) -> None:
    (folder / "bad.pdf").write_bytes(b"BROKEN")
    told = run("ingest", folder, "--json")
    assert told.code == 1
    assert told.err == ""
    assert told.json["results"] == {"indexed": 2, "failed": 1}
    bad = next(one for one in told.json["documents"] if one["path"] == "handbook/bad.pdf")
    assert (bad["code"], bad["reason"]) == ("unreadable_file", "the file is damaged")
    good = next(one for one in told.json["documents"] if one["path"] == "handbook/start.txt")
    assert good["timings"]["extracting"] == 1200


def test_ingest_file_the_api_refuses_fails_alone(run: Run, folder: Path) -> None:
    (folder / "huge.txt").write_text("x" * 2000)
    told = run("ingest", folder)
    assert told.code == 1
    assert "2000 bytes; 1000 at most" in told.out
    assert "2 indexed, 1 failed" in told.out


def test_ingest_file_the_store_refuses_fails_alone(run: Run, world: World, folder: Path) -> None:
    world.store_refusals.append(Response("<Error><Code>EntityTooLarge</Code><Message>m</Message></Error>", 400))
    told = run("ingest", folder)
    assert told.code == 1
    assert "EntityTooLarge: the file is larger than this deployment takes" in " ".join(told.out.split())


def test_ingest_store_is_tried_again_when_it_stumbles(
    run: Run, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfer, "RETRY_SECONDS", 0.0)
    world.store_refusals.append(Response("<Error><Code>SlowDown</Code></Error>", 503))
    assert run("ingest", folder).code == 0


def test_ingest_unreadable_file_fails_alone(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(file: Path) -> str:
        if file.name == "start.txt":
            raise PermissionError(13, "Permission denied")
        return "0" * 64

    monkeypatch.setattr(ingestion, "digest", digest)
    told = run("ingest", folder)
    assert told.code == 1
    assert "cannot be read: Permission denied" in told.out


def test_ingest_wrong_key_stops_at_once(run: Run, world: World, folder: Path) -> None:
    told = run("ingest", folder, "--key", "lam_wrong")
    assert told.code == 1
    assert "no valid credential" in told.err
    assert world.documents == {}


def test_ingest_no_wait_returns_when_all_is_sent(run: Run, world: World, folder: Path) -> None:
    told = run("ingest", folder, "--no-wait")
    assert told.code == 0
    assert "2 sent" in told.out
    assert len(world.objects) == 2
    assert {one["status"] for one in world.documents.values()} == {"awaiting_upload"}


def test_ingest_stuck_document_is_given_up_with_its_story(
    run: Run, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stuck = True
    told = run("ingest", folder / "start.txt", "--timeout", "1", "--jobs", "1")
    assert told.code == 1
    assert "being embedded for 12 s; next:" in " ".join(told.out.split())
    assert "1 still on their way" in told.out


def test_ingest_api_that_stumbles_meanwhile_is_asked_again(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Api.document
    stumbles: list[Exception] = [ApiProblem(503, {"detail": "asleep"}), Unreachable("gone")]

    def stumble(api: Api, document_id: str) -> object:
        if stumbles:
            raise stumbles.pop()
        return ask(api, document_id)

    monkeypatch.setattr(Api, "document", stumble)
    assert run("ingest", folder).code == 0
    assert stumbles == []


def test_ingest_api_that_stays_silent_ends_it(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(api: Api, document_id: str) -> object:
        raise Unreachable("gone")

    monkeypatch.setattr(Api, "document", silent)
    monkeypatch.setattr(ingestion, "_SILENCE_SECONDS", 0.1)
    told = run("ingest", folder)
    assert told.code == 1
    assert "stopped answering" in told.err


def test_ingest_deleted_meanwhile_is_told(
    run: Run, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = world.step

    def vanish(document: dict[str, object]) -> None:
        step(document)
        if document["path"] == "start.txt":
            world.documents.pop(str(document["id"]), None)

    monkeypatch.setattr(world, "step", vanish)
    told = run("ingest", folder / "start.txt")
    assert "1 deleted meanwhile" in told.out


def test_ingest_ctrl_c_says_that_work_goes_on(
    run: Run, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.stuck = True

    once = iter([signal.SIGINT])

    def interrupt(*_: object) -> tuple[object, None]:
        for number in once:
            signal.raise_signal(number)
        # Not known this time: the interrupt may reach the main thread a moment later.
        return ingestion._Seen(""), None

    monkeypatch.setattr(ingestion.Ingestion, "_look", interrupt)
    # Whoever starts the tests in the background has the interrupt ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        told = run("ingest", folder)
    finally:
        signal.signal(signal.SIGINT, before)
    assert told.code == 130
    assert "lambent documents --status processing" in told.err
    assert "Traceback" not in told.err


def test_ingest_missing_path_is_named(run: Run) -> None:
    told = run("ingest", "nowhere")
    assert told.code == 1
    assert "'nowhere'" in told.err


def test_ingest_nothing_to_take_says_what_was_passed_over(run: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").touch()
    told = run("ingest", tmp_path / "photos")
    assert told.code == 1
    assert "pictures, sound and video (1)" in told.err


def test_ingest_unknown_collection_id_makes_no_collection(run: Run, world: World, folder: Path) -> None:
    told = run("ingest", folder, "-c", "00000000-0000-0000-0000-000000000001")
    assert told.code == 1
    assert world.collections == {}


def test_ingest_malformed_metadata_is_refused(run: Run, folder: Path) -> None:
    told = run("ingest", folder, "-m", "year")
    assert told.code == 1
    assert "name=value" in told.err


def test_ingest_collection_made_by_another_at_the_same_time_is_used(
    run: Run, world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = world.add_collection("hr")
    listings: list[Sequence[object]] = [[], [known]]
    monkeypatch.setattr(Api, "collections", lambda self: iter(listings.pop(0)))
    assert run("ingest", folder, "-c", "hr").code == 0
    assert len(world.collections) == 1


def test_ingest_server_error_on_announcing_is_a_failure_of_that_file(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce = Api.announce

    def crash(api: Api, upload: dict[str, object]) -> object:
        if upload["name"] == "start.txt":
            raise ApiProblem(500, {"code": "internal_error", "detail": "an unexpected error; the log has the details"})
        return announce(api, upload)

    monkeypatch.setattr(Api, "announce", crash)
    told = run("ingest", folder)
    assert told.code == 1
    assert "1 indexed, 1 failed" in told.out


def test_ingest_many_documents_are_watched_by_listing(
    run: Run, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "_SKIM_SECONDS", 0.0)
    monkeypatch.setattr(ingestion, "_SKIM_REST", 0.0)
    (tmp_path / "many").mkdir()
    for index in range(30):
        (tmp_path / "many" / f"{index}.txt").write_text(f"Number {index}.")
    told = run("ingest", tmp_path / "many")
    assert told.code == 0
    assert "30 indexed" in told.out
    ((id, _),) = world.ingestions.items()
    assert ("GET", f"/api/v1/ingestions/{id}/events") in world.requests


def test_ingest_events_that_cannot_be_had_are_no_reason_to_stop(
    run: Run, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> object:
        raise Unreachable("gone")

    monkeypatch.setattr(Api, "ingestion_events", fail)
    monkeypatch.setattr(ingestion, "FEW", 0)
    (tmp_path / "a.txt").write_text("a")
    assert run("ingest", tmp_path / "a.txt").code == 0
