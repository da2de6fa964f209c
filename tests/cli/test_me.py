"""me, providers, login --provider, orgs leave, against the real handlers."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.cli.conftest import PASSWORD, Ran, Run
from tests.cli.deployment import Deployment
from tests.fixtures.openid_issuer import Issuer
from tests.functions.ways import BACK, OWN, Ways, ways_into

ADA = "ada@example.com"
type Typed = Callable[..., None]


def kept(config: Path) -> Any:
    (file,) = (config / "lambent" / "logins").glob("*.json")
    return json.loads(file.read_text())


def test_account_is_shown_and_renamed(lambent: Run, ada: Ran) -> None:
    assert ADA in lambent("me").out
    assert lambent("me", "rename", "Ada Lovelace").code == 0
    assert lambent("me", "show", "--json").json["name"] == "Ada Lovelace"


def test_address_is_changed_by_the_code_mailed_to_it(
    lambent: Run, ada: Ran, deployment: Deployment, typed: Typed, config: Path
) -> None:
    typed(PASSWORD)
    told = lambent("me", "email", "ada@elsewhere.example", "--password-stdin")
    assert (told.code, "lambent me confirm CODE" in told.err) == (0, True)
    assert lambent("me", "--json").json["email"] == ADA
    told = lambent("me", "confirm", deployment.code("ada@elsewhere.example"))
    assert told.code == 0, told.err
    assert lambent("me", "--json").json["email"] == "ada@elsewhere.example"
    assert kept(config)["current"] == "ada@elsewhere.example"
    assert list(kept(config)["logins"]) == ["ada@elsewhere.example"]
    deployment.world.clock.advance(11 * 60)
    assert lambent("collections").code == 0, "the sign-in is renewed under the other address"


def test_address_is_not_changed_without_the_password(lambent: Run, ada: Ran, typed: Typed) -> None:
    typed("not the password")
    assert lambent("me", "email", "ada@elsewhere.example", "--password-stdin").code == 1


def test_account_is_closed_when_it_is_sure(
    lambent: Run, ada: Ran, typed: Typed, config: Path, deployment: Deployment
) -> None:
    token = kept(config)["logins"][ADA]["access_token"]
    typed(PASSWORD)
    told = lambent("me", "close", "--password-stdin")
    assert (told.code, "add --yes" in told.err) == (1, True)
    typed("not the password")
    assert lambent("me", "close", "--yes", "--password-stdin").code == 1
    assert lambent("me").code == 0
    typed(PASSWORD)
    assert lambent("me", "close", "--yes", "--password-stdin").code == 0
    answer = deployment.world.api("GET", "/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401
    assert "not signed in" in lambent("me").err


def test_organisation_is_left_but_not_by_its_last_owner(
    lambent: Run, ada: Ran, bob: str, deployment: Deployment
) -> None:
    assert lambent("members", "invite", "bob@example.com", "--role", "viewer").code == 0
    told = lambent("orgs", "leave", "--yes")
    assert (told.code, "owner" in told.err) == (1, True)
    assert lambent("switch", "bob@example.com").code == 0
    assert lambent("invitations", "accept", deployment.code("bob@example.com")).code == 0
    assert "add --yes" in lambent("orgs", "leave", "Acme").err
    told = lambent("orgs", "leave", "Acme", "--yes")
    assert told.code == 0, told.err
    assert [one["name"] for one in lambent("orgs", "--json").json] == ["Bobs"]
    assert lambent("collections").code == 0, "the one that is left is worked in"


# By other parties.


@pytest.fixture
def ways(deployment: Deployment) -> Iterator[Ways]:
    with ways_into(deployment.world) as made:
        yield made


@pytest.fixture
def visiting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Somebody who goes where they are told, and pastes where they were sent back to."""

    def goes(issuer: Issuer, sub: str = "ada-1", **instead: str) -> None:
        def prompt(question: str, **how: Any) -> str:
            (url,) = re.findall(r"https://\S+", question)
            return f"{BACK}?{urlencode({**issuer.visit(url, sub, **OWN), **instead})}"

        monkeypatch.setattr("shared.cli.asking.typer.prompt", prompt)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)

    return goes


def test_provider_lets_somebody_in_who_was_never_here(
    lambent: Run, ways: Ways, visiting: Callable[..., None], config: Path
) -> None:
    visiting(ways.company)
    told = lambent("login", "--provider", "company", "--back", BACK)
    assert told.code == 0, told.err
    assert kept(config)["current"] == ADA
    assert lambent("me", "--json").json["name"] == "Ada Lovelace"
    (one,) = [one for one in lambent("providers", "--json").json if one["name"] == "company"]
    assert (one["title"], one["subject"]) == ("The company", "ada-1")


def test_provider_is_linked_and_taken_away(
    lambent: Run, ada: Ran, ways: Ways, visiting: Callable[..., None], typed: Typed
) -> None:
    typed(PASSWORD)
    visiting(ways.public, "ada-public")
    told = lambent("providers", "link", "public", "--password-stdin")
    assert told.code == 0, told.err
    assert len(lambent("sessions", "--json").json) == 1, "what linked it is signed out again"
    assert "ada-public" in lambent("providers").out
    assert lambent("logout").code == 0
    visiting(ways.public, "ada-public")
    assert lambent("login", "--provider", "public").code == 0
    assert lambent("me", "--json").json["email"] == ADA
    told = lambent("providers", "unlink", "public", "--yes")
    assert told.code == 0, told.err
    assert "ada-public" not in lambent("providers").out


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        ({"state": "another"}, "not the address this sign-in comes back to"),
        ({"error": "access_denied", "error_description": "not you"}, "company refused: not you"),
        ({"code": "made up"}, ""),
    ],
)
def test_return_that_is_none_signs_nobody_in(
    instead: dict[str, str], said: str, lambent: Run, ways: Ways, visiting: Callable[..., None], config: Path
) -> None:
    visiting(ways.company, **instead)
    told = lambent("login", "--provider", "company", "--back", BACK)
    assert told.code == 1
    assert said in told.err
    assert not list((config / "lambent" / "logins").glob("*.json"))


def test_provider_that_is_none_is_named(lambent: Run, ways: Ways, typed: Typed) -> None:
    told = lambent("login", "--provider", "nobody")
    assert (told.code, "lambent providers" in told.err) == (1, True)
    typed()
    told = lambent("login", "--provider", "company")
    assert (told.code, "nobody is here to be asked" in told.err) == (1, True)
