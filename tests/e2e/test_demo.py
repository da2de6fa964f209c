"""The demo against the running cloud: real functions, real Postgres, the code read from the real local inbox."""

from pathlib import Path

import pytest
import typer

from shared.cli import demonstration, local_cloud
from shared.cli.app import main
from tests.e2e.conftest import Cloud


@pytest.fixture(autouse=True)
def found(running: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Commands find this cloud, and keep sign-ins in a folder of the test's."""
    for name in ("LAMBENT_URL", "LAMBENT_API_KEY", "LAMBENT_PROJECT", "LAMBENT_ORG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(local_cloud, "running", lambda root: running.ready)
    monkeypatch.setattr(typer, "get_app_dir", lambda name: str(tmp_path / name))
    # With an embedder that knows words alone, this one is found by its words.
    monkeypatch.setattr(demonstration, "QUESTIONS", ("What does error E17 mean on the Sentinel 4?",))


def test_demo_twice_is_one_user_who_works_in_their_own_organisation(
    running: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo"]) == 0, capsys.readouterr().err
    first = capsys.readouterr().out
    assert "Signed up as demo-" in first
    assert "1 question answered" in first
    assert main(["demo"]) == 0
    assert "Signed in again as demo-" in capsys.readouterr().out
    assert main(["mail", "show"]) == 0
    assert "Confirm your address" in capsys.readouterr().out
    listed = running.api.get("/projects").json()["items"]
    assert "demo" not in {one["name"] for one in listed}
