"""The demo as anyone runs it: it signs up its own user and organisation, and does its work as that user."""

import re
from pathlib import Path

import pytest

from shared.cli import demonstration, ingestion
from shared.cli.commands import demo
from tests.cli.conftest import Run
from tests.cli.deployment import Deployment
from tests.cli.fake_cloud import FakeCloud
from tests.functions.world import Client

SIGNED_UP = re.compile(
    r"^Signed up as (demo-[0-9a-f]{6}@example\.com): organisation Demo, project demo\.$", re.MULTILINE
)
LEAVE = "Every employee has thirty days of paid leave a year.\n"


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One document and one question, and no waiting."""
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "leave.txt").write_text(LEAVE)
    monkeypatch.setattr(demo, "DOCUMENTS", ("documents",))
    monkeypatch.setattr(demonstration, "QUESTIONS", ("How many days of paid leave does every employee have?",))
    monkeypatch.setattr(ingestion, "_FIRST_POLL", 0.0)
    monkeypatch.setattr(ingestion, "_TICK", 0.005)
    monkeypatch.setattr(ingestion, "_LOOKING_SHARE", 0.0)


@pytest.fixture
def owner(deployment: Deployment, fake_cloud: FakeCloud) -> Client:
    """The local cloud's owner, whose key the demo must not need."""
    made = deployment.world.owner()
    deployment.world.llm.answers.extend([LEAVE.strip() + " [1]"] * 5)
    fake_cloud.url, fake_cloud.api_key = deployment.url, made.key
    fake_cloud.tenant_id = str(made.tenant_id)
    return made


def test_demo_signs_up_and_works_as_its_own_user(run_local: Run, owner: Client, deployment: Deployment) -> None:
    told = run_local("demo")
    assert told.code == 0, told.err
    signed_up = SIGNED_UP.findall(told.out)
    assert len(signed_up) == 1
    assert "1 question answered; all 1 citation hold" in told.out
    asked = [path for _, path, _ in deployment.requests]
    assert asked[:3] == ["/api/v1/auth/register", "/api/v1/auth/verify", "/api/v1/auth/login"]
    assert [mail.to for mail in deployment.world.mailer.sent] == signed_up
    assert not any(owner.key in credential for _, _, credential in deployment.requests)
    assert owner.get("/collections").json["items"] == []


def test_demo_again_is_the_same_user_and_sends_nothing(run_local: Run, owner: Client, deployment: Deployment) -> None:
    first = run_local("demo")
    deployment.requests.clear()
    second = run_local("demo")
    assert second.code == 0, second.err
    (email,) = SIGNED_UP.findall(first.out)
    assert f"Signed in again as {email}" in second.out
    assert not {"/api/v1/auth/register", "/objects"} & {path for _, path, _ in deployment.requests}


def test_demo_again_after_the_sign_in_ended_signs_up_anew(
    run_local: Run, owner: Client, deployment: Deployment
) -> None:
    (first,) = SIGNED_UP.findall(run_local("demo").out)
    deployment.world.clock.advance(31 * 24 * 3600)
    told = run_local("demo")
    assert told.code == 0, told.err
    (second,) = SIGNED_UP.findall(told.out)
    assert second != first


def test_demo_in_a_cloud_that_was_reset_signs_up_anew(
    run_local: Run, owner: Client, deployment: Deployment, fake_cloud: FakeCloud
) -> None:
    run_local("demo")
    fake_cloud.tenant_id = "01a1ffdb-0000-7000-8000-000000000009"
    assert SIGNED_UP.findall(run_local("demo").out)


def test_demo_leaves_commands_acting_as_its_user(run_local: Run, owner: Client) -> None:
    (email,) = SIGNED_UP.findall(run_local("demo", "--keep").out)
    assert run_local("whoami", "--json").json["user"]["email"] == email
    assert "leave.txt" in run_local("documents", "-c", "demo").out


def test_demo_leaves_whoever_is_signed_in_alone(
    run_local: Run, owner: Client, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    run_local("up", "-d")
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n" * 2))
    run_local("register", "ada@example.com", "--name", "Ada", "--organisation", "Acme", "--password-stdin")
    run_local("verify", deployment.code("ada@example.com"), "--password-stdin")
    told = run_local("demo")
    assert told.code == 0, told.err
    (email,) = SIGNED_UP.findall(told.out)
    assert f"lambent switch {email}" in told.out
    assert run_local("whoami", "--json").json["user"]["email"] == "ada@example.com"
    assert f"Signed in again as {email}" in run_local("demo").out


def test_demo_json_names_its_user(run_local: Run, owner: Client) -> None:
    told = run_local("demo", "--json")
    assert told.code == 0, told.err
    assert told.json["user"].startswith("demo-")
    assert told.json["ok"] is True


def test_demo_without_mail_says_where_to_look(run_local: Run, owner: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.cli.local_cloud.inbox", lambda ready: ())
    monkeypatch.setattr("shared.cli.demo_user.MAIL_SECONDS", 0.0)
    told = run_local("demo")
    assert told.code == 1
    assert "no message came to demo-" in told.err
    assert "lambent mail" in told.err
