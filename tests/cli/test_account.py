"""register, verify, login, logout, whoami, password, sessions, against the real handlers."""

import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.cli.people import code_in
from tests.cli.conftest import PASSWORD, Ran, Run
from tests.cli.deployment import Deployment

ADA = "ada@example.com"
type Typed = Callable[..., None]


def kept(config: Path) -> tuple[Path, Any]:
    """The one file of sign-ins, and what is in it."""
    (file,) = (config / "lambent" / "logins").glob("*.json")
    return file, json.loads(file.read_text())


def test_register_and_verify_sign_in_and_commands_work(lambent: Run, ada: Ran) -> None:
    assert ada.json["signed_in"] is True
    assert lambent("whoami", "--json").json["user"]["email"] == ADA
    assert lambent("collections", "create", "Handbook").code == 0
    assert "Handbook" in lambent("collections").out


def test_sign_in_is_kept_for_its_owner_alone_and_never_printed(lambent: Run, ada: Ran, config: Path) -> None:
    file, found = kept(config)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    login = found["logins"][ADA]
    said = [ada, *(lambent(*words) for words in (("whoami",), ("whoami", "--json"), ("sessions", "--json")))]
    for secret in (login["access_token"], login["refresh_token"], PASSWORD):
        assert secret
        assert not any(secret in one.out + one.err for one in said)


def test_password_is_taken_from_no_option(lambent: Run, ada: Ran) -> None:
    assert lambent("login", ADA, "--password", PASSWORD).code == 2


def test_login_without_a_terminal_says_how(lambent: Run, ada: Ran, typed: Typed) -> None:
    typed()
    told = lambent("login", ADA)
    assert told.code == 1
    assert "--password-stdin" in told.err


def test_login_asks_for_the_password_unseen(lambent: Run, ada: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def prompt(question: str, **how: Any) -> str:
        asked.append(how)
        return PASSWORD

    monkeypatch.setattr("shared.cli.asking.typer.prompt", prompt)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert lambent("login").code == 0
    assert [one["hide_input"] for one in asked] == [True]


def test_login_wrong_password_says_so_and_keeps_what_was(lambent: Run, ada: Ran, typed: Typed) -> None:
    typed("not the password")
    told = lambent("login", ADA, "--password-stdin")
    assert told.code == 1
    assert "no account has this address and this password" in told.err
    assert lambent("whoami").code == 0


def test_password_never_travels_unencrypted(run_local: Run, typed: Typed) -> None:
    typed(PASSWORD)
    told = run_local("login", ADA, "--password-stdin", "--url", "http://api.example.com")
    assert told.code == 1
    assert "not encrypted" in told.err


def test_logout_ends_the_sign_in_there_and_here(lambent: Run, ada: Ran, config: Path, deployment: Deployment) -> None:
    _, before = kept(config)
    assert lambent("logout").code == 0
    assert "not signed in" in lambent("collections").err
    token = before["logins"][ADA]["access_token"]
    answer = deployment.world.api("GET", "/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 401
    assert not list((config / "lambent" / "logins").glob("*.json"))


def test_logout_of_nobody_says_so(lambent: Run) -> None:
    told = lambent("logout")
    assert told.code == 1
    assert "nobody is signed in" in told.err


def test_logout_forgets_even_when_the_api_is_away(lambent: Run, ada: Ran, deployment: Deployment, config: Path) -> None:
    deployment.refused = [500]
    told = lambent("logout")
    assert told.code == 0
    assert "lasts until it expires" in told.err
    assert not list((config / "lambent" / "logins").glob("*.json"))


def test_key_that_is_given_comes_before_the_sign_in(lambent: Run, ada: Ran, deployment: Deployment) -> None:
    key = deployment.world.owner("Elsewhere").key
    told = lambent("whoami", "--json", "--key", key)
    assert told.json["key"] == key[:8]
    assert key not in told.out
    lambent("collections", "--key", key)
    assert deployment.requests[-1][2] == f"Bearer {key}"
    told = lambent("sessions", "--key", key)
    assert (told.code, "lambent login" in told.err) == (1, True)


def test_expired_token_is_renewed_and_kept(lambent: Run, ada: Ran, deployment: Deployment, config: Path) -> None:
    _, before = kept(config)
    deployment.world.clock.advance(11 * 60)
    assert lambent("collections").code == 0
    _, after = kept(config)
    assert after["logins"][ADA]["refresh_token"] != before["logins"][ADA]["refresh_token"]
    assert stat.S_IMODE(kept(config)[0].stat().st_mode) == 0o600
    exchanged = [path for _, path, _ in deployment.requests if path.endswith("/refresh")]
    assert len(exchanged) == 1
    assert lambent("collections").code == 0


def test_expired_token_of_many_at_once_is_exchanged_once(
    lambent: Run, ada: Ran, deployment: Deployment, at_once: "Callable[[int], list[int]]"
) -> None:
    deployment.world.clock.advance(11 * 60)
    assert at_once(6) == [0] * 6
    exchanged = [path for _, path, _ in deployment.requests if path.endswith("/refresh")]
    assert len(exchanged) == 1


@pytest.fixture
def at_once(deployment: Deployment, config: Path) -> Callable[[int], list[int]]:
    """Renews the sign-in from several threads with clients of their own, all of which saw the old token."""
    from shared.cli.address import Address
    from shared.cli.client import Client
    from shared.cli.credentials import SignedIn
    from shared.cli.logins import Logins

    def run(count: int) -> list[int]:
        logins = Logins(config / "lambent" / "logins", deployment.url)
        login = logins.current()
        assert login is not None
        codes: list[int] = []
        ready = threading.Barrier(count)

        def one() -> None:
            client = Client(Address(deployment.url, SignedIn(logins, login, deployment.url)))
            ready.wait(10)
            try:
                client.call("GET", "/users/me")
                codes.append(0)
            except Exception as error:  # noqa: BLE001 - whatever it was is what the test shows
                codes.append(hash(str(error)))
            finally:
                client.close()

        threads = [threading.Thread(target=one) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        return codes

    return run


def test_sign_in_that_ended_says_what_to_do_and_nobody_else_acts(
    lambent: Run, ada: Ran, deployment: Deployment
) -> None:
    deployment.world.clock.advance(31 * 24 * 3600)
    for _ in range(2):
        told = lambent("collections")
        assert told.code == 1
        assert f"lambent login {ADA}" in told.err
    assert lambent("logout").code == 0


def test_two_sign_ins_at_one_place_are_switched(lambent: Run, ada: Ran, come_in: Callable[..., Ran]) -> None:
    come_in("bob@example.com", "Bobs")
    assert lambent("whoami", "--json").json["user"]["email"] == "bob@example.com"
    assert lambent("switch", ADA).code == 0
    assert lambent("whoami", "--json").json["user"]["email"] == ADA
    told = lambent("switch", "eve@example.com")
    assert (told.code, "lambent login eve@example.com" in told.err) == (1, True)


def test_password_forgot_and_reset(lambent: Run, ada: Ran, deployment: Deployment, typed: Typed) -> None:
    assert lambent("password", "forgot", ADA).code == 0
    typed("another good password")
    assert lambent("password", "reset", deployment.code(ADA), "--password-stdin").code == 0
    assert "lambent login" in lambent("collections").err
    typed("another good password")
    assert lambent("login", ADA, "--password-stdin").code == 0
    assert lambent("collections").code == 0


def test_password_change_takes_both_from_stdin(lambent: Run, ada: Ran, typed: Typed) -> None:
    typed(PASSWORD, "another good password")
    assert lambent("password", "change", "--password-stdin").code == 0
    typed("another good password")
    assert lambent("login", ADA, "--password-stdin").code == 0


def test_sessions_lists_and_revokes(lambent: Run, ada: Ran, deployment: Deployment, typed: Typed) -> None:
    for _ in range(2):
        typed(PASSWORD)
        lambent("login", ADA, "--password-stdin")
    found = lambent("sessions", "--json").json
    assert [one["present"] for one in found] == [True, False, False]
    assert found[0]["client"].startswith("lambent (")
    assert lambent("sessions", "revoke", found[2]["id"]).code == 0
    assert lambent("sessions", "revoke", "--others", "--json").json == {"revoked": 1}
    assert len(lambent("sessions", "--json").json) == 1
    told = lambent("sessions", "revoke", found[2]["id"])
    assert (told.code, "lambent sessions" in told.err) == (1, True)


def test_sessions_history_tells_what_happened_to_the_account(lambent: Run, ada: Ran, typed: Typed) -> None:
    typed("not the password")
    lambent("login", ADA, "--password-stdin")
    typed(PASSWORD)
    lambent("login", ADA, "--password-stdin")
    found = lambent("sessions", "history", "--json").json
    assert len(found) >= 3
    actions = [line.split()[2] for line in lambent("sessions", "history", "-n", "2").out.splitlines()[1:]]
    assert actions == [one["action"] for one in found[:2]]


def test_damaged_file_says_which(lambent: Run, ada: Ran, config: Path) -> None:
    file, _ = kept(config)
    file.write_text('{"logins": 3}')
    told = lambent("whoami")
    assert told.code == 1
    assert str(file) in told.err


def test_file_that_others_may_read_is_closed_again(lambent: Run, ada: Ran, config: Path) -> None:
    file, _ = kept(config)
    file.chmod(0o644)
    lambent("whoami")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "pasted",
    ["c" * 43, f"  {'c' * 43}\n", f"https://app.example.com/verify?token={'c' * 43}", f"Hello,\n\n{'c' * 43}\n\nBye."],
)
def test_code_in_reads_what_people_copy(pasted: str) -> None:
    assert code_in(pasted) == "c" * 43


def test_verify_elsewhere_than_registered_confirms_without_signing_in(
    lambent: Run, deployment: Deployment, typed: Typed, config: Path
) -> None:
    typed(PASSWORD)
    lambent("register", ADA, "--name", "Ada", "--organisation", "Acme", "--password-stdin")
    for file in (config / "lambent" / "logins").iterdir():
        file.unlink()
    typed(PASSWORD)
    told = lambent("verify", deployment.code(ADA), "--password-stdin")
    assert told.code == 0
    assert "lambent login" in told.out
