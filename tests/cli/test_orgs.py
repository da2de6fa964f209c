"""orgs, projects, members, invitations, against the real handlers."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran, Run
from tests.cli.deployment import Deployment

ADA, BOB = "ada@example.com", "bob@example.com"


class Typist(io.StringIO):
    """Somebody at a terminal who types."""

    def isatty(self) -> bool:
        return True


def types(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """What is typed at the next prompts."""
    monkeypatch.setattr("sys.stdin", Typist(text))


def joined(lambent: Run, deployment: Deployment, *how: str) -> None:
    """Bob joins the organisation that Ada works in."""
    assert lambent("members", "invite", BOB, *how).code == 0
    assert lambent("switch", BOB).code == 0
    told = lambent("invitations", "accept", deployment.code(BOB))
    assert told.code == 0, told.err
    assert lambent("switch", ADA).code == 0


def test_orgs_lists_and_shows_the_one_worked_in(lambent: Run, ada: Ran) -> None:
    lines = lambent("orgs").out.splitlines()
    assert lines[1].split()[:4] == ["Acme", "owner", "worked", "in"]
    assert "Acme" in lambent("orgs", "show").out
    assert [one["name"] for one in lambent("orgs", "list", "--json").json] == ["Acme"]


def test_orgs_create_use_and_work_in_it(lambent: Run, ada: Ran) -> None:
    assert lambent("orgs", "create", "Second").code == 0
    assert lambent("collections", "create", "Old").code == 0
    assert lambent("orgs", "use", "Second").code == 0
    assert lambent("collections", "--json").json == []
    assert [one["name"] for one in lambent("collections", "--json", "--org", "Acme").json] == ["Old"]
    told = lambent("orgs", "use", "Third")
    assert (told.code, "lambent orgs" in told.err) == (1, True)


def test_orgs_of_somebody_who_chose_none_names_them(lambent: Run, ada: Ran, come_in: Callable[..., Ran]) -> None:
    assert lambent("orgs", "create", "Second").code == 0
    assert lambent("orgs", "delete", "Acme", "--yes").code == 0
    assert lambent("orgs", "create", "Third").code == 0
    told = lambent("members")
    assert told.code == 1
    assert "Second, Third" in told.err
    assert "lambent orgs use" in told.err
    assert lambent("members", "--org", "Third").code == 0


def test_orgs_rename(lambent: Run, ada: Ran) -> None:
    assert lambent("orgs", "rename", "Acme & Sons").code == 0
    assert lambent("orgs", "--json").json[0]["name"] == "Acme & Sons"


def test_orgs_delete_asks_for_the_name(lambent: Run, ada: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    types(monkeypatch, "Acne\n")
    told = lambent("orgs", "delete")
    assert (told.code, "nothing was deleted" in told.err) == (1, True)
    types(monkeypatch, "Acme\n")
    told = lambent("orgs", "delete")
    assert told.code == 0, told.err
    assert lambent("orgs", "--json").json == []
    assert "lambent orgs create" in lambent("collections").err


def test_orgs_delete_when_nobody_is_there_to_be_asked_is_refused(lambent: Run, ada: Ran) -> None:
    told = lambent("orgs", "delete", "Acme")
    assert (told.code, "--yes" in told.err) == (1, True)
    assert len(lambent("orgs", "--json").json) == 1


def test_projects_live_and_are_archived_and_deleted(lambent: Run, ada: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lambent("projects", "create", "Secret").code == 0
    assert lambent("projects", "use", "Secret").code == 0
    assert lambent("collections", "create", "Inside").code == 0
    assert lambent("collections", "--project", "default", "--json").json == []
    assert lambent("projects", "archive", "Secret").code == 0
    told = lambent("collections")
    assert (told.code, "lambent projects restore" in told.err) == (1, True)
    assert "archived" in lambent("projects").out
    assert lambent("projects", "restore", "Secret").code == 0
    assert lambent("collections").code == 0
    assert lambent("projects", "rename", "Secret", "Open").code == 0
    types(monkeypatch, "Secret\n")
    assert lambent("projects", "delete", "Open").code == 1
    types(monkeypatch, "Open\n")
    assert lambent("projects", "delete", "Open").code == 0
    assert [one["name"] for one in lambent("projects", "--json").json] == ["default"]
    assert lambent("collections").code == 0


def test_projects_lie_in_units(lambent: Run, ada: Ran) -> None:
    lambent("units", "add", "Sales")
    made = lambent("projects", "create", "Deals", "--unit", "Sales", "--json").json
    assert made["unit_id"] is not None
    assert lambent("projects", "move", "Deals", "--json").json["unit_id"] is None
    assert lambent("projects", "move", "Deals", "--to", "Sales", "--json").json["unit_id"] == made["unit_id"]


def test_members_are_invited_join_and_change_roles(lambent: Run, ada: Ran, bob: str, deployment: Deployment) -> None:
    joined(lambent, deployment, "--role", "editor")
    told = lambent("members")
    rows = {line.split()[0]: line.split()[1:3] for line in told.out.splitlines()[1:]}
    assert rows == {ADA: ["Ada", "owner"], BOB: ["Bob", "editor"]}
    assert lambent("members", "role", BOB, "admin").code == 0
    assert lambent("members", "suspend", BOB).code == 0
    assert "suspended" in lambent("members").out
    assert lambent("members", "reinstate", BOB).code == 0
    told = lambent("members", "role", ADA, "viewer")
    assert (told.code, "last owner" in told.err) == (1, True)
    told = lambent("members", "remove", BOB)
    assert (told.code, "--yes" in told.err) == (1, True)
    assert lambent("members", "remove", BOB, "--yes").code == 0
    assert [one["email"] for one in lambent("members", "--json").json] == [ADA]
    told = lambent("members", "role", BOB, "viewer")
    assert (told.code, "lambent members" in told.err) == (1, True)


def test_members_of_a_project_and_of_a_unit(lambent: Run, ada: Ran, bob: str, deployment: Deployment) -> None:
    joined(lambent, deployment, "--role", "none")
    lambent("units", "add", "Sales")
    assert lambent("members", "role", BOB, "editor", "--in-project", "default").code == 0
    assert lambent("members", "role", BOB, "viewer", "--in-unit", "Sales").code == 0
    for place, role in (("--in-project=default", "editor"), ("--in-unit=Sales", "viewer")):
        assert lambent("members", place).out.splitlines()[1].split()[:3] == [BOB, "Bob", role]
        assert lambent("members", "remove", BOB, place, "--yes").code == 0
        assert lambent("members", place, "--json").json == []
    told = lambent("members", "--in-project", "default", "--in-unit", "Sales")
    assert told.code == 1


def test_invitations_are_listed_and_taken_back(lambent: Run, ada: Ran) -> None:
    assert lambent("members", "invite", "eve@example.com", "--role", "viewer").code == 0
    assert lambent("invitations").out.splitlines()[1].split()[:3] == ["eve@example.com", "viewer", "open"]
    assert lambent("invitations", "revoke", "eve@example.com", "--yes").code == 0
    assert lambent("invitations", "--json").json == []
    assert "revoked" in lambent("invitations", "--all").out


def test_invitations_accept_works_in_it_from_then_on(
    lambent: Run, ada: Ran, bob: str, deployment: Deployment, config: Path
) -> None:
    lambent("members", "invite", BOB, "--role", "viewer")
    lambent("switch", BOB)
    told = lambent("invitations", "accept", f"Hello\n\n{deployment.code(BOB)}\n\nBye")
    assert told.code == 0, told.err
    assert "Acme" in told.out
    assert lambent("whoami", "--json").json["org"] == ada.json["org_id"]
    told = lambent("invitations", "accept", "x" * 43)
    assert told.code == 1


def test_key_does_not_say_its_organisation(lambent: Run, deployment: Deployment) -> None:
    owner = deployment.world.owner()
    told = lambent("members", "--key", owner.key)
    assert (told.code, "--org ID" in told.err) == (1, True)
    assert lambent("members", "--key", owner.key, "--org", str(owner.tenant_id)).code == 0
    told = lambent("orgs", "--key", owner.key)
    assert (told.code, "lambent login" in told.err) == (1, True)
