"""As whom requests are sent: by a key, by a sign-in that is renewed when it has to be, or as nobody."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from shared.cli.errors import ApiProblem, CliError

if TYPE_CHECKING:
    from shared.cli.logins import Login, Logins

type Exchange = Callable[[str], Mapping[str, Any]]
"""A refresh token for the API's answer to it."""


class Credential(Protocol):
    """As whom requests are sent."""

    def secret(self) -> str:
        """What is sent; '' for nothing.

        Raises:
            SignInEnded: only signing in again helps.
        """

    def renew(self, refused: str, exchange: Exchange) -> bool:
        """Get another secret in place of one that was refused; False when there is none to be had.

        Raises:
            SignInEnded: only signing in again helps.
        """


class SignInEnded(CliError):
    """A sign-in is good no more."""

    def __init__(self, email: str, url: str) -> None:
        super().__init__(
            f"you were signed in at {url} as {email}; that has ended",
            code="sign_in_ended",
            hint=f"lambent login {email} (or lambent logout, to be nobody there)",
        )


@dataclass(frozen=True, slots=True)
class Nobody:
    """For what strangers may do."""

    def secret(self) -> str:
        """See `Credential`."""
        return ""

    def renew(self, refused: str, exchange: Exchange) -> bool:
        """See `Credential`."""
        return False


@dataclass(frozen=True, slots=True)
class Key:
    """An API key.

    Attributes:
        source: where it comes from, in words.
    """

    value: str = field(repr=False)
    source: str = "--key or LAMBENT_API_KEY"

    def secret(self) -> str:
        """See `Credential`."""
        return self.value

    def renew(self, refused: str, exchange: Exchange) -> bool:
        """See `Credential`."""
        return False


class SignedIn:
    """A user's sign-in, kept in a file that several commands share.

    Args:
        logins: of the deployment.
        login: as it was when the command began.
        url: for words.
    """

    def __init__(self, logins: "Logins", login: "Login", url: str) -> None:
        self.logins = logins
        self._login = login
        self._url = url

    @property
    def login(self) -> "Login":
        """As it was seen last."""
        return self._login

    def secret(self) -> str:
        """See `Credential`."""
        if self._login.ended:
            raise SignInEnded(self._login.email, self._url)
        return self._login.access_token

    def renew(self, refused: str, exchange: Exchange) -> bool:
        """See `Credential`. Of several commands and threads at once, one exchanges and the others take what it got."""
        with self.logins.changing() as kept:
            found = kept.named(self._login.email)
            if found is None or found.ended:
                raise SignInEnded(self._login.email, self._url)
            if found.access_token != refused:
                self._login = found
                return True
            try:
                answer = exchange(found.refresh_token)
            except ApiProblem as problem:
                if problem.code != "invalid_refresh_token":
                    raise
                kept.put(found.over())
                raise SignInEnded(found.email, self._url) from problem
            self._login = replace(
                found, access_token=str(answer["access_token"]), refresh_token=str(answer["refresh_token"])
            )
            kept.put(self._login)
        return True
