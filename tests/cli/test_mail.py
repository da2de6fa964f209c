"""mail: the local inbox, and what is said where there is none."""

from shared.cli import local_cloud
from tests.cli.conftest import Run
from tests.cli.deployment import Deployment
from tests.cli.fake_cloud import FakeCloud

FORGOTTEN = ("ada@example.com", "bob@example.com")


def ask(run_local: Run, deployment: Deployment, fake_cloud: FakeCloud) -> None:
    """Two people whom mail is sent to."""
    fake_cloud.url = deployment.url
    run_local("up", "-d")
    for email in FORGOTTEN:
        assert run_local("password", "forgot", email).code == 0


def test_mail_lists_the_latest_first(run_local: Run, deployment: Deployment, fake_cloud: FakeCloud) -> None:
    ask(run_local, deployment, fake_cloud)
    lines = run_local("mail").out.splitlines()
    assert [line.split()[:2] for line in lines[1:]] == [["2", "bob@example.com"], ["1", "ada@example.com"]]
    assert [one["number"] for one in run_local("mail", "list", "--json").json] == [2, 1]
    assert [one["to"] for one in run_local("mail", "--to", "ADA@example.com", "--json").json] == [["ada@example.com"]]


def test_mail_show_prints_one(run_local: Run, deployment: Deployment, fake_cloud: FakeCloud) -> None:
    ask(run_local, deployment, fake_cloud)
    assert "bob@example.com" in run_local("mail", "show").out
    told = run_local("mail", "show", "1")
    assert "ada@example.com" in told.out
    assert "has no account" in told.out
    assert run_local("mail", "show", "1", "--json").json["to"] == ["ada@example.com"]
    told = run_local("mail", "show", "7")
    assert (told.code, "no message 7" in told.err) == (1, True)


def test_mail_of_nothing_says_so(run_local: Run, deployment: Deployment, fake_cloud: FakeCloud) -> None:
    fake_cloud.url = deployment.url
    run_local("up", "-d")
    told = run_local("mail")
    assert (told.code, told.out) == (0, "")
    assert "Nothing was mailed" in told.err


def test_mail_of_a_deployment_says_where_it_went(run_local: Run) -> None:
    told = run_local("mail", "--url", "https://api.example.com")
    assert told.code == 1
    assert "SES" in told.err
    assert "mailbox" in told.err


def test_mail_when_the_local_ses_is_away_says_so(run_local: Run, fake_cloud: FakeCloud) -> None:
    run_local("up", "-d")
    assert fake_cloud.ready is not None
    told = run_local("mail")
    assert local_cloud.inbox.__module__ == "shared.cli.local_cloud"
    assert told.code == 1
    assert "does not answer" in told.err
