"""Ways to keep a password, and ways to send mail."""

from typing import Any

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from shared.adapters.argon2.passwords import NOBODYS, Argon2Passwords
from shared.adapters.aws.clients import Clients
from shared.adapters.aws.mailer import SesMailer
from shared.adapters.memory.mailer import MemoryMailer
from shared.adapters.memory.passwords import MemoryPasswords
from shared.ports.mailer import Mail
from shared.ports.passwords import Passwords


@pytest.fixture(params=[Argon2Passwords, MemoryPasswords])
def passwords(request: pytest.FixtureRequest) -> Passwords:
    made: Passwords = request.param()
    return made


@pytest.mark.parametrize("password", ["correct horse", "пароль", "a" * 256, " \t "])
async def test_password_matches_itself_alone(passwords: Passwords, password: str) -> None:
    stored = await passwords.hash(password)
    assert password not in stored
    assert await passwords.matches(password, stored)
    assert not await passwords.matches(password + " ", stored)
    assert not await passwords.matches("", stored)
    assert not await passwords.matches(password, None)
    assert not passwords.stale(stored)


async def test_password_against_something_else_is_no_match(passwords: Passwords) -> None:
    for stored in ("", "x", "$argon2id$", "$argon2id$v=19$m=1,t=1,p=1$x$y"):
        assert not await passwords.matches("correct horse", stored)


async def test_argon2_salts_and_takes_what_is_asked_for() -> None:
    argon2 = Argon2Passwords()
    one, two = await argon2.hash("same"), await argon2.hash("same")
    assert one != two
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert argon2.stale("$argon2id$v=19$m=8192,t=1,p=1$" + one.split("$", 4)[4])


async def test_argon2_works_as_hard_for_nobody() -> None:
    assert NOBODYS.split("$")[1:4] == (await Argon2Passwords().hash("x")).split("$")[1:4]
    # It is a digest that a whole computation differs from, not one that is refused at sight.
    with pytest.raises(VerifyMismatchError):
        PasswordHasher().verify(NOBODYS, "x")


class FakeSes:
    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def send_email(self, **asked: Any) -> dict[str, str]:
        self.asked.append(asked)
        return {"MessageId": "1"}


class OneClient(Clients):
    def __init__(self, ses: FakeSes) -> None:
        super().__init__(region="eu-central-1", access_key="x", secret_key="x")
        self.ses = ses

    def get(self, service: str) -> Any:
        assert service == "sesv2"
        return self.ses


async def test_mail_is_handed_in_as_it_is() -> None:
    mail, ses, memory = Mail("a@example.com", "“Hello”", "text\n"), FakeSes(), MemoryMailer()
    await SesMailer("us@example.com", OneClient(ses)).send(mail)
    await memory.send(mail)
    assert memory.sent == [mail]
    (asked,) = ses.asked
    assert asked["FromEmailAddress"] == "us@example.com"
    assert asked["Destination"] == {"ToAddresses": ["a@example.com"]}
    assert asked["Content"]["Simple"]["Subject"]["Data"] == "“Hello”"
    assert asked["Content"]["Simple"]["Body"]["Text"]["Data"] == "text\n"
