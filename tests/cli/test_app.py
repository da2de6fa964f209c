"""The command as a whole: help, addresses, errors."""

import subprocess
import sys

import pytest

from shared.cli import app
from shared.cli.errors import CliError
from tests.cli.conftest import Run
from tests.cli.fake_cloud import FakeCloud
from tests.cli.fake_world import KEY, World, problem

COMMANDS = (
    *(
        "up",
        "down",
        "status",
        "logs",
        "reset",
        "doctor",
        "health",
        "open",
        "demo",
        "ingest",
        "documents",
        "document",
        "why",
    ),
    *(
        "text",
        "download",
        "delete",
        "receipt",
        "receipts",
        "process",
        "retry",
        "waiting",
        "collections",
        "projects",
        "search",
        "ask",
        "chats",
    ),
)


PEOPLE = (
    *("register", "verify", "login", "logout", "switch", "whoami", "me", "password", "sessions", "mail"),
    *("audit", "providers", "orgs", "members", "invitations", "roles", "units", "keys", "accounts", "access"),
)
GROUPS = {
    "mail": {"list", "show"},
    "password": {"forgot", "reset", "change"},
    "sessions": {"list", "revoke", "history"},
    "me": {"show", "rename", "email", "confirm", "close"},
    "providers": {"list", "link", "unlink"},
    "orgs": {"list", "show", "create", "use", "rename", "leave", "delete"},
    "projects": {"list", "create", "use", "rename", "move", "archive", "restore", "delete"},
    "members": {"list", "invite", "role", "suspend", "reinstate", "remove"},
    "invitations": {"list", "revoke", "accept"},
    "roles": {"list", "show", "create", "update", "delete"},
    "units": {"tree", "add", "rename", "move", "remove"},
    "keys": {"list", "create", "revoke"},
    "accounts": {"list", "create", "update", "disable", "enable", "delete"},
    "access": {"show", "set", "explain"},
}


@pytest.mark.parametrize(("group", "names"), GROUPS.items())
def test_main_group_lists_its_commands_and_each_takes_json(run_local: Run, group: str, names: set[str]) -> None:
    told = run_local(group, "--help")
    assert told.code == 0
    listed = {line.split()[0] for line in told.out.partition("Commands:")[2].splitlines() if line.startswith("  ")}
    assert names <= listed
    for name in names:
        assert "--json" in run_local(group, name, "--help").out


@pytest.mark.parametrize(
    ("shell", "environment"),
    [
        ("bash", {"COMP_WORDS": "lambent members in", "COMP_CWORD": "2"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "lambent members in"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "lambent members in", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_completion_knows_commands(shell: str, environment: dict[str, str]) -> None:
    script = "import sys\nfrom shared.cli.app import main\nsys.exit(main([]))\n"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={"PATH": "", "HOME": "/nonexistent", "_LAMBENT_COMPLETE": f"complete_{shell}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "invite" in done.stdout, done.stderr


def test_main_no_arguments_prints_help_with_every_command(run_local: Run) -> None:
    told = run_local()
    assert told.code == 0
    listed = [line.split()[0] for line in told.out.splitlines() if line.startswith("  ")]
    assert {*COMMANDS, *PEOPLE} <= set(listed)


@pytest.mark.parametrize("command", [one for one in (*COMMANDS, *PEOPLE) if one not in ("password", "access")])
def test_main_help_of_each_command_is_there(run_local: Run, command: str) -> None:
    told = run_local(command, "--help")
    assert told.code == 0
    assert "--json" in told.out


def test_main_version_prints_it(run_local: Run) -> None:
    assert run_local("--version").out.startswith("lambent 0.")


def test_main_unknown_command_says_what_to_do(run_local: Run) -> None:
    told = run_local("frobnicate")
    assert told.code == 2
    assert "frobnicate" in told.err
    assert "lambent --help" in told.err


def test_main_missing_argument_names_it(run_local: Run) -> None:
    told = run_local("search")
    assert (told.code, told.out) == (2, "")
    assert "query" in told.err
    assert "lambent search --help" in told.err


def test_main_usage_error_with_json_is_a_problem(run_local: Run) -> None:
    told = run_local("search", "--json")
    assert told.code == 2
    assert told.problem["code"] == "usage"


def test_main_no_address_says_how_to_start(run_local: Run) -> None:
    told = run_local("documents")
    assert told.code == 1
    assert "lambent up" in told.err


def test_main_nothing_answers_says_where(run_local: Run) -> None:
    told = run_local("documents", "--url", "http://127.0.0.1:1", "--key", KEY)
    assert told.code == 1
    assert "nothing answers at http://127.0.0.1:1" in told.err
    assert "lambent up" in told.err


def test_main_address_without_key_asks_for_one(run_local: Run) -> None:
    told = run_local("documents", "--url", "https://api.example.com")
    assert told.code == 1
    assert "--key" in told.err


def test_main_bad_address_says_so(run_local: Run) -> None:
    told = run_local("documents", "--url", "api.example.com", "--key", KEY)
    assert told.code == 1
    assert "no address" in told.err


def test_main_uses_the_local_cloud_that_runs(run_local: Run, world: World, fake_cloud: FakeCloud) -> None:
    fake_cloud.url, fake_cloud.api_key = world.url, KEY
    run_local("up", "--detach")
    assert run_local("collections", "--json").json == []


def test_main_sends_no_local_key_elsewhere(run_local: Run, world: World, fake_cloud: FakeCloud) -> None:
    fake_cloud.api_key = KEY
    run_local("up", "--detach")
    told = run_local("collections", "--url", world.url)
    assert told.code == 1
    assert world.requests == []


@pytest.mark.parametrize("suffix", ["/", "/api/v1", "/api/v1/"])
def test_main_takes_the_address_with_or_without_the_api_path(run_local: Run, world: World, suffix: str) -> None:
    assert run_local("collections", "--json", "--url", world.url + suffix, "--key", KEY).json == []


def test_main_options_before_the_command_count_as_well(run_local: Run, world: World) -> None:
    assert run_local("--json", "--url", world.url, "--key", KEY, "collections").json == []


def test_main_wrong_key_says_which_to_check(run_local: Run, world: World) -> None:
    told = run_local("documents", "--url", world.url, "--key", "lam_wrong")
    assert told.code == 1
    assert "no valid credential" in told.err
    assert "LAMBENT_API_KEY" in told.err


def test_main_problem_with_json_is_the_api_s_own(run: Run, world: World) -> None:
    world.refusals.append(
        problem(
            422, "validation_failed", "body.x: wrong", "see the page", errors=[{"field": "body.x", "problem": "wrong"}]
        )
    )
    told = run("documents", "--json")
    assert told.code == 1
    assert told.problem["code"] == "validation_failed"
    assert told.problem["request_id"] == "req-1"
    assert told.problem["errors"] == [{"field": "body.x", "problem": "wrong"}]


def test_main_problem_shows_fields_and_hint(run: Run, world: World) -> None:
    errors = [{"field": "body.x", "problem": "wrong"}, {"field": "body.y", "problem": "missing"}]
    world.refusals.append(problem(422, "validation_failed", "body.x: wrong", "see the page", errors=errors))
    told = run("documents")
    assert "body.y: missing" in told.err
    assert "see the page" in told.err


def test_main_debug_shows_where_an_error_came_from(run_local: Run) -> None:
    told = run_local("documents", "--debug")
    assert "Traceback" in told.err
    assert "Traceback" not in run_local("documents").err


def test_main_defect_is_told_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise TypeError("nonsense")
    except TypeError as error:
        app._tell_defect(TypeError, error, error.__traceback__)
    told = capsys.readouterr().err
    assert "TypeError: nonsense" in told
    assert "test_app.py" in told
    assert "Traceback" not in told


def test_problem_of_our_own_error_has_code_and_hint() -> None:
    assert CliError("what", code="c", hint="do").problem() == {
        "type": "urn:lambent:problem:c",
        "code": "c",
        "detail": "what",
        "hint": "do",
    }


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom shared.cli.app import main\nmain(['--help'])\n"
        "heavy = {'httpx', 'rich', 'psutil', 'pydantic', 'fastapi', 'boto3', 'shared.local.cloud'}\n"
        "print('heavy:', *sorted(heavy & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.endswith("heavy:\n")
