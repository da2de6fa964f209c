"""Receipts at the terminal: listed, shown, and verified without any network."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.fake_api import PUBLIC_KEY
from tests.cli.fake_world import World


@pytest.fixture
def receipt(run: Run, world: World, tmp_path: Path) -> Path:
    """A signed receipt in a file."""
    document = world.add_document(world.add_collection("hr"), "handbook/leave.md")
    made = run("delete", str(document["id"]), "--no-wait", "--json").json
    file = tmp_path / "receipt.json"
    file.write_text(run("receipts", "show", made["id"], "--json").out)
    return file


def test_receipts_lists_what_was_deleted(run: Run, receipt: Path) -> None:
    told = run("receipts")
    assert (told.code, "document" in told.out) == (0, True)
    assert len(run("receipts", "--json").json) == 1
    assert run("receipts", "list", "--kind", "project", "--json").json == []


def test_receipts_show_of_what_is_no_id_is_refused(run: Run) -> None:
    assert "is no id" in run("receipts", "show", "leave.md").err


def test_receipts_verify_holds_without_an_address(run_local: Run, run: Run, receipt: Path) -> None:
    key = run("receipts", "key").out.strip()
    assert key == PUBLIC_KEY
    told = run_local("receipts", "verify", str(receipt), "--key", key)
    assert (told.code, "Verified" in told.out) == (0, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"subject_id": "another"}, "not_verified"),
        ({"remaining": {}}, "not_verified"),
        (None, "unsigned"),
    ],
)
def test_receipts_verify_of_a_changed_receipt_fails(
    change: dict[str, object] | None, code: str, run_local: Run, receipt: Path
) -> None:
    whole = json.loads(receipt.read_text())
    if change is None:
        whole["signature"] = None
    else:
        whole["statement"].update(change)
    receipt.write_text(json.dumps(whole))
    told = run_local("receipts", "verify", str(receipt), "--key", PUBLIC_KEY, "--json")
    assert (told.code, code in told.err) == (1, True)


def test_receipts_verify_with_another_key_fails(run_local: Run, receipt: Path) -> None:
    assert run_local("receipts", "verify", str(receipt), "--key", "ab" * 32).code == 1
    assert "hexadecimal" in run_local("receipts", "verify", str(receipt), "--key", "xyz").err


def test_receipts_verify_of_no_receipt_says_how_to_get_one(run_local: Run, tmp_path: Path) -> None:
    file = tmp_path / "x"
    for text in ("{", "[]"):
        file.write_text(text)
        assert "receipts show" in run_local("receipts", "verify", str(file), "--key", PUBLIC_KEY).err


def test_projects_delete_sends_the_name(run: Run, world: World) -> None:
    made = run("projects", "create", "second", "--json").json
    told = run("projects", "delete", "second", "--yes", "--json")
    assert told.json["subject_id"] == made["id"]
    assert world.bodies[-1] == {"name": "second"}
    assert "no project 'nobody'" in run("projects", "delete", "nobody", "--yes").err
