"""The demo with a key that is given, and the documents it takes in; tests/demo has it sign up."""

import hashlib
from pathlib import Path

import pytest

from shared.cli import address, demonstration, ingestion
from tests.cli.conftest import Run
from tests.cli.fake_cloud import FakeCloud
from tests.cli.fake_world import KEY, World
from tests.demo import generate

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "tests" / "demo" / "documents"


@pytest.fixture(autouse=True)
def checkout(monkeypatch: pytest.MonkeyPatch, fake_cloud: FakeCloud, world: World) -> None:
    """The demo runs in the real checkout, against the fake cloud and API."""
    monkeypatch.setattr(address, "repository_root", lambda: ROOT)
    monkeypatch.setattr(ingestion, "_FIRST_POLL", 0.0)
    monkeypatch.setattr(ingestion, "_TICK", 0.005)
    monkeypatch.setattr(ingestion, "_LOOKING_SHARE", 0.0)
    monkeypatch.setattr(demonstration, "QUESTIONS", ("How many?", "When?"))
    fake_cloud.url, fake_cloud.api_key = world.url, KEY


@pytest.fixture
def roomy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake API's limit of a file is for other tests."""
    monkeypatch.setattr("tests.cli.fake_world.MAX_BYTES", 1_000_000)


@pytest.mark.usefixtures("roomy")
def test_demo_starts_what_is_needed_and_stops_it(run_local: Run, fake_cloud: FakeCloud, world: World) -> None:
    told = run_local("demo", "--key", KEY)
    assert told.code == 0, told.err
    assert isinstance(fake_cloud.told[0], object)
    assert fake_cloud.told[-1] == "down"
    assert "2 questions answered; all 2 citations hold" in told.out
    assert "handbook/employee-handbook.pdf" in told.out
    assert "Try next" in told.out
    assert world.chats == {}


@pytest.mark.usefixtures("roomy")
def test_demo_keep_leaves_it_running(run_local: Run, fake_cloud: FakeCloud) -> None:
    assert run_local("demo", "--key", KEY, "--keep").code == 0
    assert fake_cloud.ready is not None


@pytest.mark.usefixtures("roomy")
def test_demo_again_sends_nothing(run_local: Run, world: World) -> None:
    run_local("demo", "--key", KEY)
    world.requests.clear()
    told = run_local("demo", "--key", KEY)
    assert told.code == 0
    assert ("POST", "/objects") not in world.requests
    assert "handbook/employee-handbook.pdf" in told.out


@pytest.mark.usefixtures("roomy")
def test_demo_uses_the_cloud_that_runs(run_local: Run, fake_cloud: FakeCloud) -> None:
    run_local("up", "-d")
    assert run_local("demo", "--key", KEY).code == 0
    assert "down" not in fake_cloud.told


@pytest.mark.usefixtures("roomy")
def test_demo_json_is_one_document(run_local: Run) -> None:
    told = run_local("demo", "--key", KEY, "--json")
    assert told.code == 0
    assert told.json["ok"] is True
    assert len(told.json["documents"]) == 7
    assert told.json["answers"][0]["problems"] == []


@pytest.mark.usefixtures("roomy")
def test_demo_citation_that_does_not_hold_is_a_failure(run_local: Run, world: World, fake_cloud: FakeCloud) -> None:
    world.wrong_quote = True
    told = run_local("demo", "--key", KEY)
    assert told.code == 1
    assert "are not what it quotes" in told.err
    assert fake_cloud.ready is None


def test_demo_document_that_fails_is_told(run_local: Run) -> None:
    told = run_local("demo", "--key", KEY)
    assert told.code == 1
    assert "was not indexed" in told.err


def test_demo_cloud_that_does_not_start_is_told(run_local: Run, fake_cloud: FakeCloud) -> None:
    fake_cloud.fails = True
    told = run_local("demo", "--key", KEY)
    assert told.code == 1
    assert "no Resources" in told.err


def test_demo_elsewhere_than_in_a_checkout_says_so(
    run_local: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(address, "repository_root", lambda: tmp_path)
    assert "checkout" in run_local("demo", "--key", KEY).err


def test_documents_are_small_and_of_seven_formats() -> None:
    files = [path for path in DOCUMENTS.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".pdf", ".docx", ".xlsx", ".html", ".md", ".eml", ".txt"}
    assert sum(path.stat().st_size for path in files) < 200_000


def test_generate_writes_the_same_handbook(tmp_path: Path) -> None:
    generate.write_pdf((generate.SOURCES / "handbook.md").read_text("utf-8"), tmp_path / "handbook.pdf")
    written = hashlib.sha256((tmp_path / "handbook.pdf").read_bytes()).hexdigest()
    assert written == hashlib.sha256((DOCUMENTS / "handbook" / "employee-handbook.pdf").read_bytes()).hexdigest()


def test_blocks_reads_headings_lists_tables_and_paragraphs() -> None:
    found = [*generate.blocks("# A\n\nText.\n\n- one\n- two\n\n| x | y |\n| 1 | 2 |\n")]
    assert [one.kind for one in found] == ["h1", "p", "li", "li", "table"]
    assert found[-1].rows == (("x", "y"), ("1", "2"))
