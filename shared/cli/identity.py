"""The API's routes about the user: coming in, staying so, leaving; what one belongs to."""

from collections.abc import Iterator, Mapping
from typing import cast

from shared.cli.client import Client
from shared.cli.shapes.identity import (
    AccountEvent,
    Begun,
    Belonging,
    Known,
    Moved,
    Provider,
    Registered,
    Signed,
    SignIn,
    User,
)
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

    def providers(self) -> list[Provider]:
        """Who vouches for users here."""
        return cast(list[Provider], self.client.call("GET", "/auth/providers")["items"])

    def identities(self) -> list[Known]:
        """As whom providers know the user."""
        return cast(list[Known], self.client.call("GET", "/auth/identities")["items"])

    def begin(self, provider: str, back: str) -> Begun:
        """Begin to sign in by a provider, to be sent back to this address."""
        return cast(Begun, self.client.call("POST", f"/auth/oidc/{provider}/start", json={"redirect_uri": back}))

    def linking(self, provider: str, back: str, password: str) -> Begun:
        """Begin to come in by a provider too."""
        body = {"redirect_uri": back, "password": password}
        return cast(Begun, self.client.call("POST", f"/auth/oidc/{provider}/link", json=body))

    def unlink(self, provider: str) -> None:
        """Come in by a provider no more."""
        self.client.call("DELETE", f"/auth/oidc/{provider}/link")

    def finish(self, provider: str, body: Mapping[str, str]) -> Signed:
        """Sign in by what a provider sent one back with."""
        return cast(Signed, self.client.call("POST", f"/auth/oidc/{provider}/callback", json=body))

    def move(self, email: str, password: str) -> None:
        """Have a code mailed to another address."""
        self.client.call("POST", "/auth/email/change", json={"email": email, "password": password})

    def moved(self, code: str) -> Moved:
        """Take the address that the code was mailed to."""
        return cast(Moved, self.client.call("POST", "/auth/email/confirm", json={"token": code}))

    def rename(self, name: str) -> User:
        """Change the user's name."""
        return cast(User, self.client.call("PATCH", "/users/me", json={"name": name}))

    def close(self, password: str) -> None:
        """Close the user's account."""
        self.client.call("POST", "/users/me/disable", json={"password": password})

    def leave(self, org_id: str) -> None:
        """Leave an organisation."""
        self.client.call("DELETE", f"/users/me/organisations/{org_id}")

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
