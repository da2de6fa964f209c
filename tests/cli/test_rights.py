"""roles, units, keys, accounts, audit, access, against the real handlers."""

import contextlib
import io
import json
import re
from pathlib import Path

import pytest

from shared.cli.commands import audit
from shared.cli.moments import moment
from tests.cli.conftest import Ran, Run
from tests.cli.deployment import Deployment

ADA = "ada@example.com"


def test_roles_are_made_shown_changed_given_and_deleted(lambent: Run, ada: Ran) -> None:
    told = lambent("roles", "create", "auditor", "-p", "audit:read", "-p", "orgs:read", "--description", "Looks")
    assert told.code == 0, told.err
    assert lambent("roles", "show", "auditor").out.split() == ["audit:read", "orgs:read"]
    assert "documents:read" in lambent("roles", "show", "viewer").out
    assert [line.split()[0] for line in lambent("roles").out.splitlines()[1:]] == [
        *("owner", "admin", "editor", "viewer", "auditor"),
    ]
    changed = lambent("roles", "update", "auditor", "--name", "inspector", "-p", "audit:read", "--json").json
    assert (changed["name"], changed["permissions"], changed["description"]) == ("inspector", ["audit:read"], "Looks")
    assert lambent("accounts", "create", "robot", "--role", "inspector").code == 0
    assert "inspector" in lambent("accounts").out
    assert lambent("roles", "delete", "inspector", "--yes").code == 1
    assert lambent("accounts", "delete", "robot", "--yes").code == 0
    assert lambent("roles", "delete", "inspector", "--yes").code == 0


def test_roles_that_cannot_be_say_why(lambent: Run, ada: Ran) -> None:
    assert "--permission" in lambent("roles", "create", "empty").err
    assert "built in" in lambent("roles", "delete", "viewer", "--yes").err
    assert "lambent roles" in lambent("roles", "show", "king").err
    assert lambent("roles", "create", "x", "-p", "fly:high").code == 1
    assert "nothing is to change" in lambent("roles", "update", "x").err


def test_units_are_a_tree(lambent: Run, ada: Ran) -> None:
    for name, below in (("Sales", ""), ("EMEA", "Sales"), ("Nordics", "Sales/EMEA"), ("APAC", "Sales"), ("Legal", "")):
        assert lambent("units", "add", name, *(("--below", below) if below else ())).code == 0
    drawn = [re.sub(r"  [0-9a-f-]{36}$", "", line) for line in lambent("units").out.splitlines()]
    assert drawn == ["Legal", "Sales", "├─ APAC", "└─ EMEA", "   └─ Nordics"]
    assert lambent("units", "move", "Sales/EMEA", "--below", "Legal").code == 0
    assert lambent("units", "rename", "Legal/EMEA", "Europe").code == 0
    told = lambent("units", "remove", "Legal", "--yes")
    assert told.code == 1
    assert lambent("units", "remove", "Legal/Europe/Nordics", "--yes").code == 0
    told = lambent("units", "remove", "Sales/EMEA", "--yes")
    assert (told.code, "lambent units" in told.err) == (1, True)


def test_units_of_one_name_are_told_apart_by_path(lambent: Run, ada: Ran) -> None:
    for name, below in (("A", ""), ("B", ""), ("Team", "A"), ("Team", "B")):
        lambent("units", "add", name, *(("--below", below) if below else ()))
    told = lambent("units", "rename", "Team", "Crew")
    assert (told.code, "name one by its id" in told.err) == (1, True)
    assert lambent("units", "rename", "B/Team", "Crew").code == 0


def test_keys_secret_is_shown_once_and_opens_doors(lambent: Run, ada: Ran) -> None:
    told = lambent("keys", "create", "laptop", "--role", "editor", "--expires", "30d", "--in-project", "default")
    assert told.code == 0, told.err
    secret = told.out.strip()
    assert re.fullmatch(r"lam_[A-Za-z0-9_-]{43}", secret)
    assert lambent("collections", "--key", secret).code == 0
    listed = [lambent("keys"), lambent("keys", "--json")]
    assert all(secret not in one.out for one in listed)
    assert listed[0].out.splitlines()[1].split()[1:3] == ["laptop", ADA]
    assert lambent("keys", "revoke", "laptop", "--yes").code == 0
    assert lambent("collections", "--key", secret).code == 1
    assert lambent("keys", "--json").json == []
    assert "revoked" in lambent("keys", "--all").out


def test_keys_need_to_be_told_what_they_may_do(lambent: Run, ada: Ran) -> None:
    assert "--permission" in lambent("keys", "create", "any").err
    assert lambent("keys", "create", "any", "-p", "documents:read", "--role", "viewer").code == 1
    assert "30d" in lambent("keys", "create", "any", "--role", "viewer", "--expires", "soon").err


def test_accounts_have_keys_and_are_disabled(lambent: Run, ada: Ran) -> None:
    assert lambent("accounts", "create", "robot", "--role", "viewer", "--description", "Nightly").code == 0
    secret = lambent("keys", "create", "nightly", "--role", "viewer", "--account", "robot").out.strip()
    where = ("--key", secret, "--project", ada.json["project_id"])
    assert lambent("documents", *where).code == 0
    assert "robot" in lambent("keys", "--of", "robot").out
    assert lambent("accounts", "disable", "robot").code == 0
    assert lambent("documents", *where).code == 1
    assert lambent("accounts", "enable", "robot").code == 0
    assert lambent("documents", *where).code == 0
    assert lambent("accounts", "update", "robot", "--role", "editor", "--json").json["role"] == "editor"
    assert lambent("accounts", "delete", "robot", "--yes").code == 0
    assert lambent("documents", *where).code == 1


def test_audit_tells_who_did_what(lambent: Run, ada: Ran) -> None:
    lambent("roles", "create", "auditor", "-p", "audit:read")
    lambent("units", "add", "Sales")
    told = lambent("audit")
    assert told.code == 0, told.err
    assert [line.split()[2] for line in told.out.splitlines()[1:3]] == ["unit.created", "role.created"]
    assert told.out.count(ADA) >= 2
    assert [one["action"] for one in lambent("audit", "--action", "role", "--json").json] == ["role.created"]
    assert (
        lambent("audit", "--actor", ADA, "--subject", "unit", "-n", "1", "--json").json[0]["action"] == "unit.created"
    )
    assert lambent("audit", "--until", "2020-01-01", "--json").json == []
    assert "2026-03-02" in lambent("audit", "--since", "yesterday").err


def test_audit_follow_shows_each_once(
    lambent: Run, ada: Ran, deployment: Deployment, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["first", "second"]
    (file,) = (config / "lambent" / "logins").glob("*.json")
    credential = {"Authorization": f"Bearer {json.loads(file.read_text())['logins'][ADA]['access_token']}"}

    def wait(seconds: float) -> None:
        if not names:
            raise KeyboardInterrupt
        with contextlib.redirect_stdout(io.StringIO()):
            path = f"/api/v1/orgs/{ada.json['org_id']}/units"
            made = deployment.world.api("POST", path, {"name": names.pop(0)}, headers=credential)
        assert made.status == 201, made.body

    monkeypatch.setattr(audit, "_wait", wait)
    told = lambent("audit", "--action", "unit", "--follow", "--json")
    assert told.code == 0, told.err
    assert [one["action"] for one in told.lines] == ["unit.created"] * 2
    assert len({one["id"] for one in told.lines}) == 2


@pytest.fixture
def document(lambent: Run, ada: Ran, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A document that is indexed."""
    from shared.cli import ingestion

    monkeypatch.setattr(ingestion, "_FIRST_POLL", 0.0)
    (tmp_path / "leave.txt").write_text("Every employee has thirty days of paid leave a year.\n")
    told = lambent("ingest", tmp_path / "leave.txt", "-c", "Handbook")
    assert told.code == 0, told.err
    return "leave.txt"


def test_access_is_set_shown_and_explained(
    lambent: Run, ada: Ran, bob: str, document: str, deployment: Deployment
) -> None:
    lambent("members", "invite", "bob@example.com", "--role", "viewer")
    lambent("switch", "bob@example.com")
    assert lambent("invitations", "accept", deployment.code("bob@example.com")).code == 0
    lambent("switch", ADA)
    assert "everyone of the project may read" in lambent("access", "show", document).out
    assert lambent("access", "explain", document, "--user", "bob@example.com").code == 0
    lambent("units", "add", "Sales")
    told = lambent("access", "set", document, "-r", f"user:{ADA}", "-r", "unit:Sales", "-r", "role:admin")
    assert told.code == 0, told.err
    assert ADA in told.out
    assert "Sales" in told.out
    assert "leaves you out" not in told.err
    told = lambent("access", "explain", document, "--user", "bob@example.com")
    assert told.code == 1
    assert "may not read" in told.out
    assert lambent("access", "explain", document, "--user", "bob@example.com", "--json").json["allowed"] is False
    told = lambent("access", "set", document, "--nobody")
    assert "Nobody may read" in told.out
    assert lambent("access", "show", document).code == 1
    assert "the list leaves you out: you do not read this document any more" in told.err
    undo = told.err.partition("change the list: lambent ")[2].partition(" takes it away")[0].split()
    assert undo[:2] + undo[-1:] == ["access", "set", "--no-list"]
    assert lambent("access", "show", undo[2], "--json").json["admits_you"] is False
    assert lambent(*undo).code == 0
    assert lambent("access", "show", document, "--json").json["readers"] is None


def test_access_of_a_collection_counts_for_its_documents(lambent: Run, document: str) -> None:
    told = lambent("access", "set", "-c", "Handbook", "-r", "everyone", "--fresh-until", "7d", "--json")
    assert told.code == 0, told.err
    assert told.json["readers"] == [{"kind": "everyone", "id": ""}]
    assert "of its collection" in lambent("access", "show", document).out
    told = lambent("access", "set", "-c", "Handbook", "-r", "role:viewer")
    assert "you do not read the documents of this collection that have no list of their own any more" in told.err
    undo = told.err.partition("change the list: lambent ")[2].partition(" takes it away")[0].split()
    assert lambent(*undo).code == 0
    assert lambent("access", "show", document).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show",), "--collection"),
        (("set", "leave.txt"), "--reader"),
        (("set", "leave.txt", "-r", "cat:Tom"), "unit"),
        (("set", "leave.txt", "-r", "user:eve@example.com"), "lambent members"),
        (("set", "leave.txt", "-r", "everyone", "--nobody"), "--reader"),
    ],
)
def test_access_misunderstood_says_how(lambent: Run, document: str, words: tuple[str, ...], said: str) -> None:
    told = lambent("access", *words)
    assert told.code == 1
    assert said in told.err


def test_moment_reads_spans_and_dates() -> None:
    from datetime import UTC, datetime

    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert moment("2h", "--since", ahead=False, now=now) == "2026-03-02T07:00:00+00:00"
    assert moment("30d", "--expires", ahead=True, now=now) == "2026-04-01T09:00:00+00:00"
    assert moment("2026-03-02", "--since", ahead=False) == "2026-03-02T00:00:00+00:00"
    assert moment("2026-03-02T09:00+01:00", "--since", ahead=False) == "2026-03-02T09:00:00+01:00"
