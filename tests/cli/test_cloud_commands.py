"""up, down, status, logs, reset, doctor, health, open."""

import io
import sys
from pathlib import Path

import pytest

from shared.local.report import Check, Options
from tests.cli.conftest import Run
from tests.cli.fake_cloud import FakeCloud
from tests.cli.fake_world import KEY, World


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_up_shows_steps_and_where_it_is(run_local: Run) -> None:
    told = run_local("up")
    assert told.code == 0
    assert "postgres" in told.out
    assert "http://127.0.0.1:9/api/v1" in told.out
    assert "lam_local" in told.out
    assert "Ctrl-C" in told.out


def test_up_detached_says_how_to_stop(run_local: Run, fake_cloud: FakeCloud) -> None:
    told = run_local("up", "--detach", "--built", "--port", "8500")
    assert told.code == 0
    assert "lambent down" in told.out
    options = fake_cloud.told[0]
    assert isinstance(options, Options)
    assert (options.built, options.port) == (True, 8500)


def test_up_json_is_a_line_for_each_event(run_local: Run) -> None:
    assert [line["event"] for line in run_local("up", "--json").lines] == ["step", "step", "ready"]


def test_up_running_already_detached_is_fine(run_local: Run) -> None:
    run_local("up", "-d")
    told = run_local("up", "-d")
    assert told.code == 0
    assert "http://127.0.0.1:9/api/v1" in told.out


def test_up_running_already_in_the_foreground_is_refused(run_local: Run) -> None:
    run_local("up", "-d")
    told = run_local("up")
    assert told.code == 1
    assert "runs already" in told.err
    assert "lambent down" in told.err


def test_up_failing_step_is_told(run_local: Run, fake_cloud: FakeCloud) -> None:
    fake_cloud.fails = True
    told = run_local("up", "-d")
    assert told.code == 1
    assert "no Resources" in told.err
    assert "lambent doctor" in told.err


def test_up_passes_environment_and_parameters(run_local: Run, fake_cloud: FakeCloud, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# models\nLAMBENT_LLM=openai_api\nexport LAMBENT_MODEL_API_KEY='sk=1'\n\n")
    assert run_local("up", "-d", "--env-file", str(file), "--parameter", "Stage=dev").code == 0
    options = fake_cloud.told[0]
    assert isinstance(options, Options)
    assert options.environment == {"LAMBENT_LLM": "openai_api", "LAMBENT_MODEL_API_KEY": "sk=1"}
    assert options.parameters == {"Stage": "dev"}


def test_up_malformed_parameter_is_refused(run_local: Run) -> None:
    told = run_local("up", "--parameter", "Stage")
    assert told.code == 1
    assert "NAME=value" in told.err


def test_up_without_template_says_where_to_run_it(run_local: Run, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").unlink()
    told = run_local("up")
    assert told.code == 1
    assert "checkout" in told.err


def test_down_says_whether_it_ran(run_local: Run) -> None:
    assert "Nothing" in run_local("down").out
    run_local("up", "-d")
    assert run_local("down", "--json").json == {"stopped": True}


def test_status_shows_processes_and_functions(run_local: Run) -> None:
    run_local("up", "-d")
    told = run_local("status")
    assert told.code == 0
    assert "2026-03-02 09:00:00 UTC" in told.out
    assert "postgres" in told.out
    assert "Search" in told.out
    assert "ValueError: no" in told.out


def test_status_nothing_runs_is_exit_code_1(run_local: Run) -> None:
    told = run_local("status")
    assert told.code == 1
    assert "lambent up" in told.out


def test_status_problems_are_told_and_exit_code_1(run_local: Run, fake_cloud: FakeCloud) -> None:
    run_local("up", "-d")
    fake_cloud.problems = ("aws (process 9) is dead",)
    told = run_local("status")
    assert told.code == 1
    assert "aws (process 9) is dead" in told.err


def test_status_json_is_everything(run_local: Run) -> None:
    run_local("up", "-d")
    assert run_local("status", "--json").json["functions"][0]["invocations"] == 12345


def test_logs_prints_lines_without_control_characters(run_local: Run) -> None:
    told = run_local("logs", "search", "-n", "5")
    assert told.code == 0
    assert told.out.splitlines()[1] == "2026-03-02T09:00:01Z [bold]done�[31m"


def test_logs_of_all_functions_names_each(run_local: Run) -> None:
    assert run_local("logs").out.startswith("search ")


def test_logs_follow_ends_quietly_with_ctrl_c(run_local: Run, fake_cloud: FakeCloud) -> None:
    told = run_local("logs", "--follow", "--json")
    assert told.code == 0
    assert len(told.lines) == 2
    assert fake_cloud.told == [(None, 100, True)]


def test_reset_without_yes_and_nobody_to_ask_does_nothing(
    run_local: Run, fake_cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    told = run_local("reset")
    assert told.code == 1
    assert "--yes" in told.err
    assert fake_cloud.told == []


def test_reset_with_yes_says_what_is_gone(run_local: Run) -> None:
    told = run_local("reset", "--yes")
    assert told.code == 0
    assert "postgres" in told.out


def test_reset_answered_with_no_does_nothing(
    run_local: Run, fake_cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    told = run_local("reset")
    assert told.code == 130
    assert fake_cloud.told == []


def test_doctor_all_well_is_exit_code_0(run_local: Run) -> None:
    told = run_local("doctor")
    assert told.code == 0
    assert "3.12.4" in told.out


def test_doctor_fatal_finding_shows_the_fix(run_local: Run, fake_cloud: FakeCloud) -> None:
    fake_cloud.checks = (
        Check("disk", ok=False, detail="12 MB free", fix="Free 2 GB."),
        Check("x", ok=False, detail="odd", fatal=False),
    )
    told = run_local("doctor")
    assert told.code == 1
    assert "Free 2 GB." in told.out
    assert [one["ok"] for one in run_local("doctor", "--json").json] == [False, False]


def test_doctor_note_alone_is_exit_code_0(run_local: Run, fake_cloud: FakeCloud) -> None:
    fake_cloud.checks = (Check("x", ok=False, detail="odd", fatal=False),)
    assert run_local("doctor").code == 0


def test_health_shows_parts_and_queues(run: Run) -> None:
    told = run("health")
    assert told.code == 0
    assert "database" in told.out
    assert "ingest_embed" in told.out


def test_health_unhealthy_is_exit_code_1(run: Run, world: World) -> None:
    world.healthy = False
    assert "DOWN" in run("health").out
    told = run("health", "--json")
    assert told.code == 1
    assert told.json["status"] == "unhealthy"


def test_open_prints_the_page_of_the_local_cloud(run_local: Run, fake_cloud: FakeCloud, world: World) -> None:
    fake_cloud.url, fake_cloud.api_key = world.url, KEY
    run_local("up", "-d")
    assert run_local("open").out.strip() == f"{world.url}/docs"
    assert run_local("open", "--json").json == {"url": f"{world.url}/docs"}


def test_open_elsewhere_is_refused(run: Run) -> None:
    told = run("open")
    assert told.code == 1
    assert "local cloud" in told.err
