"""Where the API is: what the command line or the environment says, else the local cloud that runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.cli.credentials import Credential, Key, SignedIn
from shared.cli.errors import CliError, NoAddress

if TYPE_CHECKING:
    from shared.cli.logins import Login, Logins
    from shared.cli.session import Asked
    from shared.local.report import Ready

API_PATH = "/api/v1"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
LOCAL_KEY = "the local cloud's owner"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the API is. `local` is the local cloud, when it is there."""

    url: str
    local: "Ready | None" = field(default=None, repr=False)

    @property
    def realm(self) -> str:
        """What sign-ins are kept by. A local cloud that was reset is another one, at whatever port it listens."""
        return self.url if self.local is None else f"local://{self.local.tenant_id}"


@dataclass(frozen=True, slots=True)
class Address:
    """Whom to talk to, and as whom.

    Attributes:
        url: the base, to which `/api/v1/…` and `/docs` are appended.
        project, org: what is worked in, by id or as a person named it; '' leaves it to the API.
    """

    url: str
    credential: Credential
    project: str = ""
    org: str = ""

    @property
    def api(self) -> str:
        """The base of every route."""
        return self.url + API_PATH


def repository_root() -> Path:
    """The checkout this command was installed from: the folder of template.yaml."""
    return Path(__file__).resolve().parents[2]


def find_place(url: str, root: Path) -> Place:
    """The API to talk to.

    Raises:
        CliError: what was given is no address.
        NoAddress: nothing is given and no local cloud runs.
    """
    from shared.cli.local_cloud import running

    given = _base(url) if url else ""
    ready = running(root)
    if ready is not None and given in ("", ready.url.rstrip("/")):
        return Place(ready.url.rstrip("/"), ready)
    if not given:
        raise NoAddress
    return Place(given)


def find_address(place: Place, asked: "Asked", logins: "Callable[[], Logins]") -> Address:
    """How to talk to it: with the key that is given, else as whoever is signed in, else with the local cloud's key.

    What belongs to the local cloud is never sent elsewhere.

    Raises:
        CliError: there is nothing to be let in by.
    """
    if asked.key:
        return Address(place.url, Key(asked.key), asked.project, asked.org)
    kept = logins()
    login = kept.current()
    if login is not None:
        return signed_in_address(place, kept, login, asked)
    local = place.local
    if local is not None and local.api_key:
        key = Key(local.api_key, LOCAL_KEY)
        return Address(place.url, key, asked.project or local.project_id or "", asked.org or local.tenant_id or "")
    raise CliError(
        f"you are not signed in at {place.url}, and no key was given",
        code="no_key",
        hint="sign in with lambent login, or give a key with --key or LAMBENT_API_KEY",
    )


def signed_in_address(place: Place, logins: "Logins", login: "Login", asked: "Asked") -> Address:
    """How to talk as somebody who is signed in; a project is remembered together with its organisation."""
    elsewhere = asked.org not in ("", login.org)
    project = asked.project or ("" if elsewhere else login.project)
    return Address(place.url, SignedIn(logins, login, place.url), project, asked.org or login.org)


def is_loopback(url: str) -> bool:
    """True for addresses of this machine, where no proxy stands between."""
    return urlsplit(url).hostname in LOOPBACK


def _base(url: str) -> str:
    base = url.strip().rstrip("/").removesuffix(API_PATH)
    parts = urlsplit(base)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise CliError(
            f"{url!r} is no address",
            code="bad_address",
            hint="give one such as https://abc.execute-api.eu-west-1.amazonaws.com/live",
        )
    return base
