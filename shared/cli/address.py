"""Where the API is: what the command line or the environment says, else the local cloud that runs."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from shared.cli.errors import CliError, NoAddress

API_PATH = "/api/v1"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Address:
    """Whom to talk to, and as whom. `url` is the base, to which `/api/v1/…` and `/docs` are appended."""

    url: str
    key: str
    project: str = ""

    @property
    def api(self) -> str:
        """The base of every route."""
        return self.url + API_PATH


def repository_root() -> Path:
    """The checkout this command was installed from: the folder of template.yaml."""
    return Path(__file__).resolve().parents[2]


def find_address(url: str, key: str, project: str, root: Path) -> Address:
    """The address to use.

    A key or project that is not given is taken from the local cloud only when the address is the local cloud's: a
    local key is never sent elsewhere.

    Raises:
        CliError: an address without a key, or something that is no address.
        NoAddress: nothing is given and no local cloud runs.
    """
    if url and key:
        return Address(_base(url), key, project)
    local = _running(root)
    if not url and local is None:
        raise NoAddress
    if local is not None and (not url or _base(url) == local.url):
        return Address(local.url, key or local.key, project or ("" if key else local.project))
    raise CliError(f"no key for {_base(url)}", code="no_key", hint="give one with --key or LAMBENT_API_KEY")


def is_loopback(url: str) -> bool:
    """True for addresses of this machine, where no proxy stands between."""
    return urlsplit(url).hostname in LOOPBACK


def _running(root: Path) -> Address | None:
    from shared.cli.local_cloud import running

    ready = running(root)
    return None if ready is None else Address(ready.url.rstrip("/"), ready.api_key or "", ready.project_id or "")


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
