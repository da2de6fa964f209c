"""The API's routes about the user: coming in, staying so, leaving; what one belongs to."""

from collections.abc import Iterator, Mapping
from typing import cast

from shared.cli.client import Client
from shared.cli.shapes.identity import AccountEvent, Belonging, Registered, Signed, SignIn, User
from shared.cli.shapes.organisations import Org


class Identity:
    """Routes of `auth` and `users`. Errors are those of `Client.call`."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def register(self, body: Mapping[str, str]) -> None:
        """Have a code mailed that confirms an address."""
        self.client.call("POST", "/auth/register", json=body)

    def verify(self, code: str, password: str) -> Registered:
        """Confirm an address by the code that was mailed and the password that was chosen."""
        body = {"token": code, "password": password}
        return cast(Registered, self.client.call("POST", "/auth/verify", json=body))

    def login(self, email: str, password: str) -> Signed:
        """Sign in."""
        body = {"email": email, "password": password}
        return cast(Signed, self.client.call("POST", "/auth/login", json=body))

    def logout(self) -> None:
        """Sign out."""
        self.client.call("POST", "/auth/logout")

    def forgot(self, email: str) -> None:
        """Have a code mailed that sets another password."""
        self.client.call("POST", "/auth/password/forgot", json={"email": email})

    def reset(self, code: str, password: str) -> None:
        """Set another password by the code that was mailed."""
        self.client.call("POST", "/auth/password/reset", json={"token": code, "password": password})

    def change(self, present: str, password: str) -> None:
        """Set another password in place of the present one."""
        self.client.call("POST", "/auth/password/change", json={"present": present, "password": password})

    def sign_ins(self) -> list[SignIn]:
        """Where one is signed in, newest first."""
        return cast(list[SignIn], self.client.call("GET", "/auth/sessions")["items"])

    def end(self, session_id: str) -> None:
        """Sign out somewhere."""
        self.client.call("DELETE", f"/auth/sessions/{session_id}")

    def end_others(self) -> int:
        """Sign out everywhere else; returns in how many places."""
        return int(self.client.call("DELETE", "/auth/sessions")["sessions"])

    def events(self) -> Iterator[AccountEvent]:
        """What happened to the user's account, newest first."""
        return self.client.pages("/users/me/events")

    def me(self) -> User:
        """The signed-in user."""
        return cast(User, self.client.call("GET", "/users/me"))

    def organisations(self) -> list[Belonging]:
        """What the user belongs to, the oldest membership first."""
        return cast(list[Belonging], self.client.call("GET", "/users/me/organisations")["items"])

    def found(self, name: str) -> Org:
        """Make an organisation; the user is its owner."""
        return cast(Org, self.client.call("POST", "/orgs", json={"name": name}, once=True))

    def accept(self, code: str) -> str:
        """Join by the code that was mailed; returns the organisation's id."""
        return str(self.client.call("POST", "/orgs/accept", json={"token": code}, once=True)["org_id"])
